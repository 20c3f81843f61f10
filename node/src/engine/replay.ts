/**
 * Recovery: the core's state rebuilt from the log, and what was still to be done.
 *
 * Upholds: a fold of the same records gives the state that was; nothing is sent, signed or applied
 * while folding. A question whose answer is in the log is not asked again.
 * Spec: node/consensus/core.ts, "The driver's side of the contract", 4 and 5.
 * Used by: driver.ts.
 *
 * @module
 */
import type { StepResult } from '../../consensus/core.ts';
import type { State } from '../../consensus/state.ts';
import type { Effect, Input } from '../../consensus/types.ts';
import { blockCodec } from '../types/block.ts';
import { VOTE_TYPE } from '../types/vote.ts';
import { type Collector, wholeBlockOf } from './collector.ts';
import type { WalRecord } from './wal-records.ts';

/** The core, as a function. */
export type StepFunction = (state: State, input: Input) => StepResult;

/** Effects that the driver answers, or that end the height. */
export type Question = Extract<
  Effect,
  { kind: 'build' | 'validate' | 'signProposal' | 'signVote' | 'decide' }
>;

/** What a fold works with; `announce` hears of equivocations again. */
export type FoldParts = {
  readonly step: StepFunction;
  readonly collector: Collector;
  readonly announce: (effect: Extract<Effect, { kind: 'equivocation' }>) => void;
};

/** The height, round and step a signature was asked for. */
export type Asked = { readonly height: number; readonly round: number; readonly type: number };

/** The state of a core rebuilt from its log, and what was still to be done. */
export class Fold {
  state: State;
  timer: Extract<Effect, { kind: 'schedule' }> | undefined;
  question: Question | undefined;
  readonly asked: Asked[] = [];
  readonly #parts: FoldParts;

  constructor(parts: FoldParts, initial: State, begin: Input) {
    this.#parts = parts;
    this.state = initial;
    this.#step(begin);
  }

  take(record: WalRecord): void {
    const { collector } = this.#parts;
    if (record.kind === 'input') this.#step(record.input);
    else if (record.kind === 'part') collector.add(record.part);
    else if (record.kind === 'block') collector.hold(wholeBlockOf(blockCodec.decode(record.bytes)));
  }

  #step(input: Input): void {
    const { state, effects } = this.#parts.step(this.state, input);
    if (state === this.state) return;
    this.state = state;
    if (state.question === undefined) this.question = undefined;
    for (const effect of effects) this.#recall(effect);
  }

  #recall(effect: Effect): void {
    const { height } = this.state;
    if (effect.kind === 'schedule') this.timer = effect;
    else if (effect.kind === 'collect') this.#parts.collector.collect(effect.partSetHeader);
    else if (effect.kind === 'equivocation') this.#parts.announce(effect);
    else if (effect.kind === 'signVote') {
      this.question = effect;
      this.asked.push({ height, round: effect.vote.round, type: effect.vote.type });
    } else if (effect.kind === 'signProposal') {
      this.question = effect;
      this.asked.push({ height, round: effect.round, type: VOTE_TYPE.proposal });
    } else if (effect.kind === 'build' || effect.kind === 'validate' || effect.kind === 'decide') {
      this.question = effect;
    }
  }
}
