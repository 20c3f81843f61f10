/**
 * Bech32 against the vectors of BIP 173 and its own round trip.
 *
 * @module
 */
import { expect } from 'chai';
import fc from 'fast-check';
import { decodeBech32, encodeBech32, isBech32Prefix } from '../../node/src/base/bech32.ts';
import { equalBytes, fromHex, toHex } from '../../node/src/base/bytes.ts';

describe('bech32', () => {
  it('reads the valid strings of BIP 173 that hold whole bytes', () => {
    const long = `abcdef1${'qpzry9x8gf2tvdw0s3jn54khce6mua7l'}mqqqxw`;
    expect(toHex(decodeBech32(long)?.bytes ?? new Uint8Array(0))).to.equal(
      '00443214c74254b635cf84653a56d7c675be77df',
    );
    expect(decodeBech32('A12UEL5L')).to.deep.equal({ prefix: 'a', bytes: new Uint8Array(0) });
    expect(
      encodeBech32(
        'abcdef',
        fromHex('00443214c74254b635cf84653a56d7c675be77df') ?? new Uint8Array(0),
      ),
    ).to.equal(long);
  });

  it('refuses the invalid strings of BIP 173', () => {
    const invalid = [
      ' 1nwldj5',
      '\x7f1axkwrx',
      '\x801eym55h',
      'pzry9x0s0muk',
      '1pzry9x0s0muk',
      'x1b4n0q5v',
      'li1dgmt3',
      'de1lg7wt\xff',
      'A1G7SGD8',
      '10a06t8',
      '1qzzfhee',
      'a12UEL5L',
    ];
    for (const text of invalid) expect(decodeBech32(text), text).to.equal(undefined);
  });

  it('reads what it writes, and nothing with a character changed', () => {
    const prefix = fc.stringMatching(/^[a-z]{1,20}$/);
    fc.assert(
      fc.property(prefix, fc.uint8Array({ maxLength: 40 }), fc.nat(), (hrp, bytes, at) => {
        expect(isBech32Prefix(hrp)).to.equal(true);
        const text = encodeBech32(hrp, bytes);
        const read = decodeBech32(text);
        expect(read?.prefix).to.equal(hrp);
        expect(equalBytes(read?.bytes ?? new Uint8Array(1), bytes)).to.equal(true);
        const i = at % text.length;
        const other = text[i] === 'q' ? 'p' : 'q';
        expect(decodeBech32(text.slice(0, i) + other + text.slice(i + 1))?.prefix).to.not.equal(
          hrp,
        );
      }),
    );
  });
});
