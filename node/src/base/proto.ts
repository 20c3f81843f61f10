/**
 * Protobuf wire format as canonical bytes: message codecs declared as data.
 *
 * Upholds: for every codec, `encode(decode(bytes))` equals `bytes`. Decoding is strict: unknown
 * fields, fields out of order or repeated, wrong wire types, overlong varints, explicit defaults,
 * missing fields that are always written, and sizes over the declared bound are refused.
 * Absent here: maps, groups, floats, default values other than proto3's.
 * Spec: protobuf encoding guide; gogoproto's non-nullable fields are the `always` fields.
 *
 * Pure; runs in a browser.
 *
 * @module
 */
import { EMPTY, fromUtf8, utf8 } from './bytes.ts';
import { type ErrorSpec, errorSpec, invariant, LedgerError } from './errors.ts';

type Malformed = { readonly message: string; readonly reason: string };

/** Refusals of this codec; `message` names the protobuf message, `reason` what is wrong. */
export const errors: { readonly Malformed: ErrorSpec<Malformed> } = {
  Malformed: errorSpec('codec', 1, 'peer', (p) => `malformed ${p.message}: ${p.reason}`),
};

function refuse(message: string, reason: string): never {
  throw new LedgerError(errors.Malformed, { message, reason });
}

const MASK64 = (1n << 64n) - 1n;
const MIN_INT64 = -(1n << 63n);
const MAX_INT64 = (1n << 63n) - 1n;

/** A growing output buffer. */
export class Writer {
  #bytes: Uint8Array = new Uint8Array(128);
  #view: DataView = new DataView(this.#bytes.buffer);
  #size = 0;

  /** What was written, in an array of its own. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#size);
  }

  #reserve(extra: number): void {
    const need = this.#size + extra;
    if (need <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(need, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#size));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }

  /** Unsigned varint of a whole number in 0 … 2^53 − 1. */
  varint(value: number): void {
    this.#reserve(10);
    let rest = value;
    while (rest > 0x7f) {
      this.#bytes[this.#size++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.#size++] = rest;
  }

  /** Varint of a 64-bit value; negative values take ten bytes, as int64 does. */
  varint64(value: bigint): void {
    this.#reserve(10);
    let rest = value & MASK64;
    while (rest > 0x7fn) {
      this.#bytes[this.#size++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.#bytes[this.#size++] = Number(rest);
  }

  /** Eight little-endian bytes, two's complement. */
  fixed64(value: bigint): void {
    this.#reserve(8);
    this.#view.setBigInt64(this.#size, value, true);
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

  /** A varint length, then what `body` writes. */
  nested(body: () => void): void {
    this.#reserve(1);
    const start = this.#size++;
    body();
    const length = this.#size - start - 1;
    let prefix = 1;
    for (let n = length; n > 0x7f; n = Math.floor(n / 128)) prefix++;
    if (prefix > 1) {
      this.#reserve(prefix - 1);
      this.#bytes.copyWithin(start + prefix, start + 1, this.#size);
    }
    const end = this.#size + prefix - 1;
    this.#size = start;
    this.varint(length);
    this.#size = end;
  }
}

/** A cursor over input bytes; every read is bounded by `end`. */
export class Reader {
  readonly bytes: Uint8Array;
  readonly message: string;
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
        if (value > MASK64) refuse(this.message, 'varint over 64 bits');
        return value;
      }
    }
    return refuse(this.message, 'varint over ten bytes');
  }

  /** Unsigned varint that must be a whole number below 2^53. */
  varint(): number {
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
    const length = this.varint();
    if (length > max) refuse(this.message, `${what} has ${length} bytes, more than ${max}`);
    return this.take(length);
  }
}

/** Encodes and strictly decodes one message type. */
export type Codec<T> = {
  /** The protobuf message's name, used in refusals. */
  readonly name: string;
  /** Canonical bytes. */
  encode(value: T): Uint8Array;
  /** @throws LedgerError codec/1 on anything but canonical bytes; views into `bytes` may be kept */
  decode(bytes: Uint8Array): T;
  /** Appends the message's fields, without a length. */
  write(out: Writer, value: T): void;
  /** Reads fields until the reader's end. */
  read(input: Reader): T;
};

type WireType = 0 | 1 | 2;

