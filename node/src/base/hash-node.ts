/**
 * SHA-256 by node:crypto; the Node half of the `#hash` import (package.json `imports`).
 *
 * The digest comes as text of one character per byte: as a Buffer it would get memory of its own
 * outside the heap, which takes twice as long to make as the hash and weighs on the collector.
 *
 * @module
 */
import { hash } from 'node:crypto';
import { fromLatin1 } from './bytes.ts';

/** SHA-256 as text of 32 characters, one per byte: the key of a Map. */
export function sha256Text(bytes: Uint8Array): string {
  return hash('sha256', bytes, 'binary');
}

/** SHA-256 of one byte string: 32 bytes. Cost: about 1 µs for 250 bytes. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return fromLatin1(hash('sha256', bytes, 'binary'));
}
