/**
 * What the tests of node/state share: folders, databases, a naive model of the tree.
 *
 * @module
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { concatBytes, fromHex, toHex } from '../../node/src/base/bytes.ts';
import { present } from '../../node/src/base/errors.ts';
import { sha256 } from '../../node/src/base/hash.ts';
import { Database } from '../../node/state/database.ts';
import { DEFAULT_STATE_OPTIONS, type StateOptions } from '../../node/state/state-options.ts';
import { textOf } from '../../node/state/text.ts';
import { bitOf, firstDifference } from '../../node/state/tree.ts';

const made: string[] = [];

/** A new folder that `removeFolders` removes. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'metatron-state-'));
  made.push(path);
  return path;
}

/** Removes all folders that tests made. */
export function removeFolders(): void {
  for (const path of made.splice(0)) rmSync(path, { recursive: true, force: true });
}

/** A new database in a new folder. */
export function freshDatabase(): Promise<Database> {
  return Database.open(join(folder(), 'db'));
}

/** Frequent, small checkpoints and small caches, so that few heights meet every path. */
export const TIGHT: StateOptions = {
  ...DEFAULT_STATE_OPTIONS,
  recordCacheBytes: 2_000,
  leafCacheBytes: 4_000,
  logCache: 2,
  pace: { leastChanges: 20, bucketsPerCommit: 200 },
};

/** A 32-byte key under a first byte, as the ledger's keys are. */
export function keyOf(text: string): Uint8Array {
  return concatBytes(Uint8Array.of(7), sha256(Buffer.from(text)));
}

/** Bytes of hex text that is known to be hex. */
export function hex(text: string): Uint8Array {
  return present(fromHex(text), 'hex');
}

/** The naive leaf hash of any key, packed or not. */
function naiveLeaf(key: Uint8Array, value: Uint8Array): Uint8Array {
  return sha256(concatBytes(Uint8Array.of(0, key.length), key, Uint8Array.of(32), sha256(value)));
}

/** One leaf of a naive tree, with the way from it to the root. */
export type NaiveLeaf = {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly path: { prefix: Uint8Array; suffix: Uint8Array }[];
};

/** The tree over sorted leaves, hashed anew from nothing; also fills in the leaves' paths. */
export function naiveRoot(leaves: readonly NaiveLeaf[]): Uint8Array {
  const [first, last] = [leaves[0], leaves.at(-1)];
  if (first === undefined || last === undefined) return sha256(new Uint8Array(0));
  if (first === last) return naiveLeaf(first.key, first.value);
  const bit = firstDifference(textOf(first.key), textOf(last.key), 1 << 20);
  const middle = leaves.findIndex(({ key }) => bitOf(textOf(key), bit) === 1);
  const left = naiveRoot(leaves.slice(0, middle));
  const right = naiveRoot(leaves.slice(middle));
  for (const leaf of leaves.slice(0, middle)) {
    leaf.path.push({ prefix: Uint8Array.of(1), suffix: right });
  }
  for (const leaf of leaves.slice(middle)) {
    leaf.path.push({ prefix: concatBytes(Uint8Array.of(1), left), suffix: new Uint8Array(0) });
  }
  return sha256(concatBytes(Uint8Array.of(1), left, right));
}

/** Sorted leaves of a naive tree. */
export function naiveLeaves(entries: Iterable<readonly [Uint8Array, Uint8Array]>): NaiveLeaf[] {
  return [...entries]
    .map(([key, value]) => ({ key, value, path: [] }))
    .sort((a, b) => Buffer.compare(a.key, b.key));
}

/** Keys of a few bytes that share prefixes of every length: three bytes, few values each. */
export const anyKey: fc.Arbitrary<Uint8Array> = fc
  .tuple(fc.integer({ min: 0, max: 3 }), fc.constantFrom(0, 1, 127, 128, 255), fc.nat(255))
  .map(([a, b, c]) => Uint8Array.of(a, b, c));

/** A value, or a removal. */
export const anyValue: fc.Arbitrary<Uint8Array | undefined> = fc.option(
  fc.uint8Array({ minLength: 1, maxLength: 6 }),
  { nil: undefined, freq: 4 },
);

/** A copy with one bit changed. */
export function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  const out = Uint8Array.from(bytes);
  out[bit >> 3] = (out[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return out;
}

/** A map from hex keys, as models keep state. */
export type Model = Map<string, Uint8Array>;

/** Applies changes to a model. */
export function applyTo(
  model: Model,
  changes: readonly (readonly [Uint8Array, Uint8Array | undefined])[],
): void {
  for (const [key, value] of changes) {
    if (value === undefined) model.delete(toHex(key));
    else model.set(toHex(key), value);
  }
}
