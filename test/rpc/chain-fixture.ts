/**
 * A chain of real heights for the RPC's tests: headers, commits and part sets made by the types
 * layer, signed by real Ed25519 keys, over an application that keeps `key=value` pairs.
 *
 * Upholds: everything a client reads verifies; only consensus and disk are left out.
 *
 * @module
 */
import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { checkAnswer } from '../../node/src/abci/answers.ts';
import type {
  CheckTxResponse,
  QueryRequest,
  QueryResponse,
} from '../../node/src/abci/application.ts';
import { compareBytes, EMPTY, toHex, utf8 } from '../../node/src/base/bytes.ts';
import { LedgerError, present } from '../../node/src/base/errors.ts';
import { sha256 } from '../../node/src/base/hash.ts';
import { ChainIndex } from '../../node/src/indexer/chain-index.ts';
import { EventBus } from '../../node/src/indexer/event-bus.ts';
import type { KeySpace, Pair } from '../../node/src/indexer/ports.ts';
import { errors as mempoolErrors } from '../../node/src/mempool/errors.ts';
import type { RpcPorts, Submission } from '../../node/src/rpc/ports.ts';
import { type Block, blockCodec, dataHash, txHash } from '../../node/src/types/block.ts';
import { type BlockId, NIL_BLOCK_ID } from '../../node/src/types/block-id.ts';
import type { ChainState, CommittedHeight } from '../../node/src/types/chain-state.ts';
import {
  ABSENT_SIG,
  BLOCK_ID_FLAG,
  type Commit,
  commitHash,
  EMPTY_COMMIT,
} from '../../node/src/types/commit.ts';
import { type Evidence, evidenceListHash } from '../../node/src/types/evidence.ts';
import { BLOCK_PROTOCOL, type Header, headerHash } from '../../node/src/types/header.ts';
import type { PublicKey } from '../../node/src/types/keys.ts';
import { DEFAULT_PARAMS, paramsHash } from '../../node/src/types/params.ts';
import { PartSet } from '../../node/src/types/part-set.ts';
import {
  type ExecTxResult,
  type FinalizeBlockResponse,
  resultsHash,
} from '../../node/src/types/results.ts';
import { formatTime, parseTime } from '../../node/src/types/time.ts';
import {
  createValidatorSet,
  rotate,
  type ValidatorSet,
  validatorsHash,
} from '../../node/src/types/validators.ts';
import { VOTE_TYPE, voteSignBytes } from '../../node/src/types/vote.ts';

/** An ordered key space in memory. */
export class MemoryKeySpace implements KeySpace {
  readonly entries: Map<string, Pair> = new Map();
  staged = 0;

  get(key: Uint8Array): Uint8Array | undefined {
    return this.entries.get(toHex(key))?.value;
  }

  stage(key: Uint8Array, value: Uint8Array): void {
    this.staged++;
    this.entries.set(toHex(key), { key, value });
  }

  remove(keys: readonly Uint8Array[]): Promise<void> {
    for (const key of keys) this.entries.delete(toHex(key));
    return Promise.resolve();
  }

  range(options: {
    readonly from: Uint8Array;
    readonly to: Uint8Array;
    readonly reverse: boolean;
    readonly limit: number;
  }): Promise<readonly Pair[]> {
    const found = [...this.entries.values()]
      .filter(
        ({ key }) => compareBytes(key, options.from) >= 0 && compareBytes(key, options.to) < 0,
      )
      .sort((a, b) => compareBytes(a.key, b.key));
    if (options.reverse) found.reverse();
    return Promise.resolve(found.slice(0, options.limit));
  }
}

const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex');

type Signer = { readonly secret: KeyObject; readonly publicKey: PublicKey };

function signer(name: string): Signer {
  const seed = sha256(utf8(name));
  const der = Buffer.concat([PKCS8_HEAD, seed]);
  const secret = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  const jwk = createPublicKey(secret).export({ format: 'jwk' });
  const bytes = new Uint8Array(Buffer.from(jwk.x ?? '', 'base64url'));
  return { secret, publicKey: { type: 'ed25519', bytes } };
}

