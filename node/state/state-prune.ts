/**
 * Removing what only dropped heights need: older values, change lists, stale pages.
 *
 * Upholds: every height from the new base on stays whole, since the base is a checkpoint; a crash
 * in between leaves work that the next pruning finds by its change lists. Written apart from the
 * heights' batches, in pieces; deleted records' last entries are left to the next height's batch,
 * which alone may touch newest entries.
 *
 * @module
 */
import { readU64be, u64be, utf8 } from '../src/base/bytes.ts';
import { checkpoints, encodeCheckpoint } from './checkpoints.ts';
import type { Change, Database, Pair } from './database.ts';
import { keyText } from './lru.ts';
import { decodeChanges, newestEntry, versionKey } from './records.ts';
import { heightKey, SPACE } from './spaces.ts';

/** Heights whose lists go into one batch. */
const HEIGHTS_AT_ONCE = 64;
/** Where the lowest height is named whose state is kept. */
export const STATE_BASE_KEY: Uint8Array = utf8('state/base');

/**
 * Prunes to the newest checkpoint at or below `retainHeight`.
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
  const kept = await checkpoints(db, 0, retainHeight, -1);
  const newest = kept[0];
  if (newest === undefined) return deleted;
  const base = newest.height;
  moved(base);
  await db.write([[SPACE.meta, STATE_BASE_KEY, heightKey(base)]]);
  for (let more = true; more; ) {
    const range = { from: heightKey(0), to: heightKey(base + 1), reverse: false };
    const lists = await db.range(SPACE.changes, { ...range, limit: HEIGHTS_AT_ONCE });
    await db.write(lists.flatMap((list) => removals(db, list, deleted)));
    more = lists.length === HEIGHTS_AT_ONCE;
  }
  for (const checkpoint of kept) {
    const changes: Change[] = checkpoint.stale.map((id) => [SPACE.pages, u64be(id), undefined]);
    const left = checkpoint === newest ? encodeCheckpoint({ ...newest, stale: [] }) : undefined;
    await db.write([...changes, [SPACE.checkpoints, heightKey(checkpoint.height), left]]);
  }
  return deleted;
}

/** What a height's list of changes lets go: itself, and the values that the height replaced. */
function removals(db: Database, [height, list]: Pair, deleted: Map<string, Uint8Array>): Change[] {
  const changes: Change[] = [[SPACE.changes, height, undefined]];
  for (const { key, version } of decodeChanges(list).changed) {
    if (version > 0) changes.push([SPACE.versions, versionKey(key, version - 1), undefined]);
    const entry = newestEntry(db, key);
    const gone = entry?.value.length === 0 && entry.height === readU64be(height);
    if (gone) deleted.set(keyText(key), key);
  }
  return changes;
}
