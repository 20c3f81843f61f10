/**
 * What happens on entering each step of a round. Which one is entered, and when: rules.ts.
 *
 * Upholds: a validator votes at most once in each step of a round; `persist` precedes every
 * signature that may rest on a lock.
 * Spec: arXiv:1807.04938, algorithm 1, by line; CometBFT 0.38 consensus/state.go where it differs.
 *
 * @module
 */
import { present } from '../src/base/errors.ts';
import { type BlockId, equalBlockIds, isNil, NIL_BLOCK_ID } from '../src/types/block-id.ts';
import { EMPTY_COMMIT } from '../src/types/commit.ts';
import { MILLISECOND } from '../src/types/time.ts';
import { rotate } from '../src/types/validators.ts';
import { VOTE_TYPE, type VoteType } from '../src/types/vote.ts';
import { commitOf } from './commit.ts';
import { openRounds } from './height-votes.ts';
import {
  FRESH_ROUND,
  type HeldBlock,
  lastCommitOf,
  ownIndex,
  precommits,
  prevotes,
  type State,
} from './state.ts';
import type { Turn } from './turn.ts';
import { STEP } from './types.ts';

/** Whether a held block is the named one. */
export function matches(held: HeldBlock | undefined, id: BlockId | undefined): boolean {
  return held !== undefined && id !== undefined && equalBlockIds(held.blockId, id);
}

/** Whether round 0 must wait for transactions before it proposes (CometBFT enterNewRound). */
function waitsForTxs(state: State): boolean {
  return state.round === 0 && !state.proofBlock && !state.txsAvailable;
}

/** Line 11, StartRound. A round above 0 forgets the proposal of the one before. */
export function enterNewRound(turn: Turn, round: number): void {
  const { state } = turn;
  const ahead = round - state.round;
  const forget =
    round === 0 ? {} : { proposal: undefined, block: undefined, collecting: undefined };
  turn.set({
    ...forget,
    ...FRESH_ROUND,
    round,
    step: STEP.newRound,
    validators: ahead > 0 ? rotate(state.validators, ahead) : state.validators,
    votes: openRounds(state.votes, round),
  });
  turn.note('newRound');
  if (waitsForTxs(turn.state) && state.config.timeouts.emptyBlocksMs > 0) {
    turn.schedule('newRound');
  }
}

/** Lines 14 and 21: propose, or wait for the proposal. */
export function enterPropose(turn: Turn): void {
  turn.set({ step: STEP.propose });
  turn.schedule('propose');
  turn.announceStep();
}

/** Lines 15 to 19: propose the valid value, or ask for a new one. */
export function propose(turn: Turn): void {
  turn.set({ proposed: true });
  const { height, round, valid } = turn.state;
  if (valid !== undefined) {
    signProposal(turn, valid, valid.round);
    return;
  }
  const lastCommit = lastCommitOf(turn.state) ?? EMPTY_COMMIT;
  turn.set({ lastCommitOpen: false });
  turn.ask({ kind: 'build' }, { kind: 'build', height, round, lastCommit });
}

/**
 * Makes what led to a signature durable. What a power failure lets us forget is our lock, and the
 * first thing signed under a lock is round 0's precommit: before it the signer's guard is enough.
 */
function persistLock(turn: Turn, type: VoteType | undefined): void {
  if (turn.state.round === 0 && type !== VOTE_TYPE.precommit) return;
  turn.emit({ kind: 'persist' });
}

/** Has our proposal signed, after what led to our lock is durable. */
export function signProposal(turn: Turn, block: HeldBlock, polRound: number): void {
  const { height, round } = turn.state;
  const { blockId } = block;
  persistLock(turn, undefined);
  turn.ask(
    { kind: 'signProposal', block, polRound },
    { kind: 'signProposal', height, round, polRound, blockId },
  );
}

/** Whether we vote at this height. */
function isVoter(state: State): boolean {
  return ownIndex(state) >= 0;
}

/** Has our vote signed, after what led to our lock is durable. */
function vote(turn: Turn, type: VoteType, blockId: BlockId): void {
  const { state } = turn;
  const { height, round, locked, block, config } = state;
  const base = locked ?? block;
  const unsigned = {
    type,
    height,
    round,
    blockId,
    validatorAddress: present(config.address, 'the address of a validator that votes'),
    validatorIndex: ownIndex(state),
  };
  const notBefore = base === undefined ? undefined : base.time + MILLISECOND;
  persistLock(turn, type);
  turn.ask({ kind: 'signVote', vote: unsigned }, { kind: 'signVote', vote: unsigned, notBefore });
}

function validate(turn: Turn, block: HeldBlock, type: VoteType): void {
  const { height, round } = turn.state;
  turn.ask(
    { kind: 'validate', block, vote: type },
    { kind: 'validate', height, round, blockId: block.blockId },
  );
}

/** Lines 22 to 33, 57 to 60. CometBFT: a locked validator prevotes its lock, whatever comes. */
export function enterPrevote(turn: Turn): void {
  turn.set({ step: STEP.prevote });
  turn.announceStep();
  const { state } = turn;
  if (!isVoter(state)) return;
  const { locked, block } = state;
  if (locked !== undefined) vote(turn, VOTE_TYPE.prevote, locked.blockId);
  else if (block === undefined) vote(turn, VOTE_TYPE.prevote, NIL_BLOCK_ID);
  else validate(turn, block, VOTE_TYPE.prevote);
}

