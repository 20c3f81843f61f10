/**
 * Who this node is connected to, whom it dials next, and whom it refuses: decisions only.
 *
 * Upholds: at most one session per peer, and when two are made at once both sides keep the same
 * one; inbound and outbound limits, which persistent peers do not count against; a refused or
 * failed peer is tried again after a delay that doubles, with jitter; bans end at their time.
 * Absent here: sockets, clocks, randomness; all are handed in.
 * Spec: CometBFT p2p/switch.go for limits and persistent peers.
 * Pure.
 *
 * @module
 */
import type { PeerAddress } from './address.ts';
import type { AddressBook } from './address-book.ts';
import { TokenBucket } from './rate.ts';

/** Which side opened the connection. */
export type Direction = 'inbound' | 'outbound';

/** Bounds and delays of the decisions. */
export type PeerRules = {
  readonly selfId: string;
  readonly persistent: readonly PeerAddress[];
  readonly seeds: readonly PeerAddress[];
  readonly maxInbound: number;
  readonly maxOutbound: number;
  /** Connections accepted per remote IP and second, and at once. */
  readonly perIpPerSecond: number;
  readonly perIpBurst: number;
  /** Accepted connections per remote IP that have not joined yet. */
  readonly perIpPending: number;
  readonly backoffBaseMs: number;
  readonly backoffMaxMs: number;
};

/** The other end of a socket. */
export type Remote = { readonly ip: string; readonly port: string };

/** A ban in force. */
export type Ban = { readonly peer: string; readonly reason: string; readonly untilMs: number };

type Session = { readonly direction: Direction; readonly sinceMs: number };
type Retry = { failures: number; nextMs: number };

/** Sessions younger than this may be one of two made at once; the ids decide then. */
const CROSSING_MS = 10_000;
/** A session that lasted this long makes earlier failures not count. */
const FORGIVING_MS = 10_000;
/** Most bans and most remote IPs remembered. */
const MAX_BANS = 10_000;
const MAX_IPS = 10_000;

/** What becomes of a new connection to a peer. */
export type Admission =
  | { readonly kind: 'accept' }
  /** Accept it and close the session there is. */
  | { readonly kind: 'replace' }
  | { readonly kind: 'refuse'; readonly reason: string };

/** The delay before try number `failures + 1`: doubled each time, ± 20 %. @param random - [0, 1) */
export function backoffMs(failures: number, baseMs: number, maxMs: number, random: number): number {
  let delay = baseMs;
  for (let i = 1; i < failures && delay < maxMs; i++) delay *= 2;
  return Math.round(Math.min(delay, maxMs) * (0.8 + 0.4 * random));
}

/** Whether this side is the one that dials when both do: the lower id. */
export function dialsFirst(selfId: string, peerId: string): boolean {
  return selfId < peerId;
}

/** The decisions about peers. */
export class Peers {
  readonly #rules: PeerRules;
  readonly #book: AddressBook;
  readonly #random: () => number;
  readonly #persistent: ReadonlyMap<string, PeerAddress>;
  readonly #seeds: ReadonlyMap<string, PeerAddress>;
  readonly #sessions: Map<string, Session> = new Map();
  readonly #dialing: Set<string> = new Set();
  readonly #retries: Map<string, Retry> = new Map();
  readonly #bans: Map<string, Ban> = new Map();
  readonly #ips: Map<string, TokenBucket> = new Map();
  /** Accepted sockets that have neither joined nor closed, by their port, by remote IP. */
  readonly #pending: Map<string, Set<string>> = new Map();

  /** @param random - uniform in [0, 1) */
  constructor(rules: PeerRules, book: AddressBook, random: () => number) {
    this.#rules = rules;
    this.#book = book;
    this.#random = random;
    const others = (list: readonly PeerAddress[]): Map<string, PeerAddress> =>
      new Map(list.filter((a) => a.id !== rules.selfId).map((a) => [a.id, a]));
    this.#persistent = others(rules.persistent);
    this.#seeds = others(rules.seeds);
  }

