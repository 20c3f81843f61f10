/**
 * Counting votes: thresholds, equivocation, claims, bounds, and commits.
 *
 * @module
 */
import { expect } from 'chai';
import fc from 'fast-check';
import { commitOf, voteSetOf } from '../../node/consensus/commit.ts';
import {
  addHeightVote,
  claimHeightMajority,
  emptyHeightVotes,
  MAX_CATCHUP_ROUNDS,
  openRounds,
  votesOf,
} from '../../node/consensus/height-votes.ts';
import {
  addVote,
  claimMajority,
  emptyVoteSet,
  hasQuorum,
  MAX_CLAIMS_PER_SET,
  type VoteSet,
  voteBits,
  voteBitsFor,
} from '../../node/consensus/vote-set.ts';
import type { BlockId } from '../../node/src/types/block-id.ts';
import { quorum } from '../../node/src/types/validators.ts';
import { id, nil, PRECOMMIT, PREVOTE, validatorSet, voteBy } from './world.ts';

const FOUR = validatorSet([10n, 10n, 10n, 10n]);
const A = id('A');
const B = id('B');

function prevoteSet(): VoteSet {
  return emptyVoteSet(1, 0, PREVOTE, FOUR);
}

function add(set: VoteSet, index: number, blockId: BlockId, salt = ''): ReturnType<typeof addVote> {
  return addVote(set, voteBy(FOUR, index, PREVOTE, 1, 0, blockId, salt));
}

function addAll(votes: readonly (readonly [number, BlockId])[]): VoteSet {
  return votes.reduce((set, [index, blockId]) => add(set, index, blockId).set, prevoteSet());
}

describe('vote set', () => {
  it('reaches a majority with more than two thirds, not with two thirds', () => {
    const six = validatorSet([1n, 1n, 1n, 1n, 1n, 1n]);
    let set = emptyVoteSet(1, 0, PREVOTE, six);
    for (let i = 0; i < 4; i++) set = addVote(set, voteBy(six, i, PREVOTE, 1, 0, A)).set;
    expect(set.majority).to.equal(undefined);
    expect(hasQuorum(set)).to.equal(false);
    set = addVote(set, voteBy(six, 4, PREVOTE, 1, 0, A)).set;
    expect(set.majority).to.deep.equal(A);
  });

  it('counts two thirds of anything without a majority', () => {
    const set = addAll([
      [0, A],
      [1, B],
      [2, nil],
    ]);
    expect(hasQuorum(set)).to.equal(true);
    expect(set.majority).to.equal(undefined);
  });

  it('weighs by power', () => {
    const set = validatorSet([70n, 10n, 10n, 10n]);
    const heavy = set.validators.findIndex((v) => v.power === 70n);
    const votes = addVote(
      emptyVoteSet(1, 0, PREVOTE, set),
      voteBy(set, heavy, PREVOTE, 1, 0, A),
    ).set;
    expect(votes.majority).to.deep.equal(A);
  });

  it('ignores a known vote, and another signature over the same content', () => {
    const { set } = add(prevoteSet(), 0, A);
    expect(add(set, 0, A).set).to.equal(set);
    const again = add(set, 0, A, 'another signature');
    expect(again.set).to.equal(set);
    expect(again.conflict).to.equal(undefined);
  });

  it('refuses votes of another height, round, type, index or address', () => {
    const set = prevoteSet();
    const wrong = [
      voteBy(FOUR, 0, PREVOTE, 2, 0, A),
      voteBy(FOUR, 0, PREVOTE, 1, 1, A),
      voteBy(FOUR, 0, PRECOMMIT, 1, 0, A),
      voteBy(FOUR, 4, PREVOTE, 1, 0, A),
      { ...voteBy(FOUR, 0, PREVOTE, 1, 0, A), validatorIndex: 1 },
    ];
    for (const vote of wrong) expect(addVote(set, vote).set).to.equal(set);
  });

  it('reports an equivocation once and does not count it', () => {
    const { set } = add(prevoteSet(), 0, A);
    const first = add(set, 0, B);
    expect(first.added).to.equal(false);
    expect(first.conflict?.blockId).to.deep.equal(A);
    expect(first.set.sum).to.equal(10n);
    const second = add(first.set, 0, nil);
    expect(second.conflict).to.equal(undefined);
    expect(second.set).to.deep.equal(first.set);
  });

  it('counts a conflicting vote for a block that a peer claims', () => {
    // Validator 0 told us B, and told the others A: the claim lets A reach its majority here.
    const split = addAll([
      [0, B],
      [1, A],
      [2, A],
    ]);
    expect(add(split, 0, A).set.majority).to.equal(undefined);
    const claimed = claimMajority(split, 'peer', A).set;
    const { set, added } = add(claimed, 0, A);
    expect(added).to.equal(true);
    expect(set.majority).to.deep.equal(A);
    expect(set.sum).to.equal(30n);
    expect(set.votes[0]?.blockId).to.deep.equal(A);
  });

  it('keeps the first majority for good', () => {
    let set = addAll([
      [0, A],
      [1, A],
      [2, A],
    ]);
    set = claimMajority(set, 'peer', B).set;
    for (const index of [0, 1, 2, 3]) set = add(set, index, B).set;
    expect(set.majority).to.deep.equal(A);
    expect(set.votes.slice(0, 3).map((v) => v?.blockId)).to.deep.equal([A, A, A]);
  });

  it('finds a peer out that claims two majorities', () => {
    const first = claimMajority(prevoteSet(), 'peer', A);
    expect(first.lie).to.equal(false);
    expect(claimMajority(first.set, 'peer', A)).to.deep.equal({ set: first.set, lie: false });
    expect(claimMajority(first.set, 'peer', B)).to.deep.equal({ set: first.set, lie: true });
  });

  it('keeps a bounded number of claims', () => {
    let set = prevoteSet();
    for (let i = 0; i < MAX_CLAIMS_PER_SET + 10; i++) {
      set = claimMajority(set, `peer ${i}`, id(`block ${i}`)).set;
    }
    expect(set.claims.size).to.equal(MAX_CLAIMS_PER_SET);
  });

  it('tells which votes are here, in all and for a block', () => {
    const set = addAll([
      [0, A],
      [2, B],
    ]);
    expect(voteBits(set).toString()).to.equal('x_x_');
    expect(voteBitsFor(set, B).toString()).to.equal('__x_');
    expect(voteBitsFor(set, nil).toString()).to.equal('____');
  });

  it('the majority does not depend on the order of votes without equivocation', () => {
    const ballot = fc.array(fc.constantFrom(A, B, nil), { minLength: 4, maxLength: 4 });
    const order = fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 });
    fc.assert(
      fc.property(ballot, order, (ballots, indexes) => {
        const straight = addAll(ballots.map((blockId, i) => [i, blockId] as const));
        const shuffled = addAll(indexes.map((i) => [i, ballots[i] ?? nil] as const));
        expect(shuffled.majority).to.deep.equal(straight.majority);
        expect(shuffled.sum).to.equal(straight.sum);
        expect(shuffled.votes).to.deep.equal(straight.votes);
      }),
    );
  });

  it('a majority always has its quorum, whatever equivocators and claimants do', () => {
    const action = fc.record({
      index: fc.nat(4),
      block: fc.constantFrom(A, B, nil),
      claim: fc.option(fc.constantFrom('p', 'q', 'r')),
    });
    fc.assert(
      fc.property(fc.array(action, { maxLength: 30 }), (actions) => {
        let set = prevoteSet();
        for (const { index, block, claim } of actions) {
          set = claim === null ? add(set, index, block).set : claimMajority(set, claim, block).set;
          const powers = set.votes.filter((v) => v !== undefined).length * 10;
          expect(set.sum).to.equal(BigInt(powers));
          const { majority } = set;
          if (majority === undefined) continue;
          const backing = BigInt(voteBitsFor(set, majority).count() * 10);
          expect(backing >= quorum(FOUR.totalPower)).to.equal(true);
        }
      }),
    );
  });
});

