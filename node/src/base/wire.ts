/**
 * Protobuf's wire format below messages: a writer and a strict reader of varints and lengths.
 *
 * Upholds: a reader takes only the shortest form of each number and never looks past its end.
 * Absent here: tags, fields and messages; `proto.ts` builds them on these two.
 * Spec: protobuf encoding guide.
 *
 * Pure; runs in a browser.
 *
 * @module
 */
import { utf8 } from './bytes.ts';
import { type ErrorSpec, errorSpec, LedgerError } from './errors.ts';

type Malformed = { readonly message: string; readonly reason: string };

/** Refusals of this codec; `message` names the protobuf message, `reason` what is wrong. */
export const errors: { readonly Malformed: ErrorSpec<Malformed> } = {
  Malformed: errorSpec('codec', 1, 'peer', (p) => `malformed ${p.message}: ${p.reason}`),
};

/** @throws LedgerError codec/1: `message` is malformed because of `reason` */
export function refuse(message: string, reason: string): never {
  throw new LedgerError(errors.Malformed, { message, reason });
}

const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER);
/** The largest uint64. */
export const MAX_UINT64: bigint = (1n << 64n) - 1n;

/** Texts up to this length are written character by character: faster than calling an encoder. */
const SHORT_TEXT = 64;
/** A writer's first capacity, and the most it keeps when it starts over, in bytes. */
const FIRST_CAPACITY = 128;
const KEPT_CAPACITY = 65_536;

/** A growing output buffer. */
export class Writer {
  #bytes: Uint8Array = new Uint8Array(FIRST_CAPACITY);
  #size = 0;

