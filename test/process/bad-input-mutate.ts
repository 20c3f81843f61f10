/**
 * Ways to spoil bytes, protobuf messages and JSON values, drawn from a seed.
 *
 * @module
 */
import { concatBytes } from '../../node/src/base/bytes.ts';
import { FRAME_HEADER_BYTES } from '../../node/src/net/frames.ts';
import type { Prng } from '../sim/prng.ts';

/** A way to spoil bytes. */
export type Spoiler = (bytes: Uint8Array, random: Prng) => Uint8Array;

function flip(bytes: Uint8Array, random: Prng): Uint8Array {
  // A copy in any case: `slice` of a Buffer is a view.
  const out = Uint8Array.from(bytes);
  for (let times = random.int(1, 4); times > 0; times--) {
    const at = random.int(0, out.length - 1);
    out[at] = (out[at] ?? 0) ^ (1 << random.int(0, 7));
  }
  return out;
}

function overwrite(bytes: Uint8Array, random: Prng): Uint8Array {
  // A copy in any case: `slice` of a Buffer is a view.
  const out = Uint8Array.from(bytes);
  const from = random.int(0, out.length - 1);
  out.fill(
    random.pick([0x00, 0x7f, 0x80, 0xff]),
    from,
    Math.min(out.length, from + random.int(1, 12)),
  );
  return out;
}

function cut(bytes: Uint8Array, random: Prng): Uint8Array {
  return bytes.slice(0, random.int(0, bytes.length - 1));
}

function double(bytes: Uint8Array): Uint8Array {
  return concatBytes(bytes, bytes);
}

function insert(bytes: Uint8Array, random: Prng): Uint8Array {
  const at = random.int(0, bytes.length);
  return concatBytes(bytes.subarray(0, at), random.bytes(random.int(1, 40)), bytes.subarray(at));
}

function remove(bytes: Uint8Array, random: Prng): Uint8Array {
  const at = random.int(0, bytes.length - 1);
  return concatBytes(bytes.subarray(0, at), bytes.subarray(at + random.int(1, 8)));
}

/** One field of a protobuf message: its tag, and where it and its value stand. */
type Field = { readonly tag: number; readonly bytes: Uint8Array; readonly value: Uint8Array };

function varint(value: number): Uint8Array {
  const out: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) out.push((rest % 128) | 0x80);
  out.push(rest);
  return Uint8Array.from(out);
}

function readVarint(bytes: Uint8Array, from: number): { value: number; end: number } | undefined {
  let value = 0;
  for (let at = from, scale = 1; at < bytes.length && at < from + 7; at++, scale *= 128) {
    const byte = bytes[at] ?? 0;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return { value, end: at + 1 };
  }
  return undefined;
}

type Extent = { readonly start: number; readonly end: number };

/** Where the value of a field stands that starts at `from`. */
function extentOf(bytes: Uint8Array, type: number, from: number): Extent | undefined {
  if (type === 1) return { start: from, end: from + 8 };
  if (type === 5) return { start: from, end: from + 4 };
  const number = readVarint(bytes, from);
  if (number === undefined) return undefined;
  if (type === 0) return { start: from, end: number.end };
  return type === 2 ? { start: number.end, end: number.end + number.value } : undefined;
}

/** The fields of a message; undefined if it is none. */
function fieldsOf(bytes: Uint8Array): readonly Field[] | undefined {
  const fields: Field[] = [];
  for (let at = 0; at < bytes.length; ) {
    const tag = readVarint(bytes, at);
    const extent = tag && extentOf(bytes, tag.value & 7, tag.end);
    if (extent === undefined || extent.end > bytes.length) return undefined;
    const { start, end } = extent;
    fields.push({
      tag: tag?.value ?? 0,
      bytes: bytes.slice(at, end),
      value: bytes.slice(start, end),
    });
    at = end;
  }
  return fields.length === 0 ? undefined : fields;
}

const delimited = (tag: number, value: Uint8Array): Uint8Array =>
  concatBytes(varint(tag), varint(value.length), value);

type FieldSpoiler = (fields: readonly Field[], random: Prng) => readonly Uint8Array[];

const raw = (fields: readonly Field[]): Uint8Array[] => fields.map((field) => field.bytes);

