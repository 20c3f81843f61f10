/**
 * RLP, read strictly and written.
 *
 * Upholds: what decodes is canonical: encoding it again gives the same bytes. Lists nest at most
 * `MAX_DEPTH` deep; work and memory are linear in the input, whose size the caller bounds.
 * Absent here: meaning; `transaction.ts` reads transactions.
 * Spec: Ethereum yellow paper, appendix B. Texts of refusals are geth's.
 *
 * @module
 */
import { concatBytes, EMPTY, fromHex } from '../../base/bytes.ts';
import { present } from '../../base/errors.ts';
import { badEncoding } from './errors.ts';

/** A byte string or a list. Byte strings are views of the input. */
export type RlpItem = Uint8Array | readonly RlpItem[];

/** Lists in lists: a transaction's access list has three. */
const MAX_DEPTH = 8;

type Cursor = { readonly bytes: Uint8Array; at: number };

/** Reads one value that is all of `bytes`. @throws LedgerError evm/1 */
export function decodeRlp(bytes: Uint8Array): RlpItem {
  const cursor = { bytes, at: 0 };
  const item = readItem(cursor, bytes.length, 0);
  return cursor.at === bytes.length ? item : badEncoding('rlp: input contains more than one value');
}

function readItem(cursor: Cursor, end: number, depth: number): RlpItem {
  const { bytes } = cursor;
  if (cursor.at >= end) return badEncoding('rlp: value size exceeds available input length');
  const head = bytes[cursor.at++] as number;
  if (head < 0x80) return bytes.subarray(cursor.at - 1, cursor.at);
  if (head < 0xb8) return readShort(cursor, head - 0x80, end);
  if (head < 0xc0) return take(cursor, readSize(cursor, head - 0xb7, end), end);
  const size = head < 0xf8 ? head - 0xc0 : readSize(cursor, head - 0xf7, end);
  if (depth >= MAX_DEPTH) return badEncoding('rlp: lists nest too deep');
  if (size > end - cursor.at) return badEncoding('rlp: element is larger than containing list');
  const to = cursor.at + size;
  const items: RlpItem[] = [];
  while (cursor.at < to) items.push(readItem(cursor, to, depth + 1));
  return items;
}

function readShort(cursor: Cursor, size: number, end: number): Uint8Array {
  const value = take(cursor, size, end);
  if (size === 1 && (value[0] as number) < 0x80) badEncoding('rlp: non-canonical size information');
  return value;
}

/** A size of at most six bytes; a longer one is larger than any input. */
function readSize(cursor: Cursor, length: number, end: number): number {
  if (length > 6) return badEncoding('rlp: value size exceeds available input length');
  const digits = take(cursor, length, end);
  let size = 0;
  for (const digit of digits) size = size * 256 + digit;
  if (digits[0] === 0 || size < 56) badEncoding('rlp: non-canonical size information');
  return size;
}

function take(cursor: Cursor, size: number, end: number): Uint8Array {
  if (size > end - cursor.at) badEncoding('rlp: value size exceeds available input length');
  cursor.at += size;
  return cursor.bytes.subarray(cursor.at - size, cursor.at);
}

/** The encoding of a value. */
export function encodeRlp(item: RlpItem): Uint8Array {
  if (item instanceof Uint8Array) {
    if (item.length === 1 && (item[0] as number) < 0x80) return item.slice();
    return concatBytes(header(0x80, item.length), item);
  }
  return encodeRlpList(item.map(encodeRlp));
}

/** A list of values that are encoded already. */
export function encodeRlpList(items: readonly Uint8Array[]): Uint8Array {
  const size = items.reduce((sum, { length }) => sum + length, 0);
  return concatBytes(header(0xc0, size), ...items);
}

function header(base: number, size: number): Uint8Array {
  if (size < 56) return Uint8Array.of(base + size);
  const digits: number[] = [];
  for (let rest = size; rest > 0; rest = Math.floor(rest / 256)) digits.unshift(rest % 256);
  return Uint8Array.of(base + 55 + digits.length, ...digits);
}

/** The shortest big-endian form of a whole number. */
export function integerBytes(value: bigint): Uint8Array {
  if (value === 0n) return EMPTY;
  const hex = value.toString(16);
  return present(fromHex(hex.length % 2 === 0 ? hex : `0${hex}`), 'hex of a number');
}
