/**
 * The language between the consensus core and whoever drives it: inputs in, effects out.
 *
 * `step(state, input) → { state, effects }` (core.ts) is pure and total. The driver performs the
 * effects of a step in order and before it takes the next input; the effects marked "answered by"
 * have exactly one answer, which the driver feeds back before any other input. So a step may rely
 * on nothing having happened between a question and its answer, as in CometBFT's single routine.
 *
 * Upholds: `persist` comes before a `sign…` that may rest on a lock, `sign…` before `send…`. The
 * write-ahead log is the list of inputs, answers included; recovery is a fold over it.
 * Absent here: clocks, randomness, signatures' bytes being checked, block contents.
 * Spec: arXiv:1807.04938 (Tendermint); where CometBFT 0.38 differs, CometBFT.
 *
 * @module
 */
import type { BlockId, PartSetHeader } from '../src/types/block-id.ts';
import type { Commit } from '../src/types/commit.ts';
import type { Time } from '../src/types/time.ts';
import type { ValidatorSet } from '../src/types/validators.ts';
import type { Proposal, Verified, Vote, VoteType } from '../src/types/vote.ts';

/** Steps of a round, numbered as CometBFT's NewRoundStep message numbers them. */
export const STEP = {
  newHeight: 1,
  newRound: 2,
  propose: 3,
  prevote: 4,
  prevoteWait: 5,
  precommit: 6,
  precommitWait: 7,
  commit: 8,
} as const;

/** One of the step numbers. */
export type Step = (typeof STEP)[keyof typeof STEP];

/** The steps that time out. */
export type TimedStep = 'newHeight' | 'newRound' | 'propose' | 'prevoteWait' | 'precommitWait';

/** What a timer was set for. */
export type Timeout = {
  readonly height: number;
  readonly round: number;
  readonly step: TimedStep;
};

/** Lengths in milliseconds: base + round × delta. Node configuration, as in CometBFT. */
export type TimeoutConfig = {
  readonly proposeMs: number;
  readonly proposeDeltaMs: number;
  readonly prevoteMs: number;
  readonly prevoteDeltaMs: number;
  readonly precommitMs: number;
  readonly precommitDeltaMs: number;
  /** Wait for late precommits after a commit; 0 goes on at once. */
  readonly commitMs: number;
  /** How long to wait for transactions before an empty block; 0 never makes one. */
  readonly emptyBlocksMs: number;
};

/** A vote before it is signed; the signer sets the time. */
export type UnsignedVote = {
  readonly type: VoteType;
  readonly height: number;
  readonly round: number;
  readonly blockId: BlockId;
  readonly validatorAddress: Uint8Array;
  readonly validatorIndex: number;
};

/** What the core is told. */
export type Input =
  /** A height begins: the one before is applied and durable, or the node has just started. */
  | {
      readonly kind: 'newHeight';
      readonly height: number;
      readonly validators: ValidatorSet;
      /** Who signed the height before, and its commit as stored; absent at the initial height. */
      readonly last: { readonly validators: ValidatorSet; readonly commit: Commit } | undefined;
      /** A block is due even without transactions: the application's hash changed, or first. */
      readonly proofBlock: boolean;
    }
  /** The mempool has something to propose at this height. */
  | { readonly kind: 'txsAvailable'; readonly height: number }
  | { readonly kind: 'timeout'; readonly timeout: Timeout }
  | { readonly kind: 'proposal'; readonly proposal: Verified<Proposal> }
  /** All parts of a block arrived and decode to a block of this height whose hash is in `id`. */
  | {
      readonly kind: 'block';
      readonly height: number;
      readonly blockId: BlockId;
      readonly time: Time;
    }
  | { readonly kind: 'vote'; readonly vote: Verified<Vote>; readonly peer: string }
  /** A peer says that it saw +2/3 for this block. */
  | {
      readonly kind: 'majorityClaim';
      readonly peer: string;
      readonly height: number;
      readonly round: number;
      readonly type: VoteType;
      readonly blockId: BlockId;
    }
  /** Answer to `build`. */
  | {
      readonly kind: 'built';
      readonly height: number;
      readonly round: number;
      readonly blockId: BlockId;
      readonly time: Time;
    }
  /** Answer to `validate`. */
  | {
      readonly kind: 'validated';
      readonly height: number;
      readonly round: number;
      readonly blockId: BlockId;
      readonly valid: boolean;
    }
  /** Answers to `signProposal` and `signVote`; absent if the guard refused. */
  | { readonly kind: 'signedProposal'; readonly proposal: Verified<Proposal> | undefined }
  | { readonly kind: 'signedVote'; readonly vote: Verified<Vote> | undefined };

