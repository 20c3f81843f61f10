/**
 * The hash functions of the ledger: SHA-256 everywhere, RIPEMD-160 ∘ SHA-256 for accounts.
 *
 * Pure. `#hash` is node:crypto in Node and @noble/hashes in a browser; both give the same bytes.
 *
 * @module
 */
import { ripemd160 } from '@noble/hashes/legacy.js';
import { sha256, sha256Text } from '#hash';

export { sha256, sha256Text };

/** Bytes of a SHA-256 hash. */
export const HASH_SIZE = 32;

/** RIPEMD-160 of SHA-256: the 20-byte account id of a compressed secp256k1 key (Cosmos SDK). */
export function hash160(bytes: Uint8Array): Uint8Array {
  return ripemd160(sha256(bytes));
}

/** The first 20 bytes of SHA-256: CometBFT's address of an Ed25519 key. */
export function sha256Truncated(bytes: Uint8Array): Uint8Array {
  return sha256(bytes).subarray(0, 20);
}
