/**
 * SHA-256 by @noble/hashes; the browser half of the `#hash` import (package.json `imports`).
 *
 * @module
 */
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js';
import { latin1 } from './bytes.ts';

/** SHA-256 as text of 32 characters, one per byte: the key of a Map. */
export function sha256Text(bytes: Uint8Array): string {
  return latin1(nobleSha256(bytes));
}

/** SHA-256 of one byte string: 32 bytes. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return nobleSha256(bytes);
}
