/**
 * secp256k1 ECDSA: accounts' signatures.
 *
 * Upholds: one signature has one form (64 bytes, r ‖ s, s in the lower half) and one key has one
 * form (33 bytes, compressed); the native library and the reference accept exactly the same.
 * Absent here: signing, which is the accounts' business, and key recovery, which is Ethereum's.
 * Spec: SEC 1; BIP 62 rule 5 (low s); Cosmos SDK crypto/keys/secp256k1.
 *
 * @module
 */
import { createRequire } from 'node:module';
import { secp256k1 } from '@noble/curves/secp256k1.js';

type Native = {
  ecdsaVerify(signature: Uint8Array, digest: Uint8Array, publicKey: Uint8Array): boolean;
};

/** Checks a signature over a 32-byte digest. Total: anything malformed is not a signature. */
export type VerifyDigest = (
  publicKey: Uint8Array,
  digest: Uint8Array,
  signature: Uint8Array,
) => boolean;

// Past the package's own entry, which would fall back to a slower library of its own.
function loadNative(): Native | undefined {
  try {
    return createRequire(import.meta.url)('secp256k1/bindings') as Native;
  } catch {
    return undefined;
  }
}

const native = loadNative();

/** Whether the native library is there; it has no build for some machines. */
export const NATIVE: boolean = native !== undefined;

function hasForm(publicKey: Uint8Array, digest: Uint8Array, signature: Uint8Array): boolean {
  const compressed = publicKey.length === 33 && (publicKey[0] === 2 || publicKey[0] === 3);
  return compressed && digest.length === 32 && signature.length === 64;
}

/** The reference: @noble/curves. Cost: about 1 ms. */
export const verifyByReference: VerifyDigest = (publicKey, digest, signature) => {
  if (!hasForm(publicKey, digest, signature)) return false;
  try {
    return secp256k1.verify(signature, digest, publicKey, {
      prehash: false,
      lowS: true,
      format: 'compact',
    });
  } catch {
    return false;
  }
};

/** The native library where it is there, else the reference. Cost: about 50 µs. */
export const verifySecp256k1: VerifyDigest = (publicKey, digest, signature) => {
  if (native === undefined) return verifyByReference(publicKey, digest, signature);
  if (!hasForm(publicKey, digest, signature)) return false;
  try {
    return native.ecdsaVerify(signature, digest, publicKey);
  } catch {
    return false;
  }
};