/** How one field's value looks on the wire. */
export type Field<V> = {
  readonly number: number;
  readonly wire: WireType;
  readonly initial: () => V;
  /** Whether the value is written at all. */
  readonly present: (value: V) => boolean;
  /** Writes tag and value; called when `present`. */
  readonly write: (out: Writer, value: V) => void;
  /** Reads one occurrence after its tag. */
  readonly read: (input: Reader, before: V, name: string) => V;
  /** Whether the field may occur again right after itself. */
  readonly repeated: boolean;
  /** Whether the field must occur. */
  readonly always: boolean;
};

function tag(number: number, wire: WireType): number {
  return number * 8 + wire;
}

function scalar<V>(
  number: number,
  wire: WireType,
  zero: V,
  isZero: (value: V) => boolean,
  write: (out: Writer, value: V) => void,
  read: (input: Reader, name: string) => V,
): Field<V> {
  const head = tag(number, wire);
  return {
    number,
    wire,
    initial: () => zero,
    present: (value) => !isZero(value),
    write: (out, value) => {
      out.varint(head);
      write(out, value);
    },
    read: (input, _before, name) => {
      const value = read(input, name);
      if (isZero(value)) refuse(input.message, `${name} is written although it is the default`);
      return value;
    },
    repeated: false,
    always: false,
  };
}

/** uint32, uint64 or a non-negative int64 as a whole number, at most `max` (default 2^53 − 1). */
export function uint(number: number, max: number = Number.MAX_SAFE_INTEGER): Field<number> {
  return scalar(
    number,
    0,
    0,
    (v) => v === 0,
    (out, v) => {
      invariant(Number.isSafeInteger(v) && v >= 0 && v <= max, `field ${number} in 0 … ${max}`);
      out.varint(v);
    },
    (input, name) => {
      const value = input.varint();
      return value <= max ? value : refuse(input.message, `${name} is over ${max}`);
    },
  );
}

/** int32 or int64 as a whole number within ±(2^53 − 1); negative values take ten bytes. */
export function int(number: number): Field<number> {
  return scalar(
    number,
    0,
    0,
    (v) => v === 0,
    (out, v) => (v < 0 ? out.varint64(BigInt(v)) : out.varint(v)),
    (input, name) => {
      const value = Number(BigInt.asIntN(64, input.varint64()));
      return Number.isSafeInteger(value) ? value : refuse(input.message, `${name} is too large`);
    },
  );
}

/** int64 as a bigint. */
export function int64(number: number): Field<bigint> {
  return scalar(
    number,
    0,
    0n,
    (v) => v === 0n,
    (out, v) => {
      invariant(v >= MIN_INT64 && v <= MAX_INT64, `field ${number} fits int64`);
      out.varint64(v);
    },
    (input) => BigInt.asIntN(64, input.varint64()),
  );
}

/** uint64 as a bigint. */
export function uint64(number: number): Field<bigint> {
  return scalar(
    number,
    0,
    0n,
    (v) => v === 0n,
    (out, v) => {
      invariant(v >= 0n && v <= MASK64, `field ${number} fits uint64`);
      out.varint64(v);
    },
    (input) => input.varint64(),
  );
}

/** bool; false is not written. */
export function bool(number: number): Field<boolean> {
  return scalar(
    number,
    0,
    false,
    (v) => !v,
    (out) => out.varint(1),
    (input, name) => input.varint() === 1 || refuse(input.message, `${name} is not 0 or 1`),
  );
}

/** sfixed64 as a whole number within ±(2^53 − 1). */
export function sfixed64(number: number): Field<number> {
  return scalar(
    number,
    1,
    0,
    (v) => v === 0,
    (out, v) => out.fixed64(BigInt(v)),
    (input, name) => {
      const value = Number(input.fixed64());
      return Number.isSafeInteger(value) ? value : refuse(input.message, `${name} is too large`);
    },
  );
}

/** Bytes, at most `max`; decoded as a view of the input. */
export function bytes(number: number, max: number): Field<Uint8Array> {
  return scalar(
    number,
    2,
    EMPTY,
    (v) => v.length === 0,
    (out, v) => out.bytes(v),
    (input, name) => input.delimited(max, name),
  );
}