const FIELD_SPOILERS: readonly FieldSpoiler[] = [
  // Another order, and a field twice.
  (fields) => raw(fields.toReversed()),
  (fields, random) => [...raw(fields), random.pick(fields).bytes],
  // A field less.
  (fields, random) => raw(fields).toSpliced(random.int(0, fields.length - 1), 1),
  // Unknown fields, low, high and beyond what protobuf allows.
  (fields, random) => [
    ...raw(fields),
    delimited((random.pick([15, 99, 2047, 536_870_911, 536_870_912]) << 3) >>> 0, random.bytes(5)),
    delimited(random.pick([122, 802, 16_378]), random.bytes(9)),
  ],
  // The wrong wire type.
  (fields, random) => {
    const at = random.int(0, fields.length - 1);
    const { tag, value } = fields[at] as Field;
    const other = (tag & ~7) | random.pick([0, 1, 2, 3, 4, 5, 6, 7].filter((t) => t !== (tag & 7)));
    return raw(fields).with(at, concatBytes(varint(other), value));
  },
  // A length beyond the end, up to 2^42.
  (fields, random) => {
    const at = random.int(0, fields.length - 1);
    const { tag, value } = fields[at] as Field;
    const length = random.pick([value.length + 1, 65_536, 2 ** 31 - 1, 2 ** 32, 2 ** 42]);
    return raw(fields).with(at, concatBytes(varint(tag), varint(length), value));
  },
  // A number in more bytes than it needs.
  (fields, random) => {
    const at = random.int(0, fields.length - 1);
    const bytes = (fields[at] as Field).bytes;
    const head = Uint8Array.of(
      (bytes[0] ?? 0) | 0x80,
      ...new Array(random.int(0, 9)).fill(0x80),
      0,
    );
    return raw(fields).with(at, concatBytes(head, bytes.subarray(1)));
  },
  // The largest number a varint can hold, and one byte beyond it.
  (fields, random) => {
    const at = random.int(0, fields.length - 1);
    const huge = new Uint8Array(random.int(9, 11)).fill(0xff).with(-1, 0x01);
    const { tag } = fields[at] as Field;
    return raw(fields).with(at, concatBytes(varint((tag & ~7) >>> 0), huge));
  },
  // An explicit default.
  (fields, random) => {
    const at = random.int(0, fields.length - 1);
    const { tag } = fields[at] as Field;
    return raw(fields).with(at, concatBytes(varint(tag), Uint8Array.of(0)));
  },
];

/** Spoils a protobuf message at some depth; bytes that are none are spoiled as bytes. */
function spoilMessage(bytes: Uint8Array, random: Prng, depth = 0): Uint8Array {
  const fields = fieldsOf(bytes);
  if (fields === undefined) return spoilBytes(bytes, random);
  const nested = fields.filter(({ tag, value }) => (tag & 7) === 2 && value.length > 0);
  if (depth < 5 && nested.length > 0 && random.chance(0.65)) {
    const chosen = random.pick(nested);
    const inner = spoilMessage(chosen.value, random, depth + 1);
    const at = fields.indexOf(chosen);
    return concatBytes(...raw(fields).with(at, delimited(chosen.tag, inner)));
  }
  return concatBytes(...random.pick(FIELD_SPOILERS)(fields, random));
}

/** Spoils bytes of any kind. */
export function spoilBytes(bytes: Uint8Array, random: Prng): Uint8Array {
  if (bytes.length === 0) return random.bytes(random.int(1, 64));
  const spoilers: readonly Spoiler[] = [flip, flip, overwrite, cut, double, insert, remove];
  return random.pick(spoilers)(bytes, random);
}

/** Spoils bytes either way. */
export const spoil: Spoiler = (bytes, random) =>
  random.chance(0.6) ? spoilMessage(bytes, random) : spoilBytes(bytes, random);

const LONG = 'x'.repeat(20_000);

/** A value that no parameter expects. */
export function oddValue(random: Prng): unknown {
  return random.pick<unknown>([
    null,
    true,
    false,
    0,
    -1,
    1.5,
    1e308,
    -0,
    2 ** 53,
    '',
    ' ',
    '-1',
    '0',
    '0x',
    '0xzz',
    '1e9',
    '99999999999999999999',
    '9007199254740991',
    "tm.event='",
    "tx.height > 'a' AND",
    'AAAA====',
    'ÿ\u0000\u2028',
    '"quoted"',
    '__proto__',
    LONG,
    [],
    [[]],
    [null],
    {},
    { __proto__: null, constructor: 1 },
    { toString: 'x' },
    Array.from({ length: 500 }, (_, i) => i),
  ]);
}

/** JSON text that nests too deep for a recursive reader. */
export function deepJson(depth: number): string {
  return `${'['.repeat(depth)}${']'.repeat(depth)}`;
}

/** Bytes that a header may announce and still have completed. */
const MAX_COMPLETED_BYTES = 4_194_304;

/**
 * Frames whose last one is complete. A header that announces more than follows would have the node
 * wait, rightly, and take whatever comes next for the rest.
 */
export function completed(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let end = 0;
  while (end < bytes.length) {
    const length = end + 4 <= bytes.length ? view.getUint32(end) : 0;
    if (length > MAX_COMPLETED_BYTES) return bytes;
    end += FRAME_HEADER_BYTES + length;
  }
  return concatBytes(bytes, new Uint8Array(end - bytes.length));
}
