/**
 * The ledger as an ABCI application: accounts, coins and memory over a state store.
 *
 * Upholds: `finalizeBlock` depends on the block and the state alone, whether it executes or takes
 * the execution that proposing or judging the same block left; the state changes at `commit` only;
 * a block without transactions leaves the app hash as it is (but for the first block, which carries
 * genesis). Proposals made here pass `processProposal` on every correct node: both execute.
 * Absent here: what messages do (modules), storage (a port), elliptic curves (a function).
 *
 * @module
 */
import type {
  Application,
  BlockContext,
  CheckTxRequest,
  CheckTxResponse,
  CommitResponse,
  FinalizeBlockRequest,
  Info,
  InitChainRequest,
  InitChainResponse,
  PrepareProposalRequest,
  ProcessProposalRequest,
  QueryRequest,
  QueryResponse,
} from '../abci/application.ts';
import { EMPTY } from '../base/bytes.ts';
import { attempt, LedgerError, present } from '../base/errors.ts';
import { type Logger, SILENT } from '../base/logger.ts';
import {
  type AbciEvent,
  type ExecTxResult,
  type FinalizeBlockResponse,
  refused,
} from '../types/results.ts';
import { Addresses } from './addresses.ts';
import { BlockRun } from './block-run.ts';
import { type Chain, getChain, setChain } from './chain.ts';
import { CheckState, type Verdict } from './check-state.ts';
import { errors, refuse } from './errors.ts';
import { type BlockHashes, EthereumHost } from './ethereum/host.ts';
import type { SecondOpinion, SeenBlock } from './evm/second-opinion/port.ts';
import { decode, type Environment, runTransaction } from './executor.ts';
import { blockGasOf } from './gas.ts';
import { parseAppState, prefixOf } from './genesis.ts';
import { type Base, Overlay } from './overlay.ts';
import { checkFloor, type GasPrice, parsePrices, priorityOf } from './price.ts';
import { answerQuery } from './query.ts';
import type { Records } from './record.ts';
import { modules } from './registry.ts';
import { CONTRACTS_SECTION, makeContracts } from './rules/genesis.ts';
import type { RecordChange, StateStore } from './store.ts';
import type { DecodedTx } from './tx/decode.ts';
import { DecodedTxs } from './tx/decoded.ts';
import { firstSights } from './tx/first-sight.ts';
import type { KeyTools } from './tx/key-tools.ts';
import type { TxLookup } from './tx/service.ts';
import { Signatures, type VerifySecp256k1 } from './tx/signatures.ts';

/** What the ledger is made of. */
export type LedgerOptions = {
  readonly store: StateStore;
  readonly verifySecp256k1: VerifySecp256k1;
  readonly keys: KeyTools;
  /** Hashes of the last 256 blocks: what an Ethereum transaction may ask for. */
  readonly blockHash?: BlockHashes;
  /** Least price of gas for this node's mempool, such as `0.025aphi`; empty is none. */
  readonly minGasPrices?: string;
  /** Finds committed transactions, for cosmos.tx.v1beta1.Service/GetTx. */
  readonly findTx?: TxLookup;
  /** Is told of what the EVM did in committed blocks. */
  readonly secondOpinion?: SecondOpinion | undefined;
  readonly logger?: Logger;
  readonly version?: string;
  /** Most transactions that the rules decide in one call; no result depends on it. */
  readonly maxRulesBatch?: number;
};

/** Version of the ledger's rules. */
export const APP_VERSION = 1;

const NO_EVENTS: readonly AbciEvent[] = [];

/** Ethereum transactions come after native ones. */
const ETHEREUM_PHASE = 1;

type Running = {
  readonly chain: Chain;
  readonly addresses: Addresses;
  readonly decoded: DecodedTxs;
  readonly ethereum: EthereumHost;
};

/** What execution left to be committed. */
type Finalized = {
  readonly seen: readonly SeenBlock[];
  readonly changes: readonly RecordChange[];
  readonly known: readonly DecodedTx[];
};

