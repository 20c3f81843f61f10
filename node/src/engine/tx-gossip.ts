/**
 * Transactions between nodes: pushed when accepted, relayed only where that is needed.
 *
 * A client's transaction goes to every peer at once, several in a message. One that came from a
 * peer has gone to that peer's other neighbours too, so it is passed on only once there is a sign
 * that a proposer lacks it: a block passed it over (all that the block took came here later), or no
 * block took anything for a while, which is longer where full blocks are slow. Under load a
 * transaction that only waits for its turn is not sent again; in a full mesh each reaches each node
 * once.
 *
 * Upholds: what waits for one peer is bounded; a peer with a full queue delays nobody else. A peer
 * whose message breaks a rule is dropped; one that sends transactions which fail is not.
 * Spec: CometBFT mempool/reactor.go for the message; the pacing is ours.
 *
 * @module
 */
import { LedgerError } from '../base/errors.ts';
import type { Codec } from '../base/proto.ts';
import type { PoolEntry } from '../mempool/lane.ts';
import type { Mempool, Submitted } from '../mempool/mempool.ts';
import { type TxKey, txKey } from '../types/block.ts';
import { checkMempoolMessage } from '../types/message-checks.ts';
import { CHANNEL, type MempoolMessage, mempoolMessageCodec } from '../types/messages.ts';
import type { Clock, Net, PeerId } from './ports.ts';

/** Bytes of transactions in one message; a larger transaction travels alone. */
const BATCH_BYTES = 65_536;
/** Entries that wait for one peer; the oldest beyond are left to the peer's other neighbours. */
const MAX_WAITING = 20_000;
/** Pause between two pushes, so that a busy node sends few messages. */
const PUSH_EVERY_MS = 10;
/** How long a peer's transaction waits, and blocks take nothing, before it is passed on. */
const RELAY_AFTER_MS = 400;
/** The longest that blocks may take nothing where they are slow and leave some behind. */
const MAX_PATIENCE_MS = 2_000;
/** Most transactions passed on in a tick: a slow chain is not made slower. */
const RELAYS_PER_TICK = 200;
/** Most peers' transactions that wait to be passed on. */
const MAX_RELAYS = 20_000;
/** Transactions checked before other work gets a turn. */
const CHECKS_PER_TURN = 64;
/** Most peers' transactions that wait for their check, in bytes and in number. */
const MAX_UNCHECKED_BYTES = 32 * 1_048_576;
const MAX_UNCHECKED = 100_000;

type Unchecked = { readonly tx: Uint8Array; readonly key: TxKey; readonly peer: PeerId };
type Relay = { readonly entry: PoolEntry; readonly at: number };

/** What the gossip needs. */
export type TxGossipParts = {
  readonly net: Net;
  readonly clock: Clock;
  readonly mempool: Mempool;
  /** Tells the application what is checked next. */
  readonly expect: (txs: readonly Uint8Array[]) => void;
  /** Called when a transaction entered the pool. */
  readonly accepted: () => void;
  /** Drops and bans. */
  readonly drop: (id: PeerId, refusal: LedgerError) => void;
  readonly fatal: (thrown: unknown) => void;
};

/** Sends and takes transactions. */
export class TxGossip {
  readonly #parts: TxGossipParts;
  readonly #codec: Codec<MempoolMessage>;
  readonly #maxBatchBytes: number;
  readonly #waiting = new Map<PeerId, PoolEntry[]>();
  #fresh: PoolEntry[] = [];
  #relays: Relay[] = [];
  /** When what is being checked may be passed on. */
  #relayAt = 0;
  /** When a block last took pending transactions, and from when. */
  #takenAt = Number.NEGATIVE_INFINITY;
  #reached = 0;
  /** How long blocks may take nothing before that is a sign. */
  #patienceMs = RELAY_AFTER_MS;
  #unchecked: Unchecked[] = [];
  #uncheckedBytes = 0;
  #checking = false;
  #pushing = false;
  #pushedAt = Number.NEGATIVE_INFINITY;
  #stopped = false;

