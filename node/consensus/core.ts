/**
 * The consensus core: Tendermint as one pure function from state and input to state and effects.
 *
 * Upholds
 *  - Total: any input that does not fit (stale, unknown, another height, no question open) gives
 *    the same state reference and no effects. Nothing is thrown for an input.
 *  - Pure: the given state is not changed; equal folds give equal states and effects.
 *  - One question at a time: an effect marked "answered by" (types.ts) is the last of its step.
 *    While it is open, facts are still counted, and decisions wait for the answer.
 *  - `persist` comes before every `sign…` that may rest on a lock: all but the proposal and the
 *    prevote of round 0. `sign…` comes before `send…`.
 *
 * The driver's side of the contract
 *  1. Append the input to the log, call `step`, perform the effects in order. `persist` syncs the
 *     log. Blocks' parts go to the log too, before the input that names their block.
 *  2. An answer is an input like any other: appended, then fed before the next input.
 *  3. `decide` is followed by the next height's `newHeight` after that height is durable; the log
 *     is then reset. Until then the core takes nothing else.
 *  4. Recovery: fold `step` over the log's inputs and perform no effects, but remember
 *     (a) the last question: if the log ends before its answer, perform it again, which is safe
 *         for signatures, because the signer's guard returns what it signed before or refuses;
 *     (b) the last `schedule`: start that timer;
 *     (c) the last `collect`: collect those parts;
 *     (d) a `decide`: perform it again.
 *     A question whose answer follows in the log is skipped: so nothing is signed twice.
 *  5. If the guard knows of a signature at a height, round and step that the folded log never asked
 *     for, records were lost. If it is a precommit or of a round above 0, they had been synced, and
 *     a lock may be lost with them: then the driver answers every question for a signature of that
 *     height with `undefined`. If not, this key precommitted nothing at this height, so nothing was
 *     locked; that it proposes or prevotes nothing else in round 0 is the guard's to uphold. What
 *     it prevoted then is given again as the answer, also where the core asked for another block.
 *
 * Absent here: peers' connections, blocks' contents, signatures' bytes, time other than in inputs.
 * Reading on: state.ts (what is known), rules.ts (what follows), vote-set.ts (how votes count).
 *
 * @module
 */
import { equalBlockIds, equalPartSetHeaders, isNil } from '../src/types/block-id.ts';
import { type Verified, VOTE_TYPE, type Vote } from '../src/types/vote.ts';
import { voteSetOf } from './commit.ts';
import { addHeightVote, claimHeightMajority } from './height-votes.ts';
import { settle } from './rules.ts';
import { freshHeight, type State } from './state.ts';
import { TIMER_STEP } from './timeouts.ts';
import { precommitChecked, prevoteChecked, signProposal } from './transitions.ts';
import { Turn } from './turn.ts';
import { type Effect, type Input, STEP } from './types.ts';
import { addVote, type VoteSet } from './vote-set.ts';

/** What a step gives back. */
export type StepResult = { readonly state: State; readonly effects: readonly Effect[] };

type InputOf<K extends Input['kind']> = Extract<Input, { kind: K }>;

/**
 * Takes one input.
 *
 * @returns the next state, and what the driver must do, in order; the same state and no effects if
 *   the input changes nothing
 */
export function step(state: State, input: Input): StepResult {
  const turn = new Turn(state);
  take(turn, input);
  if (turn.state !== state) settle(turn);
  return { state: turn.state, effects: turn.effects };
}

type Takers = { readonly [K in Input['kind']]: (turn: Turn, input: InputOf<K>) => void };

const TAKERS: Takers = {
  newHeight: takeNewHeight,
  txsAvailable: takeTxsAvailable,
  timeout: takeTimeout,
  proposal: takeProposal,
  block: takeBlock,
  vote: takeVote,
  majorityClaim: takeClaim,
  built: takeBuilt,
  validated: takeValidated,
  signedProposal: takeSignedProposal,
  signedVote: takeSignedVote,
};

/** Takes an input into the state as a fact, if it fits. */
function take<K extends Input['kind']>(turn: Turn, input: InputOf<K>): void {
  if (!Object.hasOwn(TAKERS, input.kind)) return;
  const { height, decided } = turn.state;
  if ((height === 0 || decided) && input.kind !== 'newHeight') return;
  const taker = TAKERS[input.kind] as (turn: Turn, input: InputOf<K>) => void;
  taker(turn, input);
}

function takeTxsAvailable(turn: Turn, { height }: InputOf<'txsAvailable'>): void {
  if (height !== turn.state.height || turn.state.txsAvailable) return;
  turn.set({ txsAvailable: true });
}

function takeNewHeight(turn: Turn, input: InputOf<'newHeight'>): void {
  const { config, height } = turn.state;
  const { last, validators, proofBlock } = input;
  if (input.height <= height || validators.validators.length === 0) return;
  const lastCommit = last && voteSetOf(last.commit, last.validators);
  // A stored commit has its quorum; without one there is nothing to build on.
  if (lastCommit !== undefined && !commitsBlock(lastCommit)) return;
  turn.state = freshHeight(config, input.height, validators, lastCommit, proofBlock);
  turn.announceStep();
  if (config.timeouts.commitMs > 0 && lastCommit !== undefined) turn.schedule('newHeight');
}

function commitsBlock({ majority }: VoteSet): boolean {
  return majority !== undefined && !isNil(majority);
}