/** Bytes of a field that may be absent but may also be written empty (a presence field). */
export function optionalBytes(number: number, max: number): Field<Uint8Array | undefined> {
  const head = tag(number, 2);
  return {
    number,
    wire: 2,
    initial: () => undefined,
    present: (value) => value !== undefined,
    write: (out, value) => {
      out.varint(head);
      out.bytes(value ?? EMPTY);
    },
    read: (input, _before, name) => input.delimited(max, name),
    repeated: false,
    always: false,
  };
}

/** UTF-8 text of at most `max` bytes. */
export function text(number: number, max: number): Field<string> {
  return scalar(
    number,
    2,
    '',
    (v) => v === '',
    (out, v) => out.bytes(utf8(v)),
    (input, name) =>
      fromUtf8(input.delimited(max, name)) ?? refuse(input.message, `${name} is not UTF-8`),
  );
}

function readNested<T>(input: Reader, codec: Codec<T>): T {
  const length = input.varint();
  if (length > input.end - input.at) refuse(input.message, 'ends too early');
  const inner = new Reader(input.bytes, codec.name, input.at, input.at + length);
  const value = codec.read(inner);
  input.at += length;
  return value;
}

function writeNested<T>(out: Writer, head: number, codec: Codec<T>, value: T): void {
  out.varint(head);
  out.nested(() => codec.write(out, value));
}

/** A message that is always written, even when empty (gogoproto non-nullable). */
export function always<T>(number: number, codec: Codec<T>): Field<T> {
  const head = tag(number, 2);
  return {
    number,
    wire: 2,
    // Never seen: `message` refuses input in which an `always` field is missing.
    initial: () => undefined as T,
    present: () => true,
    write: (out, value) => writeNested(out, head, codec, value),
    read: (input) => readNested(input, codec),
    repeated: false,
    always: true,
  };
}

/** A message that may be absent. */
export function optional<T>(number: number, codec: Codec<T>): Field<T | undefined> {
  const head = tag(number, 2);
  return {
    number,
    wire: 2,
    initial: () => undefined,
    present: (value) => value !== undefined,
    write: (out, value) => writeNested(out, head, codec, value as T),
    read: (input) => readNested(input, codec),
    repeated: false,
    always: false,
  };
}

/** A list of messages, at most `max` of them. */
export function list<T>(number: number, codec: Codec<T>, max: number): Field<readonly T[]> {
  const head = tag(number, 2);
  return {
    number,
    wire: 2,
    initial: () => [],
    present: (values) => values.length > 0,
    write: (out, values) => {
      for (const value of values) writeNested(out, head, codec, value);
    },
    read: (input, before, name) => {
      if (before.length >= max) refuse(input.message, `${name} has more than ${max} items`);
      (before as T[]).push(readNested(input, codec));
      return before;
    },
    repeated: true,
    always: false,
  };
}

/** A list of byte strings, at most `max` of them, each of at most `maxSize` bytes. */
export function bytesList(
  number: number,
  maxSize: number,
  max: number,
): Field<readonly Uint8Array[]> {
  const head = tag(number, 2);
  return {
    number,
    wire: 2,
    initial: () => [],
    present: (values) => values.length > 0,
    write: (out, values) => {
      for (const value of values) {
        out.varint(head);
        out.bytes(value);
      }
    },
    read: (input, before, name) => {
      if (before.length >= max) refuse(input.message, `${name} has more than ${max} items`);
      (before as Uint8Array[]).push(input.delimited(maxSize, name));
      return before;
    },
    repeated: true,
    always: false,
  };
}

/** Packed repeated uint64, at most `max` of them. */
export function packedUint64(number: number, max: number): Field<readonly bigint[]> {
  const head = tag(number, 2);
  return {
    number,
    wire: 2,
    initial: () => [],
    present: (values) => values.length > 0,
    write: (out, values) => {
      out.varint(head);
      out.nested(() => {
        for (const value of values) out.varint64(value);
      });
    },
    read: (input, _before, name) => {
      const body = input.delimited(max * 10, name);
      const inner = new Reader(body, input.message);
      const values: bigint[] = [];
      while (inner.at < inner.end) values.push(inner.varint64());
      if (values.length === 0) refuse(input.message, `${name} is written although it is empty`);
      if (values.length > max) refuse(input.message, `${name} has more than ${max} items`);
      return values;
    },
    repeated: false,
    always: false,
  };
}

