/**
 * secp256k1 ECDSA: accounts' signatures.
 *
 * Upholds: one signature has one form (64 bytes, r ‖ s, s in the lower half) and one key has one
 * form (33 bytes, compressed); the native library and the reference accept exactly the same.
 * Recovery takes any s below the group's order; who needs the lower half checks it before.
 * Absent here: signing, which is the accounts' business.
 * Spec: SEC 1 (4.1.6 for recovery); BIP 62 rule 5 (low s); Cosmos SDK crypto/keys/secp256k1.
 *
 * @module
 */
import { createRequire } from 'node:module';
import { secp256k1 } from '@noble/curves/secp256k1.js';

type Native = {
  ecdsaVerify(signature: Uint8Array, digest: Uint8Array, publicKey: Uint8Array): boolean;
  ecdsaRecover(
    signature: Uint8Array,
    recovery: number,
    digest: Uint8Array,
    compressed: boolean,
  ): Uint8Array;
  publicKeyConvert(publicKey: Uint8Array, compressed: boolean): Uint8Array;
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

/**
 * The key that made a signature (64 bytes) over a 32-byte digest; `undefined` if there is none.
 *
 * @param recovery - parity of the signature's point, 0 or 1
 * @returns 65 bytes: 4, x, y
 */
export type RecoverKey = (
  digest: Uint8Array,
  signature: Uint8Array,
  recovery: number,
) => Uint8Array | undefined;

/** The 65-byte form of a 33-byte key; `undefined` if it is not a point of the curve. */
export type UncompressKey = (publicKey: Uint8Array) => Uint8Array | undefined;

function attempted(work: () => Uint8Array): Uint8Array | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

function mayRecover(digest: Uint8Array, signature: Uint8Array, recovery: number): boolean {
  const parity = recovery === 0 || recovery === 1;
  return parity && digest.length === 32 && signature.length === 64;
}

/** The reference: @noble/curves. Cost: about 2 ms. */
export const recoverByReference: RecoverKey = (digest, signature, recovery) => {
  if (!mayRecover(digest, signature, recovery)) return undefined;
  return attempted(() =>
    secp256k1.Signature.fromBytes(signature, 'compact')
      .addRecoveryBit(recovery)
      .recoverPublicKey(digest)
      .toBytes(false),
  );
};

/** The native library where it is there, else the reference. Cost: about 60 µs. */
export const recoverSecp256k1: RecoverKey = (digest, signature, recovery) => {
  if (native === undefined) return recoverByReference(digest, signature, recovery);
  if (!mayRecover(digest, signature, recovery)) return undefined;
  return attempted(() => native.ecdsaRecover(signature, recovery, digest, false));
};

/** The reference: @noble/curves. */
export const uncompressByReference: UncompressKey = (publicKey) => {
  if (publicKey.length !== 33) return undefined;
  return attempted(() => secp256k1.Point.fromBytes(publicKey).toBytes(false));
};

/** The native library where it is there, else the reference. Cost: about 10 µs. */
export const uncompressSecp256k1: UncompressKey = (publicKey) => {
  if (native === undefined) return uncompressByReference(publicKey);
  if (publicKey.length !== 33) return undefined;
  return attempted(() => native.publicKeyConvert(publicKey, false));
};

/** What the ledger does with keys beside checking signatures. */
export const secp256k1Keys: {
  readonly recover: RecoverKey;
  readonly uncompress: UncompressKey;
} = { recover: recoverSecp256k1, uncompress: uncompressSecp256k1 };
