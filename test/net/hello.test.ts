/**
 * Control messages as bytes, and reasons as text.
 *
 * @module
 */
import { expect } from 'chai';
import fc from 'fast-check';
import { equalBytes, utf8 } from '../../node/src/base/bytes.ts';
import { LedgerError } from '../../node/src/base/errors.ts';
import { type Control, controlCodec, readReason, writeReason } from '../../node/src/net/hello.ts';

const text = (max: number): fc.Arbitrary<string> =>
  fc.string({ unit: 'grapheme-ascii', maxLength: max });
const hello: fc.Arbitrary<Control> = fc.record({
  kind: fc.constant('hello' as const),
  value: fc.record({
    nodeInfo: fc.record({
      protocolVersion: fc.record({ p2p: fc.nat(), block: fc.nat(), app: fc.nat() }),
      id: text(64),
      listenAddr: text(64),
      network: text(50),
      version: text(20),
      channels: fc.uint8Array({ maxLength: 16 }),
      moniker: text(50),
      other: fc.record({ txIndex: text(8), rpcAddress: text(60) }),
    }),
    genesisHash: fc.uint8Array({ maxLength: 32 }),
  }),
});

describe('net: control messages', () => {
  it('read back as they were written', () => {
    fc.assert(
      fc.property(hello, (control) => {
        expect(controlCodec.decode(controlCodec.encode(control))).to.deep.equal(control);
      }),
    );
  });

  it('are refused with a declared error, or are canonical, when a byte changes', () => {
    fc.assert(
      fc.property(hello, fc.nat(), fc.integer({ min: 1, max: 255 }), (control, at, flip) => {
        const bytes = controlCodec.encode(control);
        const index = at % bytes.length;
        bytes[index] = (bytes[index] ?? 0) ^ flip;
        try {
          expect(equalBytes(controlCodec.encode(controlCodec.decode(bytes)), bytes)).to.equal(true);
        } catch (thrown) {
          if (!(thrown instanceof LedgerError)) throw thrown;
          expect(thrown.space).to.equal('codec');
        }
      }),
    );
  });

  it('show a told reason as one printable line', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 256 }), (bytes) => {
        expect(readReason(bytes)).to.match(/^[\x20-\x7e]+$/);
      }),
    );
    expect(readReason(writeReason('x'.repeat(1_000)))).to.have.length(256);
    expect(readReason(utf8('two\nlines'))).to.equal('two?lines');
  });
});