/** The application. One per node. */
export class Ledger implements Application {
  readonly #store: StateStore;
  readonly #signatures: Signatures;
  readonly #floor: readonly GasPrice[];
  readonly #logger: Logger;
  readonly #version: string;
  readonly #findTx: TxLookup | undefined;
  readonly #keys: KeyTools;
  readonly #blockHash: BlockHashes;
  readonly #maxRulesBatch: number | undefined;
  readonly #secondOpinion: SecondOpinion | undefined;
  /** Genesis, until the first block carries it into the store. */
  #genesis: Overlay | undefined;
  #running: Running | undefined;
  #check: CheckState;
  /** The last block executed here that may be decided. */
  #attempt: BlockRun | undefined;
  #finalized: Finalized | undefined;
  /** The last block finalized here and its hash, which the chain's store may not show yet. */
  #lastBlock: (Environment['block'] & { readonly hash: Uint8Array }) | undefined;

  constructor(options: LedgerOptions) {
    this.#store = options.store;
    this.#signatures = new Signatures(options.verifySecp256k1);
    this.#floor = parsePrices(options.minGasPrices ?? '');
    this.#logger = options.logger ?? SILENT;
    this.#version = options.version ?? '';
    this.#findTx = options.findTx;
    this.#keys = options.keys;
    this.#maxRulesBatch = options.maxRulesBatch;
    this.#blockHash = options.blockHash ?? (() => undefined);
    this.#secondOpinion = options.secondOpinion;
    this.#check = new CheckState(() => this.#base());
  }

  /** @inheritDoc */
  info(): Promise<Info> {
    return Promise.resolve({
      data: 'metatron-ledger',
      version: this.#version,
      appVersion: APP_VERSION,
      lastHeight: this.#store.height,
      lastAppHash: this.#store.appHash,
    });
  }

