/**
 * What peers tell us about consensus, judged and turned into inputs of the core.
 *
 * Upholds: nothing reaches the core, the log or another peer before its signature or proof was
 * checked; a peer that sends a wrong signature, or breaks a rule of form, is dropped at once. What
 * came too early is kept, bounded; what is known or stale costs next to nothing.
 * Absent here: what we send (gossip.ts).
 * Spec: CometBFT consensus/reactor.go (Receive).
 *
 * @module
 */
import { type State, voteAt, voteBitsForBlock } from '../../consensus/state.ts';
import { equalBytes } from '../base/bytes.ts';
import { LedgerError } from '../base/errors.ts';
import type { ChainState } from '../types/chain-state.ts';
import type { LimitedCheck, Signers } from '../types/check-signature.ts';
import { checkConsensusMessage } from '../types/message-checks.ts';
import {
  type BlockPart,
  type ConsensusMessage,
  consensusMessageCodec,
  type VoteSetBits,
  type VoteSetMaj23,
} from '../types/messages.ts';
import { maxBlockBytes } from '../types/params.ts';
import { verifyProposal, verifyVote } from '../types/verify-vote.ts';
import { type Proposal, VOTE_TYPE, type Vote, type VoteType } from '../types/vote.ts';
import type { Collector } from './collector.ts';
import type { Driver } from './driver.ts';
import { EarlyMessages } from './early.ts';
import type { Gossip } from './gossip.ts';
import type { PeerState } from './peer-state.ts';
import type { Clock, PeerId } from './ports.ts';

/** What the reactor works with. */
export type ReactorParts = {
  readonly driver: Driver;
  readonly gossip: Gossip;
  readonly collector: Collector;
  readonly clock: Clock;
  readonly chain: () => ChainState;
  readonly peer: (id: PeerId) => PeerState | undefined;
  readonly drop: (id: PeerId, refusal: LedgerError) => void;
  readonly checkFrom: (peer: PeerId) => LimitedCheck;
};

/** Handles the messages of channels 0x20 to 0x23. */
export class Reactor {
  readonly #parts: ReactorParts;
  readonly #early = new EarlyMessages();
  /** Where the core was when early messages were last looked at. */
  #seen: State | undefined;

  constructor(parts: ReactorParts) {
    this.#parts = parts;
  }

  peerLeft(peer: PeerId): void {
    this.#early.forget(peer);
  }

  /** Handles one message. Only its form is judged here: what follows from it is ours to answer. */
  async received(peer: PeerState, bytes: Uint8Array): Promise<void> {
    const message = this.#decode(peer, bytes);
    if (message !== undefined) await this.#handle(peer, message);
  }

