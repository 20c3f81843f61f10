/**
 * The shapes a protobuf field can have: one scalar, one delimited value, or a list.
 *
 * Upholds: a default value is never written, and refused when it is read; a list is bounded.
 * Used by: `proto.ts`, which names the fields of each protobuf type.
 *
 * Pure; runs in a browser.
 *
 * @module
 */
import { type Reader, refuse, type Writer } from './wire.ts';

type WireType = 0 | 1 | 2;

/** How one field's value looks on the wire. */
export type Field<V> = {
  readonly number: number;
  readonly wire: WireType;
  /** The value of a message in which the field does not occur. */
  readonly initial: () => V;
  /** Writes tag and value, or nothing if the value is the field's default. */
  readonly write: (out: Writer, value: V) => void;
  /** Reads one occurrence after its tag. */
  readonly read: (input: Reader, before: V, name: string) => V;
  /** Whether the field may occur again right after itself. */
  readonly repeated: boolean;
  /** Whether the field must occur. */
  readonly always: boolean;
};

/** The varint before a field's value: its number and how the value is written. */
export function tag(number: number, wire: WireType): number {
  return number * 8 + wire;
}

/** A field that occurs at most once, as a length and that many bytes. */
export function delimited<V>(
  number: number,
  parts: Pick<Field<V>, 'initial' | 'write' | 'read'> & {
    /** Whether the value is written at all. */
    readonly present: (value: V) => boolean;
  },
): Field<V> {
  const head = tag(number, 2);
  const write = (out: Writer, value: V): void => {
    if (!parts.present(value)) return;
    out.varint(head);
    parts.write(out, value);
  };
  const { initial, read } = parts;
  return { number, wire: 2, initial, write, read, repeated: false, always: false };
}

/** A field of one value that is left out when it is the default. */
export function scalar<V>(
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
    write: (out, value) => {
      if (isZero(value)) return;
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

/** The empty list, shared by all values that have none. */
const NONE: readonly never[] = Object.freeze([]);

/** A field that may occur up to `max` times in a row. */
export function repeated<T>(
  number: number,
  max: number,
  writeItem: (out: Writer, item: T) => void,
  readItem: (input: Reader, name: string) => T,
): Field<readonly T[]> {
  const head = tag(number, 2);
  return {
    number,
    wire: 2,
    initial: () => NONE,
    write: (out, items) => {
      for (let i = 0; i < items.length; i++) {
        out.varint(head);
        writeItem(out, items[i] as T);
      }
    },
    read: (input, before, name) => {
      if (before.length >= max) refuse(input.message, `${name} has more than ${max} items`);
      const items = before === NONE ? [] : (before as T[]);
      items.push(readItem(input, name));
      return items;
    },
    repeated: true,
    always: false,
  };
}

/** A message's fields in ascending order. */
export type Shape = {
  readonly name: string;
  readonly keys: readonly string[];
  readonly heads: readonly number[];
  readonly kinds: readonly Field<unknown>[];
};

/** The place of the field with this tag, from `next` on; of the end, if there is no tag. */
export function advance(shape: Shape, next: number, head: number | undefined): number {
  const { name, heads, kinds } = shape;
  for (let i = next; i < heads.length; i++) {
    if (heads[i] === head) return i;
    if (kinds[i]?.always === true) return refuse(name, misplaced(shape, i, head));
  }
  return head === undefined ? heads.length : refuse(name, misplaced(shape, heads.length, head));
}

/** Why the field with this tag may not stand before field `before`. */
function misplaced({ keys, heads }: Shape, before: number, head: number | undefined): string {
  const at = head === undefined ? heads.length : heads.indexOf(head);
  if (at < 0) return `unknown field or wire type (tag ${head})`;
  return at < before ? `${keys[at]} is repeated or out of order` : `${keys[before]} is missing`;
}
