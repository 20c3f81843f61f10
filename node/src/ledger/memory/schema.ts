/**
 * How memory lies in the state: records of spaces and heads, rows of entries, operations, versions.
 *
 * Upholds: records are the truth that the app hash commits to; every row is either a log leaf,
 * which the space's root vouches for, or can be made again from the leaves.
 * Layout: metatron.memory.v1 state.proto; keys in types/memory.ts and here.
 *
 *     row 0x40 id            → StoredEntry: where the entry is, and its content
 *     row 0x41 space index   → Operation bytes: the log's leaf
 *     row 0x42 space SHA-256(key) version → index
 *
 * @module
 */
import { putU64be, u64be } from '../../base/bytes.ts';
import type { Head, Space } from '../../gen/metatron/memory/v1/state.ts';
import { headKeyOfHash, spaceKey } from '../../types/memory.ts';
import { key, named, type RecordKey } from '../keys.ts';
import { once } from '../once.ts';
import { type MutableRecords, type Records, readRecord, writeRecord } from '../record.ts';
import { headCodec, spaceCodec } from './wire.ts';

const SPACE_BYTES = 32;

/** Row key of an entry. */
export function entryRow(id: Uint8Array): Uint8Array {
  const row = new Uint8Array(1 + id.length);
  row[0] = 0x40;
  row.set(id, 1);
  return row;
}

/** Row key of the operation at `index` of a space's log. */
export function operationRow(space: Uint8Array, index: number): Uint8Array {
  const row = new Uint8Array(1 + SPACE_BYTES + 8);
  row[0] = 0x41;
  row.set(space, 1);
  putU64be(row, 1 + SPACE_BYTES, index);
  return row;
}

/** Row key of a version of the key with this SHA-256. */
export function versionRow(space: Uint8Array, keyHash: Uint8Array, version: number): Uint8Array {
  return key(0x42, space, keyHash, u64be(version));
}

const spaceAt = once((id) => named(spaceKey(id)));

/** A space's record, if the space exists. */
export function getSpace(state: Records, id: Uint8Array): Space | undefined {
  return readRecord(state, spaceAt(id), spaceCodec);
}

/** Writes a space's record. */
export function setSpace(state: MutableRecords, id: Uint8Array, space: Space): void {
  writeRecord(state, spaceAt(id), spaceCodec, space);
}

/** State key of the head of the key with this SHA-256. */
export function headAt(space: Uint8Array, keyHash: Uint8Array): RecordKey {
  return named(headKeyOfHash(space, keyHash));
}

/** The newest version under a key, if there is one. */
export function getHead(state: Records, at: RecordKey): Head | undefined {
  return readRecord(state, at, headCodec);
}

/** Writes the head of a key. */
export function setHead(state: MutableRecords, at: RecordKey, head: Head): void {
  writeRecord(state, at, headCodec, head);
}
