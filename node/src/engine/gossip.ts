/**
 * What we send of consensus: new things at once, and by a slow tick what a peer still lacks.
 *
 * Upholds: our proposals, parts and votes go to every peer the moment they exist, each encoded
 * once. Only what was verified is passed on. A peer is sent what it lacks by what it told us; one
 * that stands still is believed to have nothing, so that whatever was lost comes again.
 * Absent here: our own place (standing.ts); judging messages (reactor.ts); transactions
 * (tx-gossip.ts); whole blocks (sync.ts).
 * Spec: CometBFT consensus/reactor.go; its three routines per peer are one tick here.
 *
 * @module
 */
import { commitVote } from '../../consensus/commit.ts';
import {
  majorityOf,
  type State,
  voteAt,
  voteBitsForBlock,
  voteBitsOf,
} from '../../consensus/state.ts';
import { toHex } from '../base/bytes.ts';
import type { BitArray } from '../types/bit-array.ts';
import type { PartSetHeader } from '../types/block-id.ts';
import { evidenceHash, evidenceHeight, evidenceListCodec } from '../types/evidence.ts';
import {
  CHANNEL,
  type ChannelId,
  type ConsensusMessage,
  consensusMessageCodec,
  type VoteSetMaj23,
} from '../types/messages.ts';
import type { Part, PartSet } from '../types/part-set.ts';
import { type Proposal, VOTE_TYPE, type Vote, type VoteType } from '../types/vote.ts';
import type { WholeBlock } from './collector.ts';
import type { EvidencePool } from './evidence-pool.ts';
import type { PeerState } from './peer-state.ts';
import type { ChainStore } from './ports.ts';
import { Standing, type StandingParts } from './standing.ts';

/** Bytes of parts that one tick sends to one peer. */
const PART_BYTES_PER_TICK = 1_048_576;
/** A peer that moved since has what it needs on its way. */
const REPAIR_VOTES_AFTER_MS = 50;
const REPAIR_PARTS_AFTER_MS = 100;
/** What came here a moment ago is on its way to the peer from where it came. */
const PARTS_SETTLE_MS = 100;
/** After so long in one place a peer is believed to have lost what we sent. */
const STALLED_MS = 2_000;
/** How often a peer is asked which votes it has, in ticks. */
const CLAIM_EVERY_TICKS = 40;

const { prevote, precommit } = VOTE_TYPE;

/** What gossip reads. */
export type GossipParts = StandingParts & {
  readonly store: ChainStore;
  readonly evidence: EvidencePool;
};

/** The bytes of a consensus message. */
function encode(message: ConsensusMessage): Uint8Array {
  return consensusMessageCodec.encode(message);
}

/** Sends what peers lack. */
export class Gossip {
  /** What peers are told of us. */
  readonly standing: Standing;
  readonly #parts: GossipParts;
  #ticks = 0;
  /** What is collected, as the last tick saw it, and when it changed. */
  #collected: { readonly set: PartSet | undefined; readonly count: number; readonly at: number };

  constructor(parts: GossipParts) {
    this.#parts = parts;
    this.standing = new Standing(parts);
    this.#collected = { set: undefined, count: 0, at: parts.clock.monotonicMs() };
  }

