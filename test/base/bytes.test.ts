/**
 * Byte strings and their text forms.
 *
 * @module
 */
import { expect } from 'chai';
import fc from 'fast-check';
import {
  compareBytes,
  concatBytes,
  equalBytes,
  fromBase64,
  fromHex,
  fromUtf8,
  readU64be,
  toBase64,
  toHex,
  toUpperHex,
  u64be,
  utf8,
} from '../../node/src/base/bytes.ts';
import { hash160, sha256, sha256Truncated } from '../../node/src/base/hash.ts';
import { sha256 as nobleSha256 } from '../../node/src/base/hash-browser.ts';

const bytes = fc.uint8Array({ maxLength: 300 });

describe('byte strings', () => {
  it('have text forms that return them', () => {
    fc.assert(
      fc.property(bytes, (value) => {
        const buffer = Buffer.from(value);
        expect(toHex(value)).to.equal(buffer.toString('hex'));
        expect(toBase64(value)).to.equal(buffer.toString('base64'));
        expect(fromHex(toUpperHex(value))).to.deep.equal(value);
        expect(fromBase64(toBase64(value))).to.deep.equal(value);
      }),
    );
  });

  it('refuse text that is not canonical', () => {
    for (const bad of ['0', 'zz', '0x00', ' 00']) expect(fromHex(bad)).to.equal(undefined);
    for (const bad of ['A', 'AA', 'AB==', 'AAB=', 'A===', 'AA==\n', '__==', '=AAA']) {
      expect(fromBase64(bad), bad).to.equal(undefined);
    }
    expect(fromUtf8(new Uint8Array([0xff]))).to.equal(undefined);
    expect(fromUtf8(new Uint8Array([0xed, 0xa0, 0x80])), 'a surrogate').to.equal(undefined);
    expect(fromUtf8(utf8('\ufeffa'))).to.equal('\ufeffa');
  });

  it('compare as Buffers do', () => {
    fc.assert(
      fc.property(bytes, bytes, (a, b) => {
        expect(Math.sign(compareBytes(a, b))).to.equal(Buffer.compare(a, b));
        expect(equalBytes(a, b)).to.equal(Buffer.compare(a, b) === 0);
        expect(equalBytes(a, a.slice())).to.equal(true);
        expect(concatBytes(a, b)).to.deep.equal(new Uint8Array([...a, ...b]));
      }),
    );
  });

  it('hold whole numbers in eight bytes', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), bytes, (value, before) => {
        const joined = concatBytes(before, u64be(value));
        expect(readU64be(joined, before.length)).to.equal(value);
      }),
    );
  });

  it('hash alike in Node and in a browser', () => {
    fc.assert(
      fc.property(bytes, (value) => {
        expect(new Uint8Array(sha256(value))).to.deep.equal(nobleSha256(value));
      }),
    );
    expect(toHex(sha256(utf8('abc')))).to.equal(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    );
    expect(sha256Truncated(utf8('abc'))).to.have.length(20);
    expect(toHex(hash160(new Uint8Array(0)))).to.equal('b472a266d0bd89c13706a4132ccfb16f7c3b9fcb');
  });
});
