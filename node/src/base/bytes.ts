/**
 * Byte strings: comparing, joining, and the text forms in use (hex, base64, UTF-8).
 *
 * Upholds: every function is total for any `Uint8Array`; text decoders return `undefined` for what
 * is not canonical instead of guessing. Pure; runs in a browser.
 *
 * @module
 */

/** The empty byte string, shared. */
export const EMPTY: Uint8Array = new Uint8Array(0);

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Whether two byte strings are the same. Not constant time: never for secrets. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  const from = a.length < LONG ? 0 : equalWords(a, b);
  for (let i = from; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Bytes from which comparing word by word pays. */
const LONG = 128;

/** How many bytes from the start are the same, in steps of four. */
function equalWords(a: Uint8Array, b: Uint8Array): number {
  const left = new DataView(a.buffer, a.byteOffset, a.length);
  const right = new DataView(b.buffer, b.byteOffset, b.length);
  const end = a.length - (a.length % 4);
  let at = 0;
  while (at < end && left.getInt32(at) === right.getInt32(at)) at += 4;
  return at;
}

/** Lexicographic order by unsigned byte: negative, zero or positive. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const n = Math.min(a.length, b.length);
  for (let i = 0; i < n; i++) {
    const d = (a[i] as number) - (b[i] as number);
    if (d !== 0) return d;
  }
  return a.length - b.length;
}

/** The parts, one after the other, in a new array. */
export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  let size = 0;
  for (const part of parts) size += part.length;
  const out = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

const HEX: readonly string[] = Array.from({ length: 256 }, (_, i) =>
  i.toString(16).padStart(2, '0'),
);
const DIGITS = '0123456789abcdef';
const HEX_CODES: readonly number[] = Array.from(DIGITS, (c) => c.charCodeAt(0));
/** What a digit is worth, by its character's code; -1 for what is none. */
const DIGIT_VALUES = new Int8Array(256).fill(-1);
for (const [value, digit] of [...DIGITS].entries()) {
  DIGIT_VALUES[digit.charCodeAt(0)] = value;
  DIGIT_VALUES[digit.toUpperCase().charCodeAt(0)] = value;
}
const BLOCK = 32;
/** Characters of a block's hex; used by one call at a time. */
const blockChars: number[] = new Array<number>(2 * BLOCK).fill(0);

/** Lower-case hex. */
export function toHex(bytes: Uint8Array): string {
  let out = '';
  let at = 0;
  for (; at + BLOCK <= bytes.length; at += BLOCK) out += blockHex(bytes, at);
  for (; at < bytes.length; at++) out += HEX[bytes[at] as number];
  return out;
}

/** In one piece, where adding up makes a tree of strings that is joined when it is first used. */
function blockHex(bytes: Uint8Array, from: number): string {
  for (let i = 0; i < BLOCK; i++) {
    const byte = bytes[from + i] as number;
    blockChars[2 * i] = HEX_CODES[byte >> 4] as number;
    blockChars[2 * i + 1] = HEX_CODES[byte & 15] as number;
  }
  return Reflect.apply(String.fromCharCode, null, blockChars) as string;
}

/** Upper-case hex, as CometBFT prints hashes and addresses. */
export function toUpperHex(bytes: Uint8Array): string {
  return toHex(bytes).toUpperCase();
}

function digitAt(text: string, at: number): number {
  return DIGIT_VALUES[text.charCodeAt(at)] ?? -1;
}

/** Bytes of hex text in either case, without a prefix; `undefined` if it is not hex. */
export function fromHex(text: string): Uint8Array | undefined {
  if (text.length % 2 !== 0) return undefined;
  const out = new Uint8Array(text.length / 2);
  for (let i = 0; i < out.length; i++) {
    const high = digitAt(text, 2 * i);
    const low = digitAt(text, 2 * i + 1);
    if (high < 0 || low < 0) return undefined;
    out[i] = high * 16 + low;
  }
  return out;
}

/** Some thousand bytes at most as a string with one character each. */
export function latin1(bytes: Uint8Array): string {
  // Eight times as fast as spreading them.
  return Reflect.apply(String.fromCharCode, null, bytes) as string;
}

/** The bytes of a string with one character each. */
export function fromLatin1(text: string): Uint8Array {
  const out = new Uint8Array(text.length);
  for (let i = 0; i < out.length; i++) out[i] = text.charCodeAt(i);
  return out;
}

/** Standard base64 with padding. */
export function toBase64(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 8192) {
    text += latin1(bytes.length <= 8192 ? bytes : bytes.subarray(i, i + 8192));
  }
  return btoa(text);
}

/** Bytes of standard, padded, canonical base64; `undefined` if it is not that. */
export function fromBase64(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return undefined;
  const raw = atob(text);
  const out = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) out[i] = raw.charCodeAt(i);
  return toBase64(out) === text ? out : undefined;
}

/** UTF-8 bytes of a text. */
export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** How many bytes a text has in UTF-8. */
export function utf8Length(text: string): number {
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) > 0x7f) return utf8(text).length;
  }
  return text.length;
}

/** The text of UTF-8 bytes; `undefined` if they are not well-formed UTF-8. */
export function fromUtf8(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

/** Eight bytes, big-endian. @param value - a whole number in 0 … 2^53 − 1 */
export function u64be(value: number): Uint8Array {
  const out = new Uint8Array(8);
  putU64be(out, 0, value);
  return out;
}

/** Writes eight bytes, big-endian, at `at`. @param value - a whole number in 0 … 2^53 − 1 */
export function putU64be(out: Uint8Array, at: number, value: number): void {
  let rest = value;
  for (let i = at + 7; i >= at; i--) {
    out[i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
}

/** Reads eight big-endian bytes at `at`; the value must be below 2^53 by the caller's contract. */
export function readU64be(bytes: Uint8Array, at = 0): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, 8);
  return view.getUint32(0) * 2 ** 32 + view.getUint32(4);
}
