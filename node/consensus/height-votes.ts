/**
 * All votes of one height, by round.
 *
 * Upholds: the rounds up to one above the current one are open to everybody; beyond that each peer
 * may open two, and all peers together a fixed number, so that votes of far rounds cannot fill
 * memory. Rounds are never walked in the map's own order where the order could matter.
 * Spec: CometBFT 0.38 consensus/types/height_vote_set.go.
 *
 * @module
 */
import { MAX_CATCHUP_ROUNDS_PER_PEER } from '../src/base/limits.ts';
import type { BlockId } from '../src/types/block-id.ts';
import type { ValidatorSet } from '../src/types/validators.ts';
import { type Verified, VOTE_TYPE, type Vote, type VoteType } from '../src/types/vote.ts';
import {
  type Added,
  addVote,
  type Claimed,
  claimMajority,
  emptyVoteSet,
  hasQuorum,
  type VoteSet,
} from './vote-set.ts';

/** Rounds that peers may open beyond the next one, all peers together. */
export const MAX_CATCHUP_ROUNDS = 64;

type RoundVotes = { readonly prevotes: VoteSet; readonly precommits: VoteSet };

/** The votes of a height. */
export type HeightVotes = {
  readonly height: number;
  readonly validators: ValidatorSet;
  /** The highest round that is open to everybody. */
  readonly openRound: number;
  readonly rounds: ReadonlyMap<number, RoundVotes>;
  /** The catch-up rounds each peer opened. */
  readonly catchup: ReadonlyMap<string, readonly number[]>;
};

/** No votes yet; rounds 0 and 1 are open. */
export function emptyHeightVotes(height: number, validators: ValidatorSet): HeightVotes {
  return { height, validators, openRound: 1, rounds: new Map(), catchup: new Map() };
}

/** Opens the rounds up to one above `round`. */
export function openRounds(votes: HeightVotes, round: number): HeightVotes {
  return round + 1 > votes.openRound ? { ...votes, openRound: round + 1 } : votes;
}

/** The votes of a round and type; absent if nobody opened that round. */
export function votesOf(votes: HeightVotes, round: number, type: VoteType): VoteSet | undefined {
  const known = votes.rounds.get(round);
  if (known !== undefined) return type === VOTE_TYPE.prevote ? known.prevotes : known.precommits;
  if (round < 0 || round > votes.openRound) return undefined;
  return emptyVoteSet(votes.height, round, type, votes.validators);
}

function withSet(votes: HeightVotes, set: VoteSet): HeightVotes {
  const { height, validators } = votes;
  const known = votes.rounds.get(set.round) ?? {
    prevotes: emptyVoteSet(height, set.round, VOTE_TYPE.prevote, validators),
    precommits: emptyVoteSet(height, set.round, VOTE_TYPE.precommit, validators),
  };
  const pair =
    set.type === VOTE_TYPE.prevote ? { ...known, prevotes: set } : { ...known, precommits: set };
  return { ...votes, rounds: new Map(votes.rounds).set(set.round, pair) };
}

function openCatchup(votes: HeightVotes, round: number, peer: string): HeightVotes | undefined {
  const mine = votes.catchup.get(peer) ?? [];
  const beyond = [...votes.rounds.keys()].filter((r) => r > votes.openRound);
  if (mine.length >= MAX_CATCHUP_ROUNDS_PER_PEER || beyond.length >= MAX_CATCHUP_ROUNDS) {
    return undefined;
  }
  const catchup = new Map(votes.catchup).set(peer, [...mine, round]);
  return { ...votes, catchup };
}

/** What came of adding a vote; `votes` is the same value if nothing changed. */
export type HeightAdded = Omit<Added, 'set'> & { readonly votes: HeightVotes };

/** Counts a vote of this height. @param peer - who gave it; empty for our own */
export function addHeightVote(votes: HeightVotes, vote: Verified<Vote>, peer: string): HeightAdded {
  const unchanged = { votes, added: false, conflict: undefined };
  if (vote.height !== votes.height || vote.round < 0) return unchanged;
  const type = vote.type as VoteType;
  if (type !== VOTE_TYPE.prevote && type !== VOTE_TYPE.precommit) return unchanged;
  const open = votesOf(votes, vote.round, type);
  const base = open === undefined ? openCatchup(votes, vote.round, peer) : votes;
  if (base === undefined) return unchanged;
  const set = open ?? emptyVoteSet(votes.height, vote.round, type, votes.validators);
  const result = addVote(set, vote);
  if (result.set === set) return unchanged;
  return {
    votes: withSet(base, result.set),
    added: result.added,
    conflict: result.conflict,
  };
}

/** Notes a peer's claim; claims about rounds that nobody opened are dropped. */
export function claimHeightMajority(
  votes: HeightVotes,
  round: number,
  type: VoteType,
  peer: string,
  blockId: BlockId,
): { readonly votes: HeightVotes; readonly lie: boolean } {
  const set = votesOf(votes, round, type);
  if (set === undefined) return { votes, lie: false };
  const result: Claimed = claimMajority(set, peer, blockId);
  return { votes: result.set === set ? votes : withSet(votes, result.set), lie: result.lie };
}

/** The highest round for which `test` holds, or −1. */
export function highestRound(
  votes: HeightVotes,
  test: (prevotes: VoteSet, precommits: VoteSet) => boolean,
): number {
  let best = -1;
  for (const [round, { prevotes, precommits }] of votes.rounds) {
    if (round > best && test(prevotes, precommits)) best = round;
  }
  return best;
}

/** Whether more than two thirds voted in that round and type. */
export function quorumIn(votes: HeightVotes, round: number, type: VoteType): boolean {
  const set = votesOf(votes, round, type);
  return set !== undefined && hasQuorum(set);
}
