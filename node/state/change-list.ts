/**
 * What a height did to the state, as one row: buckets of the tree made or gone, records deleted.
 *
 * Upholds: with the whole crown before it, the lists give the tree of every kept height; the
 * records it names are those whose last entries may go when the height does.
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

/** What a height did. */
export type HeightList = {
  /** The root of the tree after it. */
  readonly root: Uint8Array;
  readonly buckets: readonly BucketChange[];
  /** Keys of the records that it deleted. */
  readonly deleted: readonly Uint8Array[];
};

/** The hash that a bucket without leaves has. */
export const NO_HASH = '';
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
export function encodeList({ root, buckets, deleted }: HeightList): Uint8Array {
  const encoded = encodeBuckets(buckets);
  const size = deleted.reduce((sum, key) => sum + 1 + key.length, LIST_HEAD_BYTES);
  const out = new Uint8Array(size + encoded.length);
  out.set(root);
  new DataView(out.buffer).setUint32(HASH_SIZE, encoded.length);
  out.set(encoded, LIST_HEAD_BYTES);
  let at = LIST_HEAD_BYTES + encoded.length;
  for (const key of deleted) {
    out[at] = key.length;
    out.set(key, at + 1);
    at += 1 + key.length;
  }
  return out;
}

/** A height's list of its stored form. */
export function decodeList(bytes: Uint8Array): HeightList {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const start = LIST_HEAD_BYTES + view.getUint32(HASH_SIZE);
  const deleted: Uint8Array[] = [];
  for (let at = start; at < bytes.length; ) {
    const end = at + 1 + (bytes[at] as number);
    deleted.push(bytes.slice(at + 1, end));
    at = end;
  }
  return {
    root: bytes.subarray(0, HASH_SIZE),
    buckets: decodeBuckets(bytes.subarray(LIST_HEAD_BYTES, start)),
    deleted,
  };
}

/** Two lists of one height as one: what the later says of a bucket counts. */
export function joinLists(earlier: HeightList, later: HeightList): HeightList {
  const names = new Set(later.buckets.map(({ name }) => name));
  const kept = earlier.buckets.filter(({ name }) => !names.has(name));
  return {
    root: later.root,
    buckets: [...kept, ...later.buckets],
    deleted: [...earlier.deleted, ...later.deleted],
  };
}
