/**
 * Checking signatures of accounts, remembering the ones that are valid.
 *
 * Upholds: the only thing remembered is "this signature over these bytes by this key is valid";
 * never a verdict on a transaction. A refusal is not remembered.
 * Absent here: elliptic curves. The verifier is handed in; it must take 33-byte keys and 64-byte
 * low-S signatures only.
 *
 * @module
 */
import { concatBytes, latin1 } from '../../base/bytes.ts';
import { sha256 } from '../../base/hash.ts';

/** Whether `signature` (64 bytes, low S) over the 32-byte `digest` is by `publicKey` (33 bytes). */
export type VerifySecp256k1 = (
  publicKey: Uint8Array,
  digest: Uint8Array,
  signature: Uint8Array,
) => boolean;

/** Most remembered signatures: two generations of this many, 32 bytes each. */
const GENERATION = 50_000;

/** A verifier with a bounded memory of valid signatures. */
export class Signatures {
  readonly #verify: VerifySecp256k1;
  #young = new Set<string>();
  #old = new Set<string>();

  constructor(verify: VerifySecp256k1) {
    this.#verify = verify;
  }

  /** Whether `signature` over SHA-256 of `message` is by `publicKey`. */
  valid(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
    if (publicKey.length !== 33 || signature.length !== 64) return false;
    const digest = sha256(message);
    const name = latin1(sha256(concatBytes(publicKey, digest, signature)));
    if (this.#young.has(name) || this.#old.has(name)) return true;
    if (!this.#verify(publicKey, digest, signature)) return false;
    if (this.#young.size >= GENERATION) {
      this.#old = this.#young;
      this.#young = new Set();
    }
    this.#young.add(name);
    return true;
  }
}
