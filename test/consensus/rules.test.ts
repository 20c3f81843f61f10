/**
 * Every rule of the round machine, by the line of the algorithm it holds (docs/consensus.md).
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { commitOf } from '../../node/consensus/commit.ts';
import { RULES } from '../../node/consensus/rules.ts';
import { ownIndex, type State, voteAt } from '../../node/consensus/state.ts';
import { STEP } from '../../node/consensus/types.ts';
import { equalBytes } from '../../node/src/base/bytes.ts';
import { present } from '../../node/src/base/errors.ts';
import type { BlockId } from '../../node/src/types/block-id.ts';
import { rotate } from '../../node/src/types/validators.ts';
import type { Vote, VoteType } from '../../node/src/types/vote.ts';
import { Bench, id, nil, PRECOMMIT, PREVOTE, TIMEOUTS, validatorSet, voteBy } from './world.ts';

/** An index of a validator that is not the proposer of `round` at height 1. */
function follower(round = 0): number {
  const set = validatorSet([10n, 10n, 10n, 10n]);
  const turns = [set, ...(round > 0 ? [rotate(set, round)] : [])];
  return set.validators.findIndex((v) =>
    turns.every((turn) => !equalBytes(turn.proposer.address, v.address)),
  );
}

function ownVote(state: State, round: number, type: VoteType): Vote | undefined {
  return voteAt(state, round, type, ownIndex(state));
}

function expectVote(bench: Bench, round: number, type: VoteType, blockId: BlockId): void {
  expect(ownVote(bench.state, round, type)?.blockId).to.deep.equal(blockId);
}

/** A follower that locked block A in round 0. */
function lockedOnA(): Bench {
  const bench = new Bench(follower(1)).begin().propose('A').votes(PREVOTE, 0, id('A'), 3);
  expect(bench.state.locked?.blockId).to.deep.equal(id('A'));
  bench.take();
  return bench;
}

/** The same, after round 0 passed without a decision. */
function lockedInRound1(): Bench {
  const bench = lockedOnA().votes(PRECOMMIT, 0, nil, 2).timeout('precommitWait');
  expect(bench.state.round).to.equal(1);
  bench.take();
  return bench;
}

