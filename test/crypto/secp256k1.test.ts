/**
 * secp256k1: the native library and the reference accept the same; Wycheproof's verdicts hold.
 *
 * @module
 */
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { expect } from 'chai';
import fc from 'fast-check';
import { fromHex, toHex } from '../../node/src/base/bytes.ts';
import { present } from '../../node/src/base/errors.ts';
import { hash160, sha256 } from '../../node/src/base/hash.ts';
import {
  NATIVE,
  recoverByReference,
  recoverSecp256k1,
  uncompressByReference,
  uncompressSecp256k1,
  verifyByReference,
  verifySecp256k1,
} from '../../node/src/crypto/secp256k1.ts';
import wycheproof from '../vectors/wycheproof/ecdsa_secp256k1_sha256_bitcoin_test.json' with {
  type: 'json',
};

const hex = (text: string): Uint8Array => present(fromHex(text), 'hex');
const secrets = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .filter((bytes) => secp256k1.utils.isValidSecretKey(bytes));

/** The 64-byte form of a DER signature, if its DER is strict. */
function compact(der: Uint8Array): Uint8Array | undefined {
  try {
    return secp256k1.Signature.fromBytes(der, 'der').toBytes('compact');
  } catch {
    return undefined;
  }
}

describe('secp256k1', () => {
  it('has its native library on this machine', () => {
    expect(NATIVE).to.equal(true);
  });

  it('gives the verdicts of Wycheproof, natively and by the reference', () => {
    const accepted = { native: 0, reference: 0 };
    for (const group of wycheproof.testGroups) {
      const point = secp256k1.Point.fromHex(group.publicKey.uncompressed);
      const key = point.toBytes(true);
      for (const { msg, sig, result, tcId } of group.tests) {
        const signature = compact(hex(sig));
        if (signature === undefined) {
          expect(result, `case ${tcId} is malformed DER`).to.equal('invalid');
          continue;
        }
        const digest = sha256(hex(msg));
        const expected = result === 'valid';
        const native = verifySecp256k1(key, digest, signature);
        const reference = verifyByReference(key, digest, signature);
        expect([native, reference], `case ${tcId}`).to.deep.equal([expected, expected]);
        accepted.native += Number(native);
        accepted.reference += Number(reference);
      }
    }
    expect(accepted).to.deep.equal({ native: 162, reference: 162 });
  });

  it('agrees with the reference, whatever was changed', () => {
    const flips = fc.record({ at: fc.nat({ max: 63 }), by: fc.nat({ max: 255 }) });
    fc.assert(
      fc.property(secrets, fc.uint8Array(), flips, (secret, message, { at, by }) => {
        const digest = sha256(message);
        const key = secp256k1.getPublicKey(secret, true);
        const signature = secp256k1.sign(digest, secret, { prehash: false, lowS: true });
        expect(verifySecp256k1(key, digest, signature)).to.equal(true);
        signature[at] = (signature[at] ?? 0) ^ by;
        const verdict = verifyByReference(key, digest, signature);
        expect(verifySecp256k1(key, digest, signature)).to.equal(verdict);
        expect(verdict).to.equal(by === 0);
      }),
      { numRuns: 30 },
    );
  });

  it('refuses the high s of a valid signature, and other forms of the key', () => {
    const secret = new Uint8Array(32).fill(7);
    const digest = sha256(new Uint8Array([1]));
    const signature = secp256k1.sign(digest, secret, { prehash: false, lowS: true });
    const { r, s } = secp256k1.Signature.fromBytes(signature, 'compact');
    const order = secp256k1.Point.Fn.ORDER;
    const high = new secp256k1.Signature(r, order - s).toBytes('compact');
    const key = secp256k1.getPublicKey(secret, true);
    for (const verify of [verifySecp256k1, verifyByReference]) {
      expect(verify(key, digest, signature)).to.equal(true);
      expect(verify(key, digest, high)).to.equal(false);
      expect(verify(secp256k1.getPublicKey(secret, false), digest, signature)).to.equal(false);
      expect(verify(key, digest.subarray(1), signature)).to.equal(false);
      expect(verify(new Uint8Array(33), digest, signature)).to.equal(false);
    }
  });

  it('recovers who signed, natively and by the reference, whatever was changed', () => {
    const flips = fc.record({ at: fc.nat({ max: 63 }), by: fc.nat({ max: 255 }) });
    fc.assert(
      fc.property(secrets, fc.uint8Array(), flips, (secret, message, { at, by }) => {
        const digest = sha256(message);
        const options = { prehash: false, format: 'recovered' } as const;
        const signed = secp256k1.sign(digest, secret, options);
        const [recovery = 0, signature] = [signed[0], signed.slice(1)];
        const key = secp256k1.getPublicKey(secret, false);
        expect(recoverSecp256k1(digest, signature, recovery)).to.deep.equal(key);
        const compressed = secp256k1.getPublicKey(secret, true);
        expect(uncompressSecp256k1(compressed)).to.deep.equal(key);
        signature[at] = (signature[at] ?? 0) ^ by;
        compressed[1 + (at % 32)] = (compressed[1 + (at % 32)] ?? 0) ^ by;
        for (const parity of [0, 1, 2, -1, 0.5]) {
          const expected = recoverByReference(digest, signature, parity);
          expect(recoverSecp256k1(digest, signature, parity)).to.deep.equal(expected);
        }
        const expected = uncompressByReference(compressed);
        expect(uncompressSecp256k1(compressed)).to.deep.equal(expected);
      }),
      { numRuns: 25 },
    );
    expect(recoverSecp256k1(new Uint8Array(31), new Uint8Array(64), 0)).to.equal(undefined);
    expect(uncompressSecp256k1(new Uint8Array(33))).to.equal(undefined);
    expect(uncompressSecp256k1(new Uint8Array(65))).to.equal(undefined);
  });

  // CometBFT crypto/secp256k1/secp256k1_test.go, secpDataTable.
  it('derives the address of CometBFT', () => {
    const secret = hex('a96e62ed3955e65be32703f12d87b6b5cf26039ecfa948dc5107a495418e5330');
    const key = secp256k1.getPublicKey(secret, true);
    expect(toHex(key)).to.equal(
      '02950e1cdfcb133d6024109fd489f734eeb4502418e538c28481f22bce276f248c',
    );
    expect(toHex(hash160(key))).to.equal('7c2bb42a8be69791ec763e51f5a49bcd41e82237');
  });
});
