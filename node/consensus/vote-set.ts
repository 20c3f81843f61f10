/**
 * The votes of one height, round and type, counted as they come.
 *
 * Upholds: `sum` counts each validator once, by its first vote; the first block with a quorum is
 * the majority for good, and its votes displace conflicting ones. A conflicting vote is kept only
 * for a block that some peer claimed to have a majority, so that a liar cannot fill memory and an
 * equivocator cannot hide a real majority. A set is a value: adding makes another one.
 * Absent here: checks of signatures; the type `Verified` says that they were made.
 * Spec: CometBFT 0.38 types/vote_set.go.
 *
 * @module
 */
import { equalBytes } from '../src/base/bytes.ts';
import { BitArray } from '../src/types/bit-array.ts';
import { type BlockId, blockIdKey, equalBlockIds } from '../src/types/block-id.ts';
import { quorum, type Validator, type ValidatorSet } from '../src/types/validators.ts';
import type { Verified, Vote, VoteType } from '../src/types/vote.ts';

/** Claims kept per set; each keeps a bucket. More peers than this cannot all be connected. */
export const MAX_CLAIMS_PER_SET = 256;

type Slots = readonly (Verified<Vote> | undefined)[];

/** The votes for one block (or nil). */
export type BlockVotes = {
  /** Whether a peer claimed a majority for this block. */
  readonly claimed: boolean;
  readonly votes: Slots;
  readonly sum: bigint;
};

/** The votes of one height, round and type. */
export type VoteSet = {
  readonly height: number;
  readonly round: number;
  readonly type: VoteType;
  readonly validators: ValidatorSet;
  /** One vote per validator: the first, or the one for the majority. */
  readonly votes: Slots;
  /** Power of the validators that voted. */
  readonly sum: bigint;
  /** By `blockIdKey`; never iterated. */
  readonly blocks: ReadonlyMap<string, BlockVotes>;
  /** What each peer claims to have a majority; never iterated. */
  readonly claims: ReadonlyMap<string, BlockId>;
  /** The first block with a quorum. */
  readonly majority: BlockId | undefined;
  /** Validators whose equivocation was reported already. */
  readonly accused: readonly number[];
};

/** What came of adding a vote; `set` is the same value if nothing changed. */
export type Added = {
  readonly set: VoteSet;
  readonly added: boolean;
  /** The earlier vote that this one contradicts; reported once per validator. */
  readonly conflict: Verified<Vote> | undefined;
};

/** The set before the first vote. */
export function emptyVoteSet(
  height: number,
  round: number,
  type: VoteType,
  validators: ValidatorSet,
): VoteSet {
  return {
    height,
    round,
    type,
    validators,
    votes: new Array<undefined>(validators.validators.length).fill(undefined),
    sum: 0n,
    blocks: new Map(),
    claims: new Map(),
    majority: undefined,
    accused: [],
  };
}

/** Whether more than two thirds voted, for whatever. */
export function hasQuorum(set: VoteSet): boolean {
  return set.sum >= quorum(set.validators.totalPower);
}

/** Whether the vote is of this set and its index and address name one validator. */
function signerOf(set: VoteSet, vote: Vote): Validator | undefined {
  if (vote.height !== set.height || vote.round !== set.round || vote.type !== set.type) {
    return undefined;
  }
  const signer = set.validators.validators[vote.validatorIndex];
  return signer !== undefined && equalBytes(signer.address, vote.validatorAddress)
    ? signer
    : undefined;
}

/** Counts a vote. Votes that are known, or not of this set, change nothing. */
export function addVote(set: VoteSet, vote: Verified<Vote>): Added {
  const unchanged = { set, added: false, conflict: undefined };
  const signer = signerOf(set, vote);
  if (signer === undefined) return unchanged;
  const index = vote.validatorIndex;
  const key = blockIdKey(vote.blockId);
  const bucket = set.blocks.get(key);
  // A second signature over the same content is no evidence and no new vote.
  if (bucket?.votes[index] !== undefined) return unchanged;
  const earlier = set.votes[index];
  if (earlier === undefined) {
    const votes = set.votes.with(index, vote);
    const counted = tally({ ...set, votes, sum: set.sum + signer.power }, vote, key, signer);
    return { set: counted, added: true, conflict: undefined };
  }
  return addConflicting(set, vote, earlier, key, signer);
}

function addConflicting(
  set: VoteSet,
  vote: Verified<Vote>,
  earlier: Verified<Vote>,
  key: string,
  signer: Validator,
): Added {
  const index = vote.validatorIndex;
  const known = set.accused.includes(index);
  const conflict = known ? undefined : earlier;
  const accused = known ? set : { ...set, accused: [...set.accused, index] };
  if (set.blocks.get(key)?.claimed !== true) return { set: accused, added: false, conflict };
  const wins = set.majority !== undefined && blockIdKey(set.majority) === key;
  const votes = wins ? set.votes.with(index, vote) : set.votes;
  return { set: tally({ ...accused, votes }, vote, key, signer), added: true, conflict };
}

/** Counts a vote for its block; a first quorum makes that block the majority. */
function tally(set: VoteSet, vote: Verified<Vote>, key: string, signer: Validator): VoteSet {
  const before = set.blocks.get(key) ?? noVotes(set);
  const bucket: BlockVotes = {
    claimed: before.claimed,
    votes: before.votes.with(vote.validatorIndex, vote),
    sum: before.sum + signer.power,
  };
  const blocks = new Map(set.blocks).set(key, bucket);
  if (set.majority !== undefined || bucket.sum < quorum(set.validators.totalPower)) {
    return { ...set, blocks };
  }
  const votes = set.votes.map((other, i) => bucket.votes[i] ?? other);
  return { ...set, blocks, votes, majority: vote.blockId };
}

function noVotes(set: VoteSet): BlockVotes {
  return {
    claimed: false,
    votes: new Array<undefined>(set.validators.validators.length).fill(undefined),
    sum: 0n,
  };
}

/** What came of a claim; a second, different claim of one peer is a lie. */
export type Claimed = { readonly set: VoteSet; readonly lie: boolean };

/** Notes that a peer claims a majority for a block. */
export function claimMajority(set: VoteSet, peer: string, blockId: BlockId): Claimed {
  const earlier = set.claims.get(peer);
  if (earlier !== undefined) return { set, lie: !equalBlockIds(earlier, blockId) };
  if (set.claims.size >= MAX_CLAIMS_PER_SET) return { set, lie: false };
  const key = blockIdKey(blockId);
  const claims = new Map(set.claims).set(peer, blockId);
  const bucket = set.blocks.get(key) ?? noVotes(set);
  const blocks = bucket.claimed
    ? set.blocks
    : new Map(set.blocks).set(key, { ...bucket, claimed: true });
  return { set: { ...set, claims, blocks }, lie: false };
}

/** Which validators' votes are here. */
export function voteBits(set: VoteSet): BitArray {
  return bitsOf(set.votes);
}

/** Which validators' votes for this block are here. */
export function voteBitsFor(set: VoteSet, blockId: BlockId): BitArray {
  return bitsOf(set.blocks.get(blockIdKey(blockId))?.votes ?? noVotes(set).votes);
}

function bitsOf(votes: Slots): BitArray {
  const bits = new BitArray(votes.length);
  for (const [index, vote] of votes.entries()) if (vote !== undefined) bits.set(index, true);
  return bits;
}
