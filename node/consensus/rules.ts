/**
 * The round machine: the table of what follows from what is known.
 *
 * Votes, proposals, blocks and expired timers are first taken into the state as facts (core.ts).
 * Then the first rule whose condition holds is applied, again and again, until none holds or a
 * question to the driver is open. So a rule reads as the paper's "upon … do …", holds whenever its
 * facts come together in whatever order, and needs no memory of which input brought them.
 *
 * Upholds: every rule makes its own condition false, so the table comes to rest.
 * Each rule names the line of algorithm 1 of arXiv:1807.04938, or the rule of CometBFT 0.38
 * (consensus/state.go) that it follows instead. docs/consensus.md lists them with their tests.
 *
 * @module
 */
import { invariant } from '../src/base/errors.ts';
import { type BlockId, isNil } from '../src/types/block-id.ts';
import { VOTE_TYPE } from '../src/types/vote.ts';
import { highestRound, quorumIn } from './height-votes.ts';
import { isProposer, precommits, prevotes, proposalComplete, type State } from './state.ts';
import {
  actOnPolka,
  adoptValid,
  decide,
  enterCommit,
  enterNewRound,
  enterPrecommit,
  enterPrecommitWait,
  enterPrevote,
  enterPrevoteWait,
  enterPropose,
  matches,
  propose,
  unlock,
} from './transitions.ts';
import type { Turn } from './turn.ts';
import { STEP } from './types.ts';
import { hasQuorum } from './vote-set.ts';

/** One row: if `when` finds something, `then` acts on it. */
export type Rule = {
  readonly name: string;
  /** The line of algorithm 1, or CometBFT's function. */
  readonly source: string;
  readonly apply: (turn: Turn) => boolean;
};

function rule<T>(
  name: string,
  source: string,
  when: (state: State) => T | undefined | false,
  then: (turn: Turn, found: T) => void,
): Rule {
  const apply = (turn: Turn): boolean => {
    const found = when(turn.state);
    if (found === undefined || found === false) return false;
    then(turn, found);
    return true;
  };
  return { name, source, apply };
}

/** Line 49: the round and block of a commit, in whatever round. */
function committed(state: State): { round: number; id: BlockId } | undefined {
  const round = highestRound(state.votes, (_, { majority }) => {
    return majority !== undefined && !isNil(majority);
  });
  const id = round < 0 ? undefined : precommits(state, round)?.majority;
  return id === undefined ? undefined : { round, id };
}

/** The polka of the current round for a block. */
function polkaNow(state: State): BlockId | undefined {
  const polka = prevotes(state, state.round)?.majority;
  return polka === undefined || isNil(polka) ? undefined : polka;
}

/** A round above ours in which two thirds voted; precommits also end the wait for round 0. */
function roundToSkipTo(state: State): number | undefined {
  const from = state.step === STEP.newHeight ? 0 : state.round + 1;
  const round = highestRound(state.votes, (prevoted, precommitted) => {
    const any = prevoted.round > state.round && hasQuorum(prevoted);
    return any || hasQuorum(precommitted);
  });
  return round >= from ? round : undefined;
}

/** The lock is older than a polka, up to our round, for something else. */
function outvotedLock(state: State): boolean {
  const { locked, round } = state;
  if (locked === undefined) return false;
  const newer = highestRound(state.votes, ({ round: r, majority }) => {
    return r > locked.round && r <= round && majority !== undefined && !matches(locked, majority);
  });
  return newer >= 0;
}

/** Two thirds prevoted nil, or a block while the proposal is complete. */
function readyToPrecommit(state: State): boolean {
  const { step, round } = state;
  if (step !== STEP.prevote && step !== STEP.prevoteWait) return false;
  const polka = prevotes(state, round)?.majority;
  return polka !== undefined && (isNil(polka) || proposalComplete(state));
}

/** Transitions of a height that is committed. */
const COMMIT_RULES: readonly Rule[] = [
  rule(
    'decide',
    'L49–L54, once the block is complete',
    (s) => matches(s.block, precommits(s, s.commitRound)?.majority),
    decide,
  ),
];

