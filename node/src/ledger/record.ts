/**
 * Records as values: read from wherever bytes are, decoded once where the reader can remember it.
 *
 * An overlay keeps values as they are and encodes each once, when the block is done; a store and a
 * view hold bytes.
 * Upholds: what is written is read back, whichever way.
 *
 * @module
 */

import type { RecordKey } from './keys.ts';

/** How a record's value is written and read. Values are never changed after they are written. */
export type RecordCodec<T> = {
  encode(value: T): Uint8Array;
  decode(bytes: Uint8Array): T;
};

/** Reads records: an overlay, a store or a view. */
export type Records = {
  get(key: Uint8Array): Uint8Array | undefined;
  /** The value of a record; absent where only bytes are held. */
  read?<T>(key: RecordKey, codec: RecordCodec<T>): T | undefined;
};

/** Reads and writes records. */
export type MutableRecords = Records & {
  /** Writes a record; no value deletes it. */
  set(key: Uint8Array, value: Uint8Array | undefined): void;
  write?<T>(key: RecordKey, codec: RecordCodec<T>, value: T): void;
};

/** The value of the record under `key`, if there is one. */
export function readRecord<T>(
  state: Records,
  key: RecordKey,
  codec: RecordCodec<T>,
): T | undefined {
  if (state.read !== undefined) return state.read(key, codec);
  const bytes = state.get(key.bytes);
  return bytes && codec.decode(bytes);
}

/** Writes a record. */
export function writeRecord<T>(
  state: MutableRecords,
  key: RecordKey,
  codec: RecordCodec<T>,
  value: T,
): void {
  if (state.write !== undefined) state.write(key, codec, value);
  else state.set(key.bytes, codec.encode(value));
}
