/**
 * Checking signatures of accounts, remembering the ones that are valid.
 *
 * Upholds: what is remembered is "this signature over this digest by this key is valid", never a
 * verdict on a transaction. A refusal is not remembered.
 * Absent here: elliptic curves. The verifier is handed in; it must take 33-byte keys and 64-byte
 * low-S signatures only.
 *
 * @module
 */
import { sha256Text } from '../../base/hash.ts';
import type { Any } from './wire.ts';

/** Whether `signature` (64 bytes, low S) over the 32-byte `digest` is by `publicKey` (33 bytes). */
export type VerifySecp256k1 = (
  publicKey: Uint8Array,
  digest: Uint8Array,
  signature: Uint8Array,
) => boolean;

/** Most remembered signatures: two generations of this many, 32 bytes each. */
const GENERATION = 50_000;

/** The key of a signer. */
export type SignerKey = {
  /** As it came or is stored; absent in a simulation of an account that never signed. */
  readonly any: Any | undefined;
  /** How many signatures it may take. */
  readonly signatures: number;
  /** One plain key, or the keys of a multisig. */
  readonly keys: readonly Uint8Array[];
  /** 0 for a plain key. */
  readonly threshold: number;
};

/** A valid signature of a transaction: all that it depends on beside the transaction. */
export type Signed = {
  readonly accountNumber: number;
  /** The account's key as its record has it; empty if the key came with the transaction only. */
  readonly stored: Uint8Array;
  readonly key: SignerKey;
};

/** A verifier with a bounded memory of valid signatures. */
export class Signatures {
  readonly #verify: VerifySecp256k1;
  readonly #name = new Uint8Array(33 + 32 + 64);
  #young = new Set<string>();
  #old = new Set<string>();

  constructor(verify: VerifySecp256k1) {
    this.#verify = verify;
  }

  /**
   * Whether `signature` over `digest` is by `publicKey`.
   *
   * @param keep - whether to remember that it is; not needed if the caller does
   */
  valid(publicKey: Uint8Array, digest: Uint8Array, signature: Uint8Array, keep: boolean): boolean {
    if (publicKey.length !== 33 || signature.length !== 64) return false;
    if (!keep && this.#young.size === 0) return this.#verify(publicKey, digest, signature);
    const name = this.#nameOf(publicKey, digest, signature);
    if (this.#young.has(name) || this.#old.has(name)) return true;
    if (!this.#verify(publicKey, digest, signature)) return false;
    if (keep) this.#keep(name);
    return true;
  }

  #nameOf(publicKey: Uint8Array, digest: Uint8Array, signature: Uint8Array): string {
    this.#name.set(publicKey);
    this.#name.set(digest, 33);
    this.#name.set(signature, 33 + 32);
    return sha256Text(this.#name);
  }

  #keep(name: string): void {
    if (this.#young.size >= GENERATION) {
      this.#old = this.#young;
      this.#young = new Set();
    }
    this.#young.add(name);
  }
}
