/**
 * Crowns of kept heights: recent ones from memory, others made again from what is stored.
 *
 * Upholds: a query for an old height delays no block, since making its crown yields to other work
 * and one is made at a time; memory is bounded by numbers of heights and of changes.
 *
 * @module
 */
import { crownAt } from './crown.ts';
import type { Database } from './database.ts';
import { Lru } from './lru.ts';
import type { Root } from './tree.ts';

/** Crowns kept in memory: newest heights by number and by changes, old ones by number. */
const RECENT_HEIGHTS = 64;
const RECENT_CHANGES = 4_096;
const OLD_CROWNS = 2;

/** Crowns of kept heights. */
export class History {
  readonly #db: Database;
  readonly #recent = new Map<number, { readonly root: Root; readonly changes: number }>();
  readonly #old = new Lru<Promise<Root>>(OLD_CROWNS);
  #recentChanges = 0;
  #making: Promise<unknown> = Promise.resolve();

  constructor(db: Database) {
    this.#db = db;
  }

  /** Keeps the crown of a new height in memory. */
  add(height: number, root: Root, changes: number): void {
    this.#recentChanges += changes - (this.#recent.get(height)?.changes ?? 0);
    this.#recent.set(height, { root, changes });
    for (const [oldest, entry] of this.#recent) {
      const few = this.#recent.size <= RECENT_HEIGHTS && this.#recentChanges <= RECENT_CHANGES;
      if (few || oldest === height) return;
      this.#recent.delete(oldest);
      this.#recentChanges -= entry.changes;
    }
  }

  /** The crown of a kept height. Cost: that of `crownAt` for one that is not in memory. */
  at(height: number): Promise<Root> {
    const recent = this.#recent.get(height);
    if (recent !== undefined) return Promise.resolve(recent.root);
    const name = String(height);
    const known = this.#old.get(name);
    if (known !== undefined) return known;
    const made = this.#making.then(async () => (await crownAt(this.#db, height)).root);
    this.#making = made.catch(() => undefined);
    this.#old.set(name, made, 1);
    made.catch(() => this.#old.delete(name));
    return made;
  }
}
