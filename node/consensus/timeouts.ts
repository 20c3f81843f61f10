/**
 * How long the core waits in each step before it moves on, and which timer displaces which.
 *
 * Upholds: after the network becomes synchronous some round lasts longer than the message delay,
 * so consensus terminates; that holds because delays grow with the round.
 * Absent here: timers. The driver measures.
 * Spec: arXiv:1807.04938, algorithm 1, lines 21, 35, 48; CometBFT 0.38 consensus/ticker.go.
 *
 * @module
 */
import { STEP, type Step, type TimedStep, type TimeoutConfig } from './types.ts';

/** The step number that a timer stands for: a later one displaces an earlier one of its round. */
export const TIMER_STEP: Readonly<Record<TimedStep, Step>> = {
  newHeight: STEP.newHeight,
  newRound: STEP.newRound,
  propose: STEP.propose,
  prevoteWait: STEP.prevoteWait,
  precommitWait: STEP.precommitWait,
};

/**
 * Longest time a node waits in `step` of `round`.
 *
 * @param round - 0 for the first attempt at a height
 * @returns milliseconds
 * @example
 * timeoutMs('propose', 2, config); // proposeMs + 2 * proposeDeltaMs
 */
export function timeoutMs(step: TimedStep, round: number, config: TimeoutConfig): number {
  switch (step) {
    case 'newHeight':
      return config.commitMs;
    case 'newRound':
      return config.emptyBlocksMs;
    case 'propose':
      return config.proposeMs + round * config.proposeDeltaMs;
    case 'prevoteWait':
      return config.prevoteMs + round * config.prevoteDeltaMs;
    case 'precommitWait':
      return config.precommitMs + round * config.precommitDeltaMs;
  }
}
