/**
 * Flat records: the newest value of each, and the older values that kept heights need.
 *
 * Upholds: a read at any kept height finds the value of that height with a bounded number of
 * lookups. The newest value lies under the key; each older one under key ‖ version, where versions
 * count the changes of the record. So a height is found by bisection over versions, and a version
 * that is missing was pruned and is older than any kept height. A deleted record stays as a value
 * without bytes until no kept height needs it.
 *
 * @module
 */
import { EMPTY } from '../src/base/bytes.ts';
import type { Database } from './database.ts';
import { SPACE } from './spaces.ts';

/** A record's value since `height`; empty: deleted. */
export type Entry = {
  /** Counts the changes of the record from 0. */
  readonly version: number;
  readonly height: number;
  readonly value: Uint8Array;
};

/** Bytes of version and height before a value. */
const HEAD_BYTES = 10;

/** The stored form of an entry. */
export function encodeEntry({ version, height, value }: Entry): Uint8Array {
  // From Buffer's pool: a new array of more than 64 bytes costs ten times as much.
  const out = Buffer.allocUnsafe(HEAD_BYTES + value.length);
  out.writeUInt32BE(version, 0);
  out.writeUIntBE(height, 4, 6);
  out.set(value, HEAD_BYTES);
  return out;
}

/** The entry of a stored form. */
export function decodeEntry(bytes: Uint8Array): Entry {
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEAD_BYTES);
  return {
    version: view.getUint32(0),
    height: view.getUint16(4) * 2 ** 32 + view.getUint32(6),
    value: new Uint8Array(bytes.subarray(HEAD_BYTES)),
  };
}

/** The key of an older value. */
export function versionKey(key: Uint8Array, version: number): Uint8Array {
  const out = new Uint8Array(key.length + 4);
  out.set(key);
  new DataView(out.buffer).setUint32(key.length, version);
  return out;
}

/** The flushed newest entry of a record. */
export function newestEntry(db: Database, key: Uint8Array): Entry | undefined {
  const bytes = db.get(SPACE.records, key);
  return bytes === undefined ? undefined : decodeEntry(bytes);
}

/**
 * The value of a record at `height`, which is kept; `undefined` if there was none.
 *
 * @param newest - a flushed entry of the record, the newest or at least not older than `height`
 * Cost: one lookup per doubling of the record's changes since `height`.
 */
export function valueAt(
  db: Database,
  key: Uint8Array,
  newest: Entry | undefined,
  height: number,
): Uint8Array | undefined {
  if (newest === undefined) return undefined;
  let found = newest.height <= height ? newest : undefined;
  // Versions from `low` down are at or below `height` (or pruned), those above `high` are not.
  let low = -1;
  let high = newest.version - 1;
  for (let step = 1; found === undefined && low < high; step *= 2) {
    // From the newest version back in growing steps: recent heights are asked for most.
    const probe = Math.max(high - step + 1, 0);
    const entry = olderEntry(db, key, probe);
    if (entry !== undefined && entry.height > height) high = probe - 1;
    else {
      low = probe;
      break;
    }
  }
  if (found === undefined) found = bisect(db, key, low, high, height);
  return found === undefined || found.value.length === 0 ? undefined : found.value;
}

function olderEntry(db: Database, key: Uint8Array, version: number): Entry | undefined {
  const bytes = db.get(SPACE.versions, versionKey(key, version));
  return bytes === undefined ? undefined : decodeEntry(bytes);
}

/** The last version in `low … high` at or below `height`; `low` is, or there is none. */
function bisect(
  db: Database,
  key: Uint8Array,
  lowest: number,
  highest: number,
  height: number,
): Entry | undefined {
  let low = lowest;
  let high = highest;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    const entry = olderEntry(db, key, middle);
    if (entry === undefined || entry.height <= height) low = middle;
    else high = middle - 1;
  }
  return low < 0 ? undefined : olderEntry(db, key, low);
}

/** A deleted record's value. */
export const DELETED: Uint8Array = EMPTY;