describe('round machine', () => {
  describe('starting (L10–L21)', () => {
    it('startRound: the first height begins at once', () => {
      const bench = new Bench(follower()).begin();
      expect(bench.state.step).to.equal(STEP.propose);
    });

    it('startRound: waits commitMs after a commit', () => {
      const bench = new Bench(follower(), { commitMs: 40 });
      bench.begin(2, true, lastHeight(bench));
      expect(bench.state.step).to.equal(STEP.newHeight);
      const [timer] = bench.take('schedule');
      expect(timer?.delayMs).to.equal(40);
      expect(bench.timeout('newHeight').state.step).to.equal(STEP.propose);
    });

    it('startPropose: round 0 waits for transactions', () => {
      const bench = new Bench('proposer').begin(1, false);
      expect(bench.state.step).to.equal(STEP.newRound);
      expect(bench.take('schedule')[0]?.timeout.step).to.equal('newRound');
      bench.feed({ kind: 'txsAvailable', height: 1 });
      expect(bench.take('sendProposal')).to.have.length(1);
    });

    it('startPropose: an empty block comes after emptyBlocksMs', () => {
      const bench = new Bench('proposer').begin(1, false).timeout('newRound');
      expect(bench.take('sendProposal')).to.have.length(1);
    });

    it('startPropose: emptyBlocksMs 0 never makes an empty block', () => {
      const bench = new Bench('proposer', { emptyBlocksMs: 0 }).begin(1, false);
      expect(bench.take('schedule')).to.have.length(0);
      expect(bench.state.step).to.equal(STEP.newRound);
    });

    it('propose: builds, signs, sends, and prevotes its own block', () => {
      const bench = new Bench('proposer').begin();
      const order = bench.kinds().filter((k) => k !== 'noted' && k !== 'collect');
      expect(order).to.deep.equal([
        'stepChanged',
        'schedule',
        'stepChanged',
        'build',
        'signProposal',
        'sendProposal',
        'stepChanged',
        'validate',
        'signVote',
        'sendVote',
        'voteAdded',
      ]);
      expectVote(bench, 0, PREVOTE, id('own 1/0'));
    });

    it('propose: L16 proposes the valid value again, with its round', () => {
      const set = validatorSet([10n, 10n, 10n, 10n]);
      const next = rotate(set, 1).proposer.address;
      const me = set.validators.findIndex((v) => equalBytes(v.address, next));
      const bench = new Bench(me).begin().propose('A').votes(PREVOTE, 0, id('A'), 3);
      bench.take();
      bench.votes(PRECOMMIT, 0, nil, 2).timeout('precommitWait');
      const [sent] = bench.take('sendProposal');
      expect(sent?.proposal.blockId).to.deep.equal(id('A'));
      expect(sent?.proposal.polRound).to.equal(0);
    });

    it('propose: a refused signature costs the round only', () => {
      const bench = new Bench('proposer');
      bench.answers = { ...bench.answers, sign: false };
      bench.begin();
      expect(bench.state.question).to.equal(undefined);
      bench.answers = { ...bench.answers, sign: true };
      bench.timeout('propose');
      expectVote(bench, 0, PREVOTE, nil);
    });
  });

  describe('prevoting (L22–L33, L57–L60)', () => {
    it('prevote: L22 prevotes a valid proposal', () => {
      const bench = new Bench(follower()).begin().propose('A');
      expectVote(bench, 0, PREVOTE, id('A'));
    });

    it('prevote: L26 prevotes nil for an invalid one', () => {
      const bench = new Bench(follower());
      bench.answers = { ...bench.answers, valid: () => false };
      expectVote(bench.begin().propose('A'), 0, PREVOTE, nil);
    });

    it('prevote: waits for the polka that the proposal rests on (L28)', () => {
      const bench = new Bench(follower(1)).begin();
      bench.votes(PRECOMMIT, 0, nil, 3).timeout('precommitWait');
      expect(bench.state.round).to.equal(1);
      bench.propose('B', 0);
      expect(bench.state.step).to.equal(STEP.propose);
      bench.votes(PREVOTE, 0, id('B'), 3);
      expectVote(bench, 1, PREVOTE, id('B'));
    });

    it('prevote: a locked validator prevotes its lock, whatever is proposed (CometBFT)', () => {
      const bench = lockedInRound1().propose('B');
      expectVote(bench, 1, PREVOTE, id('A'));
    });

    it('prevote: may come while a commit is still waited for', () => {
      const bench = new Bench(follower(), { commitMs: 40 });
      bench.begin(2, true, lastHeight(bench)).propose('A');
      expectVote(bench, 0, PREVOTE, id('A'));
    });

    it('proposeTimeout: L57 prevotes nil without a block', () => {
      const bench = new Bench(follower()).begin().proposalOnly('A').timeout('propose');
      expectVote(bench, 0, PREVOTE, nil);
    });

    it('takes only the first proposal of exactly this round', () => {
      const bench = new Bench(follower()).begin().proposalOnly('A');
      const before = bench.state;
      expect(bench.proposalOnly('B').state).to.equal(before);
    });

    it('refuses a proposal whose polka is not of an earlier round', () => {
      const bench = new Bench(follower()).begin();
      const before = bench.state;
      expect(bench.proposalOnly('A', 0).state).to.equal(before);
      expect(bench.proposalOnly('A', -2).state).to.equal(before);
    });
  });

  describe('after prevotes (L34–L46, L61–L64)', () => {
    it('prevoteWait: L34 starts the timer on two thirds of anything', () => {
      const bench = new Bench(follower()).begin().propose('A');
      bench.take();
      bench.votes(PREVOTE, 0, nil, 2);
      expect(bench.state.step).to.equal(STEP.prevoteWait);
      expect(bench.take('schedule')[0]?.delayMs).to.equal(TIMEOUTS.prevoteMs);
    });

    it('prevoteWait: not before this validator prevoted', () => {
      const bench = new Bench(follower())
        .begin()
        .votes(PREVOTE, 0, nil, 2)
        .vote(follower(), PREVOTE, 0, id('A'));
      expect(bench.state.step).to.equal(STEP.propose);
    });

    it('prevoteTimeout: L61 precommits nil without a polka', () => {
      const bench = new Bench(follower()).begin().propose('A').votes(PREVOTE, 0, nil, 2);
      bench.timeout('prevoteWait');
      expectVote(bench, 0, PRECOMMIT, nil);
    });

    it('precommit: L36 locks and precommits the polka’s block', () => {
      const bench = lockedOnA();
      expectVote(bench, 0, PRECOMMIT, id('A'));
      expect(bench.state.valid).to.deep.equal({ ...bench.state.locked });
    });

    it('precommit: L44 precommits nil on a polka for nil', () => {
      const bench = new Bench(follower()).begin().propose('A').votes(PREVOTE, 0, nil, 3);
      expectVote(bench, 0, PRECOMMIT, nil);
    });

    it('precommit: never locks a block that is found invalid', () => {
      const bench = new Bench(follower());
      bench.answers = { ...bench.answers, valid: () => false };
      bench.begin().propose('A').votes(PREVOTE, 0, id('A'), 3);
      expectVote(bench, 0, PRECOMMIT, nil);
      expect(bench.state.locked).to.equal(undefined);
    });

    it('precommit: a polka of an earlier round does not lock', () => {
      const bench = new Bench(follower(1)).begin();
      bench.votes(PRECOMMIT, 0, nil, 3).timeout('precommitWait').propose('A');
      bench.votes(PREVOTE, 0, id('A'), 3);
      expect(bench.state.locked).to.equal(undefined);
      expect(ownVote(bench.state, 1, PRECOMMIT)).to.equal(undefined);
    });

    it('precommit: a polka for the locked block renews the lock', () => {
      const bench = lockedInRound1().propose('A', 0).votes(PREVOTE, 1, id('A'), 3);
      expect(bench.state.locked?.round).to.equal(1);
      expectVote(bench, 1, PRECOMMIT, id('A'));
    });

    it('precommit: a polka for an unknown block unlocks and fetches it (CometBFT)', () => {
      const bench = lockedInRound1().proposalOnly('B').timeout('propose');
      bench.take();
      bench.votes(PREVOTE, 1, id('B'), 3).timeout('prevoteWait');
      expect(bench.state.locked).to.equal(undefined);
      expectVote(bench, 1, PRECOMMIT, nil);
      expect(bench.state.collecting).to.deep.equal(id('B').partSetHeader);
    });

    it('unlock: a polka for nil in a later round unlocks (CometBFT)', () => {
      const bench = lockedInRound1().votes(PREVOTE, 1, nil, 3);
      expect(bench.state.locked).to.equal(undefined);
    });

    it('unlock: a polka older than the lock does not unlock', () => {
      const bench = lockedInRound1().propose('A', 0).votes(PREVOTE, 1, id('A'), 3);
      const locked = bench.state.locked;
      bench.vote(0, PREVOTE, 0, nil).vote(1, PREVOTE, 0, nil).vote(2, PREVOTE, 0, nil);
      expect(bench.state.locked).to.equal(locked);
    });

    it('polka: L42 remembers the valid block also after precommitting', () => {
      const bench = new Bench(follower(1)).begin().propose('A').votes(PREVOTE, 0, nil, 1);
      bench.vote(bench.others()[1] ?? 0, PREVOTE, 0, id('A')).timeout('prevoteWait');
      expectVote(bench, 0, PRECOMMIT, nil);
      bench.vote(bench.others()[2] ?? 0, PREVOTE, 0, id('A'));
      expect(bench.state.valid?.blockId).to.deep.equal(id('A'));
      expect(bench.state.locked).to.equal(undefined);
    });

    it('polka: a polka for another block makes us collect it and say so', () => {
      const bench = new Bench(follower()).begin().propose('A');
      bench.take();
      bench.votes(PREVOTE, 0, id('B'), 3);
      const effects = bench.take('collect', 'announceBlock');
      expect(effects.map((e) => e.kind)).to.deep.equal(['collect', 'announceBlock']);
      expect(bench.state.block).to.equal(undefined);
    });

    it('polkaBlock: the fetched block becomes valid', () => {
      const bench = new Bench(follower()).begin().propose('A').votes(PREVOTE, 0, id('B'), 3);
      bench.block('B');
      expect(bench.state.valid?.blockId).to.deep.equal(id('B'));
    });
  });

  describe('after precommits (L47–L54, L65–L67)', () => {
    it('precommitWait: L47 starts the timer once on two thirds of anything', () => {
      const bench = lockedOnA().votes(PRECOMMIT, 0, nil, 3);
      const timers = bench.take('schedule').map((e) => e.timeout.step);
      expect(timers).to.deep.equal(['precommitWait']);
      expect(bench.state.step).to.equal(STEP.precommit);
    });

    it('nilCommit: two thirds precommitted nil, so we do too', () => {
      const bench = new Bench(follower()).begin().votes(PRECOMMIT, 0, nil, 3);
      expectVote(bench, 0, PRECOMMIT, nil);
      expect(bench.state.precommitWaited).to.equal(true);
    });

    it('precommitTimeout: L65 starts the next round', () => {
      const bench = lockedInRound1();
      expect(bench.state.step).to.equal(STEP.propose);
      expect(bench.state.proposal).to.equal(undefined);
    });

    it('precommitTimeoutVote: precommits before it leaves the round', () => {
      const bench = new Bench(follower()).begin();
      const [a = 0, b = 0, c = 0] = bench.others();
      bench.vote(a, PRECOMMIT, 0, nil).vote(b, PRECOMMIT, 0, nil).vote(c, PRECOMMIT, 0, id('A'));
      expect(ownVote(bench.state, 0, PRECOMMIT)).to.equal(undefined);
      bench.timeout('precommitWait');
      expectVote(bench, 0, PRECOMMIT, nil);
      expect(bench.state.round).to.equal(1);
    });

    it('commit and decide: L49 decides with the precommits as the commit', () => {
      const bench = lockedOnA().votes(PRECOMMIT, 0, id('A'), 2);
      const [decided] = bench.take('decide');
      expect(decided?.blockId).to.deep.equal(id('A'));
      expect(decided?.commit.signatures.filter((s) => s.blockIdFlag === 2)).to.have.length(3);
      expect(bench.state.decided).to.equal(true);
    });

    it('commit: needs no proposal; the header comes from the precommits', () => {
      const bench = new Bench(follower()).begin().votes(PRECOMMIT, 0, id('Z'), 3);
      expect(bench.state.step).to.equal(STEP.commit);
      expect(bench.take('announceBlock').at(-1)?.isCommit).to.equal(true);
      expect(bench.block('Z').take('decide')).to.have.length(1);
    });

    it('commit: may come from an earlier round', () => {
      const bench = lockedInRound1().votes(PRECOMMIT, 0, id('A'), 0);
      const last = bench.others()[2] ?? 0;
      // Two precommitted nil in round 0; by equivocation with a claimed majority A still commits.
      const claim = { height: 1, round: 0, type: PRECOMMIT, blockId: id('A') } as const;
      bench.feed({ kind: 'majorityClaim', peer: 'p', ...claim });
      bench.vote(last, PRECOMMIT, 0, id('A')).vote(bench.others()[0] ?? 0, PRECOMMIT, 0, id('A'));
      expect(bench.take('decide')[0]?.round).to.equal(0);
      expect(bench.state.round).to.equal(1);
    });

    it('commitRoundAhead and precommitBeforeCommit: a later round’s commit takes us there', () => {
      const bench = new Bench(follower()).begin().votes(PRECOMMIT, 1, id('A'), 3);
      expect(bench.state.round).to.equal(1);
      expectVote(bench, 1, PRECOMMIT, nil);
      expect(bench.state.step).to.equal(STEP.commit);
    });

    it('does not decide while the block is missing, nor for another block', () => {
      const bench = new Bench(follower()).begin().propose('A').votes(PRECOMMIT, 0, id('B'), 3);
      expect(bench.take('decide')).to.have.length(0);
      expect(bench.block('A').take('decide')).to.have.length(0);
    });

    it('takes nothing but a new height after the decision', () => {
      const bench = lockedOnA().votes(PRECOMMIT, 0, id('A'), 2);
      const before = bench.state;
      bench.votes(PREVOTE, 1, nil, 3).timeout('precommitWait').block('A');
      expect(bench.state).to.equal(before);
    });
  });

  describe('skipping rounds (L55)', () => {
    it('skipRound: two thirds of any votes of a later round', () => {
      const bench = new Bench(follower(1)).begin().votes(PREVOTE, 1, nil, 2);
      expect(bench.state.round).to.equal(0);
      bench.votes(PREVOTE, 1, nil, 3);
      expect(bench.state.round).to.equal(1);
    });

    it('skipRound: precommits of a later round also start its wait', () => {
      const bench = new Bench(follower(1)).begin();
      bench.votes(PRECOMMIT, 1, nil, 3);
      expect(bench.state.round).to.equal(1);
      expect(bench.state.precommitWaited).to.equal(true);
    });

    it('rotates the proposer in one move', () => {
      const bench = new Bench(follower()).begin();
      const expected = rotate(bench.set, 2).proposer.address;
      bench.votes(PREVOTE, 2, nil, 3);
      expect(bench.state.validators.proposer.address).to.deep.equal(expected);
    });
  });

  describe('between heights', () => {
    it('late precommits join the last commit until our block is asked for', () => {
      const bench = new Bench(follower());
      const last = lastHeight(bench);
      bench.begin(2, true, last);
      bench.feed({ kind: 'vote', vote: voteBy(bench.set, 3, PRECOMMIT, 1, 0, id('A')), peer: 'p' });
      expect(bench.state.lastCommit?.votes[3]).to.not.equal(undefined);

      const proposer = new Bench('proposer');
      proposer.begin(2, true, lastHeight(proposer));
      const before = proposer.state;
      const late = voteBy(proposer.set, 3, PRECOMMIT, 1, 0, id('A'));
      expect(proposer.feed({ kind: 'vote', vote: late, peer: 'p' }).state).to.equal(before);
    });

    it('refuses a height that is not new and a last commit without a majority', () => {
      const bench = new Bench(follower()).begin(2);
      const before = bench.state;
      expect(bench.begin(2).state).to.equal(before);
      expect(bench.begin(1).state).to.equal(before);
    });
  });

  it('every rule stands in docs/consensus.md beside a test of its name', () => {
    const page = readFileSync('docs/consensus.md', 'utf8');
    const tests = readFileSync(import.meta.filename, 'utf8');
    for (const { name } of RULES) {
      expect(page, name).to.include(`\`${name}\``);
      expect(tests, name).to.match(new RegExp(`it\\('[^']*\\b${name}\\b`));
    }
  });
});

/** The height before 2: validators 0, 1 and 2 committed block A. */
function lastHeight(bench: Bench): {
  validators: Bench['set'];
  commit: ReturnType<typeof commitOf>;
} {
  const follow = new Bench(-1).begin();
  for (const index of [0, 1, 2]) follow.vote(index, PRECOMMIT, 0, id('A'));
  const set = present(follow.state.votes.rounds.get(0), 'round 0').precommits;
  return { validators: bench.set, commit: commitOf(set) };
}
