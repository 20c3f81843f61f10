/**
 * Remembered texts: always what decoding the bytes gives.
 *
 * @module
 */
import { expect } from 'chai';
import fc from 'fast-check';
import { fromUtf8, utf8 } from '../../node/src/base/bytes.ts';
import { termAt } from '../../node/src/base/terms.ts';

describe('terms', () => {
  it('are the texts of their bytes, whatever came before', () => {
    const piece = fc.oneof(
      fc.constantFrom('ab', 'ba', 'metatron1q', 'ä').map(utf8),
      fc.uint8Array({ maxLength: 80 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), fc.nat(3), (pieces, pad) => {
        for (const bytes of pieces) {
          const around = new Uint8Array(bytes.length + 2 * pad).fill(0xff);
          around.set(bytes, pad);
          expect(termAt(around, pad, pad + bytes.length)).to.equal(fromUtf8(bytes));
        }
      }),
    );
  });
});