  #send(peer: PeerState, channel: ChannelId, bytes: Uint8Array): boolean {
    return this.#parts.net.send(peer.id, channel, bytes);
  }

  /** The validators whose votes of `height` we track, by number. */
  #validators(height: number): number {
    const core = this.#parts.core();
    return height === core.height - 1
      ? (core.lastCommit?.votes.length ?? 0)
      : core.firstValidators.validators.length;
  }

  /** Pushes our proposal and its parts to all who can use them. */
  sendProposal(proposal: Proposal, { parts }: WholeBlock): void {
    const { height, round, blockId, polRound } = proposal;
    const peers = [...this.#parts.peers.values()].filter((p) => canUse(p, height));
    const announcement = encode({ kind: 'proposal', value: { proposal } });
    for (const peer of peers) {
      const sent = this.#send(peer, CHANNEL.data, announcement);
      if (sent && peer.height === height && peer.round === round) {
        peer.setProposal(blockId.partSetHeader, polRound);
      }
    }
    for (let index = 0; index < parts.header.total; index++) {
      const part = parts.get(index);
      if (part === undefined) continue;
      const message = encode({ kind: 'blockPart', value: { height, round, part } });
      for (const peer of peers) {
        if (!this.#send(peer, CHANNEL.data, message)) continue;
        if (peer.missingParts(parts.header) !== undefined) peer.setPart(height, index);
      }
    }
  }

  /** Pushes our vote to all who can use it. */
  sendVote(vote: Vote): void {
    this.standing.tellPolka();
    const message = encode({ kind: 'vote', value: { vote } });
    const size = this.#validators(vote.height);
    for (const peer of this.#parts.peers.values()) {
      if (!canUse(peer, vote.height) || !this.#send(peer, CHANNEL.vote, message)) continue;
      peer.setVote(vote, vote.validatorIndex, size);
    }
  }

  /** Answers a claim of a majority with the votes for it that we have. */
  answerClaim(peer: PeerState, claim: VoteSetMaj23): void {
    const { height, round, type, blockId } = claim;
    const votes = voteBitsForBlock(this.#parts.core(), round, type as VoteType, blockId);
    const value = { height, round, type, blockId, votes };
    this.#send(peer, CHANNEL.voteSetBits, encode({ kind: 'voteSetBits', value }));
  }

  /** One tick: gives every peer what it lacks. */
  repair(): void {
    this.#ticks++;
    this.standing.tellProgress();
    const now = this.#parts.clock.monotonicMs();
    const paused = this.#parts.paused();
    const settled = this.#settledAt(now) + PARTS_SETTLE_MS <= now;
    for (const peer of this.#parts.peers.values()) {
      this.#evidence(peer);
      if (paused || peer.height === 0) continue;
      const still = now - peer.movedAt;
      const behind = peer.height < this.#parts.core().height;
      if (still >= REPAIR_PARTS_AFTER_MS && (settled || behind)) this.repairData(peer);
      if (still >= REPAIR_VOTES_AFTER_MS) this.#repairVotes(peer);
      if (now - peer.forgottenAt > STALLED_MS && still > STALLED_MS) peer.forget(now);
      if (this.#ticks % CLAIM_EVERY_TICKS === 0) this.#claims(peer);
    }
  }

  /** When the parts that we collect were last seen to change. */
  #settledAt(now: number): number {
    const set = this.#parts.collector.current;
    const count = set?.count ?? 0;
    if (set !== this.#collected.set || count !== this.#collected.count) {
      this.#collected = { set, count, at: now };
    }
    return this.#collected.at;
  }

  /** Sends a peer the proposal and the parts it lacks. */
  repairData(peer: PeerState): void {
    if (this.#parts.paused()) return;
    const core = this.#parts.core();
    if (peer.height === core.height) {
      if (peer.round === core.round && core.proposal !== undefined && !peer.hasProposal) {
        this.#proposal(peer, core.proposal, core);
      }
      const set = this.#parts.collector.current;
      if (set !== undefined) this.#sendParts(peer, set.header, (index) => set.get(index));
    } else if (peer.height < core.height) this.#storedParts(peer);
  }

  #proposal(peer: PeerState, proposal: Proposal, core: State): void {
    if (!this.#send(peer, CHANNEL.data, encode({ kind: 'proposal', value: { proposal } }))) return;
    peer.setProposal(proposal.blockId.partSetHeader, proposal.polRound);
    if (proposal.polRound < 0) return;
    const { height, polRound } = proposal;
    const votes = voteBitsOf(core, polRound, prevote);
    this.#send(
      peer,
      CHANNEL.data,
      encode({ kind: 'proposalPol', value: { height, polRound, votes } }),
    );
  }

  #storedParts(peer: PeerState): void {
    const { store } = this.#parts;
    if (peer.height < store.base) return;
    const header = store.meta(peer.height)?.blockId.partSetHeader;
    if (header === undefined) return;
    peer.expectParts(header);
    this.#sendParts(peer, header, (index) => store.part(peer.height, index));
  }

  #sendParts(
    peer: PeerState,
    header: PartSetHeader,
    part: (index: number) => Part | undefined,
  ): void {
    let bytes = 0;
    for (const index of peer.missingParts(header)?.indexes() ?? []) {
      if (bytes >= PART_BYTES_PER_TICK) return;
      const found = part(index);
      if (found === undefined) continue;
      const { height, round } = peer;
      const value = { height, round: Math.max(0, round), part: found };
      const message = encode({ kind: 'blockPart', value });
      if (!this.#send(peer, CHANNEL.data, message)) return;
      peer.setPart(height, index);
      bytes += message.length;
    }
  }

  #repairVotes(peer: PeerState): void {
    const core = this.#parts.core();
    const { height } = peer;
    if (height === core.height) {
      this.#roundVotes(peer, core);
      const { lastCommit } = core;
      if (lastCommit === undefined || peer.step > 1) return;
      this.#sendList(peer, lastCommit.round, lastCommit.votes, height - 1);
    } else if (height < core.height && height >= this.#parts.store.base) {
      const { store } = this.#parts;
      const commit = store.seenCommit(height) ?? store.commitOf(height);
      const votes = commit?.signatures.map((_, index) => commitVote(commit, index)) ?? [];
      if (commit !== undefined) this.#sendList(peer, commit.round, votes, height);
    }
  }

  #roundVotes(peer: PeerState, core: State): void {
    const { height } = core;
    const rounds = new Set([peer.polRound, peer.round, core.round, core.commitRound]);
    for (const round of rounds) {
      if (round < 0) continue;
      for (const type of [prevote, precommit] as const) {
        const ours = voteBitsOf(core, round, type);
        this.#sendVotes(peer, { height, round, type }, ours, (i) => voteAt(core, round, type, i));
      }
    }
  }

  #sendList(
    peer: PeerState,
    round: number,
    votes: readonly (Vote | undefined)[],
    height: number,
  ): void {
    const have = peer.votes({ height, round, type: precommit }, votes.length);
    if (have === undefined) return;
    for (const [index, vote] of votes.entries()) {
      if (vote !== undefined && !have.get(index)) this.#sendOneVote(peer, vote, have);
    }
  }

  #sendVotes(
    peer: PeerState,
    place: { readonly height: number; readonly round: number; readonly type: VoteType },
    ours: BitArray,
    vote: (index: number) => Vote | undefined,
  ): void {
    const have = peer.votes(place, ours.size);
    if (have === undefined) return;
    for (const index of ours.minus(have).indexes()) {
      const found = vote(index);
      if (found !== undefined) this.#sendOneVote(peer, found, have);
    }
  }

  #sendOneVote(peer: PeerState, vote: Vote, have: BitArray): void {
    const message = encode({ kind: 'vote', value: { vote } });
    if (this.#send(peer, CHANNEL.vote, message)) have.set(vote.validatorIndex, true);
  }

  /** Asks a peer for the votes it has where we know a majority. */
  #claims(peer: PeerState): void {
    const core = this.#parts.core();
    const { height } = peer;
    if (height < core.height) {
      // A peer that an equivocator told another vote counts the commit's only after this claim.
      const commit = this.#parts.store.seenCommit(height);
      if (commit !== undefined) this.#claim(peer, { ...commit, type: precommit });
      return;
    }
    if (height > core.height) return;
    const places = [
      { round: peer.round, type: prevote },
      { round: peer.round, type: precommit },
      { round: peer.polRound, type: prevote },
      { round: core.commitRound, type: precommit },
    ];
    for (const { round, type } of places) {
      const blockId = round < 0 ? undefined : majorityOf(core, round, type);
      if (blockId !== undefined) this.#claim(peer, { height, round, type, blockId });
    }
  }

  #claim(peer: PeerState, { height, round, type, blockId }: VoteSetMaj23): void {
    const value = { height, round, type, blockId };
    this.#send(peer, CHANNEL.state, encode({ kind: 'voteSetMaj23', value }));
  }

  #evidence(peer: PeerState): void {
    for (const evidence of this.#parts.evidence.pending()) {
      if (peer.height <= evidenceHeight(evidence)) continue;
      const key = toHex(evidenceHash(evidence));
      if (peer.evidenceSent.has(key)) continue;
      const message = evidenceListCodec.encode({ evidence: [evidence] });
      if (!this.#send(peer, CHANNEL.evidence, message)) return;
      peer.evidenceSent.add(key);
    }
  }
}

/** Whether a peer can use something of `height` now or in a moment. */
function canUse(peer: PeerState, height: number): boolean {
  return peer.height === height || peer.height === height - 1;
}
