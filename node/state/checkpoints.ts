/**
 * Checkpoints: trees of some heights, stored whole, from which those of all others are made.
 *
 * Upholds: a checkpoint counts only when its record is stored, which comes after all its pages;
 * a crash before that leaves pages that nobody names and whose ids are used again. The work is
 * spread over heights: each commit stores a bounded number of pages, so no height pays for all.
 * A page that a later tree does not have any more is named in the later checkpoint's record, and
 * is removed when no earlier checkpoint is kept.
 *
 * @module
 */
import { readU64be, u64be } from '../src/base/bytes.ts';
import { invariant } from '../src/base/errors.ts';
import type { Database, Pair } from './database.ts';
import { decodeRoot, encodePage, encodeRoot, type PageCache, unstoredPages } from './pages.ts';
import { heightKey, SPACE } from './spaces.ts';
import type { Page, Root } from './tree.ts';

/** When a checkpoint is due, and how fast it is written. */
export type CheckpointPace = {
  /** Changed records since the last one. */
  readonly everyChanges: number;
  /** Heights since the last one. */
  readonly everyHeights: number;
  /** Pages stored per commit, besides one for every two changed records. */
  readonly pagesPerCommit: number;
};

/** At full load a checkpoint every 16 heights of 1,000 changes; when idle every 256 heights. */
export const DEFAULT_PACE: CheckpointPace = {
  everyChanges: 16_384,
  everyHeights: 256,
  pagesPerCommit: 64,
};

/** A stored checkpoint. */
export type Checkpoint = {
  readonly height: number;
  readonly root: Root;
  readonly nextPage: number;
  /** Ids of pages that earlier checkpoints have and this one does not. */
  readonly stale: readonly number[];
};

/** The bytes of a checkpoint's record. */
export function encodeCheckpoint({ root, nextPage, stale }: Checkpoint): Uint8Array {
  const name = encodeRoot(root);
  const out = new Uint8Array(9 + name.length + 8 * stale.length);
  out.set(u64be(nextPage));
  out[8] = name.length;
  out.set(name, 9);
  for (const [i, id] of stale.entries()) out.set(u64be(id), 9 + name.length + 8 * i);
  return out;
}

function decodeCheckpoint([key, bytes]: Pair): Checkpoint {
  const end = 9 + (bytes[8] ?? 0);
  const stale: number[] = [];
  for (let at = end; at < bytes.length; at += 8) stale.push(readU64be(bytes, at));
  return {
    height: readU64be(key),
    root: decodeRoot(bytes.subarray(9, end)),
    nextPage: readU64be(bytes),
    stale,
  };
}

/** The checkpoints at `from … to`, newest first, at most `limit`. */
export async function checkpoints(
  db: Database,
  from: number,
  to: number,
  limit: number,
): Promise<readonly Checkpoint[]> {
  const range = { from: heightKey(from), to: heightKey(to + 1), reverse: true, limit };
  return (await db.range(SPACE.checkpoints, range)).map(decodeCheckpoint);
}

type Running = {
  readonly height: number;
  readonly root: Root;
  readonly pages: Generator<Page>;
  readonly stale: readonly Page[];
};

/** Writes checkpoints beside the heights. */
export class Checkpointer {
  readonly #db: Database;
  readonly #cache: PageCache;
  readonly #pace: CheckpointPace;
  #nextPage: number;
  #last: number;
  #changes = 0;
  #stale: Page[] = [];
  #running: Running | undefined;

  constructor(db: Database, cache: PageCache, pace: CheckpointPace, last: Checkpoint | undefined) {
    this.#db = db;
    this.#cache = cache;
    this.#pace = pace;
    this.#nextPage = last?.nextPage ?? 1;
    this.#last = last?.height ?? 0;
  }

  /** Takes note of a height's change of the tree. */
  changed(records: number, stale: readonly Page[]): void {
    this.#changes += records;
    // A page without an id is stored only by a checkpoint that is being written.
    const named = (page: Page): boolean => this.#running !== undefined || page.id !== undefined;
    this.#stale.push(...stale.filter(named));
  }

  /** Stages the height's share of a checkpoint, or starts one with this height's tree. */
  stage(height: number, root: Root, records: number): void {
    const { everyChanges, everyHeights, pagesPerCommit } = this.#pace;
    const due = this.#changes >= everyChanges || height - this.#last >= everyHeights;
    if (this.#running === undefined && due) {
      this.#running = { height, root, pages: unstoredPages(root), stale: this.#stale };
      this.#last = height;
      this.#changes = 0;
      this.#stale = [];
    }
    if (this.#running !== undefined) this.#advance(this.#running, pagesPerCommit + records / 2);
  }

  #advance(running: Running, most: number): void {
    const written: (readonly [Page, number])[] = [];
    let done = false;
    while (!done && written.length < most) {
      const next = running.pages.next();
      done = next.done === true;
      if (next.done !== true) written.push([next.value, this.#stagePage(next.value)]);
    }
    this.#db.afterFlush(() => {
      for (const [page, byteSize] of written) this.#cache.stored(page, byteSize);
    });
    if (done) this.#finish(running);
  }

  #stagePage(page: Page): number {
    invariant(page.root !== undefined, 'a page that is not stored is in memory');
    const bytes = encodePage(page.root);
    page.id = this.#nextPage++;
    this.#db.stage(SPACE.pages, u64be(page.id), bytes);
    return bytes.length;
  }

  #finish({ height, root, stale }: Running): void {
    const ids = stale.flatMap((page) => (page.id === undefined ? [] : [page.id]));
    const record = { height, root, nextPage: this.#nextPage, stale: ids };
    this.#db.stage(SPACE.checkpoints, heightKey(height), encodeCheckpoint(record));
    this.#running = undefined;
    this.#stale = this.#stale.filter((page) => page.id !== undefined);
  }
}