/** Lines 23, 29: the block was checked. */
export function prevoteChecked(turn: Turn, block: HeldBlock, valid: boolean): void {
  if (valid) turn.set({ approved: block.blockId });
  vote(turn, VOTE_TYPE.prevote, valid ? block.blockId : NIL_BLOCK_ID);
}

/** Line 34: two thirds prevoted, for no one thing. */
export function enterPrevoteWait(turn: Turn): void {
  turn.set({ step: STEP.prevoteWait });
  turn.schedule('prevoteWait');
  turn.announceStep();
}

/** Drops the lock (CometBFT; the paper keeps it until a newer one). */
export function unlock(turn: Turn): void {
  if (turn.state.locked === undefined) return;
  turn.set({ locked: undefined });
  turn.note('unlock');
}

/** Lines 36 to 46, 61 to 64, with CometBFT's unlocking. */
export function enterPrecommit(turn: Turn): void {
  turn.set({ step: STEP.precommit });
  turn.announceStep();
  const { state } = turn;
  if (!isVoter(state)) return;
  const polka = prevotes(state, state.round)?.majority;
  if (polka !== undefined && !isNil(polka)) {
    precommitPolka(turn, polka);
    return;
  }
  if (polka !== undefined) unlock(turn);
  vote(turn, VOTE_TYPE.precommit, NIL_BLOCK_ID);
}

/** Lines 37 to 41: precommit the polka's block if it is here and valid. */
function precommitPolka(turn: Turn, polka: BlockId): void {
  const { locked, block, approved, round } = turn.state;
  if (locked !== undefined && matches(locked, polka)) {
    turn.set({ locked: { ...locked, round } });
    turn.note('relock');
    vote(turn, VOTE_TYPE.precommit, polka);
  } else if (block === undefined || !matches(block, polka)) {
    unlock(turn);
    fetch(turn, polka);
    vote(turn, VOTE_TYPE.precommit, NIL_BLOCK_ID);
  } else if (approved !== undefined && equalBlockIds(approved, polka)) {
    lock(turn, block);
  } else {
    validate(turn, block, VOTE_TYPE.precommit);
  }
}

/** Lines 38 to 41: lock the block and precommit it. */
function lock(turn: Turn, block: HeldBlock): void {
  turn.set({ locked: { ...block, round: turn.state.round } });
  turn.note('lock');
  vote(turn, VOTE_TYPE.precommit, block.blockId);
}

/** Line 36, valid(v): the block of a polka was checked. We never lock what we find invalid. */
export function precommitChecked(turn: Turn, block: HeldBlock, valid: boolean): void {
  if (!valid) {
    vote(turn, VOTE_TYPE.precommit, NIL_BLOCK_ID);
    return;
  }
  turn.set({ approved: block.blockId });
  lock(turn, block);
}

/** Makes the named block the one we have or collect. True if its parts must now be fetched. */
function fetch(turn: Turn, id: BlockId): boolean {
  const { block, locked, valid } = turn.state;
  const held = [block, locked, valid].find((candidate) => matches(candidate, id));
  const changed = turn.collect(id.partSetHeader);
  if (held !== undefined && held !== block) {
    turn.set({ block: { blockId: held.blockId, time: held.time } });
  } else if (held === undefined && block !== undefined) {
    turn.set({ block: undefined });
  }
  return changed && held === undefined;
}

/** Lines 42, 43: the polka's block becomes valid, or we begin to collect it. */
export function actOnPolka(turn: Turn, polka: BlockId): void {
  turn.set({ polkaSeen: true });
  turn.note('polka');
  fetch(turn, polka);
  announceBlock(turn, polka, false);
}

/** Lines 42, 43: the polka's block is complete. */
export function adoptValid(turn: Turn, block: HeldBlock): void {
  turn.set({ valid: { ...block, round: turn.state.round } });
}

function announceBlock(turn: Turn, id: BlockId, isCommit: boolean): void {
  const { height, round } = turn.state;
  const { partSetHeader } = id;
  turn.emit({ kind: 'announceBlock', height, round, partSetHeader, isCommit });
}

/** Line 47: two thirds precommitted, for no one thing. The step stays. */
export function enterPrecommitWait(turn: Turn): void {
  turn.set({ precommitWaited: true });
  turn.schedule('precommitWait');
  turn.announceStep();
}

/** Line 49: a block is committed in `round`; it is fetched if it is not here. */
export function enterCommit(turn: Turn, round: number, id: BlockId): void {
  turn.set({ step: STEP.commit, commitRound: round });
  if (fetch(turn, id)) announceBlock(turn, id, true);
  turn.announceStep();
}

/** Lines 50 to 54: the committed block is complete. */
export function decide(turn: Turn): void {
  const { height, commitRound } = turn.state;
  const set = present(precommits(turn.state, commitRound), 'the precommits of a commit');
  const commit = commitOf(set);
  turn.set({ decided: true });
  turn.emit({ kind: 'decide', height, round: commitRound, blockId: commit.blockId, commit });
}
