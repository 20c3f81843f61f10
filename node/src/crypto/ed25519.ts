/**
 * Ed25519: validators' signing keys, and the native half of checking their signatures.
 *
 * Upholds: `fastAccepts` says yes only to signatures that ZIP 215 accepts: libsodium's rule (no
 * cofactor, no small-order or non-canonical points) is the narrower one. A no decides nothing;
 * `signature-checker.ts` then asks the reference.
 * Secret keys live in libsodium's guarded memory and never leave this file.
 * Spec: RFC 8032; ZIP 215.
 *
 * @module
 */
import sodium from 'sodium-native';
import { sha256Truncated } from '../base/hash.ts';

/** Bytes of a seed and of a public key. */
export const KEY_BYTES = 32;
/** Bytes of a signature. */
export const SIGNATURE_BYTES = 64;

/** A validator's key: it signs, and shows only its public half. */
export type Ed25519Key = {
  readonly publicKey: Uint8Array;
  /** The first 20 bytes of SHA-256 of the public key. */
  readonly address: Uint8Array;
  sign(message: Uint8Array): Uint8Array;
};

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Whether libsodium accepts this signature; false decides nothing. Cost: about 40 µs. */
export function fastAccepts(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  return sodium.crypto_sign_verify_detached(
    asBuffer(signature),
    asBuffer(message),
    asBuffer(publicKey),
  );
}

/**
 * The key of a seed.
 *
 * @param seed - 32 secret bytes; copied, so the caller may and should erase them
 */
export function ed25519Key(seed: Uint8Array): Ed25519Key {
  const secret = sodium.sodium_malloc(sodium.crypto_sign_SECRETKEYBYTES);
  const publicKey = Buffer.alloc(KEY_BYTES);
  sodium.crypto_sign_seed_keypair(publicKey, secret, asBuffer(seed));
  sodium.sodium_mprotect_readonly(secret);
  return {
    publicKey: new Uint8Array(publicKey),
    address: sha256Truncated(publicKey),
    sign(message) {
      const signature = Buffer.alloc(SIGNATURE_BYTES);
      sodium.crypto_sign_detached(signature, asBuffer(message), secret);
      return new Uint8Array(signature);
    },
  };
}
