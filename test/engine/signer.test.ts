/**
 * The double-sign guard: every row of its table, and that it holds for any sequence of requests.
 *
 * @module
 */
import { expect } from 'chai';
import fc from 'fast-check';
import { equalBytes, toHex } from '../../node/src/base/bytes.ts';
import { sha256 } from '../../node/src/base/hash.ts';
import type { GuardRecord, GuardStore } from '../../node/src/engine/ports.ts';
import { Signer } from '../../node/src/engine/signer.ts';
import type { BlockId } from '../../node/src/types/block-id.ts';
import { VOTE_TYPE, type Vote, voteSignBytes } from '../../node/src/types/vote.ts';
import { Keyring } from '../sim/keys.ts';

const ring = new Keyring(7, 1);
const key = ring.keys[0];

function blockId(n: number): BlockId {
  const hash = sha256(Uint8Array.of(n));
  return { hash, partSetHeader: { total: 1, hash } };
}

function vote(fields: Partial<Vote>): Omit<Vote, 'signature'> {
  return {
    type: VOTE_TYPE.prevote,
    height: 5,
    round: 0,
    blockId: blockId(1),
    timestamp: 1_000n,
    validatorAddress: key?.address ?? new Uint8Array(20),
    validatorIndex: 0,
    ...fields,
  };
}

class Guard implements GuardStore {
  record: GuardRecord | undefined;
  load(): GuardRecord | undefined {
    return this.record;
  }
  save(record: GuardRecord): Promise<void> {
    this.record = record;
    return Promise.resolve();
  }
}

function signer(guard: GuardStore): Signer {
  if (key === undefined) throw new TypeError('no key');
  return new Signer('chain', key, guard);
}

describe('engine: signer', () => {
  it('signs what is newer, and gives the same again for the same', async () => {
    const guard = new Guard();
    const first = await signer(guard).signVote(vote({}));
    expect(first).to.not.equal(undefined);
    expect(await signer(guard).signVote(vote({}))).to.deep.equal(first);
    const signed =
      first &&
      ring.check(
        key?.publicKey ?? new Uint8Array(),
        voteSignBytes('chain', first),
        first.signature,
      );
    expect(signed).to.equal(true);
  });

  it('gives the old signature and the old time if only the time differs', async () => {
    const guard = new Guard();
    const first = await signer(guard).signVote(vote({ timestamp: 1_000n }));
    const again = await signer(guard).signVote(vote({ timestamp: 9_999_999_999n }));
    expect(again).to.deep.equal(first);
    const proposal = {
      type: VOTE_TYPE.proposal,
      height: 6,
      round: 0,
      polRound: -1,
      blockId: blockId(1),
      timestamp: 5n,
    };
    const made = await signer(guard).signProposal(proposal);
    expect(await signer(guard).signProposal({ ...proposal, timestamp: 77n })).to.deep.equal(made);
  });

  it('refuses another block, a lower round, a lower height and an earlier step', async () => {
    const guard = new Guard();
    const sign = (fields: Partial<Vote>): Promise<Vote | undefined> =>
      signer(guard).signVote(vote(fields));
    expect(await sign({ round: 2, type: VOTE_TYPE.precommit })).to.not.equal(undefined);
    expect(await sign({ round: 2, type: VOTE_TYPE.precommit, blockId: blockId(2) })).to.equal(
      undefined,
    );
    expect(await sign({ round: 2, type: VOTE_TYPE.prevote })).to.equal(undefined);
    expect(await sign({ round: 1, type: VOTE_TYPE.precommit })).to.equal(undefined);
    expect(await sign({ height: 4, round: 9 })).to.equal(undefined);
    expect(await sign({ round: 3 })).to.not.equal(undefined);
  });

  it('signs nothing at a height whose signatures nobody remembers asking for', async () => {
    const guard = new Guard();
    await signer(guard).signVote(vote({ type: VOTE_TYPE.precommit }));
    const forgetful = signer(guard);
    forgetful.requireAsked(5, []);
    expect(await forgetful.signVote(vote({ round: 1 }))).to.equal(undefined);
    expect(await forgetful.signVote(vote({ height: 6 }))).to.not.equal(undefined);
    const mindful = signer(guard);
    mindful.requireAsked(6, [{ round: 0, type: VOTE_TYPE.prevote }]);
    expect(await mindful.signVote(vote({ height: 6, round: 1 }))).to.not.equal(undefined);
  });

  it('goes on where nothing could be locked, but signs nothing else', async () => {
    const guard = new Guard();
    const first = await signer(guard).signVote(vote({}));
    const forgetful = signer(guard);
    forgetful.requireAsked(5, []);
    expect(await forgetful.signVote(vote({ blockId: blockId(2) }))).to.deep.equal(first);
    expect(await forgetful.signVote(vote({}))).to.deep.equal(first);
    expect(await forgetful.signVote(vote({ type: VOTE_TYPE.precommit }))).to.not.equal(undefined);
    const later = signer(guard);
    await later.signVote(vote({ height: 6, round: 1 }));
    later.requireAsked(6, []);
    expect(await later.signVote(vote({ height: 6, round: 2 }))).to.equal(undefined);
  });

  it('signs nothing in a place whose record it cannot read', async () => {
    const strange = Uint8Array.of(2, 8, 1);
    for (const type of [VOTE_TYPE.prevote, VOTE_TYPE.precommit]) {
      const guard = new Guard();
      await signer(guard).signVote(vote({ type }));
      const record = guard.record && { ...guard.record, signBytes: strange };
      guard.record = record;
      for (const fields of [{ type }, { type, blockId: blockId(2) }]) {
        expect(await signer(guard).signVote(vote(fields))).to.equal(undefined);
      }
      expect(guard.record).to.equal(record);
    }
  });

  it('never makes two signatures for one place, whatever is asked, over restarts', async () => {
    const request = fc.record({
      height: fc.integer({ min: 1, max: 3 }),
      round: fc.integer({ min: 0, max: 2 }),
      type: fc.constantFrom(VOTE_TYPE.prevote, VOTE_TYPE.precommit),
      block: fc.integer({ min: 0, max: 2 }),
      time: fc.bigInt({ min: 0n, max: 5_000_000_000n }),
      restart: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(request, { maxLength: 40 }), async (requests) => {
        const guard = new Guard();
        let current = signer(guard);
        const made = new Map<string, Uint8Array>();
        for (const { height, round, type, block, time, restart } of requests) {
          if (restart) current = signer(guard);
          const unsigned = vote({ height, round, type, blockId: blockId(block), timestamp: time });
          const signed = await current.signVote(unsigned);
          if (signed === undefined) continue;
          const place = `${height}/${round}/${type}`;
          const before = made.get(place);
          expect(before === undefined || equalBytes(before, signed.signature)).to.equal(true);
          made.set(place, signed.signature);
          const bytes = voteSignBytes('chain', signed);
          expect(toHex(key?.sign(bytes) ?? new Uint8Array())).to.equal(toHex(signed.signature));
        }
      }),
      { numRuns: 200 },
    );
  });
});
