/**
 * What peers are told of us: our height, round and step, the votes and the parts that we have.
 *
 * Upholds: a new height or round is told at once; the rest rides along with our next vote or waits
 * for the tick, since only repair goes by it.
 * Absent here: proposals, parts and votes themselves (gossip.ts).
 * Spec: CometBFT consensus/reactor.go, broadcasts of NewRoundStep, NewValidBlock and HasVote.
 *
 * @module
 */
import { lastCommitRound, type State } from '../../consensus/state.ts';
import type { PartSetHeader } from '../types/block-id.ts';
import { CHANNEL, consensusMessageCodec } from '../types/messages.ts';
import type { Vote } from '../types/vote.ts';
import type { Collector } from './collector.ts';
import type { PeerState } from './peer-state.ts';
import type { Clock, Net, PeerId } from './ports.ts';

/** What our standing is read from. */
export type StandingParts = {
  readonly net: Net;
  readonly clock: Clock;
  readonly collector: Collector;
  readonly peers: ReadonlyMap<PeerId, PeerState>;
  readonly core: () => State;
  /** Whether the core rests, so that it has no place to speak of. */
  readonly paused: () => boolean;
};

/** Tells peers where we stand. */
export class Standing {
  readonly #parts: StandingParts;
  /** Whether our place changed since peers were told, and the height and round they know. */
  #moved = false;
  #told = { height: 0, round: 0 };
  #newVotes: { readonly vote: Vote; readonly from: PeerId }[] = [];
  /** Goes with our next vote or the next tick: which parts we have of a block with a polka. */
  #polka: { readonly height: number; readonly message: Uint8Array } | undefined;
  #startedAt: number;

  constructor(parts: StandingParts) {
    this.#parts = parts;
    this.#startedAt = parts.clock.monotonicMs();
  }

  #send(peer: PeerState, bytes: Uint8Array): void {
    this.#parts.net.send(peer.id, CHANNEL.state, bytes);
  }

  /** Will tell all but `from`, at the next tick, that we have a vote of another validator. */
  hasVote(vote: Vote, from: PeerId): void {
    this.#newVotes.push({ vote, from });
  }

  /** Will tell all where we are. */
  stepChanged(): void {
    const core = this.#parts.core();
    if (core.round === 0 && core.step <= 2) this.#startedAt = this.#parts.clock.monotonicMs();
    this.#moved = true;
  }

  /** Tells of a new height or round; called when nothing more is to be done at once. */
  flush(): void {
    const { height, round } = this.#parts.core();
    if (height !== this.#told.height || round !== this.#told.round) this.#tellPlace();
  }

  #tellPlace(): void {
    if (!this.#moved) return;
    this.#moved = false;
    const { height, round } = this.#parts.core();
    this.#told = { height, round };
    const message = this.#stepMessage();
    for (const peer of this.#parts.peers.values()) this.#send(peer, message);
  }

  /**
   * Tells of steps within a round and of votes that came. Only a peer's repair goes by these, and
   * that begins after a tick or more: at a height that is quicker they are never sent.
   */
  tellProgress(): void {
    const { peers, core } = this.#parts;
    this.tellPolka();
    this.#tellPlace();
    for (const { vote, from } of this.#newVotes.splice(0)) {
      const { height, round, type, validatorIndex: index } = vote;
      // Who is told of a new height need not hear of the votes that led there.
      if (height !== core().height) continue;
      const message = consensusMessageCodec.encode({
        kind: 'hasVote',
        value: { height, round, type, index },
      });
      for (const peer of peers.values()) {
        if (peer.id !== from && peer.height === height) this.#send(peer, message);
      }
    }
  }

  #stepMessage(): Uint8Array {
    const core = this.#parts.core();
    const { height, round, step } = core;
    const since = this.#parts.clock.monotonicMs() - this.#startedAt;
    const secondsSinceStart = Math.floor(since / 1000);
    return consensusMessageCodec.encode({
      kind: 'newRoundStep',
      value: { height, round, step, secondsSinceStart, lastCommitRound: lastCommitRound(core) },
    });
  }

  /**
   * Tells all which parts of a block we collect: at once if we lack it though it is decided, else
   * along with the vote that follows.
   */
  announceBlock(height: number, round: number, header: PartSetHeader, isCommit: boolean): void {
    const set = this.#parts.collector.current;
    if (set?.has(header) !== true) return;
    const parts = set.bits();
    const value = { height, round, partSetHeader: header, parts, isCommit };
    this.#polka = {
      height,
      message: consensusMessageCodec.encode({ kind: 'newValidBlock', value }),
    };
    if (isCommit) this.tellPolka();
  }

  /** Tells of the polka that `announceBlock` kept, if it still matters. */
  tellPolka(): void {
    const { peers, core } = this.#parts;
    const polka = this.#polka;
    this.#polka = undefined;
    if (polka?.height !== core().height) return;
    for (const peer of peers.values()) this.#send(peer, polka.message);
  }

  /** Tells a new peer where we are. */
  greet(peer: PeerState): void {
    if (!this.#parts.paused()) this.#send(peer, this.#stepMessage());
  }
}