  isPersistent(id: string): boolean {
    return this.#persistent.has(id);
  }

  isSeed(id: string): boolean {
    return this.#seeds.has(id);
  }

  /** Sessions and dials of a direction that count against its limit. */
  count(direction: Direction): number {
    let n = 0;
    for (const [id, session] of this.#sessions) {
      if (session.direction === direction && !this.isPersistent(id)) n++;
    }
    if (direction === 'outbound') for (const id of this.#dialing) if (!this.isPersistent(id)) n++;
    return n;
  }

  /** Whether another socket from `ip` may be accepted now; it is pending then, until `settled`. */
  admitSocket({ ip, port }: Remote, nowMs: number): boolean {
    const pending = this.#pending.get(ip) ?? new Set();
    if (pending.size >= this.#rules.perIpPending || !this.#admitIp(ip, nowMs)) return false;
    this.#pending.set(ip, pending.add(port));
    return true;
  }

  /** An accepted socket joined or closed. */
  settled({ ip, port }: Remote): void {
    const pending = this.#pending.get(ip);
    if (pending?.delete(port) === true && pending.size === 0) this.#pending.delete(ip);
  }

  #admitIp(ip: string, nowMs: number): boolean {
    let bucket = this.#ips.get(ip);
    if (bucket === undefined) {
      if (this.#ips.size >= MAX_IPS) {
        for (const [key, each] of this.#ips) if (each.isFull(nowMs)) this.#ips.delete(key);
        if (this.#ips.size >= MAX_IPS) return false;
      }
      bucket = new TokenBucket(this.#rules.perIpPerSecond, this.#rules.perIpBurst, nowMs);
      this.#ips.set(ip, bucket);
    }
    return bucket.take(1, nowMs);
  }

  /**
   * Decides about a connection whose peer is authenticated. That the peer is being dialed as well
   * is no reason to refuse it: a dial may come to nothing, and only after a long time.
   */
  admit(id: string, direction: Direction, nowMs: number): Admission {
    if (id === this.#rules.selfId) return { kind: 'refuse', reason: 'that is this node itself' };
    const ban = this.banned(id, nowMs);
    if (ban !== undefined) return { kind: 'refuse', reason: `banned: ${ban.reason}` };
    const session = this.#sessions.get(id);
    if (session !== undefined) return this.#crossing(id, session, direction, nowMs);
    if (direction === 'inbound' && !this.isPersistent(id) && this.#isFull('inbound')) {
      return { kind: 'refuse', reason: `full: ${this.#rules.maxInbound} inbound peers` };
    }
    return { kind: 'accept' };
  }

  #isFull(direction: Direction): boolean {
    const { maxInbound, maxOutbound } = this.#rules;
    return this.count(direction) >= (direction === 'inbound' ? maxInbound : maxOutbound);
  }

  /**
   * A second connection. Of the same direction, or to an old session, the newer one is right: the
   * dialer knew of no session. Of two made at once, the one dialed by the lower id stays.
   */
  #crossing(id: string, session: Session, direction: Direction, nowMs: number): Admission {
    const old = nowMs - session.sinceMs >= CROSSING_MS;
    const preferred = dialsFirst(this.#rules.selfId, id) ? 'outbound' : 'inbound';
    if (direction === session.direction || old || direction === preferred) {
      return { kind: 'replace' };
    }
    return { kind: 'refuse', reason: 'duplicate: already connected' };
  }

  /** An admitted connection is the peer's session from now on. */
  opened(id: string, direction: Direction, nowMs: number): void {
    this.#dialing.delete(id);
    this.#sessions.set(id, { direction, sinceMs: nowMs });
  }

  /** A session ended; the peer is dialed again after a delay. A long session forgives failures. */
  closed(id: string, nowMs: number): void {
    const session = this.#sessions.get(id);
    if (session === undefined) return;
    this.#sessions.delete(id);
    if (nowMs - session.sinceMs >= FORGIVING_MS) this.#retries.delete(id);
    this.#delay(id, nowMs);
  }

  /** Dialing ended without a session. */
  dialFailed(id: string, nowMs: number): void {
    if (!this.#dialing.delete(id) || this.#sessions.has(id)) return;
    this.#book.failed(id);
    this.#delay(id, nowMs);
  }

  #delay(id: string, nowMs: number): void {
    const known = this.isPersistent(id) || this.isSeed(id) || this.#book.get(id) !== undefined;
    if (!known) {
      this.#retries.delete(id);
      return;
    }
    const failures = (this.#retries.get(id)?.failures ?? 0) + 1;
    const { backoffBaseMs, backoffMaxMs } = this.#rules;
    const delay = backoffMs(failures, backoffBaseMs, backoffMaxMs, this.#random());
    this.#retries.set(id, { failures, nextMs: nowMs + delay });
  }

  /** Refuses a peer until `nowMs + banMs`. */
  ban(id: string, reason: string, nowMs: number, banMs: number): void {
    for (const [key, ban] of this.#bans) if (ban.untilMs <= nowMs) this.#bans.delete(key);
    if (this.#bans.size >= MAX_BANS) {
      const [oldest] = this.#bans.keys();
      if (oldest !== undefined) this.#bans.delete(oldest);
    }
    this.#bans.set(id, { peer: id, reason, untilMs: nowMs + banMs });
  }

  /** The ban of a peer, if it is in force. */
  banned(id: string, nowMs: number): Ban | undefined {
    const ban = this.#bans.get(id);
    return ban !== undefined && ban.untilMs > nowMs ? ban : undefined;
  }

  /** Bans in force. */
  bans(nowMs: number): Ban[] {
    return [...this.#bans.values()].filter((ban) => ban.untilMs > nowMs);
  }

  /** Whether more outbound peers are wanted than there are. */
  wantsPeers(): boolean {
    return !this.#isFull('outbound');
  }

  /** Whom to dial now; they count as being dialed from here on. */
  takeDials(nowMs: number): PeerAddress[] {
    const out: PeerAddress[] = [];
    const take = (address: PeerAddress): void => {
      if (this.#dueMs(address.id, nowMs) > nowMs) return;
      this.#dialing.add(address.id);
      out.push(address);
    };
    for (const address of this.#persistent.values()) take(address);
    for (const address of this.#candidates()) if (!this.#isFull('outbound')) take(address);
    return out;
  }

  /** When `takeDials` may next return something, if nothing else happens. */
  nextDialMs(nowMs: number): number {
    let next = Number.POSITIVE_INFINITY;
    for (const id of this.#persistent.keys()) next = Math.min(next, this.#dueMs(id, nowMs));
    if (this.#isFull('outbound')) return next;
    for (const { id } of this.#candidates()) next = Math.min(next, this.#dueMs(id, nowMs));
    return next;
  }

  /** Peers worth dialing besides the persistent ones; seeds only while nobody else is there. */
  #candidates(): PeerAddress[] {
    const known = this.#book
      .entries()
      .filter(({ address }) => !this.isPersistent(address.id) && !this.isSeed(address.id))
      .sort((a, b) => b.workedAtMs - a.workedAtMs)
      .map((entry) => entry.address);
    const lonely = [...this.#sessions.keys()].every((id) => this.isSeed(id));
    return lonely ? [...known, ...this.#seeds.values()] : known;
  }

  /** When the peer may be dialed: now, later, or never while it is connected or being dialed. */
  #dueMs(id: string, nowMs: number): number {
    const busy = this.#sessions.has(id) || this.#dialing.has(id) || id === this.#rules.selfId;
    if (busy) return Number.POSITIVE_INFINITY;
    const retryMs = this.#retries.get(id)?.nextMs ?? 0;
    return Math.max(retryMs, this.banned(id, nowMs)?.untilMs ?? 0);
  }
}
