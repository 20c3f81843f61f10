/**
 * Crowns on disk: what each height did to the buckets, and now and then a whole crown.
 *
 * A crown is made again from the newest whole one at or below its height and from the heights'
 * lists since. A whole crown is due when the lists name twice as many buckets as the tree has, so
 * making one again costs about as much as reading three, whatever the number of heights between;
 * it is written beside the heights, each commit some of its rows, so that no height pays for all.
 *
 * Upholds: a whole crown counts only when its head is stored, which comes after all its rows. A
 * crown is handed out only if its root is the one that the height had.
 *
 * @module
 */
import { setImmediate as turn } from 'node:timers/promises';
import { concatBytes, equalBytes, readU64be, u64be } from '../src/base/bytes.ts';
import { LedgerError } from '../src/base/errors.ts';
import { HASH_SIZE } from '../src/base/hash.ts';
import { EMPTY_ROOT } from '../src/base/merkle.ts';
import {
  type BucketChange,
  decodeBuckets,
  decodeList,
  encodeBuckets,
  type HeightList,
} from './change-list.ts';
import type { Change, Database } from './database.ts';
import { errors } from './errors.ts';
import { heightKey, SPACE } from './spaces.ts';
import { bytesOf } from './text.ts';
import { Bucket, bucketsOf, Inner, parting, type Root, type TreeNode } from './tree.ts';

/** How often whole crowns are written, and how fast. */
export type CrownPace = {
  /** Least number of buckets that the lists since the last one name. */
  readonly leastChanges: number;
  /** Buckets written per commit, besides as many as changed. */
  readonly bucketsPerCommit: number;
};

/** Buckets in one row of a whole crown: about 34 KiB. */
const ROW_BUCKETS = 512;
/** Rows and lists read at once: about a megabyte. */
const ROWS_AT_ONCE = 16;
/** Buckets handled between two turns of the event loop. */
const BUCKETS_AT_ONCE = 4_096;
const HEAD_BYTES = 8 + HASH_SIZE;

/** The hash of a tree: the app hash. */
export function rootHash(root: Root): Uint8Array {
  return root === undefined ? EMPTY_ROOT : bytesOf(root.hash);
}

/** Refuses a database whose state does not fit together. */
export function damaged(db: Database, reason: string): never {
  throw new LedgerError(errors.Damaged, { path: db.path, reason });
}

/** The tree over buckets that are in the order of their keys. */
export async function crownOf(buckets: readonly Bucket[]): Promise<Root> {
  if (buckets.length === 0) return undefined;
  const keys = buckets.map(({ key }) => key);
  const now = (from: number, to: number): TreeNode => {
    if (to - from === 1) return buckets[from] as Bucket;
    const { bit, middle } = parting(keys, from, to);
    return new Inner(bit, keys[from] as string, now(from, middle), now(middle, to));
  };
  const later = async (from: number, to: number): Promise<TreeNode> => {
    if (to - from > BUCKETS_AT_ONCE) {
      const { bit, middle } = parting(keys, from, to);
      const left = await later(from, middle);
      return new Inner(bit, keys[from] as string, left, await later(middle, to));
    }
    await turn();
    return now(from, to);
  };
  return await later(0, buckets.length);
}

/** A crown made again. */
export type Crown = {
  readonly root: Root;
  readonly buckets: number;
  /** Buckets that the lists since the whole crown name. */
  readonly since: number;
  /** The newest list at or below the height, if it is younger than the whole crown. */
  readonly newest: HeightList | undefined;
};

type WholeHead = { readonly height: number; readonly rows: number; readonly root: Uint8Array };

/** Heads of whole crowns at or below `height`, newest first. */
export async function wholeCrowns(
  db: Database,
  height: number,
  limit: number,
): Promise<readonly WholeHead[]> {
  const range = { from: heightKey(0), to: heightKey(height + 1), reverse: true, limit };
  return (await db.range(SPACE.crownHeads, range)).map(([key, bytes]) => ({
    height: readU64be(key),
    rows: readU64be(bytes),
    root: bytes.subarray(8, HEAD_BYTES),
  }));
}

function rowKey(height: number, row: number): Uint8Array {
  return concatBytes(heightKey(height), u64be(row));
}

/** Buckets by name while a crown is made again. */
class Shelf {
  readonly buckets = new Map<string, Bucket>();
  #sinceTurn = 0;

