/**
 * Arbitrary inputs of the core: of every kind, small enough to hit what a core waits for.
 *
 * @module
 */
import fc from 'fast-check';
import type { Input, TimedStep } from '../../node/consensus/types.ts';
import { EMPTY_COMMIT } from '../../node/src/types/commit.ts';
import type { VoteType } from '../../node/src/types/vote.ts';
import { id, nil, PRECOMMIT, proposalOf, validatorSet, voteBy } from './world.ts';

const set = validatorSet([10n, 20n, 30n, 40n]);

/** Inputs of every kind with arbitrary small contents. */
export const anyInput: fc.Arbitrary<Input> = fc
  .record({
    height: fc.nat(4),
    round: fc.nat(4),
    type: fc.constantFrom<VoteType>(1, 2),
    blockId: fc.constantFrom(nil, id('A'), id('B'), id('own 1/0')),
    index: fc.nat(4),
    peer: fc.constantFrom('', 'p', 'q'),
    flag: fc.boolean(),
    polRound: fc.integer({ min: -2, max: 3 }),
    step: fc.constantFrom<TimedStep>(
      'newHeight',
      'newRound',
      'propose',
      'prevoteWait',
      'precommitWait',
    ),
    kind: fc.nat(11),
  })
  .map(({ height, round, type, blockId, index, peer, flag, polRound, step, kind }): Input => {
    const vote = voteBy(set, index, type, height, round, blockId);
    const proposal = proposalOf(height, round, polRound, blockId);
    const last = { validators: set, commit: flag ? EMPTY_COMMIT : commitAt(height) };
    const inputs: readonly Input[] = [
      { kind: 'newHeight', height, validators: set, last: undefined, proofBlock: flag },
      { kind: 'newHeight', height, validators: set, last, proofBlock: flag },
      { kind: 'txsAvailable', height },
      { kind: 'timeout', timeout: { height, round, step } },
      { kind: 'proposal', proposal },
      { kind: 'block', height, blockId, time: BigInt(index) },
      { kind: 'vote', vote, peer },
      { kind: 'majorityClaim', peer, height, round, type, blockId },
      { kind: 'built', height, round, blockId, time: 7n },
      { kind: 'validated', height, round, blockId, valid: flag },
      { kind: 'signedProposal', proposal: flag ? proposal : undefined },
      { kind: 'signedVote', vote: flag ? vote : undefined },
    ];
    return inputs[kind] as Input;
  });

function commitAt(height: number): typeof EMPTY_COMMIT {
  const signatures = set.validators.map((_, index) => {
    const vote = voteBy(set, index, PRECOMMIT, height, 0, id('A'));
    const { timestamp, validatorAddress, signature } = vote;
    return { blockIdFlag: 2, validatorAddress, timestamp, signature };
  });
  return { height, round: 0, blockId: id('A'), signatures };
}
