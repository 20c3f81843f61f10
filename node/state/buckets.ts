/**
 * Leaves of buckets: made from the flat records of a height; for the newest, kept in a cache.
 *
 * Upholds: leaves are handed out only if they give the hash that the tree has for their bucket, so
 * records and tree cannot drift apart unseen. The tree has no stored leaves of its own.
 *
 * @module
 */
import { setImmediate as turn } from 'node:timers/promises';
import { damaged } from './crown.ts';
import type { Database, KeyRange } from './database.ts';
import { Lru } from './lru.ts';
import { decodeEntry, valueAt } from './records.ts';
import { SPACE } from './spaces.ts';
import { bytesOf, leafText, textOf } from './text.ts';
import {
  type Bucket,
  type Fresh,
  Inner,
  type LeafChange,
  type Leaves,
  leavesHash,
  type Place,
  placeOf,
  type Root,
  Update,
} from './tree.ts';

/** Bytes of a cached bucket and of each leaf, beside the leaf's key. */
const BUCKET_OVERHEAD = 320;
const LEAF_OVERHEAD = 90;
/** Changes applied between two turns of the event loop; buckets read at once. */
const CHANGES_AT_ONCE = 128;
const READS_AT_ONCE = 32;
/** Records read at once while a whole tree is made. */
const RECORDS_AT_ONCE = 1_024;
/** Longest logical key, and more. */
const AFTER_ALL: Uint8Array = new Uint8Array(112).fill(0xff);

/** The range of all logical keys that share the first `bits` bits of `name`. */
export function rangeOf(name: string, bits: number): Pick<KeyRange, 'from' | 'to'> {
  const size = (bits + 7) >> 3;
  const from = bytesOf(name.slice(0, size).padEnd(size, '\0'));
  const unit = 1 << (8 * size - bits);
  if (size > 0) from[size - 1] = (from[size - 1] as number) & (256 - unit);
  const to = Uint8Array.from(from);
  let carry = unit;
  for (let i = size - 1; i >= 0 && carry > 0; i--) {
    const sum = (to[i] as number) + carry;
    to[i] = sum & 0xff;
    carry = sum >> 8;
  }
  return { from, to: carry > 0 || size === 0 ? AFTER_ALL : to };
}

/**
 * The leaves of a bucket at a kept height, from the records.
 *
 * @throws LedgerError storage/4 if they do not give the bucket's hash
 * Cost: about 50 µs and 10 µs a leaf.
 */
export async function readLeaves(db: Database, place: Place, height: number): Promise<Leaves> {
  const { bucket, bits } = place;
  const range = { ...rangeOf(bucket.key, bits), reverse: false, limit: -1 };
  const keys: string[] = [];
  const hashes: string[] = [];
  for (const [key, bytes] of await db.range(SPACE.records, range)) {
    const value = valueAt(db, key, decodeEntry(bytes), height);
    if (value === undefined) continue;
    keys.push(textOf(key));
    hashes.push(leafText(key, value));
  }
  const leaves = { keys, hashes };
  if (keys.length === bucket.size && leavesHash(leaves, 0, keys.length) === bucket.hash) {
    return leaves;
  }
  return damaged(db, `the records of height ${height} do not give its app hash`);
}

/** What `finalize` asks of the tree: the changes of the newest height, in pieces. */
export class BucketCache {
  readonly #db: Database;
  readonly #leaves: Lru<Fresh>;

  /** @param maxBytes - most bytes of leaves kept in memory */
  constructor(db: Database, maxBytes: number) {
    this.#db = db;
    this.#leaves = new Lru(maxBytes);
  }

  #known(bucket: Bucket): Leaves | undefined {
    const cached = this.#leaves.get(bucket.key);
    return cached?.bucket.hash === bucket.hash ? cached.leaves : undefined;
  }

  #keep(fresh: Fresh): void {
    const { key } = fresh.bucket;
    const each = LEAF_OVERHEAD + key.length;
    this.#leaves.set(key, fresh, BUCKET_OVERHEAD + each * fresh.bucket.size);
  }

  /**
   * Applies changes to the tree of the newest height, and lets other work run in between.
   *
   * @param changes - sorted by key, each key once
   */
  async update(
    root: Root,
    height: number,
    count: number,
    changesOf: (from: number, to: number) => readonly LeafChange[],
  ): Promise<Update> {
    const update = new Update(root);
    for (let from = 0; from < count; from += CHANGES_AT_ONCE) {
      const changes = changesOf(from, Math.min(from + CHANGES_AT_ONCE, count));
      const { found, placed } = await this.#leavesFor(update, changes, height);
      update.apply(changes, (bucket) => found.get(bucket) ?? this.#known(bucket), placed);
      if (changes.length === CHANGES_AT_ONCE) await turn();
    }
    for (const fresh of update.fresh.values()) this.#keep(fresh);
    return update;
  }

  /** The leaves of the buckets that changes fall into; reads those that are not at hand. */
  async #leavesFor(
    update: Update,
    changes: readonly LeafChange[],
    height: number,
  ): Promise<{ readonly found: ReadonlyMap<Bucket, Leaves>; readonly placed: boolean }> {
    const found = new Map<Bucket, Leaves>();
    const missing = new Map<Bucket, Place>();
    let placed = true;
    for (const { key } of changes) {
      const place = placeOf(update.root, key);
      if (place === undefined) placed = false;
      if (place === undefined || found.has(place.bucket)) continue;
      const fresh = update.fresh.get(place.bucket.key);
      const leaves = fresh?.bucket === place.bucket ? fresh.leaves : this.#known(place.bucket);
      if (leaves === undefined) missing.set(place.bucket, place);
      else found.set(place.bucket, leaves);
    }
    const places = [...missing.values()];
    for (let from = 0; from < places.length; from += READS_AT_ONCE) {
      const some = places.slice(from, from + READS_AT_ONCE);
      const read = await Promise.all(some.map((place) => readLeaves(this.#db, place, height)));
      for (const [i, leaves] of read.entries()) found.set((some[i] as Place).bucket, leaves);
    }
    return { found, placed };
  }
}

/** Makes the tree anew from the newest value of every record, in pieces; it is not checked. */
export async function treeOfRecords(db: Database): Promise<Root> {
  let root: Root;
  let edge: Fresh | undefined;
  for (let from: Uint8Array = new Uint8Array(0); ; ) {
    const range = { from, to: AFTER_ALL, reverse: false, limit: RECORDS_AT_ONCE };
    const records = await db.range(SPACE.records, range);
    const changes: LeafChange[] = [];
    for (const [key, bytes] of records) {
      const { value } = decodeEntry(bytes);
      if (value.length > 0) changes.push({ key: textOf(key), hash: leafText(key, value) });
    }
    const update = new Update(root);
    const last = edge;
    update.apply(changes, (bucket) => (bucket === last?.bucket ? last.leaves : undefined));
    root = update.root;
    // Keys come in order, so only the bucket at the right edge can get more.
    let right = root;
    while (right instanceof Inner) right = right.right;
    edge = (right && update.fresh.get(right.key)) ?? edge;
    await turn();
    const newest = records.at(-1);
    if (newest === undefined || records.length < RECORDS_AT_ONCE) return root;
    from = new Uint8Array([...newest[0], 0]);
  }
}
