/**
 * What the engine publishes: for subscribers and metrics.
 *
 * Upholds: a `committed` event is published only after its height is durable and indexed.
 *
 * @module
 */
import type { CommittedHeight } from './chain-state.ts';
import type { Vote } from './vote.ts';

/** CometBFT's names of events inside a round. */
export type RoundEventName =
  | 'NewRound'
  | 'NewRoundStep'
  | 'CompleteProposal'
  | 'Polka'
  | 'Lock'
  | 'Relock'
  | 'Unlock'
  | 'TimeoutPropose'
  | 'TimeoutWait'
  | 'ValidBlock';

/** One published event. */
export type ChainEvent =
  | { readonly kind: 'committed'; readonly height: CommittedHeight }
  | { readonly kind: 'vote'; readonly vote: Vote }
  | {
      readonly kind: 'round';
      readonly name: RoundEventName;
      readonly height: number;
      readonly round: number;
      /** CometBFT's text, such as `RoundStepPropose`. */
      readonly step: string;
    };