  #decode(peer: PeerState, bytes: Uint8Array): ConsensusMessage | undefined {
    try {
      const message = consensusMessageCodec.decode(bytes);
      const { initialHeight, params } = this.#parts.chain();
      checkConsensusMessage(message, { initialHeight, maxBlockBytes: maxBlockBytes(params) });
      return message;
    } catch (thrown) {
      if (!(thrown instanceof LedgerError) || thrown.blame !== 'peer') throw thrown;
      this.#parts.drop(peer.id, thrown);
      return undefined;
    }
  }

  /** Handles what came too early, if the core has moved to where it may fit. */
  async early(): Promise<void> {
    for (;;) {
      const { state, paused } = this.#parts.driver;
      const before = this.#seen;
      this.#seen = state;
      if (this.#early.empty || paused) return;
      const moved =
        before?.height !== state.height ||
        before.round !== state.round ||
        before.collecting !== state.collecting;
      if (!moved) return;
      for (const { peer: id, message } of this.#early.take()) {
        const peer = this.#parts.peer(id);
        if (peer !== undefined) await this.#handle(peer, message);
      }
    }
  }

  async #handle(peer: PeerState, message: ConsensusMessage): Promise<void> {
    const core = this.#parts.driver.state;
    const validators = core.firstValidators.validators.length;
    switch (message.kind) {
      case 'newRoundStep':
        return peer.applyStep(message.value, this.#parts.clock.monotonicMs());
      case 'newValidBlock':
        peer.applyValidBlock(message.value);
        return this.#parts.gossip.repairData(peer);
      case 'hasVote':
        return peer.applyHasVote(message.value, validators);
      case 'proposalPol':
        return peer.applyPol(message.value, validators);
      case 'voteSetBits':
        return this.#voteBits(peer, message.value);
      default:
        return this.#parts.driver.paused ? undefined : await this.#take(peer, message);
    }
  }

  /** Messages that the core may want. */
  async #take(peer: PeerState, message: ConsensusMessage): Promise<void> {
    switch (message.kind) {
      case 'proposal':
        return await this.#proposal(peer, message.value.proposal, message);
      case 'blockPart':
        return await this.#part(peer, message.value, message);
      case 'voteSetMaj23':
        return await this.#claim(peer, message.value);
      case 'vote':
        if (message.value.vote === undefined) return;
        return await this.#vote(peer, message.value.vote, message);
      default:
        return;
    }
  }

  async #proposal(peer: PeerState, proposal: Proposal, message: ConsensusMessage): Promise<void> {
    const { driver } = this.#parts;
    const core = driver.state;
    const { height, round, blockId, polRound } = proposal;
    if (peer.height === height && peer.round === round) {
      peer.setProposal(blockId.partSetHeader, polRound);
    }
    const later = height === core.height && round > core.round;
    if (height === core.height + 1 || later) return this.#early.keep(peer.id, message);
    if (height !== core.height || round !== core.round || core.proposal !== undefined) return;
    const { proposer } = core.validators;
    const signers = { ...driver.signers(), check: this.#parts.checkFrom(peer.id) };
    const verified = await verifyProposal(signers, proposal, proposer);
    if (verified instanceof LedgerError) return this.#refuse(peer, verified);
    await driver.feed({ kind: 'proposal', proposal: verified });
  }

  async #part(peer: PeerState, value: BlockPart, message: ConsensusMessage): Promise<void> {
    const { driver, collector } = this.#parts;
    const core = driver.state;
    const { height, round, part } = value;
    peer.setPart(height, part.index);
    if (height === core.height + 1) return this.#early.keep(peer.id, message);
    if (height !== core.height || core.decided) return;
    // Without a header to prove it under, or of a later round, a part waits for one.
    if (core.collecting === undefined || collector.current === undefined) {
      return this.#early.keep(peer.id, message);
    }
    if (collector.current.complete && round <= core.round) return;
    const added = await driver.addPart(part);
    if (added) peer.usefulParts++;
    if (!added && round > core.round) this.#early.keep(peer.id, message);
  }

  async #vote(peer: PeerState, vote: Vote, message: ConsensusMessage): Promise<void> {
    const { driver } = this.#parts;
    const core = driver.state;
    const signers = this.#signersOf(vote, core);
    if (signers === undefined) {
      if (vote.height === core.height + 1) this.#early.keep(peer.id, message);
      return;
    }
    peer.setVote(vote, vote.validatorIndex, signers.validators.validators.length);
    const known =
      vote.height === core.height
        ? voteAt(core, vote.round, vote.type as VoteType, vote.validatorIndex)
        : core.lastCommit?.votes[vote.validatorIndex];
    if (known !== undefined && equalBytes(known.signature, vote.signature)) return;
    const check = this.#parts.checkFrom(peer.id);
    const verified = await verifyVote({ ...signers, check }, vote);
    if (verified instanceof LedgerError) return this.#refuse(peer, verified);
    peer.usefulVotes++;
    await driver.feed({ kind: 'vote', vote: verified, peer: peer.id });
  }

  /** Drops a peer that sent what is wrong; what was not checked is passed over. */
  #refuse(peer: PeerState, refusal: LedgerError): void {
    if (refusal.blame === 'peer') this.#parts.drop(peer.id, refusal);
  }

  /** Who may have cast a vote that the core can use now. */
  #signersOf(vote: Vote, core: State): Signers | undefined {
    const signers = this.#parts.driver.signers();
    if (vote.height === core.height) return signers;
    const { lastCommit, lastCommitOpen } = core;
    const late = vote.height === core.height - 1 && vote.type === VOTE_TYPE.precommit;
    if (!late || !lastCommitOpen || vote.round !== lastCommit?.round) return undefined;
    return { ...signers, validators: lastCommit.validators };
  }

  async #claim(peer: PeerState, claim: VoteSetMaj23): Promise<void> {
    const { driver, gossip } = this.#parts;
    const { height, round, blockId } = claim;
    if (height !== driver.state.height) return;
    const type = claim.type as VoteType;
    await driver.feed({ kind: 'majorityClaim', peer: peer.id, height, round, type, blockId });
    gossip.answerClaim(peer, claim);
  }

  #voteBits(peer: PeerState, message: VoteSetBits): void {
    const core = this.#parts.driver.state;
    const { height, round, blockId, votes } = message;
    const size = core.firstValidators.validators.length;
    const type = message.type as VoteType;
    const ours = height === core.height ? voteBitsForBlock(core, round, type, blockId) : undefined;
    peer.applyVoteBits({ height, round, type }, votes, ours, size);
  }
}
