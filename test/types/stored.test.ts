/**
 * Storage codecs: round trips of chain state, parameters and results.
 *
 * @module
 */
import { expect } from 'chai';
import fc from 'fast-check';
import { LedgerError } from '../../node/src/base/errors.ts';
import { errors as wireErrors } from '../../node/src/base/wire.ts';
import { firstState } from '../../node/src/types/chain-state.ts';
import { DEFAULT_PARAMS } from '../../node/src/types/params.ts';
import type { FinalizeBlockResponse } from '../../node/src/types/results.ts';
import {
  chainStateCodec,
  consensusParamsCodec,
  durationCodec,
  finalizeBlockResponseCodec,
  lastSignedCodec,
  paramUpdatesCodec,
} from '../../node/src/types/stored.ts';
import { decodeResults, encodeResults } from '../../node/src/types/stored-results.ts';
import { refusedAs } from '../refusal.ts';
import { finalizeBlockResponses, txResults } from './arbitraries.ts';

const key = (fill: number) => ({ type: 'ed25519' as const, bytes: new Uint8Array(32).fill(fill) });

describe('storage codecs', () => {
  it('return the chain state they were given', () => {
    const start = firstState({
      chainId: 'chain',
      initialHeight: 1,
      time: 1_700_000_000_123_456_789n,
      validators: [
        { publicKey: key(1), power: 10n },
        { publicKey: key(2), power: 20n },
      ],
      params: DEFAULT_PARAMS,
      appHash: new Uint8Array(0),
    });
    const state = { ...start, lastHeight: 7, lastResultsHash: new Uint8Array(32).fill(3) };
    expect(chainStateCodec.decode(chainStateCodec.encode(state))).to.deep.equal(state);
  });

  it('keep absent parameter updates apart from zero ones', () => {
    const updates = { version: { app: 0 } };
    expect(paramUpdatesCodec.decode(paramUpdatesCodec.encode(updates))).to.deep.equal(updates);
    expect(paramUpdatesCodec.encode({})).to.have.length(0);
    expect(() => consensusParamsCodec.decode(paramUpdatesCodec.encode(updates))).to.throw(
      LedgerError,
      /part is missing/,
    );
  });

  it('return the answer to a block', () => {
    const response: FinalizeBlockResponse = {
      events: [{ type: 'a', attributes: [{ key: 'k', value: 'v', index: true }] }],
      txResults: [
        {
          code: 5,
          data: new Uint8Array([1]),
          log: 'l',
          info: '',
          gasWanted: -1,
          gasUsed: 9,
          events: [],
          codespace: 'sdk',
        },
      ],
      validatorUpdates: [{ publicKey: key(9), power: 0n }],
      paramUpdates: { block: { maxBytes: 5, maxGas: -1 } },
      appHash: new Uint8Array(32).fill(1),
    };
    const bytes = finalizeBlockResponseCodec.encode(response);
    expect(finalizeBlockResponseCodec.decode(bytes)).to.deep.equal(response);
    expect(decodeResults(encodeResults(response))).to.deep.equal(response);
  });

  it('return any results, texts said again included, and nothing of cut bytes', () => {
    fc.assert(
      fc.property(
        finalizeBlockResponses,
        fc.array(txResults, { maxLength: 5 }),
        (response, more) => {
          const all = { ...response, txResults: [...response.txResults, ...more, ...more] };
          const stored = encodeResults(all);
          expect(decodeResults(stored)).to.deep.equal(all);
          expect(() => decodeResults(stored.subarray(0, -1))).to.throw(LedgerError);
          expect(() => decodeResults(Uint8Array.of(...stored, 0))).to.throw(LedgerError);
        },
      ),
    );
  });

  it('hold durations of either sign and refuse mixed ones', async () => {
    for (const ns of [0n, 1n, -1n, 172_800_000_000_000n, -1_500_000_000n]) {
      expect(durationCodec.decode(durationCodec.encode(ns))).to.equal(ns);
    }
    const mixed = new Uint8Array([8, 1, 16, ...new Array<number>(9).fill(0xff), 1]);
    await refusedAs(() => durationCodec.decode(mixed), wireErrors.Malformed);
  });

  it('return the last signed vote', () => {
    const record = {
      height: 3,
      round: 0,
      step: 2,
      signBytes: new Uint8Array([1, 2]),
      signature: new Uint8Array(64).fill(7),
    };
    expect(lastSignedCodec.decode(lastSignedCodec.encode(record))).to.deep.equal(record);
  });
});
