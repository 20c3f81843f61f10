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
import { utf8 } from '../src/base/bytes.ts';
import { decodeList } from './change-list.ts';
import { removeRows, wholeCrowns } from './crown.ts';
import type { Change, Database } from './database.ts';
import { heightKey, SPACE } from './spaces.ts';
import { textOf } from './text.ts';

/** Rows read and removed at once. */
const ROWS_AT_ONCE = 16;
/** Where the lowest height is named whose state is kept. */
export const STATE_BASE_KEY: Uint8Array = utf8('state/base');

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
  for (const space of [SPACE.replaced, SPACE.changes]) {
    for (let more = true; more; ) {
      const range = { from: heightKey(0), to: heightKey(base + 1), reverse: false };
      const rows = await db.range(space, { ...range, limit: ROWS_AT_ONCE });
      if (space === SPACE.changes) {
        const keys = rows.flatMap(([, bytes]) => decodeList(bytes).deleted);
        for (const key of keys) deleted.set(textOf(key), key);
      }
      await db.write(rows.map(([height]): Change => [space, height, undefined]));
      more = rows.length === ROWS_AT_ONCE;
    }
  }
  await removeRows(db, 0, base);
  return deleted;
}
