/**
 * What the index needs from the world: an ordered key space, and the blocks it points at.
 *
 * Upholds: what is staged becomes durable in the same batch as the height it belongs to, so a
 * client that sees a height finds its transactions.
 * Provided by: node/state (the index's part of the database, the chain store).
 *
 * @module
 */
import type { Block } from '../types/block.ts';
import type { FinalizeBlockResponse } from '../types/results.ts';

/** One entry of the key space. */
export type Pair = { readonly key: Uint8Array; readonly value: Uint8Array };

/** Entries with `from ≤ key < to`, at most `limit` of them, in key order or against it. */
export type RangeOptions = {
  readonly from: Uint8Array;
  readonly to: Uint8Array;
  readonly reverse: boolean;
  readonly limit: number;
};

/** Ordered keys and values that belong to the index alone. */
export type KeySpace = {
  get(key: Uint8Array): Uint8Array | undefined;
  /** Adds a write to the height's batch. */
  stage(key: Uint8Array, value: Uint8Array): void;
  range(options: RangeOptions): Promise<readonly Pair[]>;
  /** Removes entries now, apart from what is staged. */
  remove(keys: readonly Uint8Array[]): Promise<void>;
};

/** Where the index reads what its entries point at. */
export type BlockSource = {
  block(height: number): Block | undefined;
  results(height: number): FinalizeBlockResponse | undefined;
};