/** Transitions of a height that is not. The first that applies is taken. */
const OPEN_RULES: readonly Rule[] = [
  rule(
    'commitRoundAhead',
    'CometBFT addVote: precommits of a later round take us there',
    (s) => {
      const found = committed(s);
      const ahead = found !== undefined && found.round > s.round;
      return ahead || (found?.round === s.round && s.step === STEP.newHeight) ? found : undefined;
    },
    (turn, { round }) => enterNewRound(turn, round),
  ),
  rule(
    'precommitBeforeCommit',
    'CometBFT addVote: precommit in the round that commits',
    (s) => s.step < STEP.precommit && committed(s)?.round === s.round,
    enterPrecommit,
  ),
  rule('commit', 'L49', committed, (turn, { round, id }) => enterCommit(turn, round, id)),
  rule(
    'skipRound',
    'L55, with +2/3 of anything instead of f+1 (CometBFT addVote)',
    roundToSkipTo,
    enterNewRound,
  ),
  rule(
    'nilCommit',
    'CometBFT addVote: +2/3 precommitted nil, so we precommit too',
    (s) => {
      const majority = precommits(s, s.round)?.majority;
      return s.step < STEP.precommit && majority !== undefined && isNil(majority);
    },
    enterPrecommit,
  ),
  rule(
    'precommitWait',
    'L47',
    (s) => !s.precommitWaited && quorumIn(s.votes, s.round, VOTE_TYPE.precommit),
    enterPrecommitWait,
  ),
  rule(
    'precommitTimeoutVote',
    'CometBFT handleTimeout: precommit before leaving the round',
    (s) => s.expired === 'precommitWait' && s.step < STEP.precommit,
    enterPrecommit,
  ),
  rule(
    'precommitTimeout',
    'L65–L67',
    (s) => s.expired === 'precommitWait',
    (turn) => enterNewRound(turn, turn.state.round + 1),
  ),
  rule(
    'prevoteTimeout',
    'L61–L64',
    (s) => s.expired === 'prevoteWait' && s.step === STEP.prevoteWait,
    enterPrecommit,
  ),
  rule('unlock', 'CometBFT addVote: unlock on a newer polka', outvotedLock, unlock),
  rule(
    'polka',
    'L36, L42, L43; CometBFT addVote: only in the current round',
    (s) => !s.polkaSeen && polkaNow(s),
    actOnPolka,
  ),
  rule(
    'polkaBlock',
    'L36, L42, L43, once the block is complete',
    (s) => {
      const old = s.valid === undefined || s.valid.round < s.round;
      return old && matches(s.block, polkaNow(s)) ? s.block : undefined;
    },
    adoptValid,
  ),
  rule('precommit', 'L36–L41, L44–L46', readyToPrecommit, enterPrecommit),
  rule(
    'prevoteWait',
    'L34, L35',
    (s) => s.step === STEP.prevote && quorumIn(s.votes, s.round, VOTE_TYPE.prevote),
    enterPrevoteWait,
  ),
  rule('prevote', 'L22–L33', (s) => s.step <= STEP.propose && proposalComplete(s), enterPrevote),
  rule(
    'proposeTimeout',
    'L57–L60',
    (s) => s.expired === 'propose' && s.step === STEP.propose,
    enterPrevote,
  ),
  rule(
    'propose',
    'L14–L19',
    (s) => s.step === STEP.propose && !s.proposed && s.proposal === undefined && isProposer(s),
    propose,
  ),
  rule(
    'startPropose',
    'L14, L20, L21; CometBFT enterNewRound: round 0 may wait for transactions',
    (s) => {
      const waited = s.round > 0 || s.proofBlock || s.txsAvailable || s.expired === 'newRound';
      return s.step === STEP.newRound && waited;
    },
    enterPropose,
  ),
  rule(
    'startRound',
    'L10, L11; CometBFT timeout_commit',
    (s) => s.step === STEP.newHeight && (s.expired === 'newHeight' || waitsNotAfterCommit(s)),
    (turn) => enterNewRound(turn, 0),
  ),
];

function waitsNotAfterCommit(state: State): boolean {
  return state.config.timeouts.commitMs === 0 || state.lastCommit === undefined;
}

/** Every rule, in the order in which they are tried. */
export const RULES: readonly Rule[] = [...COMMIT_RULES, ...OPEN_RULES];

/** More firings than any input can cause: each round and step is entered once. */
const MAX_FIRINGS = 1_000;

/** Applies the rules until none applies, a question is open, or the height is decided. */
export function settle(turn: Turn): void {
  for (let firings = 0; ; firings++) {
    invariant(firings < MAX_FIRINGS, 'the rules come to rest');
    const { step, question, decided, height } = turn.state;
    if (question !== undefined || decided || height === 0) return;
    const rules = step === STEP.commit ? COMMIT_RULES : OPEN_RULES;
    if (!rules.some((row) => row.apply(turn))) return;
  }
}
