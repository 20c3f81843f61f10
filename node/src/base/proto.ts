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
import { EMPTY, fromUtf8 } from './bytes.ts';
import { InvariantViolation, invariant } from './errors.ts';
import { advance, delimited, type Field, repeated, type Shape, scalar, tag } from './field.ts';
import { termAt } from './terms.ts';
import { MAX_UINT64, Reader, refuse, Writer, withWriter } from './wire.ts';

const MIN_INT64 = -(1n << 63n);
const MAX_INT64 = (1n << 63n) - 1n;

/** Encodes and strictly decodes one message type. */
export type Codec<T> = {
  /** The protobuf message's name, used in refusals. */
  readonly name: string;
  /** Canonical bytes. */
  encode(value: T): Uint8Array;
  /** What `take` makes of the canonical bytes; it must not keep them. Saves an allocation. */
  borrow<R>(value: T, take: (bytes: Uint8Array) => R): R;
  /** @throws LedgerError codec/1 on anything but canonical bytes; views into `bytes` may be kept */
  decode(bytes: Uint8Array): T;
  /** Appends the message's fields, without a length. */
  write(out: Writer, value: T): void;
  /** Reads fields until the reader's end. */
  read(input: Reader): T;
};

function outside(number: number, range: string): never {
  throw new InvariantViolation(`field ${number} is outside ${range}`);
}

