/**
 * The state after one kept height, read-only: records, their proofs, rows.
 *
 * Upholds: records are those of the height. Rows are write-once and not cut off at the height: a
 * reader stops at the size that the height's record of the log gives.
 *
 * @module
 */
import { present } from '../src/base/errors.ts';
import { readLeaves } from './buckets.ts';
import type { Database, KeyRange, Pair } from './database.ts';
import { proofBytes } from './ics23.ts';
import { decodeEntry, newestEntry, valueAt } from './records.ts';
import { readRow } from './rows.ts';
import { SPACE } from './spaces.ts';
import { textOf } from './text.ts';
import { findLeaf } from './trail.ts';
import type { Root } from './tree.ts';

/** Records read at once while a range is filled. */
const LEAST_CHUNK = 64;

/** A kept height's state. */
export class LevelStateView {
  readonly height: number;
  readonly #db: Database;
  readonly #tree: () => Promise<Root>;

  constructor(db: Database, height: number, tree: () => Promise<Root>) {
    this.height = height;
    this.#db = db;
    this.#tree = tree;
  }

  /** A record's value at this height. Cost: 9 µs, and as much per doubling of later changes. */
  get(key: Uint8Array): Uint8Array | undefined {
    return valueAt(this.#db, key, newestEntry(this.#db, key), this.height);
  }

  /** The records of a range at this height. */
  async range({ from, to, reverse, limit }: KeyRange): Promise<readonly Pair[]> {
    const found: Pair[] = [];
    const chunk = Math.max(limit, LEAST_CHUNK);
    let [low, high] = [from, to];
    while (found.length < limit) {
      const range = { from: low, to: high, reverse, limit: chunk };
      const entries = await this.#db.range(SPACE.records, range);
      for (const [key, bytes] of entries) {
        const value = valueAt(this.#db, key, decodeEntry(bytes), this.height);
        if (value !== undefined && found.length < limit) found.push([key, value]);
      }
      const last = entries.at(-1);
      if (last === undefined || entries.length < chunk) break;
      if (reverse) high = last[0];
      else low = successor(last[0]);
    }
    return found;
  }

  /**
   * ICS-23 CommitmentProof bytes: membership, or absence if there is no such record.
   * Cost: 0.3 ms, and for the first of an old height up to 5 µs per bucket of the tree.
   */
  async prove(key: Uint8Array): Promise<Uint8Array> {
    const found = await findLeaf(await this.#tree(), textOf(key), (place) =>
      readLeaves(this.#db, place, this.height),
    );
    return proofBytes(key, found, (logical) => present(this.get(logical), 'value of a leaf'));
  }

  /** A row. */
  row(key: Uint8Array): Uint8Array | undefined {
    return readRow(this.#db, key);
  }
}

/** The first key after `key`. */
function successor(key: Uint8Array): Uint8Array {
  const next = new Uint8Array(key.length + 1);
  next.set(key);
  return next;
}