/** What the core asks its driver to do, in this order. */
export type Effect =
  /** Make every input so far durable before going on. */
  | { readonly kind: 'persist' }
  /** Replace the running timer. There is one timer. */
  | { readonly kind: 'schedule'; readonly timeout: Timeout; readonly delayMs: number }
  /** Build a block to propose. Answered by `built`. */
  | {
      readonly kind: 'build';
      readonly height: number;
      readonly round: number;
      readonly lastCommit: Commit;
    }
  /** Check a complete block against the state and the application. Answered by `validated`. */
  | {
      readonly kind: 'validate';
      readonly height: number;
      readonly round: number;
      readonly blockId: BlockId;
    }
  /** Answered by `signedProposal`. */
  | {
      readonly kind: 'signProposal';
      readonly height: number;
      readonly round: number;
      readonly polRound: number;
      readonly blockId: BlockId;
    }
  /** Sign with a time of now, but not before `notBefore`. Answered by `signedVote`. */
  | {
      readonly kind: 'signVote';
      readonly vote: UnsignedVote;
      readonly notBefore: Time | undefined;
    }
  /** Push our proposal and its parts to all peers. */
  | { readonly kind: 'sendProposal'; readonly proposal: Verified<Proposal> }
  /** Push our vote to all peers. */
  | { readonly kind: 'sendVote'; readonly vote: Verified<Vote> }
  /** Collect the parts of this block, dropping parts of any other; keep them if they are its. */
  | {
      readonly kind: 'collect';
      readonly height: number;
      readonly round: number;
      readonly partSetHeader: PartSetHeader;
    }
  /** Tell peers which parts of the block we collect we have (NewValidBlock). */
  | {
      readonly kind: 'announceBlock';
      readonly height: number;
      readonly round: number;
      readonly partSetHeader: PartSetHeader;
      readonly isCommit: boolean;
    }
  /** The block is final and complete: apply it, store it, then begin the next height. */
  | {
      readonly kind: 'decide';
      readonly height: number;
      readonly round: number;
      readonly blockId: BlockId;
      readonly commit: Commit;
    }
  /** Our place changed (NewRoundStep). */
  | {
      readonly kind: 'stepChanged';
      readonly height: number;
      readonly round: number;
      readonly step: Step;
      readonly lastCommitRound: number;
    }
  /** A vote was counted (HasVote). `peer` is who gave it; empty for our own. */
  | { readonly kind: 'voteAdded'; readonly vote: Verified<Vote>; readonly peer: string }
  /** A validator signed two votes for one step. */
  | {
      readonly kind: 'equivocation';
      readonly first: Verified<Vote>;
      readonly second: Verified<Vote>;
    }
  /** A peer broke a rule whose breach costs it the connection. */
  | { readonly kind: 'blame'; readonly peer: string; readonly reason: string }
  /** For subscribers and metrics only: what happened inside a round. */
  | {
      readonly kind: 'noted';
      readonly event:
        | 'newRound'
        | 'completeProposal'
        | 'polka'
        | 'lock'
        | 'relock'
        | 'unlock'
        | 'timeoutPropose'
        | 'timeoutWait';
      readonly height: number;
      readonly round: number;
      readonly step: Step;
    };
