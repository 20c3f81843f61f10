/**
 * Everything the consensus core knows, and how the engine's gossip reads it.
 *
 * Upholds: a value that `step` never changes; facts that votes imply (majorities, quorums) are
 * read from the vote sets and not stored beside them.
 * Absent here: blocks' contents and parts, peers, clocks.
 * Spec: CometBFT 0.38 consensus/types/round_state.go. Reading on: rules.ts.
 *
 * @module
 */
import { EMPTY, equalBytes } from '../src/base/bytes.ts';
import { BitArray } from '../src/types/bit-array.ts';
import { type BlockId, equalBlockIds, type PartSetHeader } from '../src/types/block-id.ts';
import type { Commit } from '../src/types/commit.ts';
import type { Time } from '../src/types/time.ts';
import { indexOfValidator, type ValidatorSet } from '../src/types/validators.ts';
import {
  type Proposal,
  type Verified,
  VOTE_TYPE,
  type Vote,
  type VoteType,
} from '../src/types/vote.ts';
import { commitOf } from './commit.ts';
import { emptyHeightVotes, type HeightVotes, votesOf } from './height-votes.ts';
import { STEP, type Step, type TimedStep, type TimeoutConfig, type UnsignedVote } from './types.ts';
import { type VoteSet, voteBits, voteBitsFor } from './vote-set.ts';

/** What a core is made with. */
export type CoreConfig = {
  readonly chainId: string;
  /** Our validator's address; absent on a node that only follows. */
  readonly address: Uint8Array | undefined;
  readonly timeouts: TimeoutConfig;
};

/** A complete block the driver holds, by name, and its header's time. */
export type HeldBlock = { readonly blockId: BlockId; readonly time: Time };

/** A complete block and the round that made it matter. */
export type RoundBlock = HeldBlock & { readonly round: number };

/** A question to the driver that is not answered yet. */
export type Question =
  | { readonly kind: 'build' }
  | { readonly kind: 'validate'; readonly block: HeldBlock; readonly vote: VoteType }
  | { readonly kind: 'signProposal'; readonly block: HeldBlock; readonly polRound: number }
  | { readonly kind: 'signVote'; readonly vote: UnsignedVote };

/** The core's state. Before the first height `height` is 0. */
export type State = {
  readonly config: CoreConfig;
  readonly height: number;
  readonly round: number;
  readonly step: Step;
  /** The height's validators with the proposer of round 0. */
  readonly firstValidators: ValidatorSet;
  /** The same validators with the proposer of `round`. */
  readonly validators: ValidatorSet;
  /** Precommits of the height before; absent at the initial height. */
  readonly lastCommit: VoteSet | undefined;
  /** Whether late precommits still join `lastCommit`: until our own block is asked for. */
  readonly lastCommitOpen: boolean;
  readonly proofBlock: boolean;
  readonly txsAvailable: boolean;
  /** The proposal of this round. */
  readonly proposal: Verified<Proposal> | undefined;
  /** The part set being collected. */
  readonly collecting: PartSetHeader | undefined;
  /** The block of `collecting`, once complete. */
  readonly block: HeldBlock | undefined;
  readonly locked: RoundBlock | undefined;
  readonly valid: RoundBlock | undefined;
  readonly votes: HeightVotes;
  /** The round whose precommits commit a block, or −1. */
  readonly commitRound: number;
  /** Whether `decide` was emitted: only a new height follows. */
  readonly decided: boolean;
  /** Whether this round's polka for a block was acted on. */
  readonly polkaSeen: boolean;
  /** Whether we were asked for this round's proposal. */
  readonly proposed: boolean;
  /** Whether this round's precommit timer was started. */
  readonly precommitWaited: boolean;
  /** The block that was found valid in this round. */
  readonly approved: BlockId | undefined;
  /** The timer of this round that fired last. */
  readonly expired: TimedStep | undefined;
  /** The timer set last at this height. */
  readonly timer: { readonly round: number; readonly step: Step } | undefined;
  readonly question: Question | undefined;
};

const NOBODY: ValidatorSet = {
  validators: [],
  proposer: {
    address: EMPTY,
    publicKey: { type: 'ed25519', bytes: EMPTY },
    power: 0n,
    priority: 0n,
  },
  totalPower: 0n,
};

