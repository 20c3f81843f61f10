/**
 * A chain for proofs: the ledger on the real store, headers signed by four validators, and an RPC
 * that answers as a node does.
 *
 * @module
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ed25519 } from '@noble/curves/ed25519.js';
import { fromHex } from '../../node/src/base/bytes.ts';
import { present } from '../../node/src/base/errors.ts';
import { sha256 } from '../../node/src/base/hash.ts';
import type { Rpc } from '../../node/src/client/rpc.ts';
import { commitJson, headerJson, validatorJson } from '../../node/src/rpc/json.ts';
import { queryJson } from '../../node/src/rpc/json-abci.ts';
import type { SimpleValidator } from '../../node/src/types/bundles.ts';
import { BLOCK_ID_FLAG, type Commit } from '../../node/src/types/commit.ts';
import { type Header, headerHash } from '../../node/src/types/header.ts';
import type { ExecTxResult } from '../../node/src/types/results.ts';
import { createValidatorSet, validatorsHash } from '../../node/src/types/validators.ts';
import { commitSignBytes } from '../../node/src/types/verify-commit.ts';
import { Database } from '../../node/state/database.ts';
import { LevelStateStore } from '../../node/state/state-store.ts';
import { CHAIN_ID, World } from '../ledger/world.ts';

const SECRETS = [1, 2, 3, 4].map((n) => sha256(Uint8Array.of(n)));
const KEYS = SECRETS.map((secret) => ({ secret, publicKey: ed25519.getPublicKey(secret) }));
const HASH = sha256(Uint8Array.of(9));

/** Who signs. */
export const VALIDATORS: readonly SimpleValidator[] = KEYS.map(({ publicKey }) => ({
  publicKey,
  power: 10n,
}));

const SET = createValidatorSet(
  VALIDATORS.map(({ publicKey, power }) => ({
    publicKey: { type: 'ed25519', bytes: publicKey },
    power,
  })),
);

/** The header of `height` over the state before it, and a commit by all. */
function signHeader(height: number, appHash: Uint8Array): { header: Header; commit: Commit } {
  const blockId = { hash: HASH, partSetHeader: { total: 1, hash: HASH } };
  const header: Header = {
    version: { block: 11, app: 1 },
    chainId: CHAIN_ID,
    height,
    time: BigInt(height) * 1_000_000_000n,
    lastBlockId: blockId,
    lastCommitHash: HASH,
    dataHash: HASH,
    validatorsHash: validatorsHash(SET),
    nextValidatorsHash: validatorsHash(SET),
    consensusHash: HASH,
    appHash,
    lastResultsHash: HASH,
    evidenceHash: HASH,
    proposerAddress: present(SET.validators[0], 'validator').address,
  };
  const unsigned: Commit = {
    height,
    round: 0,
    blockId: { hash: headerHash(header), partSetHeader: { total: 1, hash: HASH } },
    signatures: SET.validators.map(({ address }) => ({
      blockIdFlag: BLOCK_ID_FLAG.commit,
      validatorAddress: address,
      timestamp: header.time + 1n,
      signature: new Uint8Array(64),
    })),
  };
  const signatures = unsigned.signatures.map((sig, i) => {
    const { bytes } = present(SET.validators[i], 'validator').publicKey;
    const { secret } = present(
      KEYS.find(({ publicKey }) => Buffer.compare(publicKey, bytes) === 0),
      'key',
    );
    return { ...sig, signature: ed25519.sign(commitSignBytes(CHAIN_ID, unsigned, i), secret) };
  });
  return { header, commit: { ...unsigned, signatures } };
}

/** The chain. */
export class SignedChain {
  readonly world: World;
  readonly #db: Database;
  readonly #folder: string;
  readonly #headers: { header: Header; commit: Commit }[] = [];

  private constructor(world: World, db: Database, folder: string) {
    this.world = world;
    this.#db = db;
    this.#folder = folder;
  }

  /** A new chain after its first block; without a state the test accounts have coins. */
  static async start(appState?: object): Promise<SignedChain> {
    const folder = mkdtempSync(join(tmpdir(), 'metatron-client-'));
    const db = await Database.open(join(folder, 'db'));
    const world = await new World(await LevelStateStore.open(db)).start(appState);
    const chain = new SignedChain(world, db, folder);
    await chain.block();
    return chain;
  }

  /** Makes a block durable, and the header before it. @returns what its transactions came to */
  async run(...txs: readonly Uint8Array[]): Promise<readonly ExecTxResult[]> {
    this.#headers.push(signHeader(this.world.height + 1, this.world.store.appHash));
    const { txResults } = await this.world.block(...txs);
    await this.#db.flush();
    return txResults;
  }

  /** The same, of transactions that succeed. */
  async block(...txs: readonly Uint8Array[]): Promise<void> {
    const txResults = await this.run(...txs);
    for (const { code, log } of txResults) if (code !== 0) throw new TypeError(log);
  }

  /** Answers as a node's RPC does. */
  readonly rpc: Rpc = async (method, params) => {
    const height = Number(params['height'] ?? 0) || this.#headers.length;
    const signed = present(this.#headers[height - 1], `header ${height}`);
    switch (method) {
      case 'status':
        return { sync_info: { latest_block_height: String(this.#headers.length) } };
      case 'commit':
        return {
          signed_header: { header: headerJson(signed.header), commit: commitJson(signed.commit) },
          canonical: true,
        };
      case 'validators':
        return {
          block_height: String(height),
          validators: SET.validators.map(validatorJson),
          count: '4',
          total: '4',
        };
      default: {
        const answer = await this.world.ledger.query({
          path: String(params['path']),
          data: present(fromHex(String(params['data'])), 'data'),
          height: Number(params['height'] ?? 0),
          prove: params['prove'] === true,
        });
        // As over the wire.
        return { response: JSON.parse(JSON.stringify(queryJson(answer))) as unknown };
      }
    }
  };

  /** Closes the store and removes it. */
  async stop(): Promise<void> {
    await this.#db.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
