/**
 * Ed25519: libsodium and the reference agree, ZIP 215 decides, slow checks are bounded.
 *
 * @module
 */
import { ed25519 } from '@noble/curves/ed25519.js';
import { expect } from 'chai';
import fc from 'fast-check';
import { concatBytes, fromHex, utf8 } from '../../node/src/base/bytes.ts';
import { present } from '../../node/src/base/errors.ts';
import { ed25519Key, fastAccepts } from '../../node/src/crypto/ed25519.ts';
import {
  createSignatureChecker,
  SLOW_CHECKS_PER_PEER,
  TokenBucket,
} from '../../node/src/crypto/signature-checker.ts';
import { zip215Accepts } from '../../node/src/crypto/zip215.ts';
import wycheproof from '../vectors/wycheproof/ed25519_test.json' with { type: 'json' };
import smallOrder from '../vectors/zip215-small-order.json' with { type: 'json' };

const hex = (text: string): Uint8Array => present(fromHex(text), 'hex');
const seeds = fc.uint8Array({ minLength: 32, maxLength: 32 });
const messages = fc.uint8Array({ maxLength: 200 });

/** Valid under ZIP 215 only: a small-order key signs everything. */
const SMALL = present(smallOrder.encodings[4], 'encoding');
/** Wycheproof has the verdicts of RFC 8032; here ZIP 215 takes an encoding of R that it refuses. */
const ZIP215_IS_WIDER: ReadonlySet<number> = new Set([151]);
const slowMessage = utf8('anything');
const slowKey = hex(SMALL);
const slowSignature = concatBytes(hex(SMALL), new Uint8Array(32));

describe('Ed25519', () => {
  it('signs as the reference does, byte for byte', () => {
    fc.assert(
      fc.property(seeds, messages, (seed, message) => {
        const key = ed25519Key(seed);
        expect(key.publicKey).to.deep.equal(ed25519.getPublicKey(seed));
        expect(key.sign(message)).to.deep.equal(ed25519.sign(message, seed));
      }),
      { numRuns: 30 },
    );
  });

  it('accepts at once what was signed, and after any change what the reference accepts', () => {
    const places = fc.nat({ max: 63 });
    fc.assert(
      fc.property(seeds, messages, places, fc.integer({ min: 1, max: 255 }), (s, m, at, flip) => {
        const key = ed25519Key(s);
        const signature = key.sign(m);
        expect(fastAccepts(key.publicKey, m, signature)).to.equal(true);
        expect(zip215Accepts(key.publicKey, m, signature)).to.equal(true);
        signature[at] = (signature[at] ?? 0) ^ flip;
        expect(fastAccepts(key.publicKey, m, signature)).to.equal(false);
        expect(zip215Accepts(key.publicKey, m, signature)).to.equal(false);
      }),
      { numRuns: 30 },
    );
  });

  it('gives the verdicts of Wycheproof, on the fast path and by the reference', () => {
    let seen = 0;
    for (const group of wycheproof.testGroups) {
      for (const { msg, sig, result, tcId } of group.tests) {
        const key = hex(group.publicKey.pk);
        const [message, signature] = [hex(msg), hex(sig)];
        const fast = signature.length === 64 && fastAccepts(key, message, signature);
        const valid = result === 'valid';
        const decided = zip215Accepts(key, message, signature);
        expect(decided, `case ${tcId}`).to.equal(valid || ZIP215_IS_WIDER.has(tcId));
        expect(fast, `case ${tcId} fast`).to.equal(valid);
        seen++;
      }
    }
    expect(seen).to.equal(wycheproof.numberOfTests);
  });

  it('accepts all 196 pairs of small-order encodings, as ZIP 215 demands', () => {
    const message = utf8(smallOrder.message);
    let fast = 0;
    for (const a of smallOrder.encodings) {
      for (const r of smallOrder.encodings) {
        const signature = concatBytes(hex(r), new Uint8Array(32));
        expect(zip215Accepts(hex(a), message, signature), `${a} ${r}`).to.equal(true);
        if (fastAccepts(hex(a), message, signature)) fast++;
      }
    }
    expect(smallOrder.encodings.length ** 2).to.equal(196);
    expect(fast, 'libsodium refuses small orders').to.equal(0);
  });

  it('is total for malformed input', () => {
    fc.assert(
      fc.property(messages, messages, messages, (key, message, signature) => {
        expect(zip215Accepts(key, message, signature)).to.equal(false);
      }),
    );
  });
});

describe('the signature checker', () => {
  it('answers at once on the fast path and later by ZIP 215', async () => {
    const checker = createSignatureChecker();
    const key = ed25519Key(new Uint8Array(32).fill(1));
    const message = utf8('vote');
    expect(checker.check(key.publicKey, message, key.sign(message))).to.equal(true);
    const slow = checker.check(slowKey, slowMessage, slowSignature);
    expect(slow).to.be.instanceOf(Promise);
    expect(await slow).to.equal(true);
    expect(await checker.check(key.publicKey, utf8('other'), key.sign(message))).to.equal(false);
    expect(checker.check(key.publicKey, message, new Uint8Array(3))).to.equal(false);
    await checker.close();
  });

  it('bounds what one peer may cause, and nobody else pays', async () => {
    const now = { ms: 0 };
    const checker = createSignatureChecker({ monotonicMs: () => now.ms });
    const from = (peer: string) => checker.checkFrom(peer)(slowKey, slowMessage, slowSignature);
    const answers = Array.from({ length: SLOW_CHECKS_PER_PEER }, () => from('greedy'));
    expect(await Promise.all(answers)).to.deep.equal(answers.map(() => true));
    expect(from('greedy')).to.equal(undefined);
    expect(await from('modest')).to.equal(true);
    expect(await checker.check(slowKey, slowMessage, slowSignature)).to.equal(true);
    now.ms += 1000 / SLOW_CHECKS_PER_PEER;
    expect(await from('greedy')).to.equal(true);
    expect(from('greedy')).to.equal(undefined);
    await checker.close();
  });

  it('still decides when its worker has ended', async () => {
    const checker = createSignatureChecker();
    expect(await checker.check(slowKey, slowMessage, slowSignature)).to.equal(true);
    await checker.close();
    expect(await checker.check(slowKey, slowMessage, slowSignature)).to.equal(true);
    await checker.close();
  });

  it('refills its buckets by time only', () => {
    const bucket = new TokenBucket(2, 0);
    expect([bucket.take(0), bucket.take(0), bucket.take(0)]).to.deep.equal([true, true, false]);
    expect(bucket.waitMs(0)).to.equal(500);
    expect(bucket.take(499)).to.equal(false);
    expect(bucket.take(500)).to.equal(true);
    expect(bucket.waitMs(100_000)).to.equal(0);
  });
});