/** uint32, uint64 or a non-negative int64 as a whole number, at most `max` (default 2^53 − 1). */
export function uint(number: number, max: number = Number.MAX_SAFE_INTEGER): Field<number> {
  return scalar(
    number,
    0,
    0,
    (v) => v === 0,
    (out, v) => {
      if (!Number.isSafeInteger(v) || v < 0 || v > max) outside(number, `0 … ${max}`);
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

/** int32 or an enumeration; negative values take ten bytes. */
export function int32(number: number): Field<number> {
  const field = int(number);
  const read: Field<number>['read'] = (input, before, name) => {
    const value = field.read(input, before, name);
    return value === (value | 0) ? value : refuse(input.message, `${name} is no int32`);
  };
  return { ...field, read };
}

/** int64 as a bigint. */
export function int64(number: number): Field<bigint> {
  const read = (input: Reader): bigint => BigInt.asIntN(64, input.varint64());
  return big(number, MIN_INT64, MAX_INT64, read);
}

/** uint64 as a bigint. */
export function uint64(number: number): Field<bigint> {
  return big(number, 0n, MAX_UINT64, (input) => input.varint64());
}

function big(
  number: number,
  min: bigint,
  max: bigint,
  read: (input: Reader) => bigint,
): Field<bigint> {
  const write = (out: Writer, v: bigint): void => {
    if (v < min || v > max) outside(number, `${min} … ${max}`);
    out.varint64(v);
  };
  return scalar(number, 0, 0n, (v) => v === 0n, write, read);
}

/** uint64 of a field that may be absent but may also be written as zero (a presence field). */
export function optionalUint64(number: number): Field<bigint | undefined> {
  const head = tag(number, 0);
  return {
    number,
    wire: 0,
    initial: () => undefined,
    write: (out, value) => {
      if (value === undefined) return;
      out.varint(head);
      out.varint64(value);
    },
    read: (input) => input.varint64(),
    repeated: false,
    always: false,
  };
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
  return delimited<Uint8Array | undefined>(number, {
    initial: () => undefined,
    present: (value) => value !== undefined,
    write: (out, value) => out.bytes(value ?? EMPTY),
    read: (input, _before, name) => input.delimited(max, name),
  });
}

/** UTF-8 text of at most `max` bytes. */
export function text(number: number, max: number): Field<string> {
  return textBy(number, (input, name) => readText(input, max, name));
}

/** UTF-8 text of at most `max` bytes that comes again and again, such as an address. */
export function term(number: number, max: number): Field<string> {
  return textBy(number, (input, name) => {
    const from = input.pass(max, name);
    return termAt(input.bytes, from, input.at) ?? refuse(input.message, `${name} is not UTF-8`);
  });
}

function textBy(number: number, read: (input: Reader, name: string) => string): Field<string> {
  const write = (out: Writer, v: string): void => out.text(v);
  return scalar(number, 2, '', (v) => v === '', write, read);
}

function readText(input: Reader, max: number, name: string): string {
  return fromUtf8(input.delimited(max, name)) ?? refuse(input.message, `${name} is not UTF-8`);
}

function readNested<T>(input: Reader, codec: Codec<T>): T {
  const length = input.varint();
  if (length > input.end - input.at) refuse(input.message, 'ends too early');
  const { end, message } = input;
  input.end = input.at + length;
  input.message = codec.name;
  const value = codec.read(input);
  input.end = end;
  input.message = message;
  return value;
}

function writeNested<T>(out: Writer, codec: Codec<T>, value: T): void {
  const start = out.open();
  codec.write(out, value);
  out.close(start);
}

/** A message that is always written, even when empty (gogoproto non-nullable). */
export function always<T>(number: number, codec: Codec<T>): Field<T> {
  const field = delimited<T>(number, {
    // Never seen: `message` refuses input in which an `always` field is missing.
    initial: () => undefined as T,
    present: () => true,
    write: (out, value) => writeNested(out, codec, value),
    read: (input) => readNested(input, codec),
  });
  return { ...field, always: true };
}

/** A message that may be absent. */
export function optional<T>(number: number, codec: Codec<T>): Field<T | undefined> {
  return delimited<T | undefined>(number, {
    initial: () => undefined,
    present: (value) => value !== undefined,
    write: (out, value) => writeNested(out, codec, value as T),
    read: (input) => readNested(input, codec),
  });
}

/** A list of messages, at most `max` of them. */
export function list<T>(number: number, codec: Codec<T>, max: number): Field<readonly T[]> {
  return repeated<T>(
    number,
    max,
    (out, item) => writeNested(out, codec, item),
    (input) => readNested(input, codec),
  );
}

/** A list of byte strings, at most `max` of them, each of at most `maxSize` bytes. */
export function bytesList(
  number: number,
  maxSize: number,
  max: number,
): Field<readonly Uint8Array[]> {
  return repeated<Uint8Array>(
    number,
    max,
    (out, item) => out.bytes(item),
    (input, name) => input.delimited(maxSize, name),
  );
}

/** A list of UTF-8 texts, at most `max` of them, each of at most `maxSize` bytes. */
export function textList(number: number, maxSize: number, max: number): Field<readonly string[]> {
  return repeated<string>(
    number,
    max,
    (out, item) => out.text(item),
    (input, name) => readText(input, maxSize, name),
  );
}

/** Packed repeated uint64, at most `max` of them. */
export function packedUint64(number: number, max: number): Field<readonly bigint[]> {
  return delimited<readonly bigint[]>(number, {
    initial: () => [],
    present: (values) => values.length > 0,
    write: (out, values) =>
      out.nested(() => {
        for (const value of values) out.varint64(value);
      }),
    read: (input, _before, name) => {
      const inner = new Reader(input.delimited(max * 10, name), input.message);
      const values: bigint[] = [];
      while (inner.at < inner.end) values.push(inner.varint64());
      if (values.length === 0) refuse(input.message, `${name} is written although it is empty`);
      if (values.length > max) refuse(input.message, `${name} has more than ${max} items`);
      return values;
    },
  });
}

/** Fields by property name; declare them in ascending field number. */
export type Fields<T> = { readonly [K in keyof T]-?: Field<T[K]> };

/** The codec of a message whose properties are `fields`. */
export function message<T extends object>(name: string, fields: Fields<T>): Codec<T> {
  const keys = Object.keys(fields);
  const kinds = Object.values(fields) as Field<unknown>[];
  const heads = kinds.map((field) => tag(field.number, field.wire));
  invariant(
    kinds.every((field, i) => i === 0 || field.number > (kinds[i - 1]?.number ?? 0)),
    `fields of ${name} ascend`,
  );
  const shape: Shape = { name, keys, heads, kinds };
  // Every value begins as a copy of this one, so that all have the same shape.
  const blank = Object.fromEntries(keys.map((key, i) => [key, kinds[i]?.initial()]));
  const write = (out: Writer, value: T): void => {
    for (let i = 0; i < keys.length; i++) {
      const field = kinds[i] as Field<unknown>;
      field.write(out, value[keys[i] as keyof T]);
    }
  };
  const read = (input: Reader): T => {
    const value: Record<string, unknown> = { ...blank };
    let next = 0;
    while (input.at < input.end) {
      const head = input.varint();
      const again = next > 0 && head === heads[next - 1] && kinds[next - 1]?.repeated === true;
      if (again) next--;
      next = advance(shape, next, head);
      const key = keys[next] as string;
      value[key] = (kinds[next] as Field<unknown>).read(input, value[key], key);
      next++;
    }
    advance(shape, next, undefined);
    return value as T;
  };
  return codecOf(name, write, read);
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
    encode: (value) => withWriter(write, value, (bytes) => bytes.slice()),
    borrow: (value, take) => withWriter(write, value, take),
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
    out.varint(tag(variant[0], 2));
    writeNested(out, variant[1], value.value);
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
