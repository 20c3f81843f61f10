/**
 * Every codec of the types: what is written is read back, and only canonical bytes are read.
 *
 * @module
 */
import { expect } from 'chai';
import fc, { type Arbitrary } from 'fast-check';
import { LedgerError } from '../../node/src/base/errors.ts';
import type { Codec } from '../../node/src/base/proto.ts';
import { errors as wireErrors } from '../../node/src/base/wire.ts';
import { bitArrayCodec } from '../../node/src/types/bit-array.ts';
import { blockCodec } from '../../node/src/types/block.ts';
import { blockIdCodec } from '../../node/src/types/block-id.ts';
import { commitCodec } from '../../node/src/types/commit.ts';
import { evidenceCodec } from '../../node/src/types/evidence.ts';
import { headerCodec } from '../../node/src/types/header.ts';
import { publicKeyCodec } from '../../node/src/types/keys.ts';
import {
  blocksyncMessageCodec,
  consensusMessageCodec,
  mempoolMessageCodec,
} from '../../node/src/types/messages.ts';
import { partCodec } from '../../node/src/types/part-set.ts';
import { execTxResultCodec } from '../../node/src/types/results.ts';
import { consensusParamsCodec, finalizeBlockResponseCodec } from '../../node/src/types/stored.ts';
import { timeCodec } from '../../node/src/types/time.ts';
import { validatorSetCodec } from '../../node/src/types/validators.ts';
import { proposalCodec, voteCodec } from '../../node/src/types/vote.ts';
import * as arbitrary from './arbitraries.ts';

/** A codec with its values; `masks` if it drops bits that its type cannot have. */
type Case = { readonly name: string; readonly masks: boolean; readonly run: () => void };

function caseOf<T>(codec: Codec<T>, values: Arbitrary<T>, masks = false): Case {
  const run = (): void => {
    fc.assert(
      fc.property(values, fc.nat(), fc.integer({ min: 1, max: 255 }), (value, at, flip) => {
        const encoded = codec.encode(value);
        expect(codec.decode(encoded)).to.deep.equal(value);
        if (encoded.length === 0) return;
        const place = at % encoded.length;
        encoded[place] = (encoded[place] ?? 0) ^ flip;
        expectCanonical(codec, encoded, masks);
      }),
      { numRuns: 150 },
    );
  };
  return { name: codec.name, masks, run };
}

function expectCanonical<T>(codec: Codec<T>, bytes: Uint8Array, masks: boolean): void {
  let value: T;
  try {
    value = codec.decode(bytes);
  } catch (thrown) {
    expect(LedgerError.is(thrown, wireErrors.Malformed), String(thrown)).to.equal(true);
    return;
  }
  const again = codec.encode(value);
  if (masks) expect(codec.encode(codec.decode(again))).to.deep.equal(again);
  else expect(again).to.deep.equal(bytes);
}

const cases: readonly Case[] = [
  caseOf(timeCodec, arbitrary.times),
  caseOf(blockIdCodec, arbitrary.blockIds),
  caseOf(publicKeyCodec, arbitrary.publicKeys),
  caseOf(voteCodec, arbitrary.votes),
  caseOf(proposalCodec, arbitrary.proposals),
  caseOf(commitCodec, arbitrary.commits),
  caseOf(headerCodec, arbitrary.headers),
  caseOf(validatorSetCodec, arbitrary.wireValidatorSets),
  caseOf(evidenceCodec, arbitrary.evidences),
  caseOf(blockCodec, arbitrary.blocks),
  caseOf(partCodec, arbitrary.parts),
  caseOf(bitArrayCodec, arbitrary.bitArrays, true),
  caseOf(consensusMessageCodec, arbitrary.consensusMessages, true),
  caseOf(blocksyncMessageCodec, arbitrary.blocksyncMessages),
  caseOf(
    mempoolMessageCodec(1000),
    fc.record({
      kind: fc.constant('txs' as const),
      value: fc.record({ txs: fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 5 }) }),
    }),
  ),
  caseOf(consensusParamsCodec, arbitrary.consensusParams),
  caseOf(execTxResultCodec, arbitrary.txResults),
  caseOf(finalizeBlockResponseCodec, arbitrary.finalizeBlockResponses),
];

describe('codecs', () => {
  for (const { name, run } of cases) {
    it(`${name}: round trip, and no second encoding of any value`, run);
  }

  it('are total for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expectCanonical(blockCodec, bytes, false);
        expectCanonical(consensusMessageCodec, bytes, true);
        expectCanonical(evidenceCodec, bytes, false);
      }),
      { numRuns: 300 },
    );
  });

  it('bound the size of a bit array by its words', () => {
    const lie = new Uint8Array([0x08, 0xc8, 0x01, 0x12, 0x01, 0x01]);
    expect(() => bitArrayCodec.decode(lie)).to.throw(/1 words for 200 bits/);
  });
});
