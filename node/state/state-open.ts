/**
 * Opening the tree of the newest height: as it was stored or, if that is damaged, from the records.
 *
 * Upholds: a tree is handed out only if its root is the stored app hash.
 *
 * @module
 */
import { equalBytes, utf8 } from '../src/base/bytes.ts';
import { LedgerError } from '../src/base/errors.ts';
import { readLeaves, treeOfRecords } from './buckets.ts';
import {
  type Crown,
  crownAt,
  damaged,
  removeRows,
  rootHash,
  wholeCrowns,
  writeWhole,
} from './crown.ts';
import type { Database } from './database.ts';
import { errors } from './errors.ts';
import { heightKey, SPACE } from './spaces.ts';
import { STATE_BASE_KEY } from './state-prune.ts';
import { placeOf } from './tree.ts';

/** Where the last durable height and its app hash stand. */
export const HEAD_KEY: Uint8Array = utf8('state/head');
/** Buckets that the newest height made which are compared with the records when opening. */
const CHECKED_BUCKETS = 64;

/** The crown of a state without heights. */
export const NO_CROWN: Crown = { root: undefined, buckets: 0, since: 0, newest: undefined };

/**
 * The crown of the newest height; made from the records if what is stored of it is damaged.
 *
 * @throws LedgerError storage/4 if the records do not give the stored app hash either
 */
export async function openCrown(db: Database, height: number, appHash: Uint8Array): Promise<Crown> {
  const [whole] = await wholeCrowns(db, height, 1);
  // What a crash left of a whole crown that was being written.
  await removeRows(db, (whole?.height ?? -1) + 1, Number.MAX_SAFE_INTEGER);
  const stored = await checkedCrown(db, height, appHash);
  if (stored !== undefined) return stored;
  await rebuild(db, height, appHash);
  return crownAt(db, height);
}

/** The stored crown of the newest height, if it has the app hash and the newest records fit it. */
async function checkedCrown(
  db: Database,
  height: number,
  appHash: Uint8Array,
): Promise<Crown | undefined> {
  try {
    const crown = await crownAt(db, height);
    if (!equalBytes(rootHash(crown.root), appHash)) return undefined;
    for (const { name, size } of crown.newest?.buckets.slice(0, CHECKED_BUCKETS) ?? []) {
      const place = size === 0 ? undefined : placeOf(crown.root, name);
      if (place !== undefined) await readLeaves(db, place, height);
    }
    return crown;
  } catch (thrown) {
    if (LedgerError.is(thrown, errors.Damaged)) return undefined;
    throw thrown;
  }
}

/**
 * Makes the tree of the newest height from the records, and forgets the heights before it.
 *
 * @throws LedgerError storage/4 if the records do not give the stored app hash either
 */
async function rebuild(db: Database, height: number, appHash: Uint8Array): Promise<void> {
  const root = await treeOfRecords(db);
  if (!equalBytes(rootHash(root), appHash)) {
    damaged(db, `the records of height ${height} do not give its app hash`);
  }
  await db.write([[SPACE.meta, STATE_BASE_KEY, heightKey(height)]]);
  await writeWhole(db, height, root);
}
