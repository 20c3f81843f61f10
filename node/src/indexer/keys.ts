/**
 * The keys of the index, in byte order.
 *
 *     'h' transaction hash                          → height (8), index (4)
 *     'k' block hash                                → height (8)
 *     'n' height (8)                                → number of transactions (4); none: no entry
 *     'a' tag 00 01 value 00 01 height index event  → nothing   (an attribute of a transaction)
 *     'b' tag 00 01 value 00 01 height 0 event      → nothing   (an attribute of a block)
 *
 * Upholds: entries of one tag and value lie together, in order of height; a 00 inside a text is
 * written 00 02, so no text can be read as another's end. Values are kept up to 512 bytes, which is
 * also the longest a query can ask for.
 *
 * Pure.
 *
 * @module
 */
import { concatBytes, u64be, utf8 } from '../base/bytes.ts';

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
const POSITION_BYTES = 16;

/** Where an attribute occurred: `event` counts the events of its transaction or block. */
export type Position = {
  readonly height: number;
  readonly index: number;
  readonly event: number;
};

/** Four bytes, big-endian. */
export function u32be(value: number): Uint8Array {
  const out = new Uint8Array(4);
  new DataView(out.buffer).setUint32(0, value);
  return out;
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

/** The key of one occurrence, given the prefix of its value. */
export function attributeKey(prefix: Uint8Array, at: Position): Uint8Array {
  const key = new Uint8Array(prefix.length + POSITION_BYTES);
  key.set(prefix);
  const view = new DataView(key.buffer, prefix.length);
  view.setUint32(0, Math.floor(at.height / 2 ** 32));
  view.setUint32(4, at.height >>> 0);
  view.setUint32(8, at.index);
  view.setUint32(12, at.event);
  return key;
}

/** Where the occurrence of an attribute key is. */
export function positionOf(key: Uint8Array): Position {
  const view = new DataView(key.buffer, key.byteOffset + key.length - POSITION_BYTES);
  return {
    height: view.getUint32(0) * 2 ** 32 + view.getUint32(4),
    index: view.getUint32(8),
    event: view.getUint32(12),
  };
}

const decoder = new TextDecoder();

/** The value in an attribute key whose tag's prefix has `prefixLength` bytes. */
export function indexedValue(key: Uint8Array, prefixLength: number): string {
  const end = key.length - POSITION_BYTES - END.length;
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
  return concatBytes(Uint8Array.of(kind), hash);
}

/** The key of a height's number of transactions. */
export function countKey(height: number): Uint8Array {
  return concatBytes(Uint8Array.of(KIND.txCount), u64be(height));
}
