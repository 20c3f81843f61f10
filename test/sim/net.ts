/**
 * The simulated network: delays, drops, repeats, reorders, partitions, broken connections.
 *
 * Upholds: bytes are never changed on the way (connections are authenticated); without faults each
 * link keeps its order. After `heal` nothing more goes wrong and everybody is connected again.
 *
 * @module
 */
import type { Net, NetListener, PeerId } from '../../node/src/engine/ports.ts';
import { CHANNEL, type ChannelId } from '../../node/src/types/messages.ts';
import type { Fault } from './faults.ts';
import type { Prng } from './prng.ts';
import type { Timeline } from './timeline.ts';

/** One message on its way. */
export type Packet = { readonly channel: ChannelId; readonly bytes: Uint8Array };

/** Rewrites what a liar sends to one peer. */
export type Tamper = (to: number, packet: Packet) => readonly Packet[];

/** What the network needs and whom it tells. */
export type NetParts = {
  readonly timeline: Timeline;
  readonly prng: Prng;
  readonly nodes: number;
  /** Whether a kind of fault may strike. */
  readonly allows: (kind: Fault) => boolean;
  readonly struck: (kind: Fault) => void;
  readonly tell: (node: number, text: string) => void;
  /** A node dropped another for a reason. */
  readonly dropped: (by: number, who: number, reason: string) => void;
};

type Link = { connected: boolean; epoch: number; lastArrival: number; bannedUntil: number };

/** Milliseconds between a break and the next attempt to connect. */
const RECONNECT_MS = 50;

/** All links between the nodes. */
export class SimNet {
  readonly #parts: NetParts;
  readonly #listeners: (NetListener | undefined)[];
  readonly #tampers: (Tamper | undefined)[];
  /** By `from * nodes + to`. */
  readonly #links: Link[];
  /** The side of the partition each node is on; all equal without one. */
  #sides: number[];
  readonly #base: number;
  readonly #lossy: number;
  #healed = false;

