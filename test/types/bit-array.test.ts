/**
 * Bit arrays against a list of booleans.
 *
 * @module
 */
import { expect } from 'chai';
import fc from 'fast-check';
import { BitArray } from '../../node/src/types/bit-array.ts';

const flagLists = fc.array(fc.boolean(), { maxLength: 150 });

function bitsOf(flags: readonly boolean[]): BitArray {
  const bits = new BitArray(flags.length);
  for (const [index, flag] of flags.entries()) bits.set(index, flag);
  return bits;
}

const flagsOf = (bits: BitArray): boolean[] =>
  Array.from({ length: bits.size }, (_, index) => bits.get(index));

describe('bit arrays', () => {
  it('behave as lists of booleans', () => {
    fc.assert(
      fc.property(flagLists, flagLists, (a, b) => {
        const [x, y] = [bitsOf(a), bitsOf(b)];
        expect(flagsOf(x)).to.deep.equal(a);
        expect(flagsOf(x.or(y))).to.deep.equal(a.map((flag, i) => flag || (b[i] ?? false)));
        expect(flagsOf(x.minus(y))).to.deep.equal(a.map((flag, i) => flag && !(b[i] ?? false)));
        expect(x.count()).to.equal(a.filter(Boolean).length);
        expect(x.full).to.equal(a.every(Boolean));
        expect(x.toString()).to.equal(a.map((flag) => (flag ? 'x' : '_')).join(''));
      }),
    );
  });

  it('drop bits beyond their size, whatever the words say', () => {
    fc.assert(
      fc.property(fc.nat({ max: 130 }), (size) => {
        const words = [1n, 2n, 3n].map(() => (1n << 64n) - 1n);
        const bits = BitArray.ofWords(size, words);
        expect(bits.count()).to.equal(size);
        expect(bits.get(size)).to.equal(false);
        expect(bits.or(new BitArray(0)).count()).to.equal(size);
      }),
    );
  });

  it('ignore positions outside', () => {
    const bits = new BitArray(9);
    bits.set(9, true);
    bits.set(-1, true);
    expect(bits.count()).to.equal(0);
    expect(bits.get(-1) || bits.get(100)).to.equal(false);
  });
});
