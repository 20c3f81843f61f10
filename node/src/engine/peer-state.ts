/**
 * What a peer is known to have: its place, its parts and its votes.
 *
 * Upholds: bounded whatever the peer says: arrays have the sizes of our own sets, rounds are few.
 * "Known" is set when we send, hopefully; what was lost is found again because `forget` clears it
 * when a peer stands still.
 * Absent here: sending.
 * Spec: CometBFT consensus/reactor.go (PeerState), consensus/types/peer_round_state.go.
 *
 * @module
 */
import { BitArray } from '../types/bit-array.ts';
import { equalPartSetHeaders, type PartSetHeader } from '../types/block-id.ts';
import type { HasVote, NewRoundStep, NewValidBlock, ProposalPol } from '../types/messages.ts';
import { VOTE_TYPE, type Vote } from '../types/vote.ts';
import type { PeerId } from './ports.ts';

/** Most rounds of one height whose votes are tracked per peer. */
const MAX_ROUNDS = 16;

/** Which vote: by place. */
export type VotePlace = Pick<Vote, 'height' | 'round' | 'type'>;

/** A peer, as far as it told us. */
export class PeerState {
  readonly id: PeerId;
  height = 0;
  round = -1;
  step = 0;
  lastCommitRound = -1;
  /** Whether it has the proposal of its round. */
  hasProposal = false;
  partSetHeader: PartSetHeader | undefined;
  parts: BitArray | undefined;
  polRound = -1;
  /** Milliseconds of the clock when its place changed last. */
  movedAt: number;
  /** Milliseconds of the clock when round 0 of its height began, as it says. */
  startedAt = 0;
  /** Votes and block parts it sent that we could use. */
  usefulVotes = 0;
  usefulParts = 0;
  /** When we last gave up what we believed it has. */
  forgottenAt: number;
  /** Keys of the evidence it was sent. */
  readonly evidenceSent: Set<string> = new Set();
  /** The blocks it can serve, as it says. */
  base = 0;
  lastBlock = 0;
  readonly #votes = new Map<string, BitArray>();
  #lastCommit: BitArray | undefined;

  constructor(id: PeerId, now: number) {
    this.id = id;
    this.movedAt = now;
    this.forgottenAt = now;
  }

  /** Takes a NewRoundStep; an older one than the last changes nothing. */
  applyStep(message: NewRoundStep, now: number): void {
    const { height, round, step, lastCommitRound } = message;
    const order = height - this.height || round - this.round || step - this.step;
    if (order <= 0) return;
    if (height !== this.height) {
      const follows = height === this.height + 1;
      const key = voteKey(lastCommitRound, VOTE_TYPE.precommit);
      this.#lastCommit = follows ? this.#votes.get(key) : undefined;
      this.#votes.clear();
    }
    if (height !== this.height || round !== this.round) {
      this.hasProposal = false;
      this.partSetHeader = undefined;
      this.parts = undefined;
      this.polRound = -1;
    }
    this.height = height;
    this.round = round;
    this.step = step;
    this.lastCommitRound = lastCommitRound;
    this.startedAt = now - message.secondsSinceStart * 1_000;
    this.movedAt = now;
    this.lastBlock = Math.max(this.lastBlock, height - 1);
  }

  /** Takes a NewValidBlock: these parts it collects, and these it has. */
  applyValidBlock({ height, round, partSetHeader, parts, isCommit }: NewValidBlock): void {
    if (height !== this.height || (round !== this.round && !isCommit)) return;
    this.partSetHeader = partSetHeader;
    this.parts = parts ?? new BitArray(partSetHeader.total);
  }

  /** Takes a ProposalPOL: these prevotes of the proposal's POL round it has. */
  applyPol({ height, polRound, votes }: ProposalPol, validators: number): void {
    if (height !== this.height || polRound !== this.polRound) return;
    this.#mark({ height, round: polRound, type: VOTE_TYPE.prevote }, votes, validators);
  }

  /** Takes a HasVote. */
  applyHasVote({ height, round, type, index }: HasVote, validators: number): void {
    this.setVote({ height, round, type }, index, validators);
  }

  /** Takes VoteSetBits; `ours` are the votes for that block we know, which it may lack. */
  applyVoteBits(
    place: VotePlace,
    claimed: BitArray,
    ours: BitArray | undefined,
    validators: number,
  ): void {
    const have = this.votes(place, validators);
    if (have === undefined) return;
    const rest = ours === undefined ? new BitArray(validators) : have.minus(ours);
    this.#votes.set(voteKey(place.round, place.type), rest.or(claimed));
  }

  /** It has the proposal, whose parts it collects from now on unless it collects others. */
  setProposal(header: PartSetHeader, polRound: number): void {
    this.hasProposal = true;
    if (this.partSetHeader !== undefined) return;
    this.partSetHeader = header;
    this.parts = new BitArray(header.total);
    this.polRound = polRound;
  }

  /** Begins to send it the parts of a stored block, if it collects none. */
  expectParts(header: PartSetHeader): void {
    if (this.partSetHeader !== undefined) return;
    this.partSetHeader = header;
    this.parts = new BitArray(header.total);
  }

  /** Which parts under `header` it lacks; nothing if it collects others. */
  missingParts(header: PartSetHeader): BitArray | undefined {
    if (this.partSetHeader === undefined || this.parts === undefined) return undefined;
    if (!equalPartSetHeaders(this.partSetHeader, header)) return undefined;
    const all = new BitArray(header.total);
    for (let i = 0; i < header.total; i++) all.set(i, true);
    return all.minus(this.parts);
  }

  /** It has part `index` of what it collects at `height`. */
  setPart(height: number, index: number): void {
    if (height === this.height) this.parts?.set(index, true);
  }

  /** The votes of a place it has; undefined if it cannot use that place's votes now. */
  votes({ height, round, type }: VotePlace, validators: number): BitArray | undefined {
    if (height === this.height - 1 && type === VOTE_TYPE.precommit) {
      if (round !== this.lastCommitRound) return undefined;
      this.#lastCommit ??= new BitArray(validators);
      return this.#lastCommit;
    }
    if (height !== this.height) return undefined;
    const key = voteKey(round, type);
    const known = this.#votes.get(key);
    if (known !== undefined) return known;
    if (this.#votes.size >= 2 * MAX_ROUNDS) return undefined;
    const fresh = new BitArray(validators);
    this.#votes.set(key, fresh);
    return fresh;
  }

  /** The votes of a round of its height that it is known to have, if any. */
  knownVotes(round: number, type: number): BitArray | undefined {
    return this.#votes.get(voteKey(round, type));
  }

  /** The precommits of the height before that it is known to have, if any. */
  get knownLastCommit(): BitArray | undefined {
    return this.#lastCommit;
  }

  /** It has one vote. */
  setVote(place: VotePlace, index: number, validators: number): void {
    this.votes(place, validators)?.set(index, true);
  }

  #mark(place: VotePlace, bits: BitArray, validators: number): void {
    const have = this.votes(place, validators);
    if (have === undefined) return;
    for (const index of bits.indexes()) have.set(index, true);
  }

  /** Forgets what we believe it has: it stands still, so something of that was lost. */
  forget(now: number): void {
    this.#votes.clear();
    this.#lastCommit = undefined;
    this.hasProposal = false;
    this.partSetHeader = undefined;
    this.parts = undefined;
    this.polRound = -1;
    this.forgottenAt = now;
  }
}

function voteKey(round: number, type: number): string {
  return `${round}/${type}`;
}