describe('votes of a height', () => {
  const empty = emptyHeightVotes(1, FOUR);

  it('a peer opens at most two rounds beyond the next one', () => {
    let votes = empty;
    for (const round of [5, 7, 9]) {
      votes = addHeightVote(votes, voteBy(FOUR, 0, PREVOTE, 1, round, A), 'p').votes;
    }
    expect([...votes.rounds.keys()]).to.deep.equal([5, 7]);
    const other = addHeightVote(votes, voteBy(FOUR, 0, PREVOTE, 1, 9, A), 'q');
    expect(other.added).to.equal(true);
  });

  it('all peers together open a bounded number of rounds', () => {
    let votes = empty;
    for (let round = 2; round < 500; round++) {
      votes = addHeightVote(votes, voteBy(FOUR, 0, PREVOTE, 1, round, A), `p${round}`).votes;
    }
    expect(votes.rounds.size).to.equal(MAX_CATCHUP_ROUNDS);
  });

  it('rounds up to one above the current are open to all', () => {
    const votes = openRounds(empty, 3);
    expect(votesOf(votes, 4, PREVOTE)).to.not.equal(undefined);
    expect(votesOf(votes, 5, PREVOTE)).to.equal(undefined);
    expect(votesOf(votes, -1, PREVOTE)).to.equal(undefined);
  });

  it('drops claims about rounds that nobody opened', () => {
    expect(claimHeightMajority(empty, 9, PREVOTE, 'p', A).votes).to.equal(empty);
  });
});

describe('commit', () => {
  it('holds precommits for the block and for nil; those for another block are absent', () => {
    let set = emptyVoteSet(1, 2, PRECOMMIT, validatorSet([10n, 10n, 10n, 10n, 10n, 10n, 1n]));
    const votes = [A, A, A, A, A, nil, B];
    for (const [index, blockId] of votes.entries()) {
      set = addVote(set, voteBy(set.validators, index, PRECOMMIT, 1, 2, blockId)).set;
    }
    const commit = commitOf(set);
    expect(commit.signatures.map((s) => s.blockIdFlag)).to.deep.equal([2, 2, 2, 2, 2, 3, 1]);
    const again = voteSetOf(commit, set.validators);
    expect(again.majority).to.deep.equal(A);
    expect(commitOf(again)).to.deep.equal(commit);
  });
});
