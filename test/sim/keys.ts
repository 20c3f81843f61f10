/**
 * Keyed-hash signatures: the simulator's one stand-in.
 *
 * A key pair is a secret and its hash; a signature is the hash of secret and message. The checker
 * of signatures knows all secrets, so nobody else can make one.
 *
 * @module
 */
import { concatBytes, toHex, u64be, utf8 } from '../../node/src/base/bytes.ts';
import { sha256 } from '../../node/src/base/hash.ts';
import type { SigningKey } from '../../node/src/engine/ports.ts';
import { addressOf } from '../../node/src/types/keys.ts';

/** All keys of a simulated network. */
export class Keyring {
  readonly keys: readonly SigningKey[];
  readonly #secrets = new Map<string, Uint8Array>();

  constructor(seed: number, count: number) {
    this.keys = Array.from({ length: count }, (_, i) => {
      const secret = sha256(concatBytes(utf8('sim key'), u64be(seed), u64be(i)));
      const publicKey = sha256(secret);
      this.#secrets.set(toHex(publicKey), secret);
      const address = addressOf({ type: 'ed25519', bytes: publicKey });
      return { publicKey, address, sign: (message) => signed(secret, message) };
    });
  }

  /** Checks a signature, as the engine's port does. */
  check(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
    const secret = this.#secrets.get(toHex(publicKey));
    if (secret === undefined || signature.length !== 64) return false;
    const expected = signed(secret, message);
    return expected.every((byte, i) => byte === signature[i]);
  }
}

function signed(secret: Uint8Array, message: Uint8Array): Uint8Array {
  const tag = sha256(concatBytes(secret, message));
  return concatBytes(tag, tag);
}
