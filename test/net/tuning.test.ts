/**
 * Encryption and tuning: RFC 8439's vector, forged tags, and that the installed libp2p is tuned.
 *
 * @module
 */
import type { Stream } from '@libp2p/interface';
import { expect } from 'chai';
import fc from 'fast-check';
import { fromHex, toHex, utf8 } from '../../node/src/base/bytes.ts';
import { sodiumAead } from '../../node/src/crypto/aead.ts';
import { decodeWithoutThrowing, updateWindowAtHalf } from '../../node/src/net/tuning.ts';
import { CHANNEL } from '../../node/src/types/messages.ts';
import { rogue, stopRogues } from './rogue.ts';
import { pair, startHost, stopAll } from './support.ts';

describe('net: encryption', () => {
  afterEach(async () => {
    await stopRogues();
    await stopAll();
  });

  it('seals as RFC 8439, section 2.8.2, prints it', () => {
    const key = fromHex('808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f');
    const nonce = fromHex('070000004041424344454647');
    const ad = fromHex('50515253c0c1c2c3c4c5c6c7');
    const plain = utf8(
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip " +
        'for the future, ' +
        'sunscreen would be it.',
    );
    if (key === undefined || nonce === undefined || ad === undefined) throw new TypeError('hex');
    const buffer = new Uint8Array(plain.length + 16);
    buffer.set(plain);
    sodiumAead.seal(key, nonce, buffer, ad);
    expect(toHex(buffer.subarray(0, 16))).to.equal('d31a8d34648e60db7b86afbc53ef7ec2');
    expect(toHex(buffer.subarray(-16))).to.equal('1ae10b594f09e26a7e902ecbd0600691');
    expect(sodiumAead.open(key, nonce, buffer, ad)).to.deep.equal(plain);
  });

  it('opens nothing that was changed', () => {
    const bytes = (n: number): fc.Arbitrary<Uint8Array> =>
      fc.uint8Array({ minLength: n, maxLength: n });
    fc.assert(
      fc.property(
        bytes(32),
        bytes(12),
        fc.uint8Array({ maxLength: 200 }),
        fc.nat(),
        (key, nonce, plain, at) => {
          const buffer = new Uint8Array(plain.length + 16);
          buffer.set(plain);
          sodiumAead.seal(key, nonce, buffer, new Uint8Array(0));
          const index = at % buffer.length;
          buffer[index] = (buffer[index] ?? 0) ^ 1;
          expect(sodiumAead.open(key, nonce, buffer, new Uint8Array(0))).to.equal(undefined);
        },
      ),
    );
    expect(
      sodiumAead.open(
        new Uint8Array(32),
        new Uint8Array(12),
        new Uint8Array(15),
        new Uint8Array(0),
      ),
    ).to.equal(undefined);
  });

  it('speaks the same noise with the handed-in cipher and with its own', async () => {
    const [a, b] = await pair();
    expect(a.host.send(b.host.id, CHANNEL.data, new Uint8Array(200_000))).to.equal(true);
    await b.until(() => b.arrivals.length === 1, 'message between equal ciphers');
    // A rogue's transport uses noise's own cipher.
    const peer = await rogue(a);
    await peer.join();
    await a.until(() => a.peers.has(peer.id), 'joined with another cipher');
  });

  it('finds in the installed libp2p what it tunes', async () => {
    const a = await startHost('a');
    const peer = await rogue(a);
    const stream: Stream = await peer.open('votes');
    expect(updateWindowAtHalf(stream)).to.equal(true);
    const muxer: unknown = Reflect.get(peer.connection, 'muxer');
    const secured: unknown = Reflect.get(Object(muxer), 'maConn');
    expect(decodeWithoutThrowing(secured as Stream)).to.equal(true);
  });
});
