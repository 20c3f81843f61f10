/**
 * Noise with the cipher that was handed in, and one socket write per noise message.
 *
 * Upholds: the handshake and the wire format are noise's own; only the cipher's implementation and
 * the number of writes differ. Without the join each message costs two system calls and arrives in
 * two pieces, because its length and its body are written apart.
 * Spec: libp2p noise, Noise_XX_25519_ChaChaPoly_SHA256.
 *
 * @module
 */
import type { MessageStream } from '@libp2p/interface';
import { type ICryptoInterface, noise, pureJsCrypto } from '@libp2p/noise';
import { type ErrorSpec, errorSpec, LedgerError } from '../base/errors.ts';
import type { Aead } from './options.ts';

/** Refusals of the encryption. */
export const errors: { readonly BadTag: ErrorSpec<Record<never, never>> } = {
  BadTag: errorSpec('net', 30, 'peer', () => 'encrypted message does not authenticate'),
};

function withCipher(aead: Aead): ICryptoInterface {
  return {
    ...pureJsCrypto,
    chaCha20Poly1305Encrypt: (plain, nonce, ad, key) => aead.seal(key, nonce, plain.subarray(), ad),
    chaCha20Poly1305Decrypt: (sealed, nonce, ad, key) => {
      const plain = aead.open(key, nonce, sealed.subarray(), ad);
      if (plain === undefined) throw new LedgerError(errors.BadTag, {});
      return plain;
    },
  };
}

/** Makes each `send` of a list of pieces one piece. */
function joinWrites<T extends MessageStream>(stream: T): T {
  const send = stream.send.bind(stream);
  stream.send = (data) => send(data.subarray());
  return stream;
}

/** The encrypter of this network's connections. */
export function encryption(aead: Aead | undefined): ReturnType<typeof noise> {
  const make = noise(aead === undefined ? {} : { crypto: withCipher(aead) });
  return (components) => {
    const inner = make(components);
    return {
      protocol: inner.protocol,
      secureInbound: (stream, options) => inner.secureInbound(joinWrites(stream), options),
      secureOutbound: (stream, options) => inner.secureOutbound(joinWrites(stream), options),
    };
  };
}
