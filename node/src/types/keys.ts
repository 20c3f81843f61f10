/**
 * Public keys as validators and ABCI carry them, and validator addresses.
 *
 * Upholds: the address of an Ed25519 key is the first 20 bytes of its SHA-256.
 * Spec: tendermint.crypto.PublicKey (oneof ed25519 = 1, secp256k1 = 2).
 *
 * @module
 */
import { hash160, sha256Truncated } from '../base/hash.ts';
import { MAX_PUBLIC_KEY_BYTES } from '../base/limits.ts';
import { type Codec, mapped, message, optionalBytes } from '../base/proto.ts';
import { refuse } from '../base/wire.ts';

/** Key types that CometBFT's JSON names tendermint/PubKeyEd25519 and tendermint/PubKeySecp256k1. */
export type KeyType = 'ed25519' | 'secp256k1';

/** A validator's public key. */
export type PublicKey = { readonly type: KeyType; readonly bytes: Uint8Array };

type Wire = {
  readonly ed25519: Uint8Array | undefined;
  readonly secp256k1: Uint8Array | undefined;
};

/** tendermint.crypto.PublicKey. */
export const publicKeyCodec: Codec<PublicKey> = mapped(
  message<Wire>('PublicKey', {
    ed25519: optionalBytes(1, MAX_PUBLIC_KEY_BYTES),
    secp256k1: optionalBytes(2, MAX_PUBLIC_KEY_BYTES),
  }),
  ({ ed25519, secp256k1 }): PublicKey => {
    if (ed25519 !== undefined && secp256k1 === undefined)
      return { type: 'ed25519', bytes: ed25519 };
    if (secp256k1 !== undefined && ed25519 === undefined) {
      return { type: 'secp256k1', bytes: secp256k1 };
    }
    return refuse('PublicKey', 'not exactly one key');
  },
  (key) => ({
    ed25519: key.type === 'ed25519' ? key.bytes : undefined,
    secp256k1: key.type === 'secp256k1' ? key.bytes : undefined,
  }),
);

/** The 20-byte address of a public key, as CometBFT derives it. */
export function addressOf(key: PublicKey): Uint8Array {
  return key.type === 'ed25519' ? sha256Truncated(key.bytes) : hash160(key.bytes);
}

/** Whether the key has the size of its type. */
export function wellFormedKey(key: PublicKey): boolean {
  return key.bytes.length === (key.type === 'ed25519' ? 32 : 33);
}
