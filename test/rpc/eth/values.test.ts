/**
 * Quantities, data, parameters and names of blocks: what is taken, what is refused, and how.
 *
 * @module
 */
import { expect } from 'chai';
import fc from 'fast-check';
import { LedgerError } from '../../../node/src/base/errors.ts';
import { errors } from '../../../node/src/rpc/eth/errors.ts';
import { Params, readBlockRef } from '../../../node/src/rpc/eth/params.ts';
import {
  data,
  quantity,
  readAddress,
  readBig,
  readData,
  readNumber,
  readSlot,
  readUint64,
} from '../../../node/src/rpc/eth/values.ts';

function refusal(work: () => unknown): string {
  try {
    work();
  } catch (thrown) {
    if (LedgerError.is(thrown, errors.BadParams)) return thrown.message;
    throw thrown;
  }
  return expect.fail('nothing was refused');
}

describe('rpc/eth values', () => {
  it('reads back what it writes', () => {
    fc.assert(
      fc.property(fc.bigInt(0n, 2n ** 256n - 1n), (value) => {
        expect(readBig(quantity(value))).to.equal(value);
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(readData(data(bytes))).to.deep.equal(bytes);
      }),
    );
  });

  it('refuses quantities that geth refuses', () => {
    const cases: readonly (readonly [value: unknown, reason: RegExp])[] = [
      [1, /not a string/],
      ['', /without 0x prefix/],
      ['12', /without 0x prefix/],
      ['0x', /hex string "0x"/],
      ['0x01', /leading zero digits/],
      ['0xg', /invalid hex string/],
      [`0x1${'00'.repeat(32)}`, /> 256 bits/],
    ];
    for (const [value, reason] of cases) expect(refusal(() => readBig(value))).to.match(reason);
    expect(refusal(() => readUint64('0x10000000000000000'))).to.match(/> 64 bits/);
    expect(refusal(() => readNumber('0x20000000000000'))).to.match(/> 53 bits/);
    expect(readBig('0x0')).to.equal(0n);
  });

  it('refuses data that geth refuses', () => {
    expect(refusal(() => readData('0x1'))).to.match(/odd length/);
    expect(refusal(() => readAddress('0x12'))).to.match(/length 2, want 40/);
    expect(data(readSlot('0x1'))).to.equal(`0x${'00'.repeat(31)}01`);
    expect(refusal(() => readSlot(`0x${'0'.repeat(65)}`))).to.match(/too long/);
  });

  it('names missing, malformed and superfluous parameters by their place', () => {
    expect(refusal(() => new Params({}, 1))).to.equal('non-array args');
    expect(refusal(() => new Params([1, 2], 1))).to.equal('too many arguments, want at most 1');
    const params = new Params(['0x', null], 2);
    expect(refusal(() => params.at(1, readBig))).to.equal('missing value for required argument 1');
    expect(refusal(() => params.at(0, readBig))).to.match(/^invalid argument 0: /);
    expect(params.maybe(1, readBig)).to.equal(undefined);
  });

  it('reads blocks by tag, number, hash and object, and never fails otherwise', () => {
    const hash = `0x${'ab'.repeat(32)}`;
    expect(readBlockRef('safe')).to.deep.equal({ kind: 'tag', tag: 'safe' });
    expect(readBlockRef('0x10')).to.deep.equal({ kind: 'number', number: 16 });
    expect(readBlockRef(hash)).to.deep.include({ kind: 'hash' });
    expect(readBlockRef({ blockHash: hash, requireCanonical: true })).to.include({ kind: 'hash' });
    expect(refusal(() => readBlockRef({ blockHash: hash, blockNumber: '0x1' }))).to.match(/both/);
    expect(refusal(() => readBlockRef({}))).to.match(/neither/);
    fc.assert(
      fc.property(fc.anything(), (value) => {
        try {
          readBlockRef(value);
        } catch (thrown) {
          if (!LedgerError.is(thrown, errors.BadParams)) throw thrown;
        }
      }),
    );
  });
});
