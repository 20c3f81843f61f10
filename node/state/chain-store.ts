/**
 * The chain: blocks in parts, commits, validators, parameters, results, state, evidence.
 *
 * Upholds: `commit` writes a height together with all that others staged for it, in one synced
 * batch. A block is kept as its encoded parts, as peers ask for them; whole blocks are joined from
 * parts. Validator sets are stored when the set changed and every 64 heights; between, the
 * rotation is run again, one turn per height as the engine runs it, so priorities are exact.
 * Absent here: validity; the engine stores only what it checked.
 *
 * @module
 */
import { concatBytes, EMPTY, readU64be, toHex, utf8 } from '../src/base/bytes.ts';
import { LedgerError, present } from '../src/base/errors.ts';
import { type Codec, message, optional, uint } from '../src/base/proto.ts';
import { type Block, blockCodec } from '../src/types/block.ts';
import type { BlockMeta, ChainState, CommittedHeight } from '../src/types/chain-state.ts';
import { type Commit, commitCodec } from '../src/types/commit.ts';
import {
  type Evidence,
  evidenceCodec,
  evidenceHash,
  evidenceHeight,
} from '../src/types/evidence.ts';
import type { ConsensusParams } from '../src/types/params.ts';
import { type Part, partCodec } from '../src/types/part-set.ts';
import type { FinalizeBlockResponse } from '../src/types/results.ts';
import {
  blockMetaCodec,
  chainStateCodec,
  consensusParamsCodec,
  storedValidatorSetCodec,
} from '../src/types/stored.ts';
import { decodeResults, encodeResults } from '../src/types/stored-results.ts';
import { rotate, type ValidatorSet } from '../src/types/validators.ts';
import type { Change, Database } from './database.ts';
import { errors } from './errors.ts';
import { heightKey, SPACE } from './spaces.ts';

/** Heights between two whole validator sets. */
const VALIDATORS_INTERVAL = 64;
/** Heights whose removal goes into one batch of `prune`. */
const PRUNE_CHUNK = 100;
/** Newest heights that are checked for gaps when the store is opened. */
const CHECKED_HEIGHTS = 1_000;

const STATE_KEY: Uint8Array = utf8('chain/state');
const BASE_KEY: Uint8Array = utf8('chain/base');
const AFTER_ALL: Uint8Array = new Uint8Array(33).fill(0xff);

type ValidatorsRecord = {
  /** Height at or below this one whose record has the set. */
  readonly at: number;
  readonly set: ValidatorSet | undefined;
};

const validatorsRecordCodec: Codec<ValidatorsRecord> = message<ValidatorsRecord>(
  'StoredValidators',
  { at: uint(1), set: optional(2, storedValidatorSetCodec) },
);

function partKey(height: number, index: number): Uint8Array {
  return concatBytes(heightKey(height), Uint8Array.of(index >> 8, index & 0xff));
}

function decoded<T>(codec: Codec<T>, bytes: Uint8Array | undefined): T | undefined {
  return bytes === undefined ? undefined : codec.decode(bytes);
}

/** Blocks, results and chain state of one node. */
export class LevelChainStore {
  readonly #db: Database;
  readonly #pending = new Map<string, Evidence>();
  #state: ChainState | undefined;
  #base: number;

  private constructor(db: Database, state: ChainState | undefined, base: number) {
    this.#db = db;
    this.#state = state;
    this.#base = base;
  }

  /**
   * Reads what a node stored.
   *
   * @throws LedgerError storage/4 if newest heights have gaps or do not fit the stored state
   */
  static async open(db: Database): Promise<LevelChainStore> {
    const state = decoded(chainStateCodec, db.get(SPACE.meta, STATE_KEY));
    const base = db.get(SPACE.meta, BASE_KEY);
    const store = new LevelChainStore(db, state, base === undefined ? 0 : readU64be(base));
    await store.#checkNewest();
    const all = { from: EMPTY, to: AFTER_ALL, reverse: false, limit: -1 };
    for (const [key, value] of await db.range(SPACE.pendingEvidence, all)) {
      store.#pending.set(toHex(key), evidenceCodec.decode(value));
    }
    return store;
  }