/** A check that passed, with `fields` over it. */
export function checked(fields: Partial<CheckTxResponse> = {}): CheckTxResponse {
  return checkAnswer({ gasWanted: 1, ...fields });
}

function answer(fields: Partial<QueryResponse>): QueryResponse {
  return {
    code: 0,
    log: '',
    info: '',
    index: 0,
    key: EMPTY,
    value: EMPTY,
    proofOps: undefined,
    height: 0,
    codespace: '',
    ...fields,
  };
}

/** The chain id of the fixture. */
export const CHAIN_ID = 'fixture-1';
const GENESIS_TIME = present(parseTime('2026-03-01T12:00:00.5Z'), 'the genesis time');
const SECOND = 1_000_000_000n;

/** A chain that grows when told to. */
export class ChainFixture {
  readonly space: MemoryKeySpace = new MemoryKeySpace();
  readonly bus: EventBus = new EventBus();
  readonly heights: CommittedHeight[] = [];
  readonly index: ChainIndex;
  readonly pending: Map<string, Uint8Array> = new Map();
  readonly evidence: Evidence[] = [];
  readonly signers: readonly Signer[];
  readonly initial: ValidatorSet;
  readonly #pairs: Map<string, string> = new Map();
  /** Answers of queries by path, for tests that add some. */
  readonly queries: Map<string, (request: QueryRequest) => Partial<QueryResponse>> = new Map();
  base = 1;

  constructor(validators = 4) {
    const signers = Array.from({ length: validators }, (_, i) => signer(`validator ${i}`));
    this.initial = createValidatorSet(signers.map(({ publicKey }) => ({ publicKey, power: 10n })));
    this.signers = this.initial.validators.map((v) =>
      present(
        signers.find((s) => toHex(s.publicKey.bytes) === toHex(v.publicKey.bytes)),
        'the signer of a validator',
      ),
    );
    this.index = new ChainIndex(this.space, {
      block: (height) => this.heights[height - 1]?.block,
      results: (height) => this.heights[height - 1]?.results,
    });
  }

  get height(): number {
    return this.heights.length;
  }

  /** Who signs `height`. */
  validators(height: number): ValidatorSet | undefined {
    if (height < 1 || height > this.height + 1) return undefined;
    return height === 1 ? this.initial : rotate(this.initial, height - 1);
  }

