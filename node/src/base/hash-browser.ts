/**
 * SHA-256 by @noble/hashes; the browser half of the `#hash` import (package.json `imports`).
 *
 * @module
 */
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js';

/** SHA-256 of one byte string: 32 bytes. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return nobleSha256(bytes);
}