  /** Level drops damaged batches of its log unseen; the heights they had are missed here. */
  async #checkNewest(): Promise<void> {
    const { height } = this;
    const from = Math.max(this.#base, height - CHECKED_HEIGHTS + 1);
    const range = { from: heightKey(from), to: AFTER_ALL, reverse: false, limit: -1 };
    const metas = height === 0 ? [] : await this.#db.range(SPACE.metas, range);
    const whole =
      height === 0 ||
      (metas.length === height - from + 1 &&
        metas.every(([key], i) => readU64be(key) === from + i) &&
        this.#db.get(SPACE.parts, partKey(height, 0)) !== undefined);
    if (whole) return;
    const reason = `its state says height ${height}, but not all blocks from ${from} are there`;
    throw new LedgerError(errors.Damaged, { path: this.#db.path, reason });
  }

  /** Lowest stored block, 0 when there is none. */
  get base(): number {
    return this.#base;
  }

  /** Highest stored block, 0 when there is none. */
  get height(): number {
    return this.#base === 0 ? 0 : (this.#state?.lastHeight ?? 0);
  }

  /** The state after the highest block. */
  state(): ChainState | undefined {
    return this.#state;
  }

  /** Stores the state before the first block, with all that others staged. */
  async saveGenesis(state: ChainState): Promise<void> {
    const first = state.initialHeight;
    this.#stageValidators(first, state.validators, true);
    this.#stageValidators(first + 1, state.nextValidators, true);
    this.#db.stage(SPACE.params, heightKey(first), consensusParamsCodec.encode(state.params));
    this.#db.stage(SPACE.meta, STATE_KEY, chainStateCodec.encode(state));
    await this.#db.flush();
    this.#state = state;
  }

  /** Writes a height and all that others staged with it. */
  async commit(committed: CommittedHeight): Promise<void> {
    const { block, parts, seenCommit, results, state } = committed;
    const { height } = block.header;
    const key = heightKey(height);
    const db = this.#db;
    for (let index = 0; index < parts.header.total; index++) {
      const part = present(parts.get(index), `part ${index} of block ${height}`);
      db.stage(SPACE.parts, partKey(height, index), partCodec.encode(part));
    }
    db.stage(SPACE.metas, key, blockMetaCodec.encode(metaOf(committed)));
    db.stage(SPACE.hashes, committed.blockId.hash, key);
    db.stage(SPACE.seenCommits, key, commitCodec.encode(seenCommit));
    if (block.lastCommit !== undefined && height > state.initialHeight) {
      db.stage(SPACE.commits, heightKey(height - 1), commitCodec.encode(block.lastCommit));
    }
    db.stage(SPACE.results, key, encodeResults(results));
    db.stage(SPACE.params, heightKey(height + 1), consensusParamsCodec.encode(state.params));
    const changed = state.validatorsChangedHeight === height + 2;
    this.#stageValidators(height + 2, state.nextValidators, changed);
    db.stage(SPACE.meta, STATE_KEY, chainStateCodec.encode(state));
    if (this.#base === 0) db.stage(SPACE.meta, BASE_KEY, key);
    const settled = this.#stageEvidence(committed);
    await db.flush();
    if (this.#base === 0) this.#base = height;
    this.#state = state;
    for (const name of settled) this.#pending.delete(name);
  }

  #stageValidators(height: number, set: ValidatorSet, changed: boolean): void {
    const before = changed ? undefined : this.#validatorsRecord(height - 1);
    const whole = before === undefined || height - before.at >= VALIDATORS_INTERVAL;
    const record = whole ? { at: height, set } : { at: before.at, set: undefined };
    this.#db.stage(SPACE.validators, heightKey(height), validatorsRecordCodec.encode(record));
  }

  /** Marks the block's evidence as committed and drops what has expired; returns names to drop. */
  #stageEvidence(committed: CommittedHeight): readonly string[] {
    const { block, state } = committed;
    const key = heightKey(block.header.height);
    const settled: string[] = [];
    for (const evidence of block.evidence.evidence) {
      const hash = evidenceHash(evidence);
      this.#db.stage(SPACE.committedEvidence, hash, key);
      this.#db.stage(SPACE.pendingEvidence, hash, undefined);
      settled.push(toHex(hash));
    }
    for (const [name, evidence] of this.#pending) {
      if (!expired(evidence, state) || settled.includes(name)) continue;
      this.#db.stage(SPACE.pendingEvidence, evidenceHash(evidence), undefined);
      settled.push(name);
    }
    return settled;
  }

  /** What is known of a block without its transactions. */
  meta(height: number): BlockMeta | undefined {
    return decoded(blockMetaCodec, this.#db.get(SPACE.metas, heightKey(height)));
  }

  /** A whole block, joined from its parts. */
  block(height: number): Block | undefined {
    const total = this.meta(height)?.blockId.partSetHeader.total ?? 0;
    const slices: Uint8Array[] = [];
    for (let index = 0; index < total; index++) {
      slices.push(present(this.part(height, index), `part ${index} of block ${height}`).bytes);
    }
    return total === 0 ? undefined : blockCodec.decode(concatBytes(...slices));
  }

  /** One part of a block with its proof. */
  part(height: number, index: number): Part | undefined {
    return decoded(partCodec, this.#db.get(SPACE.parts, partKey(height, index)));
  }

  /** The height of the block with this hash. */
  heightOf(blockHash: Uint8Array): number | undefined {
    const found = this.#db.get(SPACE.hashes, blockHash);
    return found === undefined ? undefined : readU64be(found);
  }

  /** The commit of `height` as the next block carries it; absent for the newest height. */
  commitOf(height: number): Commit | undefined {
    return decoded(commitCodec, this.#db.get(SPACE.commits, heightKey(height)));
  }

  /** The commit with which this node decided `height`. */
  seenCommit(height: number): Commit | undefined {
    return decoded(commitCodec, this.#db.get(SPACE.seenCommits, heightKey(height)));
  }

  #validatorsRecord(height: number): ValidatorsRecord | undefined {
    return decoded(validatorsRecordCodec, this.#db.get(SPACE.validators, heightKey(height)));
  }

  /** Who signs `height`; kept for base … height + 2. Cost: up to 64 turns of the rotation. */
  validators(height: number): ValidatorSet | undefined {
    const record = this.#validatorsRecord(height);
    if (record === undefined) return undefined;
    let set = record.set ?? this.#validatorsRecord(record.at)?.set;
    for (let at = record.at; at < height && set !== undefined; at++) set = rotate(set, 1);
    return set;
  }

  /** The parameters in force at `height`; kept for base … height + 1. */
  params(height: number): ConsensusParams | undefined {
    return decoded(consensusParamsCodec, this.#db.get(SPACE.params, heightKey(height)));
  }

  /** What the application answered to the block of `height`. */
  results(height: number): FinalizeBlockResponse | undefined {
    const stored = this.#db.get(SPACE.results, heightKey(height));
    return stored && decodeResults(stored);
  }

  /** Evidence that is known, not expired, and not in a block; its number is the pool's to bound. */
  pendingEvidence(): readonly Evidence[] {
    return [...this.#pending.values()];
  }

  /** Keeps verified evidence until a block has it or it expires; durable when it resolves. */
  async savePendingEvidence(evidence: Evidence): Promise<void> {
    const hash = evidenceHash(evidence);
    if (this.#pending.has(toHex(hash)) || this.isEvidenceCommitted(hash)) return;
    this.#pending.set(toHex(hash), evidence);
    await this.#db.write([[SPACE.pendingEvidence, hash, evidenceCodec.encode(evidence)]]);
  }

  /** Whether a stored block has this evidence. */
  isEvidenceCommitted(hash: Uint8Array): boolean {
    return this.#db.get(SPACE.committedEvidence, hash) !== undefined;
  }

  /** Forgets blocks below `retainHeight`; the newest block always stays. */
  async prune(retainHeight: number): Promise<void> {
    const retain = Math.min(retainHeight, this.height);
    while (this.#base !== 0 && this.#base < retain) {
      const to = Math.min(this.#base + PRUNE_CHUNK, retain);
      const changes: Change[] = [...this.#validatorMoves(to)];
      for (let height = this.#base; height < to; height++) changes.push(...this.#removals(height));
      changes.push([SPACE.meta, BASE_KEY, heightKey(to)]);
      await this.#db.write(changes);
      this.#base = to;
    }
  }

  /** Makes the records of `from` and above independent of those below. */
  *#validatorMoves(from: number): Generator<Change> {
    const set = this.validators(from);
    for (let height = from; set !== undefined; height++) {
      const record = this.#validatorsRecord(height);
      if (record === undefined || record.at >= from) return;
      const moved = { at: from, set: height === from ? set : undefined };
      yield [SPACE.validators, heightKey(height), validatorsRecordCodec.encode(moved)];
    }
  }

  *#removals(height: number): Generator<Change> {
    const key = heightKey(height);
    const meta = this.meta(height);
    const block = this.block(height);
    const total = meta?.blockId.partSetHeader.total ?? 0;
    for (let i = 0; i < total; i++) yield [SPACE.parts, partKey(height, i), undefined];
    if (meta !== undefined) yield [SPACE.hashes, meta.blockId.hash, undefined];
    for (const evidence of block?.evidence.evidence ?? []) {
      yield [SPACE.committedEvidence, evidenceHash(evidence), undefined];
    }
    const { metas, commits, seenCommits, validators, params, results } = SPACE;
    for (const space of [metas, commits, seenCommits, validators, params, results]) {
      yield [space, key, undefined];
    }
  }
}

function metaOf({ block, blockId, parts }: CommittedHeight): BlockMeta {
  const { header, data } = block;
  return { blockId, blockSize: parts.byteSize, header, txCount: data.txs.length };
}

/** Whether evidence is too old by height and by time, as CometBFT's pool decides. */
function expired(evidence: Evidence, state: ChainState): boolean {
  const { maxAgeNumBlocks, maxAgeDuration } = state.params.evidence;
  const age = state.lastTime - evidence.value.timestamp;
  return state.lastHeight - evidenceHeight(evidence) > maxAgeNumBlocks && age > maxAgeDuration;
}
