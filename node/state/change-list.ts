/**
 * What a height did to the state, as one row: buckets of the tree made or gone, records changed.
 *
 * Upholds: with the whole crown before it, the lists give the tree of every kept height; with the
 * records it names, a list tells pruning what the height replaced.
 *
 * @module
 */
import { HASH_SIZE } from '../src/base/hash.ts';
import { writeText } from './text.ts';

/** A bucket as a height left it; without leaves it is gone. */
export type BucketChange = {
  readonly name: string;
  readonly size: number;
  readonly hash: string;
};

/** One record's change at a height. */
export type ChangedKey = {
  readonly key: Uint8Array;
  readonly version: number;
  readonly deleted: boolean;
};

/** What a height did. */
export type HeightList = {
  /** The root of the tree after it. */
  readonly root: Uint8Array;
  readonly buckets: readonly BucketChange[];
  readonly changed: readonly ChangedKey[];
};

/** The hash that a bucket without leaves has. */
export const NO_HASH = '';
/** Set in a version whose record is deleted. */
const DELETED_BIT = 0x8000_0000;
const LIST_HEAD_BYTES = HASH_SIZE + 4;

/** Buckets, one after the other: number of leaves, length of name, name, hash if it has leaves. */
export function encodeBuckets(buckets: readonly BucketChange[]): Uint8Array {
  const size = buckets.reduce((sum, { name, hash }) => sum + 2 + name.length + hash.length, 0);
  const out = new Uint8Array(size);
  let at = 0;
  for (const { name, size: leaves, hash } of buckets) {
    out[at] = leaves;
    out[at + 1] = name.length;
    at = writeText(out, hash, writeText(out, name, at + 2));
  }
  return out;
}

/** Buckets of their stored form. */
export function decodeBuckets(bytes: Uint8Array): readonly BucketChange[] {
  const buckets: BucketChange[] = [];
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at < bytes.length; ) {
    const size = bytes[at] as number;
    const hashAt = at + 2 + (bytes[at + 1] as number);
    const end = size === 0 ? hashAt : hashAt + HASH_SIZE;
    const name = text.toString('latin1', at + 2, hashAt);
    buckets.push({ name, size, hash: text.toString('latin1', hashAt, end) });
    at = end;
  }
  return buckets;
}

/** The stored form of a height's list. */
export function encodeList({ root, buckets, changed }: HeightList): Uint8Array {
  const encoded = encodeBuckets(buckets);
  const size = changed.reduce((sum, { key }) => sum + 5 + key.length, LIST_HEAD_BYTES);
  const out = new Uint8Array(size + encoded.length);
  const view = new DataView(out.buffer);
  out.set(root);
  view.setUint32(HASH_SIZE, encoded.length);
  out.set(encoded, LIST_HEAD_BYTES);
  let at = LIST_HEAD_BYTES + encoded.length;
  for (const { key, version, deleted } of changed) {
    out[at] = key.length;
    out.set(key, at + 1);
    view.setUint32(at + 1 + key.length, deleted ? version + DELETED_BIT : version);
    at += 5 + key.length;
  }
  return out;
}

/** A height's list of its stored form; the records are read when they are asked for. */
export function decodeList(bytes: Uint8Array): HeightList {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const start = LIST_HEAD_BYTES + view.getUint32(HASH_SIZE);
  return {
    root: bytes.subarray(0, HASH_SIZE),
    buckets: decodeBuckets(bytes.subarray(LIST_HEAD_BYTES, start)),
    get changed(): readonly ChangedKey[] {
      const changed: ChangedKey[] = [];
      for (let at = start; at < bytes.length; ) {
        const end = at + 1 + (bytes[at] as number);
        const version = view.getUint32(end);
        const deleted = version >= DELETED_BIT;
        const key = bytes.subarray(at + 1, end);
        changed.push({ key, version: deleted ? version - DELETED_BIT : version, deleted });
        at = end + 4;
      }
      return changed;
    },
  };
}

/** Two lists of one height as one: what the later says of a bucket counts. */
export function joinLists(earlier: HeightList, later: HeightList): HeightList {
  const names = new Set(later.buckets.map(({ name }) => name));
  const kept = earlier.buckets.filter(({ name }) => !names.has(name));
  return {
    root: later.root,
    buckets: [...kept, ...later.buckets],
    changed: [...earlier.changed, ...later.changed],
  };
}
