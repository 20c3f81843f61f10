/**
 * Checking signatures of accounts, remembering the ones that are valid.
 *
 * Upholds: what is remembered is "this signature over this digest by this key is valid", and of a
 * decoded transaction that its signer's signature is, for the same key and account number; never a
 * verdict on a transaction. A refusal is not remembered.
 * Absent here: elliptic curves. The verifier is handed in; it must take 33-byte keys and 64-byte
 * low-S signatures only.
 *
 * @module
 */
import { equalBytes, latin1 } from '../../base/bytes.ts';
import { sha256 } from '../../base/hash.ts';
import type { DecodedTx } from './decode.ts';

/** Whether `signature` (64 bytes, low S) over the 32-byte `digest` is by `publicKey` (33 bytes). */
export type VerifySecp256k1 = (
  publicKey: Uint8Array,
  digest: Uint8Array,
  signature: Uint8Array,
) => boolean;

/** Most remembered signatures: two generations of this many, 32 bytes each. */
const GENERATION = 50_000;

/** By whom a transaction is signed: all that a signature depends on beside the transaction. */
export type SignedBy = {
  readonly accountNumber: number;
  readonly keys: readonly Uint8Array[];
  readonly threshold: number;
};

/** A verifier with a bounded memory of valid signatures. */
export class Signatures {
  readonly #verify: VerifySecp256k1;
  readonly #signed = new WeakMap<DecodedTx, SignedBy[]>();
  readonly #name = new Uint8Array(33 + 32 + 64);
  #young = new Set<string>();
  #old = new Set<string>();

  constructor(verify: VerifySecp256k1) {
    this.#verify = verify;
  }

  /** Whether `signature` over `digest` is by `publicKey`. */
  valid(publicKey: Uint8Array, digest: Uint8Array, signature: Uint8Array): boolean {
    if (publicKey.length !== 33 || signature.length !== 64) return false;
    this.#name.set(publicKey);
    this.#name.set(digest, 33);
    this.#name.set(signature, 33 + 32);
    const name = latin1(sha256(this.#name));
    if (this.#young.has(name) || this.#old.has(name)) return true;
    if (!this.#verify(publicKey, digest, signature)) return false;
    if (this.#young.size >= GENERATION) {
      this.#old = this.#young;
      this.#young = new Set();
    }
    this.#young.add(name);
    return true;
  }

  /** Whether signer `index` is known to have signed, as `by`. */
  isSigned(tx: DecodedTx, index: number, by: SignedBy): boolean {
    const known = this.#signed.get(tx)?.[index];
    return known !== undefined && sameSigner(known, by);
  }

  /** Remembers that signer `index` signed, as long as the transaction is kept. */
  remember(tx: DecodedTx, index: number, by: SignedBy): void {
    const signers = this.#signed.get(tx) ?? [];
    signers[index] = by;
    this.#signed.set(tx, signers);
  }
}

function sameSigner(a: SignedBy, b: SignedBy): boolean {
  if (a.accountNumber !== b.accountNumber || a.threshold !== b.threshold) return false;
  if (a.keys === b.keys) return true;
  const { length } = a.keys;
  return (
    length === b.keys.length && a.keys.every((key, i) => equalBytes(key, b.keys[i] as Uint8Array))
  );
}
