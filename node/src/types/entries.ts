/**
 * Entries in the log of a space, as nodes show them and clients read them.
 *
 * Upholds: a leaf is read in one way wherever it is read.
 * Absent here: what vouches for a leaf (client/proof.ts), writing one (ledger/memory/entries.ts).
 *
 * Pure; runs in a browser.
 *
 * @module
 */
import { type Entry, EntryType, Operation } from '../gen/metatron/memory/v1/state.ts';
import { timestampNanos } from './amino.ts';
import type { Time } from './time.ts';

/** What a leaf says of an entry, and of the block that wrote it. */
export type LeafEntry = {
  readonly entry: Entry;
  readonly height: number;
  /** The block's; every leaf of the ledger has one. */
  readonly blockTime: Time | undefined;
};

/**
 * The entry that a leaf adds.
 *
 * @returns `undefined` if the leaf is a change of the space
 * @throws Error of the generated codec if the bytes are no operation
 */
export function entryOfLeaf(leaf: Uint8Array): LeafEntry | undefined {
  const { kind, height, blockTime } = Operation.decode(leaf);
  if (kind?.$case !== 'put') return undefined;
  return {
    entry: kind.value,
    height: Number(height),
    blockTime: blockTime && timestampNanos(blockTime),
  };
}

/** The name of an entry's type, as people write it; its number if it has none. */
export function entryTypeName(type: EntryType): string {
  const found = Object.entries(EntryType).find(([, value]) => value === type);
  return found === undefined ? String(type) : found[0].toLowerCase();
}
