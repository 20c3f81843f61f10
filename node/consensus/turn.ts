/**
 * One step of the core while it is being worked out: the state so far and the effects so far.
 *
 * Upholds: the state given to `step` is never changed; a turn replaces its own. Effects stand in
 * the order in which they were emitted.
 *
 * @module
 */
import { equalPartSetHeaders, type PartSetHeader } from '../src/types/block-id.ts';
import { lastCommitRound, type Question, type State } from './state.ts';
import { TIMER_STEP, timeoutMs } from './timeouts.ts';
import type { Effect, TimedStep } from './types.ts';

/** The name of a `noted` effect's event. */
export type NotedEvent = Extract<Effect, { kind: 'noted' }>['event'];

/** The work of one step. Local to it. */
export class Turn {
  state: State;
  readonly effects: Effect[] = [];

  constructor(state: State) {
    this.state = state;
  }

  /** Replaces fields of the state. */
  set(patch: Partial<State>): void {
    this.state = { ...this.state, ...patch };
  }

  /** Adds effects. */
  emit(...effects: readonly Effect[]): void {
    this.effects.push(...effects);
  }

  /** Asks the driver: the effect goes out and the rules rest until its answer comes. */
  ask(question: Question, effect: Effect): void {
    this.set({ question });
    this.emit(effect);
  }

  /** Tells subscribers what happened. */
  note(event: NotedEvent): void {
    const { height, round, step } = this.state;
    this.emit({ kind: 'noted', event, height, round, step });
  }

  /** Tells peers where we are. */
  announceStep(): void {
    const { height, round, step } = this.state;
    this.emit({
      kind: 'stepChanged',
      height,
      round,
      step,
      lastCommitRound: lastCommitRound(this.state),
    });
  }

  /** Starts the timer of a step of this round, unless a later one runs (CometBFT ticker.go). */
  schedule(step: TimedStep): void {
    const { height, round, timer, config } = this.state;
    const number = TIMER_STEP[step];
    if (timer !== undefined && timer.round === round && timer.step >= number) return;
    this.set({ timer: { round, step: number } });
    const delayMs = timeoutMs(step, round, config.timeouts);
    this.emit({ kind: 'schedule', timeout: { height, round, step }, delayMs });
  }

  /** Collects the parts of a block from now on. True if that is a change. */
  collect(partSetHeader: PartSetHeader): boolean {
    const { collecting, height, round } = this.state;
    if (collecting !== undefined && equalPartSetHeaders(collecting, partSetHeader)) return false;
    this.set({ collecting: partSetHeader });
    this.emit({ kind: 'collect', height, round, partSetHeader });
    return true;
  }
}