  /** @inheritDoc @throws LedgerError genesis/1 if app_state is malformed */
  async initChain(request: InitChainRequest): Promise<InitChainResponse> {
    const state = new Overlay(this.#store);
    const appState = parseAppState(request.appState);
    const { maxGas } = request.params.block;
    const chain: Chain = {
      chainId: request.chainId,
      prefix: prefixOf(appState),
      maxBlockGas: Math.max(maxGas, 0),
      initialHeight: request.initialHeight,
    };
    setChain(state, chain);
    const addresses = new Addresses(chain.prefix);
    const ignored = (what: string): void =>
      this.#logger.warn('a part of the genesis has no effect on this ledger', { part: what });
    const height = request.initialHeight;
    for (const module of modules) {
      module.genesis?.({ state, addresses, height, ignored }, appState[module.name]);
    }
    const known = new Set(['metatron', CONTRACTS_SECTION, ...modules.map(({ name }) => name)]);
    for (const name of Object.keys(appState)) if (!known.has(name)) ignored(name);
    this.#running = this.#runningOn(chain, addresses, state);
    const { ethereum: host } = this.#running;
    firstSights(state, host.faces);
    const block = { height, time: request.time, proposer: EMPTY };
    await makeContracts({ host, block, state }, appState[CONTRACTS_SECTION], ignored);
    this.#genesis = state;
    this.#check = new CheckState(() => this.#base());
    // The state before the first block is empty: its hash stands in the first header.
    return { params: undefined, validators: [], appHash: this.#store.appHash };
  }

  /** What genesis fixed; read from the store after a restart. */
  #chain(): Running {
    if (this.#running !== undefined) return this.#running;
    const chain = present(getChain(this.#store), 'record of the chain; initChain comes first');
    this.#running = this.#runningOn(chain, new Addresses(chain.prefix), this.#store);
    return this.#running;
  }

  #runningOn(chain: Chain, addresses: Addresses, state: Records): Running {
    const keys = this.#keys;
    const decoded = new DecodedTxs((bytes) => decode(bytes, addresses, keys));
    const ethereum = new EthereumHost(chain, state, keys, (at) => this.#hashOf(at));
    return { chain, addresses, decoded, ethereum };
  }

  /** The state that the next block is executed on. */
  #base(): Base {
    return this.#genesis ?? this.#store;
  }

  #env(block: Environment['block'], state: Overlay): Environment {
    const isWatched = this.#secondOpinion !== undefined;
    return { ...this.#chain(), signatures: this.#signatures, block, state, isWatched };
  }

  #hashOf(height: number): Uint8Array | undefined {
    const last = this.#lastBlock;
    return last?.height === height ? last.hash : this.#blockHash(height);
  }

  /** The block that would come next, as far as it is known. */
  #nextBlock(): Environment['block'] {
    const { height, time } = this.#lastBlock ?? { height: this.#store.height, time: 0n };
    return { height: height + 1, time, proposer: EMPTY };
  }

  /** Decodes the transactions and checks their signatures, each kind of work in one go. */
  expectTxs(txs: readonly Uint8Array[]): void {
    const { chain, addresses, decoded } = this.#chain();
    const known: DecodedTx[] = [];
    for (const bytes of txs) {
      const tx = attempt(() => decoded.get(bytes));
      if (!(tx instanceof LedgerError)) known.push(tx);
    }
    const { chainId } = chain;
    const checker = { mode: 'check', chainId, addresses, signatures: this.#signatures } as const;
    this.#check.expect(checker, known);
  }

  /** @inheritDoc */
  checkTx({ tx, kind }: CheckTxRequest): CheckTxResponse {
    const { decoded, ...chain } = this.#chain();
    const { addresses } = chain;
    let known: DecodedTx;
    try {
      known = decoded.get(tx);
      checkFloor(this.#floor, known);
    } catch (thrown) {
      if (!(thrown instanceof LedgerError)) throw thrown;
      return toCheck(refused(thrown, 0, 0), undefined, addresses);
    }
    const env = { ...chain, signatures: this.#signatures, block: this.#nextBlock() };
    const result = this.#check.check(env, known, kind);
    // Refused, it does not wait.
    if (result.code !== 0) decoded.forget(known);
    return toCheck(result, known, addresses);
  }

  /** @inheritDoc */
  async prepareProposal(request: PrepareProposalRequest): Promise<readonly Uint8Array[]> {
    const run = this.#newRun(request);
    let bytes = 0;
    for (const tx of request.txs) {
      const size = bytesInBlock(tx);
      if (bytes + size > request.maxTxBytes) continue;
      const offered = run.offer(tx);
      if (offered === true || (offered !== false && (await offered))) bytes += size;
    }
    this.#remember(await run.settled());
    return run.txs;
  }

  /** @inheritDoc */
  async processProposal(request: ProcessProposalRequest): Promise<boolean> {
    const run = this.#newRun(request);
    for (const tx of request.txs) {
      const offered = run.offer(tx);
      if (offered === false || (offered !== true && !(await offered))) return false;
    }
    this.#remember(await run.settled());
    return true;
  }

  #remember(run: BlockRun): void {
    // Between execution and commit the store shows what is not committed.
    if (this.#finalized === undefined) this.#attempt = run;
  }

  #newRun({ height, time, proposerAddress: proposer }: BlockContext): BlockRun {
    const state = this.#genesis?.copy() ?? new Overlay(this.#store);
    const env = this.#env({ height, time, proposer }, state);
    return new BlockRun(env, this.#chain().decoded, this.#maxRulesBatch);
  }

  /** The execution of a decided block: the last attempt if it was of this block, else a new one. */
  async #executed(request: FinalizeBlockRequest): Promise<BlockRun> {
    const attempted = this.#attempt;
    this.#attempt = undefined;
    if (attempted?.matches({ ...request, proposer: request.proposerAddress })) return attempted;
    const run = this.#newRun(request);
    for (const tx of request.txs) {
      const done = run.execute(tx);
      if (typeof done === 'object') await done;
    }
    return await run.settled();
  }

  /** @inheritDoc */
  async finalizeBlock(request: FinalizeBlockRequest): Promise<FinalizeBlockResponse> {
    const { height, time, proposerAddress: proposer } = request;
    // Executed again before its commit: the store must not show the attempt before.
    if (this.#finalized !== undefined) await this.#store.finalize(height, []);
    const run = await this.#executed(request);
    await run.finish({ misbehavior: request.misbehavior, votes: request.decidedLastCommit.votes });
    const { state, results, known } = run;
    for (const { log, leaves, hashes } of state.logs()) {
      const head = this.#store.appendLog(log, leaves, hashes);
      for (const module of modules) module.sealLog?.(state, log, head);
    }
    for (const [key, value] of state.rows()) this.#store.putRow(key, value);
    const changes = state.changes();
    const appHash = await this.#store.finalize(height, changes);
    this.#finalized = { changes, known, seen: run.seen() };
    this.#check.stale();
    this.#lastBlock = { height, time, proposer, hash: request.hash };
    return {
      events: NO_EVENTS,
      txResults: results,
      validatorUpdates: [],
      paramUpdates: undefined,
      appHash,
    };
  }

  /** @inheritDoc */
  async commit(): Promise<CommitResponse> {
    const { changes, known, seen } = present(this.#finalized, 'finalized block');
    this.#store.commit();
    this.#finalized = undefined;
    this.#attempt = undefined;
    this.#genesis = undefined;
    this.#check.committed(changes.map(([key]) => key));
    const { decoded } = this.#chain();
    for (const tx of known) decoded.forget(tx);
    decoded.blockDone();
    for (const block of seen) this.#secondOpinion?.block(block);
    await this.#secondOpinion?.ready();
    return { retainHeight: 0 };
  }

  /** @inheritDoc */
  query(request: QueryRequest): Promise<QueryResponse> {
    const running = this.#running ?? (this.#store.height > 0 ? this.#chain() : undefined);
    return answerQuery(request, {
      store: this.#store,
      running,
      version: this.#version,
      findTx: this.#findTx,
      decode: (tx) => this.#decode(tx),
      simulate: (tx) => this.#simulate(tx),
    });
  }

  #decode(bytes: Uint8Array): DecodedTx {
    return decode(bytes, this.#chain().addresses, this.#keys);
  }

  async #simulate(bytes: Uint8Array): Promise<ExecTxResult> {
    const env = this.#env(this.#nextBlock(), new Overlay(this.#base()));
    const tx = this.#decode(bytes);
    if (tx.ethereum === undefined) return (await runTransaction(env, tx, 'simulate')).result;
    // It would hold up consensus for as long as a block's gas lasts.
    return refuse(errors.NotSupported, 'simulate Ethereum transactions by eth_estimateGas');
  }
}

function toCheck(
  result: Verdict,
  tx: DecodedTx | undefined,
  addresses: Addresses,
): CheckTxResponse {
  const { waits = false, priority, ...told } = result;
  const sender = tx?.signers[0];
  const answer = {
    ...told,
    // What a mempool counts of a block.
    gasWanted: tx === undefined || told.code !== 0 ? told.gasWanted : blockGasOf(tx),
    events: NO_EVENTS,
    sender: sender && addresses.text(sender),
    sequence: tx?.sequences[0],
    priority: tx === undefined ? 0 : (priority ?? priorityOf(tx.fee, tx.gasLimit)),
  };
  if (tx?.ethereum === undefined) return answer;
  const { maxFeePerGas, maxPriorityFeePerGas } = tx.ethereum.tx;
  const bids = [maxPriorityFeePerGas, maxFeePerGas];
  return { ...answer, phase: ETHEREUM_PHASE, waits, bids };
}

/** Bytes a transaction takes in a block: its own, a tag and a length. */
function bytesInBlock(tx: Uint8Array): number {
  let framing = 2;
  for (let n = tx.length; n > 0x7f; n = Math.floor(n / 128)) framing++;
  return tx.length + framing;
}