  /** Puts what a row says of buckets; lets other work run now and then. */
  async put(changes: readonly BucketChange[]): Promise<void> {
    for (const { name, size, hash } of changes) {
      if (size === 0) this.buckets.delete(name);
      else this.buckets.set(name, new Bucket(name, size, hash));
    }
    this.#sinceTurn += changes.length;
    if (this.#sinceTurn < BUCKETS_AT_ONCE) return;
    this.#sinceTurn = 0;
    await turn();
  }
}

/** Puts the rows of a whole crown. */
async function putWhole(db: Database, shelf: Shelf, { height, rows }: WholeHead): Promise<void> {
  for (let row = 0; row < rows; row++) {
    const bytes = db.get(SPACE.crowns, rowKey(height, row));
    if (bytes === undefined) damaged(db, `a row of the tree of height ${height} is missing`);
    await shelf.put(decodeBuckets(bytes));
  }
}

type Lists = { readonly named: number; readonly newest: HeightList | undefined };

/** Puts what the lists of heights `first … last` say. */
async function putLists(db: Database, shelf: Shelf, first: number, last: number): Promise<Lists> {
  let named = 0;
  let newest: HeightList | undefined;
  for (let from = first; ; ) {
    const range = { from: heightKey(from), to: heightKey(last + 1), reverse: false };
    const lists = await db.range(SPACE.changes, { ...range, limit: ROWS_AT_ONCE });
    for (const [key, bytes] of lists) {
      newest = decodeList(bytes);
      named += newest.buckets.length;
      from = readU64be(key) + 1;
      await shelf.put(newest.buckets);
    }
    if (lists.length < ROWS_AT_ONCE) return { named, newest };
  }
}

/**
 * The crown of a kept height. Cost: 2 to 5 µs for each bucket of the tree, in pieces.
 *
 * @throws LedgerError storage/4 if what is stored does not give the root that the height had
 */
export async function crownAt(db: Database, height: number): Promise<Crown> {
  const [whole] = await wholeCrowns(db, height, 1);
  const shelf = new Shelf();
  if (whole !== undefined) await putWhole(db, shelf, whole);
  const first = whole === undefined ? 0 : whole.height + 1;
  const { named: since, newest } = await putLists(db, shelf, first, height);
  const buckets = [...shelf.buckets.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
  const root = await crownOf(buckets);
  const expected = newest?.root ?? whole?.root;
  if (expected !== undefined && !equalBytes(rootHash(root), expected)) {
    damaged(db, `the stored tree of height ${height} does not have its app hash`);
  }
  return { root, buckets: buckets.length, since, newest };
}

type Running = {
  readonly height: number;
  readonly root: Root;
  readonly buckets: Generator<Bucket>;
  rows: number;
};

function encodeHead({ rows, root }: Running): Uint8Array {
  return concatBytes(u64be(rows), rootHash(root));
}

/** Takes the next rows of a whole crown; fewer than asked for means that it is at its end. */
function nextRow(running: Running): Uint8Array {
  const row: BucketChange[] = [];
  while (row.length < ROW_BUCKETS) {
    const { value, done } = running.buckets.next();
    if (done === true) break;
    row.push({ name: value.key, size: value.size, hash: value.hash });
  }
  return encodeBuckets(row);
}

/** Writes whole crowns beside the heights. */
export class CrownWriter {
  readonly #db: Database;
  readonly #pace: CrownPace;
  #buckets: number;
  #since: number;
  #allowance = 0;
  #running: Running | undefined;

  constructor(db: Database, pace: CrownPace, { buckets, since }: Pick<Crown, 'buckets' | 'since'>) {
    this.#db = db;
    this.#pace = pace;
    this.#buckets = buckets;
    this.#since = since;
  }

  /**
   * Stages the height's share of a whole crown, or starts one with this height's tree.
   *
   * @param named - buckets that the height's list names
   * @param grown - how many buckets the tree has more than before
   */
  stage(height: number, root: Root, named: number, grown: number): void {
    this.#buckets += grown;
    this.#since += named;
    const due = this.#since >= Math.max(2 * this.#buckets, this.#pace.leastChanges);
    if (this.#running === undefined && due) {
      this.#running = { height, root, buckets: bucketsOf(root), rows: 0 };
      this.#since = 0;
    }
    this.#allowance += named + this.#pace.bucketsPerCommit;
    while (this.#running !== undefined && this.#allowance >= ROW_BUCKETS) {
      this.#allowance -= ROW_BUCKETS;
      this.#advance(this.#running);
    }
    if (this.#running === undefined) this.#allowance = 0;
  }

  #advance(running: Running): void {
    const row = nextRow(running);
    if (row.length > 0) {
      this.#db.stage(SPACE.crowns, rowKey(running.height, running.rows++), row);
      return;
    }
    this.#db.stage(SPACE.crownHeads, heightKey(running.height), encodeHead(running));
    this.#running = undefined;
  }
}

/** Writes the whole crown of a height at once, in place of all others. */
export async function writeWhole(db: Database, height: number, root: Root): Promise<void> {
  await removeRows(db, 0, Number.MAX_SAFE_INTEGER);
  const running: Running = { height, root, buckets: bucketsOf(root), rows: 0 };
  for (let row = nextRow(running); row.length > 0; row = nextRow(running)) {
    await db.write([[SPACE.crowns, rowKey(height, running.rows++), row]]);
  }
  await db.write([[SPACE.crownHeads, heightKey(height), encodeHead(running)]]);
}

/** Removes whole crowns of heights `from` up to, not including, `to`, finished or not. */
export async function removeRows(db: Database, from: number, to: number): Promise<void> {
  for (const space of [SPACE.crownHeads, SPACE.crowns]) {
    for (let more = true; more; ) {
      const range = { from: heightKey(from), to: heightKey(to), reverse: false };
      const rows = await db.range(space, { ...range, limit: ROWS_AT_ONCE });
      await db.write(rows.map(([key]): Change => [space, key, undefined]));
      more = rows.length === ROWS_AT_ONCE;
    }
  }
}
