/**
 * ZIP 215: the rule that decides about Ed25519 signatures, by the reference implementation.
 *
 * Upholds: every node accepts exactly the same signatures: cofactored equation, any encoding of a
 * point that decompresses, s below the group order.
 * Spec: ZIP 215; @noble/curves.
 *
 * @module
 */
import { ed25519 } from '@noble/curves/ed25519.js';

/** Whether ZIP 215 accepts the signature. Total. Cost: about 1 ms. */
export function zip215Accepts(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  try {
    return ed25519.verify(signature, message, publicKey, { zip215: true });
  } catch {
    return false;
  }
}