/** The state before the first `newHeight`. */
export function initialState(config: CoreConfig): State {
  return freshHeight(config, 0, NOBODY, undefined, false);
}

/** The state in which a height begins. */
export function freshHeight(
  config: CoreConfig,
  height: number,
  validators: ValidatorSet,
  lastCommit: VoteSet | undefined,
  proofBlock: boolean,
): State {
  return {
    config,
    height,
    round: 0,
    step: STEP.newHeight,
    firstValidators: validators,
    validators,
    lastCommit,
    lastCommitOpen: true,
    proofBlock,
    txsAvailable: false,
    proposal: undefined,
    collecting: undefined,
    block: undefined,
    locked: undefined,
    valid: undefined,
    votes: emptyHeightVotes(height, validators),
    commitRound: -1,
    decided: false,
    ...FRESH_ROUND,
    timer: undefined,
    question: undefined,
  };
}

/** What every round begins with. */
export const FRESH_ROUND = {
  polkaSeen: false,
  proposed: false,
  precommitWaited: false,
  approved: undefined,
  expired: undefined,
} as const;

/** Our index among the height's validators, or −1. */
export function ownIndex(state: State): number {
  const { address } = state.config;
  return address === undefined ? -1 : indexOfValidator(state.firstValidators, address);
}

/** Whether this round's proposal is ours to make. */
export function isProposer(state: State): boolean {
  const { address } = state.config;
  return address !== undefined && equalBytes(state.validators.proposer.address, address);
}

/** The prevotes of a round; absent if nobody opened that round. */
export function prevotes(state: State, round: number): VoteSet | undefined {
  return votesOf(state.votes, round, VOTE_TYPE.prevote);
}

/** The precommits of a round; absent if nobody opened that round. */
export function precommits(state: State, round: number): VoteSet | undefined {
  return votesOf(state.votes, round, VOTE_TYPE.precommit);
}

/** The block (or nil) with more than two thirds of a round's votes of a type. */
export function majorityOf(state: State, round: number, type: VoteType): BlockId | undefined {
  return votesOf(state.votes, round, type)?.majority;
}

/** Which votes of a round and type are here; all clear for a round that nobody opened. */
export function voteBitsOf(state: State, round: number, type: VoteType): BitArray {
  const set = votesOf(state.votes, round, type);
  return set === undefined ? new BitArray(state.validators.validators.length) : voteBits(set);
}

/** Which votes for one block are here: the answer to a peer's majority claim. */
export function voteBitsForBlock(
  state: State,
  round: number,
  type: VoteType,
  blockId: BlockId,
): BitArray {
  const set = votesOf(state.votes, round, type);
  return set === undefined
    ? new BitArray(state.validators.validators.length)
    : voteBitsFor(set, blockId);
}

/** One validator's vote of a round and type. */
export function voteAt(
  state: State,
  round: number,
  type: VoteType,
  index: number,
): Verified<Vote> | undefined {
  return votesOf(state.votes, round, type)?.votes[index];
}

/** The round in which the height before was decided, or −1, as NewRoundStep carries it. */
export function lastCommitRound(state: State): number {
  return state.lastCommit?.round ?? -1;
}

/** The commit of the height before with every precommit known by now. */
export function lastCommitOf(state: State): Commit | undefined {
  return state.lastCommit === undefined ? undefined : commitOf(state.lastCommit);
}

/** The blocks the driver must keep: what it may be asked to validate, serve, propose or decide. */
export function heldBlocks(state: State): readonly BlockId[] {
  const ids = [state.block, state.locked, state.valid].flatMap((b) => (b ? [b.blockId] : []));
  return ids.filter((id, i) => ids.findIndex((other) => equalBlockIds(id, other)) === i);
}

/** Whether the proposal, its block and the polka it rests on are all here. */
export function proposalComplete(state: State): boolean {
  const { proposal, block } = state;
  if (proposal === undefined || block === undefined) return false;
  return proposal.polRound < 0 || prevotes(state, proposal.polRound)?.majority !== undefined;
}