  #execute(tx: Uint8Array): ExecTxResult {
    const text = new TextDecoder().decode(tx);
    const [key = '', value = ''] = text.split('=');
    const failed = value === '';
    if (!failed) this.#pairs.set(key, value);
    const event = {
      type: 'app',
      attributes: [
        { key: 'creator', value: 'Fixture', index: true },
        { key: 'key', value: key, index: true },
        { key: 'size', value: `${value.length}bytes`, index: true },
        { key: 'noindex_key', value: 'not indexed', index: false },
      ],
    };
    return {
      code: failed ? 5 : 0,
      data: EMPTY,
      log: failed ? 'no value' : '',
      info: '',
      gasWanted: 100,
      gasUsed: tx.length,
      events: failed ? [] : [event],
      codespace: failed ? 'fixture' : '',
    };
  }

  #commit(height: number, blockId: BlockId, set: ValidatorSet): Commit {
    const timestamp = GENESIS_TIME + BigInt(height) * SECOND + 7n;
    const signatures = set.validators.map((validator, i) => {
      if (height === 3 && i === 2) return ABSENT_SIG;
      const bytes = voteSignBytes(CHAIN_ID, {
        type: VOTE_TYPE.precommit,
        height,
        round: 0,
        blockId,
        timestamp,
      });
      const { secret } = present(this.signers[i], 'a signer');
      return {
        blockIdFlag: BLOCK_ID_FLAG.commit,
        validatorAddress: validator.address,
        timestamp,
        signature: new Uint8Array(sign(null, bytes, secret)),
      };
    });
    return { height, round: 0, blockId, signatures };
  }

  /** Commits a block of these transactions and publishes it. */
  produce(txs: readonly Uint8Array[] = [...this.pending.values()]): CommittedHeight {
    const height = this.height + 1;
    const last = this.heights.at(-1);
    const set = present(this.validators(height), 'the validators');
    const next = rotate(this.initial, height);
    const lastCommit = last?.seenCommit ?? EMPTY_COMMIT;
    const header: Header = {
      version: { block: BLOCK_PROTOCOL, app: 1 },
      chainId: CHAIN_ID,
      height,
      time: GENESIS_TIME + BigInt(height - 1) * SECOND,
      lastBlockId: last?.blockId ?? NIL_BLOCK_ID,
      lastCommitHash: commitHash(lastCommit),
      dataHash: dataHash(txs),
      validatorsHash: validatorsHash(set),
      nextValidatorsHash: validatorsHash(next),
      consensusHash: paramsHash(DEFAULT_PARAMS),
      appHash: last?.results.appHash ?? sha256(utf8('genesis')),
      lastResultsHash: resultsHash(last?.results.txResults ?? []),
      evidenceHash: evidenceListHash({ evidence: [] }),
      proposerAddress: set.proposer.address,
    };
    const block: Block = { header, data: { txs }, evidence: { evidence: [] }, lastCommit };
    const parts = PartSet.of(blockCodec.encode(block));
    const blockId = { hash: headerHash(header), partSetHeader: parts.header };
    const results = this.#results(height, txs);
    const state = this.#state(header, blockId, results);
    const committed: CommittedHeight = {
      block,
      blockId,
      parts,
      seenCommit: this.#commit(height, blockId, set),
      results,
      state,
    };
    this.index.stage(committed);
    this.heights.push(committed);
    for (const tx of txs) this.pending.delete(toHex(txHash(tx)));
    this.bus.publish({ kind: 'committed', height: committed });
    return committed;
  }

  #results(height: number, txs: readonly Uint8Array[]): FinalizeBlockResponse {
    const attributes = [{ key: 'parity', value: height % 2 === 0 ? 'even' : 'odd', index: true }];
    return {
      events: [{ type: 'begin', attributes }],
      txResults: txs.map((tx) => this.#execute(tx)),
      validatorUpdates: [],
      paramUpdates: undefined,
      appHash: sha256(utf8(`state ${height}`)),
    };
  }

  #state(header: Header, blockId: BlockId, results: FinalizeBlockResponse): ChainState {
    const { height } = header;
    return {
      chainId: CHAIN_ID,
      initialHeight: 1,
      lastHeight: height,
      lastBlockId: blockId,
      lastTime: header.time,
      validators: rotate(this.initial, height),
      nextValidators: rotate(this.initial, height + 1),
      lastValidators: height === 1 ? this.initial : rotate(this.initial, height - 1),
      validatorsChangedHeight: 1,
      params: DEFAULT_PARAMS,
      paramsChangedHeight: 1,
      lastResultsHash: resultsHash(results.txResults),
      appHash: results.appHash,
    };
  }

  #check(tx: Uint8Array): CheckTxResponse {
    const text = new TextDecoder().decode(tx);
    if (text.includes('=')) return checked();
    return checked({ code: 2, log: 'no = in the transaction', codespace: 'fixture' });
  }

  #submit(tx: Uint8Array): Submission {
    const hash = txHash(tx);
    if (this.pending.has(toHex(hash))) throw new LedgerError(mempoolErrors.InCache, {});
    const response = this.#check(tx);
    if (response.code === 0) this.pending.set(toHex(hash), tx);
    return { hash, response };
  }

  #query(request: QueryRequest): QueryResponse {
    const own = this.queries.get(request.path);
    if (own !== undefined) return answer({ height: this.height, ...own(request) });
    if (request.path === '/key') {
      const value = this.#pairs.get(new TextDecoder().decode(request.data));
      const found = { key: request.data, height: this.height };
      if (value === undefined) return answer({ ...found, log: 'does not exist' });
      return answer({ ...found, value: utf8(value), log: 'exists' });
    }
    return answer({ code: 6, codespace: 'sdk', log: `unknown query path ${request.path}` });
  }

  /** The ports of the RPC over this chain. */
  ports(): RpcPorts {
    const at = (height: number): CommittedHeight | undefined =>
      height < this.base ? undefined : this.heights[height - 1];
    const fixture = this;
    const own = present(this.signers[0], 'the first signer').publicKey;
    return {
      chainId: CHAIN_ID,
      node: {
        id: toHex(sha256(utf8('node')).subarray(0, 20)),
        listenAddress: 'tcp://127.0.0.1:26656',
        moniker: 'fixture',
        appVersion: 1,
        channels: '40202122233038606100',
        rpcAddress: 'tcp://127.0.0.1:26657',
      },
      validatorKey: own,
      genesis: this.genesis(),
      chain: {
        get base() {
          return fixture.height === 0 ? 0 : fixture.base;
        },
        get height() {
          return fixture.height;
        },
        state: () => this.heights.at(-1)?.state,
        meta: (height) => {
          const found = at(height);
          if (found === undefined) return undefined;
          const { block, blockId, parts } = found;
          return {
            blockId,
            blockSize: parts.byteSize,
            header: block.header,
            txCount: block.data.txs.length,
          };
        },
        block: (height) => at(height)?.block,
        commitOf: (height) => at(height + 1)?.block.lastCommit,
        seenCommit: (height) => at(height)?.seenCommit,
        validators: (height) => (height < this.base ? undefined : this.validators(height)),
        params: () => DEFAULT_PARAMS,
        results: (height) => at(height)?.results,
      },
      app: {
        info: () =>
          Promise.resolve({
            data: 'fixture',
            version: '1.0.0',
            appVersion: 1,
            lastHeight: this.height,
            lastAppHash: this.heights.at(-1)?.results.appHash ?? EMPTY,
          }),
        query: (request) => Promise.resolve(this.#query(request)),
        checkTx: ({ tx }) => this.#check(tx),
      },
      pool: {
        get size() {
          return fixture.pending.size;
        },
        get byteSize() {
          return [...fixture.pending.values()].reduce((sum, tx) => sum + tx.length, 0);
        },
        list: (limit) => [...this.pending.values()].slice(0, limit).map((tx) => ({ tx })),
        submit: (tx) => this.#submit(tx),
      },
      consensus: {
        catchingUp: false,
        round: () => ({
          height: this.height + 1,
          round: 0,
          step: 1,
          startTime: GENESIS_TIME,
          commitTime: GENESIS_TIME,
          validators: present(this.validators(this.height + 1), 'the next validators'),
          proposal: undefined,
          proposalBlockHash: EMPTY,
          lockedRound: -1,
          lockedBlockHash: EMPTY,
          validRound: -1,
          validBlockHash: EMPTY,
          votes: [
            {
              round: 0,
              prevotes: this.signers.map(() => undefined),
              precommits: this.signers.map(() => undefined),
            },
          ],
        }),
        submitEvidence: (evidence) => {
          this.evidence.push(evidence);
          return Promise.resolve();
        },
      },
      net: { listening: true, listeners: ['/ip4/127.0.0.1/tcp/26656'], peers: () => [] },
      index: this.index,
      bus: this.bus,
      unsafe: undefined,
    };
  }

  /** The genesis file's text. */
  genesis(): string {
    const { block, evidence } = DEFAULT_PARAMS;
    return JSON.stringify({
      genesis_time: formatTime(GENESIS_TIME),
      chain_id: CHAIN_ID,
      initial_height: '1',
      consensus_params: {
        block: { max_bytes: String(block.maxBytes), max_gas: String(block.maxGas) },
        evidence: {
          max_age_num_blocks: String(evidence.maxAgeNumBlocks),
          max_age_duration: String(evidence.maxAgeDuration),
        },
      },
      validators: this.initial.validators.map((v) => ({
        address: toHex(v.address).toUpperCase(),
        pub_key: {
          type: 'tendermint/PubKeyEd25519',
          value: Buffer.from(v.publicKey.bytes).toString('base64'),
        },
        power: '10',
        name: '',
      })),
      app_hash: '',
      app_state: {},
    });
  }
}
