/**
 * The engine's chain store over a simulated disk.
 *
 * Upholds: a height and what the application wrote for it become durable together, or not at all.
 *
 * @module
 */
import { toHex } from '../../node/src/base/bytes.ts';
import { invariant } from '../../node/src/base/errors.ts';
import type { ChainStore } from '../../node/src/engine/ports.ts';
import type { Block } from '../../node/src/types/block.ts';
import type { BlockMeta, ChainState, CommittedHeight } from '../../node/src/types/chain-state.ts';
import type { Commit } from '../../node/src/types/commit.ts';
import { type Evidence, evidenceHash } from '../../node/src/types/evidence.ts';
import type { ConsensusParams } from '../../node/src/types/params.ts';
import type { Part } from '../../node/src/types/part-set.ts';
import type { FinalizeBlockResponse } from '../../node/src/types/results.ts';
import type { ValidatorSet } from '../../node/src/types/validators.ts';
import type { Disk } from './disk.ts';

/** What the store tells the simulator. */
export type StoreHooks = {
  /** Whether the node still lives: a dead one writes nothing. */
  readonly alive: () => boolean;
  /** Called before a height becomes durable; what the application staged is written with it. */
  readonly storing: (height: CommittedHeight) => void;
};

/** The store of one incarnation of a node. */
export class SimChainStore implements ChainStore {
  readonly #disk: Disk;
  readonly #hooks: StoreHooks;
  #height: number;

  constructor(disk: Disk, hooks: StoreHooks) {
    this.#disk = disk;
    this.#hooks = hooks;
    this.#height = disk.height;
  }

  get base(): number {
    return this.#height === 0 ? 0 : 1;
  }

  get height(): number {
    return this.#height;
  }

  state(): ChainState | undefined {
    return this.#disk.heights.get(this.#height)?.state ?? this.#disk.genesis;
  }

  saveGenesis(state: ChainState): Promise<void> {
    if (this.#hooks.alive()) this.#disk.genesis = state;
    return Promise.resolve();
  }

  commit(height: CommittedHeight): Promise<void> {
    if (!this.#hooks.alive()) return new Promise(() => undefined);
    this.#hooks.storing(height);
    const at = height.block.header.height;
    invariant(at === this.#height + 1, `height ${at} follows ${this.#height}`);
    this.#disk.heights.set(at, height);
    this.#height = at;
    for (const evidence of height.block.evidence.evidence) {
      const name = toHex(evidenceHash(evidence));
      this.#disk.evidence.delete(name);
      this.#disk.committedEvidence.add(name);
    }
    return Promise.resolve();
  }

  meta(height: number): BlockMeta | undefined {
    const found = this.#disk.heights.get(height);
    if (found === undefined) return undefined;
    const { block, blockId, parts } = found;
    const { header, data } = block;
    return { blockId, blockSize: parts.byteSize, header, txCount: data.txs.length };
  }

  block(height: number): Block | undefined {
    return this.#disk.heights.get(height)?.block;
  }

  part(height: number, index: number): Part | undefined {
    return this.#disk.heights.get(height)?.parts.get(index);
  }

  commitOf(height: number): Commit | undefined {
    return this.#disk.heights.get(height + 1)?.block.lastCommit;
  }

  seenCommit(height: number): Commit | undefined {
    return this.#disk.heights.get(height)?.seenCommit;
  }

  validators(height: number): ValidatorSet | undefined {
    if (height < 1) return undefined;
    const before = this.#disk.heights.get(height - 1)?.state ?? this.#disk.genesis;
    if (before?.lastHeight === height - 1) return before.validators;
    return undefined;
  }

  params(height: number): ConsensusParams | undefined {
    return (this.#disk.heights.get(height - 1)?.state ?? this.#disk.genesis)?.params;
  }

  results(height: number): FinalizeBlockResponse | undefined {
    return this.#disk.heights.get(height)?.results;
  }

  pendingEvidence(): readonly Evidence[] {
    return [...this.#disk.evidence.values()];
  }

  savePendingEvidence(evidence: Evidence): Promise<void> {
    if (this.#hooks.alive()) this.#disk.evidence.set(toHex(evidenceHash(evidence)), evidence);
    return Promise.resolve();
  }

  isEvidenceCommitted(hash: Uint8Array): boolean {
    return this.#disk.committedEvidence.has(toHex(hash));
  }

  prune(): Promise<void> {
    return Promise.resolve();
  }
}
