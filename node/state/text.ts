/**
 * Byte strings as text of one character per byte: keys of maps, keys and hashes of the tree.
 *
 * Upholds: comparing two texts with `<` compares the bytes. Such a text takes a quarter of the
 * memory of a `Uint8Array` of 32 bytes, and the collector has one object to follow instead of two;
 * node:crypto gives it at once, without a buffer of its own for each hash.
 *
 * @module
 */
import { hash } from 'node:crypto';
import { HASH_SIZE } from '../src/base/hash.ts';
import { MAX_PACKED_BYTES, packKey } from '../src/types/packed-key.ts';

/** A byte string as text. */
export function textOf(bytes: Uint8Array): string {
  return Reflect.apply(String.fromCharCode, null, bytes) as string;
}

/** The bytes of a text. */
export function bytesOf(text: string): Uint8Array {
  const out = new Uint8Array(text.length);
  writeText(out, text, 0);
  return out;
}

/** Writes the bytes of a text into `out`; returns where they end. */
export function writeText(out: Uint8Array, text: string, at: number): number {
  for (let i = 0; i < text.length; i++) out[at + i] = text.charCodeAt(i);
  return at + text.length;
}

const innerInput = new Uint8Array(1 + 2 * HASH_SIZE);
innerInput[0] = 1;

/** SHA-256(1 ‖ left ‖ right): the hash of an inner node. Cost: about 0.7 µs. */
export function innerHash(left: string, right: string): string {
  for (let i = 0; i < HASH_SIZE; i++) {
    innerInput[1 + i] = left.charCodeAt(i);
    innerInput[1 + HASH_SIZE + i] = right.charCodeAt(i);
  }
  return hash('sha256', innerInput, 'binary');
}

/** A leaf up to this size is hashed without memory of its own. */
const LOG_LEAF_BYTES = 1_024;
/** Begins with 0, which says that a leaf follows. */
const logLeafInput = new Uint8Array(1 + LOG_LEAF_BYTES);

/** SHA-256(0 ‖ leaf): the hash of a log's entry. Cost: about 1 µs. */
export function logLeafHash(leaf: Uint8Array): string {
  const input =
    leaf.length <= LOG_LEAF_BYTES
      ? logLeafInput.subarray(0, 1 + leaf.length)
      : new Uint8Array(1 + leaf.length);
  input.set(leaf, 1);
  return hash('sha256', input, 'binary');
}

const leafInput = new Uint8Array(3 + MAX_PACKED_BYTES + HASH_SIZE);

/** `stateLeafHash` (types/proofs.ts) of a logical key. Cost: about 2 µs. */
export function leafText(key: Uint8Array, value: Uint8Array): string {
  const packed = packKey(key);
  const at = packed.length + 3;
  leafInput[1] = packed.length;
  leafInput.set(packed, 2);
  leafInput[at - 1] = HASH_SIZE;
  writeText(leafInput, hash('sha256', value, 'binary'), at);
  return hash('sha256', leafInput.subarray(0, at + HASH_SIZE), 'binary');
}
