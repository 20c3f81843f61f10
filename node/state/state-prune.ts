/**
 * Removing what only dropped heights need: older values, the heights' lists, whole crowns.
 *
 * Upholds: every height from the new base on stays whole, since the base has a whole crown; a
 * crash in between leaves work that the next pruning finds by the lists. Written apart from the
 * heights' batches, in pieces that let other work run; deleted records' last entries are left to
 * the next height's batch, which alone may touch newest entries.
 *
 * @module
 */
import { setImmediate as turn } from 'node:timers/promises';
import { utf8 } from '../src/base/bytes.ts';
import { decodeList } from './change-list.ts';
import { removeRows, wholeCrowns } from './crown.ts';
import type { Change, Database } from './database.ts';
import { versionKey } from './records.ts';
import { heightKey, SPACE } from './spaces.ts';
import { textOf } from './text.ts';

/** Lists read at once, and removals that go into one batch. */
const LISTS_AT_ONCE = 16;
const REMOVALS_AT_ONCE = 512;
/** Where the lowest height is named whose state is kept. */
export const STATE_BASE_KEY: Uint8Array = utf8('state/base');

/** Writes removals in pieces. */
class Removals {
  readonly #db: Database;
  #changes: Change[] = [];

  constructor(db: Database) {
    this.#db = db;
  }

  async add(space: number, key: Uint8Array): Promise<void> {
    this.#changes.push([space, key, undefined]);
    if (this.#changes.length < REMOVALS_AT_ONCE) return;
    await this.write();
    await turn();
  }

  async write(): Promise<void> {
    const changes = this.#changes;
    this.#changes = [];
    await this.#db.write(changes);
  }
}

/**
 * Prunes to the newest height at or below `retainHeight` that has a whole crown.
 *
 * @param moved - told the new lowest kept height before anything is removed
 * @returns deleted records, by the text of their key, whose last entries may go if still newest
 */
export async function pruneState(
  db: Database,
  retainHeight: number,
  moved: (base: number) => void,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const deleted = new Map<string, Uint8Array>();
  const [newest] = await wholeCrowns(db, retainHeight, 1);
  if (newest === undefined) return deleted;
  const base = newest.height;
  moved(base);
  await db.write([[SPACE.meta, STATE_BASE_KEY, heightKey(base)]]);
  const removals = new Removals(db);
  for (let more = true; more; ) {
    const range = { from: heightKey(0), to: heightKey(base + 1), reverse: false };
    const lists = await db.range(SPACE.changes, { ...range, limit: LISTS_AT_ONCE });
    for (const [height, bytes] of lists) {
      for (const { key, version, deleted: gone } of decodeList(bytes).changed) {
        if (gone) deleted.set(textOf(key), Uint8Array.from(key));
        // The value that the height replaced. The list goes after all it names.
        if (version > 0) await removals.add(SPACE.versions, versionKey(key, version - 1));
      }
      await removals.add(SPACE.changes, height);
    }
    await removals.write();
    more = lists.length === LISTS_AT_ONCE;
  }
  await removeRows(db, 0, base);
  return deleted;
}
