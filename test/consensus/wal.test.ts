/**
 * Records of the log: every input comes back, and changed bytes are refused.
 *
 * @module
 */
import { expect } from 'chai';
import fc from 'fast-check';
import { decodeInput, encodeInput } from '../../node/consensus/wal.ts';
import { LedgerError } from '../../node/src/base/errors.ts';
import { anyInput } from './any-input.ts';

describe('write-ahead log records', () => {
  it('gives every input back', () => {
    fc.assert(
      fc.property(anyInput, (input) => {
        expect(decodeInput(encodeInput(input))).to.deep.equal(input);
      }),
      { numRuns: 500 },
    );
  });

  it('refuses changed bytes, or reads them as another input with those very bytes', () => {
    fc.assert(
      fc.property(anyInput, fc.nat(), fc.integer({ min: 1, max: 255 }), (input, at, flip) => {
        const bytes = encodeInput(input);
        bytes[at % bytes.length] = (bytes[at % bytes.length] as number) ^ flip;
        try {
          expect(decodeInput(bytes)).to.not.deep.equal(input);
        } catch (thrown) {
          expect(thrown).to.be.instanceOf(LedgerError);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('refuses cut and empty records', () => {
    fc.assert(
      fc.property(anyInput, fc.nat(), (input, at) => {
        const bytes = encodeInput(input);
        const cut = bytes.subarray(0, at % bytes.length);
        expect(() => decodeInput(cut)).to.throw(LedgerError);
      }),
    );
  });
});