function takeTimeout(turn: Turn, { timeout }: InputOf<'timeout'>): void {
  const { height, round, step: now, expired } = turn.state;
  const stale = timeout.height !== height || timeout.round !== round;
  if (stale || TIMER_STEP[timeout.step] < now) return;
  if (expired !== undefined && TIMER_STEP[expired] >= TIMER_STEP[timeout.step]) return;
  turn.set({ expired: timeout.step });
  if (timeout.step === 'propose') turn.note('timeoutPropose');
  else if (TIMER_STEP[timeout.step] > STEP.propose) turn.note('timeoutWait');
}

/** The first proposal of the current round counts; a polka's part set is not given up for it. */
function takeProposal(turn: Turn, { proposal }: InputOf<'proposal'>): void {
  const { state } = turn;
  const { height, round, polRound } = proposal;
  if (state.proposal !== undefined || height !== state.height || round !== state.round) return;
  if (polRound < -1 || polRound >= round) return;
  turn.set({ proposal });
  if (state.collecting === undefined) turn.collect(proposal.blockId.partSetHeader);
}

function takeBlock(turn: Turn, { height, blockId, time }: InputOf<'block'>): void {
  const { state } = turn;
  if (height !== state.height || state.block !== undefined) return;
  if (state.collecting === undefined) return;
  if (!equalPartSetHeaders(state.collecting, blockId.partSetHeader)) return;
  turn.set({ block: { blockId, time } });
  if (state.proposal !== undefined) turn.note('completeProposal');
}

function takeVote(turn: Turn, { vote, peer }: InputOf<'vote'>): void {
  if (vote.height === turn.state.height) count(turn, vote, peer);
  else countLate(turn, vote, peer);
}

/** A late precommit joins the last commit until our own block is asked for. */
function countLate(turn: Turn, vote: Verified<Vote>, peer: string): void {
  const { state } = turn;
  if (vote.height !== state.height - 1 || vote.type !== VOTE_TYPE.precommit) return;
  if (state.lastCommit === undefined || !state.lastCommitOpen) return;
  const { set, added, conflict } = addVote(state.lastCommit, vote);
  if (set === state.lastCommit) return;
  turn.set({ lastCommit: set });
  report(turn, vote, peer, added, conflict);
}

function count(turn: Turn, vote: Verified<Vote>, peer: string): void {
  const { votes, added, conflict } = addHeightVote(turn.state.votes, vote, peer);
  if (votes === turn.state.votes) return;
  turn.set({ votes });
  report(turn, vote, peer, added, conflict);
}

function report(
  turn: Turn,
  vote: Verified<Vote>,
  peer: string,
  added: boolean,
  conflict: Verified<Vote> | undefined,
): void {
  if (conflict !== undefined) turn.emit({ kind: 'equivocation', first: conflict, second: vote });
  if (added) turn.emit({ kind: 'voteAdded', vote, peer });
}

function takeClaim(turn: Turn, input: InputOf<'majorityClaim'>): void {
  const { height, round, type, peer, blockId } = input;
  if (height !== turn.state.height) return;
  const { votes, lie } = claimHeightMajority(turn.state.votes, round, type, peer, blockId);
  if (lie) turn.emit({ kind: 'blame', peer, reason: 'claimed two majorities in one round' });
  if (votes !== turn.state.votes) turn.set({ votes });
}

function takeBuilt(turn: Turn, { height, round, blockId, time }: InputOf<'built'>): void {
  const { state } = turn;
  if (state.question?.kind !== 'build') return;
  if (height !== state.height || round !== state.round) return;
  turn.set({ question: undefined });
  signProposal(turn, { blockId, time }, -1);
}

function takeValidated(turn: Turn, input: InputOf<'validated'>): void {
  const { question, height, round } = turn.state;
  if (question?.kind !== 'validate' || input.height !== height || input.round !== round) return;
  if (!equalBlockIds(question.block.blockId, input.blockId)) return;
  turn.set({ question: undefined });
  const checked = question.vote === VOTE_TYPE.prevote ? prevoteChecked : precommitChecked;
  checked(turn, question.block, input.valid);
}

function takeSignedProposal(turn: Turn, { proposal }: InputOf<'signedProposal'>): void {
  const { question, height, round } = turn.state;
  if (question?.kind !== 'signProposal') return;
  if (proposal === undefined) {
    turn.set({ question: undefined });
    return;
  }
  const asked = proposal.height === height && proposal.round === round;
  const { block, polRound } = question;
  if (!asked || proposal.polRound !== polRound) return;
  if (!equalBlockIds(proposal.blockId, block.blockId)) return;
  turn.set({ question: undefined });
  if (turn.state.proposal !== undefined) return;
  turn.set({ proposal, block });
  turn.collect(proposal.blockId.partSetHeader);
  turn.emit({ kind: 'sendProposal', proposal });
  turn.note('completeProposal');
}

function takeSignedVote(turn: Turn, { vote }: InputOf<'signedVote'>): void {
  const { question, height, round } = turn.state;
  if (question?.kind !== 'signVote') return;
  if (vote === undefined) {
    turn.set({ question: undefined });
    return;
  }
  const { type, blockId, validatorIndex } = question.vote;
  const asked = vote.height === height && vote.round === round && vote.type === type;
  if (!asked || vote.validatorIndex !== validatorIndex) return;
  // Before anything can be locked, what was signed before the log was lost stands.
  const mayDiffer = type === VOTE_TYPE.prevote && round === 0;
  if (!mayDiffer && !equalBlockIds(vote.blockId, blockId)) return;
  turn.set({ question: undefined });
  turn.emit({ kind: 'sendVote', vote });
  count(turn, vote, '');
}