  constructor(parts: TxGossipParts) {
    this.#parts = parts;
    this.#codec = mempoolMessageCodec(parts.mempool.maxTxBytes);
    this.#maxBatchBytes = Math.max(BATCH_BYTES, parts.mempool.maxTxBytes);
  }

  /** Sends and checks nothing more. */
  stop(): void {
    this.#stopped = true;
  }

  /** A new peer gets everything that is pending. */
  peerJoined(peer: PeerId): void {
    this.#waiting.set(peer, this.#parts.mempool.list(MAX_WAITING));
  }

  peerLeft(peer: PeerId): void {
    this.#waiting.delete(peer);
  }

  /** A client's transaction. @throws LedgerError mempool/… if it is refused */
  submit(tx: Uint8Array): Submitted | Promise<Submitted> {
    const result = this.#parts.mempool.submit(tx, '');
    return result instanceof Promise
      ? result.then((submitted) => this.#submitted(submitted))
      : this.#submitted(result);
  }

  #submitted(result: Submitted): Submitted {
    if (result.entry !== undefined) {
      this.#push(result.entry);
      this.#parts.accepted();
    }
    return result;
  }

  /** A message of the mempool channel. */
  received(peer: PeerId, bytes: Uint8Array): void {
    try {
      const message = this.#codec.decode(bytes);
      checkMempoolMessage(message, this.#maxBatchBytes);
      for (const tx of message.value.txs) {
        const full = this.#unchecked.length >= MAX_UNCHECKED;
        if (full || this.#uncheckedBytes + tx.length > MAX_UNCHECKED_BYTES) break;
        const key = txKey(tx);
        if (this.#parts.mempool.knows(key, peer)) continue;
        this.#uncheckedBytes += tx.length;
        this.#unchecked.push({ tx, key, peer });
      }
    } catch (thrown) {
      if (!(thrown instanceof LedgerError)) throw thrown;
      this.#parts.drop(peer, thrown);
      return;
    }
    this.#startChecking();
  }

  #startChecking(): void {
    if (this.#checking || this.#stopped || this.#unchecked.length === 0) return;
    this.#checking = true;
    queueMicrotask(() => {
      this.#checkSome().catch(this.#parts.fatal);
    });
  }

  async #checkSome(): Promise<void> {
    const batch = this.#unchecked.splice(0, CHECKS_PER_TURN);
    const slow: Promise<void>[] = [];
    this.#relayAt = this.#parts.clock.monotonicMs() + RELAY_AFTER_MS;
    if (batch.length > 1) this.#parts.expect(batch.map(({ tx }) => tx));
    for (const unchecked of batch) {
      this.#uncheckedBytes -= unchecked.tx.length;
      const pending = this.#checkOne(unchecked);
      if (pending !== undefined) slow.push(pending);
    }
    if (slow.length > 0) await Promise.all(slow);
    this.#checking = false;
    if (this.#unchecked.length === 0) return;
    this.#parts.clock.after(0, () => this.#startChecking());
  }

  #checkOne({ tx, key, peer }: Unchecked): Promise<void> | undefined {
    try {
      const result = this.#parts.mempool.offer(tx, key, peer);
      if (result === undefined) return undefined;
      if (result instanceof Promise) {
        return result.then(({ entry }) => this.#entered(entry), failed);
      }
      this.#entered(result.entry);
    } catch (thrown) {
      failed(thrown);
    }
    return undefined;
  }

  /** A peer's transaction entered the pool, if it did. */
  #entered(entry: PoolEntry | undefined): void {
    if (entry === undefined) return;
    if (this.#relays.length < MAX_RELAYS) this.#relays.push({ entry, at: this.#relayAt });
    this.#parts.accepted();
  }

  #push(entry: PoolEntry): void {
    this.#fresh.push(entry);
    if (this.#pushing || this.#stopped) return;
    this.#pushing = true;
    const { clock } = this.#parts;
    const wait = this.#pushedAt + PUSH_EVERY_MS - clock.monotonicMs();
    if (wait <= 0) queueMicrotask(() => this.#flush());
    else clock.after(wait, () => this.#flush());
  }

  #flush(): void {
    this.#pushing = false;
    if (this.#stopped) return;
    this.#pushedAt = this.#parts.clock.monotonicMs();
    const fresh = this.#fresh;
    this.#fresh = [];
    for (const batch of batches(fresh)) {
      const message = this.#encode(batch);
      for (const [peer, waiting] of this.#waiting) {
        const sent = waiting.length === 0 && this.#send(peer, message);
        if (!sent) waiting.push(...batch);
        else for (const entry of batch) entry.peers.push(peer);
      }
    }
  }

  /** Passes on what a proposer seems to lack, and what did not fit a peer's queue before. */
  tick(): void {
    this.#relay();
    for (const [peer, waiting] of this.#waiting) {
      if (waiting.length > 0) this.#waiting.set(peer, this.#catchUp(peer, waiting));
    }
  }

  #relay(): void {
    const { clock, mempool } = this.#parts;
    const now = clock.monotonicMs();
    if (mempool.reached !== this.#reached) {
      // What a full block left behind waits for the next, which may take as long.
      const patience = mempool.size > 0 ? 2 * (now - this.#takenAt) : 0;
      this.#patienceMs = Math.min(Math.max(patience, RELAY_AFTER_MS), MAX_PATIENCE_MS);
      this.#reached = mempool.reached;
      this.#takenAt = now;
    }
    const idle = this.#takenAt + this.#patienceMs <= now;
    let done = 0;
    let passedOn = 0;
    for (const { entry, at } of this.#relays) {
      if (at > now || passedOn >= RELAYS_PER_TICK) break;
      if (entry.pending && !idle && entry.arrival > this.#reached) break;
      done++;
      if (!entry.pending) continue;
      passedOn++;
      this.#passOn(entry);
    }
    if (done > 0) this.#relays = this.#relays.slice(done);
  }

  #passOn(entry: PoolEntry): void {
    for (const [peer, waiting] of this.#waiting) {
      if (!entry.peers.includes(peer)) waiting.push(entry);
    }
  }

  /** Sends what waits for a peer. @returns what did not fit */
  #catchUp(peer: PeerId, waiting: readonly PoolEntry[]): PoolEntry[] {
    const live = waiting.filter((entry) => entry.pending && !entry.peers.includes(peer));
    let sent = 0;
    for (const batch of batches(live)) {
      if (!this.#send(peer, this.#encode(batch))) break;
      for (const entry of batch) entry.peers.push(peer);
      sent += batch.length;
    }
    return live.slice(sent).slice(-MAX_WAITING);
  }

  #encode(batch: readonly PoolEntry[]): Uint8Array {
    return this.#codec.encode({ kind: 'txs', value: { txs: batch.map((entry) => entry.tx) } });
  }

  #send(peer: PeerId, message: Uint8Array): boolean {
    return this.#parts.net.send(peer, CHANNEL.mempool, message);
  }
}

/** Full or failing: none of it is the relaying peer's fault. */
function failed(thrown: unknown): void {
  if (!(thrown instanceof LedgerError)) throw thrown;
}

/** Entries in groups of at most `BATCH_BYTES`, or one that is larger. */
function* batches(entries: readonly PoolEntry[]): Generator<readonly PoolEntry[]> {
  let batch: PoolEntry[] = [];
  let bytes = 0;
  for (const entry of entries) {
    if (batch.length > 0 && bytes + entry.tx.length > BATCH_BYTES) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(entry);
    bytes += entry.tx.length;
  }
  if (batch.length > 0) yield batch;
}