  constructor(parts: NetParts) {
    const { nodes, prng } = parts;
    this.#parts = parts;
    this.#listeners = new Array<undefined>(nodes).fill(undefined);
    this.#tampers = new Array<undefined>(nodes).fill(undefined);
    this.#links = Array.from({ length: nodes * nodes }, () => ({
      connected: false,
      epoch: 0,
      lastArrival: 0,
      bannedUntil: 0,
    }));
    this.#sides = new Array<number>(nodes).fill(0);
    this.#base = prng.pick([1, 3, 10]);
    this.#lossy = prng.pick([0.002, 0.01, 0.04]);
  }

  #link(from: number, to: number): Link {
    return this.#links[from * this.#parts.nodes + to] as Link;
  }

  /** Rewrites everything that `node` sends. */
  tamper(node: number, tamper: Tamper): void {
    this.#tampers[node] = tamper;
  }

  /** A node came up: it connects to everybody who is there. */
  attach(node: number, listener: NetListener): void {
    this.#listeners[node] = listener;
    for (let other = 0; other < this.#parts.nodes; other++) this.#connectSoon(node, other);
  }

  /** A node went down. */
  detach(node: number): void {
    this.#listeners[node] = undefined;
    for (let other = 0; other < this.#parts.nodes; other++) this.#break(node, other);
  }

  #connectSoon(a: number, b: number): void {
    const { timeline, prng } = this.#parts;
    if (a !== b) timeline.after(RECONNECT_MS * (0.5 + prng.unit()), () => this.#connect(a, b));
  }

  #connect(a: number, b: number): void {
    const there = this.#link(a, b);
    const back = this.#link(b, a);
    const one = this.#listeners[a];
    const two = this.#listeners[b];
    if (there.connected || one === undefined || two === undefined) return;
    const { now } = this.#parts.timeline;
    const banned = Math.max(there.bannedUntil, back.bannedUntil) > now;
    if (banned || this.#sides[a] !== this.#sides[b]) {
      this.#connectSoon(a, b);
      return;
    }
    for (const link of [there, back]) {
      link.connected = true;
      link.epoch++;
      link.lastArrival = now;
    }
    one.peerJoined(nameOf(b));
    two.peerJoined(nameOf(a));
  }

  #break(a: number, b: number): void {
    const there = this.#link(a, b);
    const back = this.#link(b, a);
    if (!there.connected) return;
    for (const link of [there, back]) {
      link.connected = false;
      link.epoch++;
    }
    this.#listeners[a]?.peerLeft(nameOf(b));
    this.#listeners[b]?.peerLeft(nameOf(a));
    this.#connectSoon(a, b);
  }

  /** The port of one incarnation of a node. @param alive - whether it still lives */
  port(node: number, alive: () => boolean, sent: (packet: Packet) => void): Net {
    return {
      send: (peer, channel, bytes) => {
        const to = indexOf(peer);
        if (!alive()) return false;
        const packet = { channel, bytes: bytes.slice() };
        sent(packet);
        if (!alive() || !this.#link(node, to).connected) return false;
        const packets = this.#tampers[node]?.(to, packet) ?? [packet];
        for (const each of packets) this.#carry(node, to, each);
        return true;
      },
      drop: (peer, reason, banMs) => {
        if (!alive()) return;
        const to = indexOf(peer);
        this.#parts.dropped(node, to, reason);
        const until = this.#parts.timeline.now + banMs;
        this.#link(node, to).bannedUntil = this.#healed ? 0 : until;
        // The network tells of it in its own turn.
        this.#parts.timeline.after(0, () => this.#break(node, to));
      },
    };
  }

  #strikes(kind: Fault, probability: number): boolean {
    const { allows, prng, struck } = this.#parts;
    if (this.#healed || !allows(kind) || !prng.chance(probability)) return false;
    struck(kind);
    return true;
  }

  #carry(from: number, to: number, packet: Packet): void {
    const { prng, timeline } = this.#parts;
    const link = this.#link(from, to);
    if (this.#sides[from] !== this.#sides[to] || this.#strikes('drop', this.#lossy)) return;
    let delay = this.#base * (0.5 + prng.unit());
    if (this.#strikes('delay', 0.02)) delay += prng.int(20, 800);
    // Blocks and heights travel on one ordered stream of their own.
    const ordered = packet.channel === CHANNEL.blocksync;
    const reorder = !ordered && this.#strikes('reorder', 0.05);
    const at = reorder
      ? timeline.now + delay + prng.int(0, 40)
      : Math.max(link.lastArrival, timeline.now + delay);
    if (!reorder) link.lastArrival = at;
    const times = !ordered && this.#strikes('repeat', 0.02) ? 2 : 1;
    for (let i = 0; i < times; i++) this.#deliver(from, to, packet, at - timeline.now + i * 2);
  }

  #deliver(from: number, to: number, packet: Packet, delay: number): void {
    const link = this.#link(from, to);
    const { epoch } = link;
    this.#parts.timeline.after(delay, () => {
      if (link.epoch !== epoch || this.#sides[from] !== this.#sides[to]) return;
      this.#listeners[to]?.received(nameOf(from), packet.channel, packet.bytes.slice());
    });
  }

  /** Parts the network into sides. @param cut - whether connections break, or go quiet only */
  partition(sides: readonly number[], cut: boolean): void {
    this.#sides = [...sides];
    this.#parts.tell(-1, `partition ${sides.join('')}${cut ? ', connections break' : ''}`);
    if (!cut) return;
    for (let a = 0; a < sides.length; a++) {
      for (let b = 0; b < a; b++) if (sides[a] !== sides[b]) this.#break(a, b);
    }
  }

  /** Joins all sides again. */
  join(): void {
    this.#sides = this.#sides.map(() => 0);
    this.#parts.tell(-1, 'partition ends');
  }

  /** Breaks one connection; it comes back by itself. */
  disconnect(a: number, b: number): void {
    this.#parts.tell(-1, `connection n${a}–n${b} breaks`);
    this.#break(a, b);
  }

  /** From now on nothing goes wrong. */
  heal(): void {
    this.#healed = true;
    this.join();
    for (const link of this.#links) link.bannedUntil = 0;
  }
}

/** A node's name as a peer. */
export function nameOf(node: number): PeerId {
  return `n${node}`;
}

/** The node of a name. */
export function indexOf(peer: PeerId): number {
  return Number(peer.slice(1));
}