/** Fields by property name; declare them in ascending field number. */
export type Fields<T> = { readonly [K in keyof T]-?: Field<T[K]> };

/** The codec of a message whose properties are `fields`. */
export function message<T extends object>(name: string, fields: Fields<T>): Codec<T> {
  const entries = Object.entries(fields) as [keyof T & string, Field<unknown>][];
  const byTag = new Map(entries.map(([, field], i) => [tag(field.number, field.wire), i]));
  invariant(
    entries.every(([, f], i) => i === 0 || f.number > (entries[i - 1]?.[1].number ?? 0)),
    `fields of ${name} ascend`,
  );
  const write = (out: Writer, value: T): void => {
    for (const [key, field] of entries) {
      const item = value[key];
      if (field.present(item)) field.write(out, item);
    }
  };
  const read = (input: Reader): T => {
    const value = {} as Record<string, unknown>;
    let next = 0;
    while (input.at < input.end) {
      const head = input.varint();
      const index = byTag.get(head);
      if (index === undefined) refuse(name, `unknown field or wire type (tag ${head})`);
      const [key, field] = entries[index] as [string, Field<unknown>];
      const again = index === next - 1 && field.repeated;
      if (index < next && !again) refuse(name, `${key} is repeated or out of order`);
      for (; next < index; next++) skip(name, entries[next] as [string, Field<unknown>], value);
      value[key] = field.read(input, again ? value[key] : field.initial(), key);
      next = index + 1;
    }
    for (; next < entries.length; next++) {
      skip(name, entries[next] as [string, Field<unknown>], value);
    }
    return value as T;
  };
  return codecOf(name, write, read);
}

function skip(name: string, entry: [string, Field<unknown>], value: Record<string, unknown>): void {
  const [key, field] = entry;
  if (field.always) refuse(name, `${key} is missing`);
  value[key] = field.initial();
}

function codecOf<T>(
  name: string,
  write: (out: Writer, value: T) => void,
  read: (input: Reader) => T,
): Codec<T> {
  return {
    name,
    write,
    read,
    encode: (value) => {
      const out = new Writer();
      write(out, value);
      return out.finish();
    },
    decode: (input) => read(new Reader(input, name)),
  };
}

/** One variant of a `union`: its kind and its codec. */
export type Variant = { readonly kind: string; readonly value: unknown };

/** Variants of a union by kind, each with its field number and codec. */
export type Variants<U extends Variant> = {
  readonly [K in U['kind']]: readonly [
    number: number,
    codec: Codec<Extract<U, { kind: K }>['value']>,
  ];
};

/** The codec of a message that is one `oneof` of messages; empty input is refused. */
export function union<U extends Variant>(name: string, variants: Variants<U>): Codec<U> {
  const byKind = new Map<string, readonly [number, Codec<unknown>]>(Object.entries(variants));
  const byNumber = new Map([...byKind].map(([kind, [number, codec]]) => [number, { kind, codec }]));
  const write = (out: Writer, value: U): void => {
    const variant = byKind.get(value.kind);
    invariant(variant !== undefined, `${name} has a variant ${value.kind}`);
    writeNested(out, tag(variant[0], 2), variant[1], value.value);
  };
  const read = (input: Reader): U => {
    const head = input.varint();
    const variant = head % 8 === 2 ? byNumber.get(Math.floor(head / 8)) : undefined;
    if (variant === undefined) return refuse(name, `unknown variant (tag ${head})`);
    const value = readNested(input, variant.codec);
    if (input.at !== input.end) refuse(name, 'more than one variant');
    return { kind: variant.kind, value } as U;
  };
  return codecOf(name, write, read);
}

/** A codec that maps another one's values, for types with a shape of their own. */
export function mapped<A, B>(
  codec: Codec<A>,
  to: (value: A) => B,
  from: (value: B) => A,
): Codec<B> {
  return codecOf(
    codec.name,
    (out, value) => codec.write(out, from(value)),
    (input) => to(codec.read(input)),
  );
}

/** The value behind a varint length, as streams and files frame messages. */
export function encodeDelimited(body: Uint8Array): Uint8Array {
  const out = new Writer();
  out.bytes(body);
  return out.finish();
}
