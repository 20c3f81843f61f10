/**
 * From precommits to a commit, and back.
 *
 * Upholds: a commit has one entry per validator in the set's order; precommits for another block
 * become absent, nil precommits stay as nil with their signature. `voteSetOf(commitOf(set))` has
 * the same majority, and the same commit again.
 * Absent here: checks of signatures. A commit that is read back was stored by this node.
 * Spec: CometBFT 0.38 types/vote_set.go MakeExtendedCommit, types/block.go CommitSig.
 *
 * @module
 */
import { invariant } from '../src/base/errors.ts';
import { equalBlockIds, isNil, NIL_BLOCK_ID } from '../src/types/block-id.ts';
import { ABSENT_SIG, BLOCK_ID_FLAG, type Commit, type CommitSig } from '../src/types/commit.ts';
import type { ValidatorSet } from '../src/types/validators.ts';
import { type Verified, VOTE_TYPE, type Vote } from '../src/types/vote.ts';
import { addVote, emptyVoteSet, type VoteSet } from './vote-set.ts';

/** The commit that these precommits make. @param set - precommits with a majority for a block */
export function commitOf(set: VoteSet): Commit {
  const { height, round, majority } = set;
  invariant(majority !== undefined && !isNil(majority), 'a commit is for a block');
  const signatures = set.votes.map((vote): CommitSig => {
    if (vote === undefined) return ABSENT_SIG;
    const nil = isNil(vote.blockId);
    if (!nil && !equalBlockIds(vote.blockId, majority)) return ABSENT_SIG;
    return {
      blockIdFlag: nil ? BLOCK_ID_FLAG.nil : BLOCK_ID_FLAG.commit,
      validatorAddress: vote.validatorAddress,
      timestamp: vote.timestamp,
      signature: vote.signature,
    };
  });
  return { height, round, blockId: majority, signatures };
}

/** The precommits in a commit that this node stored, as votes again. */
export function voteSetOf(commit: Commit, validators: ValidatorSet): VoteSet {
  let set = emptyVoteSet(commit.height, commit.round, VOTE_TYPE.precommit, validators);
  for (const index of commit.signatures.keys()) {
    const vote = commitVote(commit, index);
    if (vote !== undefined) set = addVote(set, vote).set;
  }
  return set;
}

/** The precommit of one validator in a commit, if it is there. */
export function commitVote(commit: Commit, index: number): Verified<Vote> | undefined {
  const sig = commit.signatures[index];
  if (sig === undefined || sig.blockIdFlag === BLOCK_ID_FLAG.absent) return undefined;
  const vote: Vote = {
    type: VOTE_TYPE.precommit,
    height: commit.height,
    round: commit.round,
    blockId: sig.blockIdFlag === BLOCK_ID_FLAG.commit ? commit.blockId : NIL_BLOCK_ID,
    timestamp: sig.timestamp,
    validatorAddress: sig.validatorAddress,
    validatorIndex: index,
    signature: sig.signature,
  };
  return vote as Verified<Vote>;
}
