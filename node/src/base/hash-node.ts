/**
 * SHA-256 by node:crypto; the Node half of the `#hash` import (package.json `imports`).
 *
 * @module
 */
import { hash } from 'node:crypto';

/** SHA-256 of one byte string: 32 bytes. Cost: about 1 µs for 250 bytes. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return hash('sha256', bytes, 'buffer');
}
