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
import { decodeWithoutThrowing } from './tuning.ts';

/** Refusals of the encryption. */
export const errors: { readonly BadTag: ErrorSpec<Record<never, never>> } = {
  BadTag: errorSpec('net', 30, 'peer', () => 'encrypted message does not authenticate'),
};

/** Bytes of the cipher's tag. */
const TAG_BYTES = 16;
/** Longest message whose length and body are joined for one write. */
const JOIN_BYTES = 16_384;

function withCipher(aead: Aead): ICryptoInterface {
  return {
    ...pureJsCrypto,
    chaCha20Poly1305Encrypt: (plain, nonce, ad, key) => {
      const buffer = Buffer.allocUnsafe(plain.byteLength + TAG_BYTES);
      let at = 0;
      for (const piece of plain instanceof Uint8Array ? [plain] : plain) {
        buffer.set(piece, at);
        at += piece.length;
      }
      aead.seal(key, nonce, buffer, ad);
      return buffer;
    },
    // Without a destination this is the handshake, which goes on to hash what was sealed.
    chaCha20Poly1305Decrypt: (sealed, nonce, ad, key, into) => {
      const bytes = into === undefined ? Uint8Array.from(sealed.subarray()) : sealed.subarray();
      const plain = aead.open(key, nonce, bytes, ad);
      if (plain === undefined) throw new LedgerError(errors.BadTag, {});
      return plain;
    },
  };
}

/** Makes each `send` of a short list of pieces one piece; a long one costs more to copy. */
function joinWrites<T extends MessageStream>(stream: T): T {
  const send = stream.send.bind(stream);
  stream.send = (data) => send(data.byteLength <= JOIN_BYTES ? data.subarray() : data);
  return stream;
}

function tuned<T extends { readonly connection: MessageStream }>(secured: T): T {
  decodeWithoutThrowing(secured.connection);
  return secured;
}

/** The encrypter of this network's connections. */
export function encryption(aead: Aead | undefined): ReturnType<typeof noise> {
  const make = noise(aead === undefined ? {} : { crypto: withCipher(aead) });
  return (components) => {
    const inner = make(components);
    return {
      protocol: inner.protocol,
      secureInbound: async (stream, options) =>
        tuned(await inner.secureInbound(joinWrites(stream), options)),
      secureOutbound: async (stream, options) =>
        tuned(await inner.secureOutbound(joinWrites(stream), options)),
    };
  };
}
