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
import { u64be } from '../../base/bytes.ts';
import type { Head, Space } from '../../gen/metatron/memory/v1/state.ts';
import { headKey, spaceKey } from '../../types/memory.ts';
import { key, textHash } from '../keys.ts';
import { once } from '../once.ts';
import { type MutableRecords, type Records, readRecord, writeRecord } from '../record.ts';
import { headCodec, spaceCodec } from './wire.ts';

/** Row key of an entry. */
export function entryRow(id: Uint8Array): Uint8Array {
  return key(0x40, id);
}

/** Row key of the operation at `index` of a space's log. */
export function operationRow(space: Uint8Array, index: number): Uint8Array {
  return key(0x41, space, u64be(index));
}

/** Row key of a version of a key. */
export function versionRow(space: Uint8Array, name: string, version: number): Uint8Array {
  return key(0x42, space, textHash(name), u64be(version));
}

const spaceAt = once(spaceKey);

/** A space's record, if the space exists. */
export function getSpace(state: Records, id: Uint8Array): Space | undefined {
  return readRecord(state, spaceAt(id), spaceCodec);
}

/** Writes a space's record. */
export function setSpace(state: MutableRecords, id: Uint8Array, space: Space): void {
  writeRecord(state, spaceAt(id), spaceCodec, space);
}

/** The newest version under a key, if there is one. */
export function getHead(state: Records, space: Uint8Array, name: string): Head | undefined {
  return readRecord(state, headKey(space, name), headCodec);
}

/** Writes the head of a key. */
export function setHead(state: MutableRecords, space: Uint8Array, name: string, head: Head): void {
  writeRecord(state, headKey(space, name), headCodec, head);
}
