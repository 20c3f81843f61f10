/**
 * Effects of the core as events for subscribers, under CometBFT's names.
 *
 * @module
 */
import type { Effect, Step } from '../../consensus/types.ts';
import type { ChainEvent, RoundEventName } from '../types/chain-events.ts';

const STEP_NAMES: Readonly<Record<Step, string>> = {
  1: 'RoundStepNewHeight',
  2: 'RoundStepNewRound',
  3: 'RoundStepPropose',
  4: 'RoundStepPrevote',
  5: 'RoundStepPrevoteWait',
  6: 'RoundStepPrecommit',
  7: 'RoundStepPrecommitWait',
  8: 'RoundStepCommit',
};

type Noted = Extract<Effect, { kind: 'noted' }>['event'];

const NOTED: Readonly<Record<Noted, RoundEventName>> = {
  newRound: 'NewRound',
  completeProposal: 'CompleteProposal',
  polka: 'Polka',
  lock: 'Lock',
  relock: 'Relock',
  unlock: 'Unlock',
  timeoutPropose: 'TimeoutPropose',
  timeoutWait: 'TimeoutWait',
};

/** CometBFT's text of a step. */
function stepName(step: Step): string {
  return STEP_NAMES[step];
}

/** The events an effect is worth. */
export function eventsOf(effect: Effect): ChainEvent[] {
  if (effect.kind === 'voteAdded') return [{ kind: 'vote', vote: effect.vote }];
  if (effect.kind === 'stepChanged') {
    const { height, round, step } = effect;
    return [{ kind: 'round', name: 'NewRoundStep', height, round, step: stepName(step) }];
  }
  if (effect.kind !== 'noted') return [];
  const { height, round, step, event } = effect;
  return [{ kind: 'round', name: NOTED[event], height, round, step: stepName(step) }];
}
