/**
 * Flat records: the newest value of each, and the older values that kept heights need.
 *
 * The newest entry lies under the record's key. The entries that a height replaced lie together
 * in one row of that height, so a height costs one row beside its records. An entry knows the
 * heights of some older ones: versions count the changes of a record, and version v knows those
 * of v without its lowest bit, of that without its lowest bit, and so on down to 0.
 *
 * Upholds: a read at any kept height finds the value of that height with a bounded number of
 * lookups: each halves the versions in question. A row that is missing was pruned and is of no
 * kept height. A deleted record stays as a value without bytes until no kept height needs it.
 *
 * @module
 */
import { EMPTY, equalBytes } from '../src/base/bytes.ts';
import type { Database } from './database.ts';
import { heightKey, SPACE } from './spaces.ts';

/** A record's value since `height`; empty: deleted. */
export type Entry = {
  /** Counts the changes of the record from 0. */
  readonly version: number;
  readonly height: number;
  /** Heights of the older versions that this one knows, newest first. */
  readonly links: readonly number[];
  readonly value: Uint8Array;
};

/** An entry that a height replaced. */
export type Replaced = { readonly key: Uint8Array; readonly entry: Entry };

const VERSION_BYTES = 4;
const HEIGHT_BYTES = 6;
const HEAD_BYTES: number = VERSION_BYTES + HEIGHT_BYTES;
/** Before each entry of a row: length of its key, length of the entry. */
const ROW_HEAD_BYTES = 5;

const NO_LINKS: readonly number[] = [];

/** How many older versions a version knows: one for each bit that is set. */
function linksOf(version: number): number {
  let count = 0;
  for (let rest = version; rest !== 0; rest = (rest & (rest - 1)) >>> 0) count++;
  return count;
}

/** The entry that follows `before`, if there is one. */
export function nextEntry(before: Entry | undefined, height: number, value: Uint8Array): Entry {
  if (before === undefined) return { version: 0, height, links: NO_LINKS, value };
  const version = before.version + 1;
  // The bits that were set below the one that is set now are gone, and their links with them.
  const gone = 31 - Math.clz32(version & -version);
  const links = gone === 0 ? [before.height, ...before.links] : before.links.slice(gone - 1);
  return { version, height, links, value };
}

function entrySize({ links, value }: Entry): number {
  return HEAD_BYTES + HEIGHT_BYTES * links.length + value.length;
}

/** Writes a big-endian number; Buffer's own way takes thrice as long. */
function writeNumber(out: Uint8Array, value: number, start: number, size: number): number {
  let rest = value;
  for (let at = start + size - 1; at >= start; at--) {
    out[at] = rest;
    rest = Math.floor(rest / 256);
  }
  return start + size;
}

function writeEntry(out: Uint8Array, start: number, entry: Entry): number {
  let at = writeNumber(out, entry.version, start, VERSION_BYTES);
  at = writeNumber(out, entry.height, at, HEIGHT_BYTES);
  for (const height of entry.links) at = writeNumber(out, height, at, HEIGHT_BYTES);
  out.set(entry.value, at);
  return at + entry.value.length;
}

/** The stored form of an entry: version, height, links, value. */
export function encodeEntry(entry: Entry): Uint8Array {
  // From Buffer's pool: a new array of more than 64 bytes costs ten times as much.
  const out = Buffer.allocUnsafe(entrySize(entry));
  writeEntry(out, 0, entry);
  return out;
}

/** The entry of a stored form. */
export function decodeEntry(bytes: Uint8Array): Entry {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const heightAt = (at: number): number => view.getUint16(at) * 2 ** 32 + view.getUint32(at + 2);
  const version = view.getUint32(0);
  const links: number[] = [];
  let at = HEAD_BYTES;
  for (let left = linksOf(version); left > 0; left--) {
    links.push(heightAt(at));
    at += HEIGHT_BYTES;
  }
  const value = new Uint8Array(bytes.subarray(at));
  return { version, height: heightAt(VERSION_BYTES), links, value };
}

/** The row of the entries that a height replaced. */
export function encodeReplaced(replaced: readonly Replaced[]): Uint8Array {
  let size = 0;
  for (const { key, entry } of replaced) size += ROW_HEAD_BYTES + key.length + entrySize(entry);
  const out = Buffer.allocUnsafe(size);
  let at = 0;
  for (const { key, entry } of replaced) {
    out[at] = key.length;
    writeNumber(out, entrySize(entry), at + 1, 4);
    out.set(key, at + ROW_HEAD_BYTES);
    at = writeEntry(out, at + ROW_HEAD_BYTES + key.length, entry);
  }
  return out;
}

/** Version `version` of a record, which was replaced at `height`; undefined if it was pruned. */
function replacedAt(
  db: Database,
  height: number,
  key: Uint8Array,
  version: number,
): Entry | undefined {
  const row = db.get(SPACE.replaced, heightKey(height));
  if (row === undefined) return undefined;
  const view = new DataView(row.buffer, row.byteOffset, row.length);
  for (let at = 0; at < row.length; ) {
    const keyAt = at + ROW_HEAD_BYTES;
    const entryAt = keyAt + (row[at] as number);
    const end = entryAt + view.getUint32(at + 1);
    const found =
      entryAt - keyAt === key.length &&
      view.getUint32(entryAt) === version &&
      equalBytes(row.subarray(keyAt, entryAt), key);
    if (found) return decodeEntry(row.subarray(entryAt, end));
    at = end;
  }
  return undefined;
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
 * Cost: one lookup per halving of the record's changes, each of a row of that height's changes.
 */
export function valueAt(
  db: Database,
  key: Uint8Array,
  newest: Entry | undefined,
  height: number,
): Uint8Array | undefined {
  let entry = newest;
  while (entry !== undefined && entry.height > height) {
    // The oldest version known to be younger than `height`: the one before it is the next to ask.
    let { version, height: replacedBy } = entry;
    let older = (version & (version - 1)) >>> 0;
    let i = 0;
    for (; i < entry.links.length && (entry.links[i] as number) > height; i++) {
      version = older;
      replacedBy = entry.links[i] as number;
      older = (version & (version - 1)) >>> 0;
    }
    entry = i === entry.links.length ? undefined : replacedAt(db, replacedBy, key, version - 1);
  }
  return entry === undefined || entry.value.length === 0 ? undefined : entry.value;
}

/** A deleted record's value. */
export const DELETED: Uint8Array = EMPTY;
