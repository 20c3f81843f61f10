/**
 * The keys of the index, in byte order.
 *
 *     'h' transaction hash                          → height (8), index (4)
 *     'k' block hash                                → height (8)
 *     'n' height (8)                                → number of transactions (4); none: no entry
 *     'a' tag 00 01 value 00 01 height (8)          → places    (an attribute of transactions)
 *     'b' tag 00 01 value 00 01 height (8)          → places    (an attribute of a block)
 *
 * A place is index (4) and event (4): `event` counts the events of its transaction or block.
 *
 * Upholds: entries of one tag and value lie together, in order of height, one for all transactions
 * of a block that share them; a 00 inside a text is written 00 02, so no text can be read as
 * another's end. Values are kept up to 512 bytes, which is also the longest a query can ask for.
 *
 * Pure.
 *
 * @module
 */
import { concatBytes, readU64be, u64be, utf8 } from '../base/bytes.ts';

/** Kinds of entries. */
export const KIND = {
  txHash: 0x68,
  blockHash: 0x6b,
  txCount: 0x6e,
  tx: 0x61,
  block: 0x62,
} as const;

/** Which attributes: of transactions or of blocks. */
export type AttributeKind = typeof KIND.tx | typeof KIND.block;

/** Most bytes of an attribute's value that are kept and searched. */
export const MAX_VALUE_BYTES = 512;

const END = Uint8Array.of(0, 1);
const HEIGHT_BYTES = 8;
const PLACE_BYTES = 8;

/** Where an attribute occurred: `event` counts the events of its transaction or block. */
export type Position = {
  readonly height: number;
  readonly index: number;
  readonly event: number;
};

/** Four bytes, big-endian. */
export function u32be(value: number): Uint8Array {
  const out = new Uint8Array(4);
  putU32(out, 0, value);
  return out;
}

function putU32(out: Uint8Array, at: number, value: number): void {
  out[at] = value >>> 24;
  out[at + 1] = value >>> 16;
  out[at + 2] = value >>> 8;
  out[at + 3] = value;
}

function putHeight(out: Uint8Array, at: number, height: number): void {
  putU32(out, at, Math.floor(height / 2 ** 32));
  putU32(out, at + 4, height >>> 0);
}

/** Reads four big-endian bytes at `at`. */
export function readU32be(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset + at, 4).getUint32(0);
}

/** What a transaction's hash leads to: its height and its index. */
export function locationValue(height: number, index: number): Uint8Array {
  const out = room(HEIGHT_BYTES + 4);
  putHeight(out, 0, height);
  putU32(out, HEIGHT_BYTES, index);
  return out;
}

/** Bytes to be filled; from a pool, which costs a tenth of an array of its own. */
function room(size: number): Uint8Array {
  return Buffer.allocUnsafe(size);
}

function escaped(bytes: Uint8Array): Uint8Array {
  if (!bytes.includes(0)) return bytes;
  const out: number[] = [];
  for (const byte of bytes) out.push(...(byte === 0 ? [0, 2] : [byte]));
  return Uint8Array.from(out);
}

function unescaped(bytes: Uint8Array): Uint8Array {
  if (!bytes.includes(0)) return bytes;
  return bytes.filter((byte, i) => !(byte === 2 && i > 0 && bytes[i - 1] === 0));
}

/** What all keys of a tag start with. */
export function tagPrefix(kind: AttributeKind, tag: string): Uint8Array {
  return concatBytes(Uint8Array.of(kind), escaped(utf8(tag)), END);
}

/** What all keys of a tag's value start with, given the tag's prefix. */
export function valuePrefix(prefix: Uint8Array, value: string): Uint8Array {
  return concatBytes(prefix, escaped(utf8(value).subarray(0, MAX_VALUE_BYTES)), END);
}

/** The part of a value that is kept: texts that agree in it share their entries. */
export function keptValue(value: string): string {
  const text = value.isWellFormed() ? value : value.toWellFormed();
  if (3 * text.length <= MAX_VALUE_BYTES) return text;
  const bytes = utf8(text);
  if (bytes.length <= MAX_VALUE_BYTES) return text;
  return Buffer.from(bytes.buffer, bytes.byteOffset, MAX_VALUE_BYTES).toString('latin1');
}

/** The key of a value's occurrences at a height, given the prefix of the tag. */
export function valueKey(prefix: Uint8Array, value: string, height: number): Uint8Array {
  const end = prefix.length + value.length;
  const key = room(end + END.length + HEIGHT_BYTES);
  let plain = value.length <= MAX_VALUE_BYTES;
  // Almost all values are plain text, whose characters are its bytes.
  for (let i = 0; i < value.length && plain; i++) {
    const code = value.charCodeAt(i);
    key[prefix.length + i] = code;
    plain = code > 0 && code < 0x80;
  }
  if (!plain) return attributeKey(valuePrefix(prefix, value), height);
  key.set(prefix);
  key.set(END, end);
  putHeight(key, end + END.length, height);
  return key;
}

/** The key of a value's occurrences at a height, given the prefix of the value. */
export function attributeKey(prefix: Uint8Array, height: number): Uint8Array {
  const key = new Uint8Array(prefix.length + HEIGHT_BYTES);
  key.set(prefix);
  putHeight(key, prefix.length, height);
  return key;
}

/** The occurrences of a value at one height: index and event, in turns. */
export function placesValue(places: readonly number[]): Uint8Array {
  const out = room(4 * places.length);
  for (let i = 0; i < places.length; i++) putU32(out, 4 * i, places[i] as number);
  return out;
}

/** The height of an attribute key. */
export function heightIn(key: Uint8Array): number {
  return readU64be(key, key.length - HEIGHT_BYTES);
}

/** How many occurrences an entry has. */
export function placesIn(value: Uint8Array): number {
  return value.length / PLACE_BYTES;
}

/** Where the occurrences of an entry are. */
export function* positionsOf(key: Uint8Array, value: Uint8Array): Generator<Position> {
  const height = heightIn(key);
  const view = new DataView(value.buffer, value.byteOffset, value.length);
  for (let at = 0; at < value.length; at += PLACE_BYTES) {
    yield { height, index: view.getUint32(at), event: view.getUint32(at + 4) };
  }
}

const decoder = new TextDecoder();

/** The value in an attribute key whose tag's prefix has `prefixLength` bytes. */
export function indexedValue(key: Uint8Array, prefixLength: number): string {
  const end = key.length - HEIGHT_BYTES - END.length;
  return decoder.decode(unescaped(key.subarray(prefixLength, end)));
}

/** The least key above all that start with `prefix`, which does not consist of ff alone. */
export function after(prefix: Uint8Array): Uint8Array {
  const out = prefix.slice();
  for (let i = out.length - 1; i >= 0; i--) {
    const byte = out[i] as number;
    if (byte < 0xff) {
      out[i] = byte + 1;
      return out.subarray(0, i + 1);
    }
  }
  return out;
}

/** A hash's key. */
export function hashKey(
  kind: typeof KIND.txHash | typeof KIND.blockHash,
  hash: Uint8Array,
): Uint8Array {
  const key = room(1 + hash.length);
  key[0] = kind;
  key.set(hash, 1);
  return key;
}

/** The key of a height's number of transactions. */
export function countKey(height: number): Uint8Array {
  return concatBytes(Uint8Array.of(KIND.txCount), u64be(height));
}
