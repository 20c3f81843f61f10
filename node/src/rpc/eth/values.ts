/**
 * Quantities and data as Ethereum's JSON-RPC writes them, both ways.
 *
 * Upholds: a quantity is hex without leading zeros, data is whole bytes; anything else is refused
 * with what is wrong with it.
 * Spec: ethereum/execution-apis (QUANTITY, DATA); go-ethereum common/hexutil.
 *
 * @module
 */
import { badParams } from './errors.ts';

const MAX_UINT64 = 2n ** 64n - 1n;
const MAX_UINT256 = 2n ** 256n - 1n;

function buffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** Bytes as 0x and hex. */
export function data(bytes: Uint8Array): string {
  return `0x${buffer(bytes).toString('hex')}`;
}

/** A whole number as 0x and hex. */
export function quantity(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}

/** A decimal text as a quantity. */
export function quantityOf(decimal: string): string {
  return quantity(BigInt(decimal));
}

/** 32 bytes of a whole number. */
export function word(value: bigint): Uint8Array {
  return new Uint8Array(Buffer.from(value.toString(16).padStart(64, '0'), 'hex'));
}

function hexDigits(value: unknown, what: string): string {
  if (typeof value !== 'string') return badParams(`${what}: not a string`);
  if (!/^0x/i.test(value)) return badParams(`${what}: hex string without 0x prefix`);
  const digits = value.slice(2);
  if (!/^[0-9a-fA-F]*$/.test(digits)) return badParams(`${what}: invalid hex string`);
  return digits;
}

/** Bytes of any length. */
export function readData(value: unknown, what = 'data'): Uint8Array {
  const digits = hexDigits(value, what);
  if (digits.length % 2 !== 0) return badParams(`${what}: hex string of odd length`);
  return new Uint8Array(Buffer.from(digits, 'hex'));
}

function readFixed(value: unknown, size: number, what: string): Uint8Array {
  const bytes = readData(value, what);
  if (bytes.length === size) return bytes;
  return badParams(`${what}: hex string has length ${2 * bytes.length}, want ${2 * size}`);
}

/** An address: 20 bytes. */
export function readAddress(value: unknown, what = 'address'): Uint8Array {
  return readFixed(value, 20, what);
}

/** A hash: 32 bytes. */
export function readHash(value: unknown, what = 'hash'): Uint8Array {
  return readFixed(value, 32, what);
}

/** A slot: up to 32 bytes, which may lack leading zeros. */
export function readSlot(value: unknown, what = 'storage key'): Uint8Array {
  const digits = hexDigits(value, what);
  if (digits.length > 64) return badParams(`${what}: hex string too long, want at most 32 bytes`);
  return new Uint8Array(Buffer.from(digits.padStart(64, '0'), 'hex'));
}

/** A quantity below 2^256. */
export function readBig(value: unknown, what = 'quantity'): bigint {
  const digits = hexDigits(value, what);
  if (digits === '') return badParams(`${what}: hex string "0x"`);
  if (digits.length > 1 && digits.startsWith('0')) {
    return badParams(`${what}: hex number with leading zero digits`);
  }
  const number = digits.length > 64 ? MAX_UINT256 + 1n : BigInt(`0x${digits}`);
  return number <= MAX_UINT256 ? number : badParams(`${what}: hex number > 256 bits`);
}

/** A quantity below 2^64. */
export function readUint64(value: unknown, what = 'quantity'): bigint {
  const number = readBig(value, what);
  return number <= MAX_UINT64 ? number : badParams(`${what}: hex number > 64 bits`);
}

/** A quantity that a number holds exactly. */
export function readNumber(value: unknown, what = 'quantity'): number {
  const number = readBig(value, what);
  if (number <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(number);
  return badParams(`${what}: hex number > 53 bits`);
}

/** `true` or `false`. */
export function readBool(value: unknown, what = 'flag'): boolean {
  return typeof value === 'boolean' ? value : badParams(`${what}: not true or false`);
}

/** An object. */
export function readObject(value: unknown, what = 'object'): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Readonly<Record<string, unknown>>;
  }
  return badParams(`${what}: not an object`);
}

/** A list of at most `max`. */
export function readList<T>(
  value: unknown,
  what: string,
  max: number,
  read: (item: unknown, what: string) => T,
): readonly T[] {
  if (!Array.isArray(value)) return badParams(`${what}: not a list`);
  if (value.length > max) return badParams(`${what}: more than ${max} items`);
  return value.map((item: unknown, i) => read(item, `${what}[${i}]`));
}

/** Reads what is there: an absent or `null` field is `undefined`. */
export function optional<T>(
  value: unknown,
  what: string,
  read: (value: unknown, what: string) => T,
): T | undefined {
  return value === undefined || value === null ? undefined : read(value, what);
}