  /** What was written, in an array of its own. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#size);
  }

  /** What was written, as a view until the next write. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.#size);
  }

  /** Starts over, to be used for another message. */
  clear(): void {
    this.#size = 0;
    if (this.#bytes.length > KEPT_CAPACITY) this.#bytes = new Uint8Array(FIRST_CAPACITY);
  }

  #reserve(extra: number): void {
    if (this.#size + extra > this.#bytes.length) this.#grow(this.#size + extra);
  }

  #grow(need: number): void {
    const grown = new Uint8Array(Math.max(need, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#size));
    this.#bytes = grown;
  }

  /** Unsigned varint of a whole number in 0 … 2^53 − 1. */
  varint(value: number): void {
    this.#reserve(10);
    if (value <= 0x7f) {
      this.#bytes[this.#size++] = value;
      return;
    }
    let rest = value;
    while (rest > 0x7f) {
      this.#bytes[this.#size++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.#size++] = rest;
  }

  /** Varint of a 64-bit value; negative values take ten bytes, as int64 does. */
  varint64(value: bigint): void {
    if (value >= 0n && value <= MAX_SAFE) {
      this.varint(Number(value));
      return;
    }
    let rest = value & MAX_UINT64;
    this.#reserve(10);
    while (rest > MAX_SAFE) {
      this.#bytes[this.#size++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.varint(Number(rest));
  }

  /** Eight little-endian bytes, two's complement. */
  fixed64(value: bigint): void {
    this.#reserve(8);
    new DataView(this.#bytes.buffer).setBigInt64(this.#size, value, true);
    this.#size += 8;
  }

  /** The bytes as they are. */
  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#size);
    this.#size += bytes.length;
  }

  /** A varint length, then the bytes. */
  bytes(bytes: Uint8Array): void {
    this.varint(bytes.length);
    this.raw(bytes);
  }

  /** A varint length, then the text as UTF-8. */
  text(value: string): void {
    if (value.length > SHORT_TEXT || !this.#ascii(value)) this.bytes(utf8(value));
  }

  /** Writes a short text if it is ASCII; else nothing. */
  #ascii(value: string): boolean {
    const { length } = value;
    this.#reserve(length + 1);
    const start = this.#size;
    this.#bytes[start] = length;
    for (let i = 0; i < length; i++) {
      const code = value.charCodeAt(i);
      if (code > 0x7f) return false;
      this.#bytes[start + 1 + i] = code;
    }
    this.#size = start + 1 + length;
    return true;
  }

  /** A varint length, then what `body` writes. */
  nested(body: () => void): void {
    const start = this.open();
    body();
    this.close(start);
  }

  /** Begins a nested message. @returns what `close` wants to know */
  open(): number {
    this.#reserve(1);
    return this.#size++;
  }

  /** Ends the nested message that `open` began: puts its length before it. */
  close(start: number): void {
    const length = this.#size - start - 1;
    if (length <= 0x7f) {
      this.#bytes[start] = length;
      return;
    }
    let prefix = 1;
    for (let n = length; n > 0x7f; n = Math.floor(n / 128)) prefix++;
    this.#reserve(prefix - 1);
    this.#bytes.copyWithin(start + prefix, start + 1, this.#size);
    const end = this.#size + prefix - 1;
    this.#size = start;
    this.varint(length);
    this.#size = end;
  }
}

/** A writer that no one uses now. */
let spare: Writer | undefined;

/**
 * What `take` makes of a value's encoding; the bytes are its own only while it runs. One writer
 * serves all calls but nested ones.
 */
export function withWriter<T, R>(
  write: (out: Writer, value: T) => void,
  value: T,
  take: (bytes: Uint8Array) => R,
): R {
  const out = spare ?? new Writer();
  spare = undefined;
  write(out, value);
  const result = take(out.view());
  out.clear();
  spare = out;
  return result;
}

/** A cursor over input bytes; every read is bounded by `end`. */
export class Reader {
  readonly bytes: Uint8Array;
  message: string;
  at: number;
  end: number;

  constructor(bytes: Uint8Array, message: string, at = 0, end: number = bytes.length) {
    this.bytes = bytes;
    this.message = message;
    this.at = at;
    this.end = end;
  }

  /** Unsigned varint up to 64 bits, shortest form only. */
  varint64(): bigint {
    const small = this.#short();
    if (small >= 0) return BigInt(small);
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) {
        if (byte === 0 && shift > 0n) refuse(this.message, 'overlong varint');
        if (value > MAX_UINT64) refuse(this.message, 'varint over 64 bits');
        return value;
      }
    }
    return refuse(this.message, 'varint over ten bytes');
  }

  /** Unsigned varint that must be a whole number below 2^53. */
  varint(): number {
    if (this.at < this.end) {
      const byte = this.bytes[this.at] as number;
      if (byte < 0x80) {
        this.at++;
        return byte;
      }
    }
    const small = this.#short();
    if (small >= 0) return small;
    const value = this.varint64();
    if (value > 0x1fffffffffffffn) refuse(this.message, 'number over 2^53 − 1');
    return Number(value);
  }

  /** A varint of at most four bytes, or −1 with the cursor unmoved. */
  #short(): number {
    let value = 0;
    for (let i = 0; i < 4; i++) {
      if (this.at + i >= this.end) return -1;
      const byte = this.bytes[this.at + i] as number;
      value |= (byte & 0x7f) << (7 * i);
      if (byte < 0x80) {
        if (byte === 0 && i > 0) refuse(this.message, 'overlong varint');
        this.at += i + 1;
        return value;
      }
    }
    return -1;
  }

  #byte(): number {
    if (this.at >= this.end) refuse(this.message, 'ends too early');
    return this.bytes[this.at++] as number;
  }

  /** Eight little-endian bytes, two's complement. */
  fixed64(): bigint {
    const slice = this.take(8);
    return new DataView(slice.buffer, slice.byteOffset, 8).getBigInt64(0, true);
  }

  /** The next `length` bytes, as a view of the input. */
  take(length: number): Uint8Array {
    if (length > this.end - this.at) refuse(this.message, 'ends too early');
    const out = this.bytes.subarray(this.at, this.at + length);
    this.at += length;
    return out;
  }

  /** Length-prefixed bytes, at most `max` of them. */
  delimited(max: number, what: string): Uint8Array {
    const from = this.pass(max, what);
    return this.bytes.subarray(from, this.at);
  }

  /** Passes length-prefixed bytes, at most `max` of them. @returns where they begin */
  pass(max: number, what: string): number {
    const length = this.varint();
    if (length > max) refuse(this.message, `${what} has ${length} bytes, more than ${max}`);
    if (length > this.end - this.at) refuse(this.message, 'ends too early');
    const from = this.at;
    this.at += length;
    return from;
  }
}
