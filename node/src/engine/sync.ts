/**
 * Catching up by whole blocks: asking peers for them, and giving them to peers that ask.
 *
 * A node is behind if a peer has two blocks more than it, for the last of them proves the one
 * before. Claims alone change nothing: consensus rests only once a block was fetched whose commit
 * verifies, so a peer that lies about its height costs us a request and itself the connection.
 *
 * Upholds: a block is applied only with a commit of more than two thirds for it, all signatures
 * checked; a block is taken only from the peer it was asked of; requests and held blocks are
 * bounded. Who sent a bad block, or none in time, is dropped.
 * Absent here: applying (engine.ts does it, in its own turn).
 * Spec: CometBFT blocksync; requests run beside consensus instead of before it.
 *
 * @module
 */
import { type ErrorSpec, errorSpec, LedgerError } from '../base/errors.ts';
import { Writer } from '../base/wire.ts';
import type { Block } from '../types/block.ts';
import { checkBlocksyncMessage } from '../types/message-checks.ts';
import { type BlocksyncMessage, blocksyncMessageCodec, CHANNEL } from '../types/messages.ts';
import type { PeerState } from './peer-state.ts';
import type { ChainStore, Clock, Net, PeerId } from './ports.ts';

/** Blocks asked for and not yet applied. */
const WINDOW = 64;
/** Requests under way at one peer. */
const MAX_PER_PEER = 20;
/** Bytes of blocks held before they are applied. */
const MAX_HELD_BYTES = 128 * 1_048_576;
/** A peer that does not answer for so long is asked once more, and dropped if that fails too. */
const ANSWER_WITHIN_MS = 10_000;
/** Without progress for so long while a peer is ahead, blocks are asked for. */
const STALLED_MS = 400;
/** A peer so far ahead is reason enough, whatever the progress. */
const FAR_BEHIND = 10;
/** How often peers are asked for their heights while we are behind. */
const STATUS_EVERY_MS = 5_000;
/** Times a peer may lack a block it said it has. */
const MAX_DENIALS = 3;
/** Blocks a peer may ask for ahead of what we sent. */
const MAX_SERVED = 64;

/** Why a peer is dropped. */
export const errors: { readonly BadPartner: ErrorSpec<{ readonly reason: string }> } = {
  BadPartner: errorSpec('sync', 1, 'peer', (p) => p.reason),
};

/** What sync works with. */
export type SyncParts = {
  readonly net: Net;
  readonly clock: Clock;
  readonly store: ChainStore;
  readonly peers: ReadonlyMap<PeerId, PeerState>;
  /** Drops and bans. */
  readonly drop: (id: PeerId, refusal: LedgerError) => void;
  /** Called when there may be a block to apply. */
  readonly wake: () => void;
};

type Request = {
  readonly peer: PeerId;
  block: Block | undefined;
  bytes: number;
};

/** An answer that a peer owes, whether or not we still need it. */
type Debt = {
  readonly height: number;
  readonly since: number;
  /** Whether it was asked again: a question or an answer may get lost once. */
  readonly reminded: boolean;
};

/** Two blocks in a row: the second carries the commit of the first. */
export type BlockPair = {
  readonly first: Block;
  readonly second: Block;
  readonly firstPeer: PeerId;
  readonly secondPeer: PeerId;
};

function encode(message: BlocksyncMessage): Uint8Array {
  return blocksyncMessageCodec.encode(message);
}

/** Fetches and serves blocks. */
export class Sync {
  readonly #parts: SyncParts;
  readonly #requests = new Map<number, Request>();
  readonly #denials = new Map<PeerId, number>();
  readonly #debts = new Map<PeerId, Debt>();
  readonly #served = new Map<PeerId, number[]>();
  #heldBytes = 0;
  #active = false;
  #height = 0;
  #progressAt: number;
  #statusAt = Number.NEGATIVE_INFINITY;

  constructor(parts: SyncParts) {
    this.#parts = parts;
    // A node that starts has made no progress for ever.
    this.#progressAt = Number.NEGATIVE_INFINITY;
  }

  /** Whether blocks are being fetched. */
  get active(): boolean {
    return this.#active;
  }

  /** Milliseconds since the chain grew last. */
  get stalledMs(): number {
    return this.#parts.clock.monotonicMs() - this.#progressAt;
  }

  /** The highest block that a peer says it has who can also give us our next one. */
  get highest(): number {
    let highest = 0;
    for (const { base, lastBlock } of this.#parts.peers.values()) {
      if (base <= this.#height + 1) highest = Math.max(highest, lastBlock);
    }
    return highest;
  }

  #blame(peer: PeerId, reason: string): void {
    this.#parts.drop(peer, new LedgerError(errors.BadPartner, { reason }));
  }

  /** Tells a new peer which blocks we have. */
  greet(peer: PeerState): void {
    this.#parts.net.send(peer.id, CHANNEL.blocksync, this.#status());
  }

  #status(): Uint8Array {
    const { height, base } = this.#parts.store;
    return encode({ kind: 'statusResponse', value: { height, base } });
  }

  peerLeft(peer: PeerId): void {
    this.#denials.delete(peer);
    this.#debts.delete(peer);
    this.#served.delete(peer);
    this.#forgetRequests(peer);
  }

  #forgetRequests(peer: PeerId): void {
    for (const [height, request] of this.#requests) {
      if (request.peer === peer) this.#release(height);
    }
  }

  #release(height: number): void {
    this.#heldBytes -= this.#requests.get(height)?.bytes ?? 0;
    this.#requests.delete(height);
  }

  /** Handles a message of the blocksync channel. */
  received(peer: PeerState, bytes: Uint8Array): void {
    const message = this.#decode(peer, bytes);
    if (message !== undefined) this.#handle(peer, message, bytes.length);
  }

  #decode(peer: PeerState, bytes: Uint8Array): BlocksyncMessage | undefined {
    try {
      const message = blocksyncMessageCodec.decode(bytes);
      checkBlocksyncMessage(message);
      return message;
    } catch (thrown) {
      if (!(thrown instanceof LedgerError) || thrown.blame !== 'peer') throw thrown;
      this.#parts.drop(peer.id, thrown);
      return undefined;
    }
  }

  #handle(peer: PeerState, message: BlocksyncMessage, bytes: number): void {
    switch (message.kind) {
      case 'statusRequest':
        this.#parts.net.send(peer.id, CHANNEL.blocksync, this.#status());
        return;
      case 'statusResponse': {
        const { height, base } = message.value;
        // Reports may overtake each other; a lower one is an older one.
        peer.base = Math.max(peer.base, base);
        peer.lastBlock = Math.max(peer.lastBlock, height);
        this.tick();
        return;
      }
      case 'blockRequest':
        this.#asked(peer, message.value.height);
        return;
      case 'noBlockResponse':
        this.#debts.delete(peer.id);
        this.#denied(peer, message.value.height);
        return;
      case 'blockResponse':
        this.#debts.delete(peer.id);
        this.#took(peer, message.value.block, bytes);
    }
  }

  #asked(peer: PeerState, height: number): void {
    const queue = this.#served.get(peer.id) ?? [];
    if (queue.length >= MAX_SERVED) {
      this.#blame(peer.id, 'asks for more blocks than it takes');
      return;
    }
    queue.push(height);
    this.#served.set(peer.id, queue);
    this.#serve(peer.id, queue);
  }

  /** Sends the blocks a peer asked for, as long as its queue takes them. */
  #serve(peer: PeerId, queue: number[]): void {
    for (let height = queue[0]; height !== undefined; height = queue[0]) {
      const message = this.#blockMessage(height) ?? noBlock(height);
      if (!this.#parts.net.send(peer, CHANNEL.blocksync, message)) return;
      queue.shift();
    }
    this.#served.delete(peer);
  }

  /** A stored block's message, put together from its parts without decoding it. */
  #blockMessage(height: number): Uint8Array | undefined {
    const { store } = this.#parts;
    const total = store.meta(height)?.blockId.partSetHeader.total;
    if (total === undefined || height < store.base || height > store.height) return undefined;
    const parts = Array.from({ length: total }, (_, index) => store.part(height, index)?.bytes);
    const out = new Writer();
    out.varint(BLOCK_RESPONSE_TAG);
    out.nested(() => {
      out.varint(BLOCK_TAG);
      out.nested(() => {
        for (const part of parts) if (part !== undefined) out.raw(part);
      });
    });
    return out.finish();
  }

  #denied(peer: PeerState, height: number): void {
    if (this.#requests.get(height)?.peer !== peer.id) return;
    this.#release(height);
    peer.lastBlock = Math.min(peer.lastBlock, height - 1);
    const denials = (this.#denials.get(peer.id) ?? 0) + 1;
    this.#denials.set(peer.id, denials);
    if (denials > MAX_DENIALS) this.#blame(peer.id, 'lacks blocks it says it has');
  }

  #took(peer: PeerState, block: Block | undefined, bytes: number): void {
    const height = block?.header.height ?? 0;
    const request = this.#requests.get(height);
    if (request?.peer !== peer.id || request.block !== undefined) {
      // Late answers to requests that no longer stand are not a breach.
      if (height > this.#height + WINDOW) this.#blame(peer.id, 'sent a block unasked');
      return;
    }
    request.block = block;
    request.bytes = bytes;
    this.#heldBytes += bytes;
    this.#parts.wake();
  }

  /** The next pair to apply after `height`, if both blocks are here. */
  pair(height: number): BlockPair | undefined {
    const first = this.#requests.get(height + 1);
    const second = this.#requests.get(height + 2);
    if (first?.block === undefined || second?.block === undefined) return undefined;
    return {
      first: first.block,
      second: second.block,
      firstPeer: first.peer,
      secondPeer: second.peer,
    };
  }

  /** Drops both senders of a pair that does not verify, and what else they sent. */
  refuse({ firstPeer, secondPeer }: BlockPair, reason: string): void {
    for (const peer of new Set([firstPeer, secondPeer])) {
      this.#forgetRequests(peer);
      this.#blame(peer, `sent a block that does not verify: ${reason}`);
    }
  }

  /** The chain has grown to `height`, by sync or by consensus. */
  advanced(height: number): void {
    this.#height = height;
    this.#progressAt = this.#parts.clock.monotonicMs();
    for (const at of [...this.#requests.keys()]) if (at <= height) this.#release(at);
    if (this.#active) this.tick();
  }

  /** Begins after `height` blocks. */
  begin(height: number): void {
    this.#height = height;
  }

  /** Asks for what is missing, and drops who does not answer. */
  tick(): void {
    for (const [peer, queue] of this.#served) this.#serve(peer, queue);
    const { clock, peers, net } = this.#parts;
    const now = clock.monotonicMs();
    for (const [peer, debt] of this.#debts) {
      if (now - debt.since > ANSWER_WITHIN_MS) this.#overdue(peer, debt, now);
    }
    const behind = this.highest >= this.#height + 2;
    const far = this.highest >= this.#height + FAR_BEHIND;
    const stalled = now - this.#progressAt >= STALLED_MS;
    this.#active = behind && (this.#active || stalled || far);
    if (!this.#active) {
      for (const height of [...this.#requests.keys()]) this.#release(height);
      return;
    }
    this.#request(now);
    if (now - this.#statusAt < STATUS_EVERY_MS) return;
    this.#statusAt = now;
    const message = encode({ kind: 'statusRequest', value: {} });
    for (const peer of peers.keys()) net.send(peer, CHANNEL.blocksync, message);
  }

  #overdue(peer: PeerId, { height, reminded }: Debt, now: number): void {
    this.#forgetRequests(peer);
    if (reminded) {
      this.#debts.delete(peer);
      this.#blame(peer, 'does not send the blocks it was asked for');
      return;
    }
    this.#debts.set(peer, { height, since: now, reminded: true });
    this.#ask(peer, height);
  }

  #ask(peer: PeerId, height: number): boolean {
    const message = encode({ kind: 'blockRequest', value: { height } });
    return this.#parts.net.send(peer, CHANNEL.blocksync, message);
  }

  #request(now: number): void {
    const load = new Map<PeerId, number>();
    for (const [height, { peer, block }] of this.#requests) {
      if (block === undefined) this.#owes(peer, height, load, now);
    }
    const last = Math.min(this.highest, this.#height + WINDOW);
    for (let height = this.#height + 1; height <= last; height++) {
      if (this.#requests.has(height)) continue;
      if (this.#heldBytes > MAX_HELD_BYTES && height > this.#height + 2) return;
      const peer = this.#leastLoaded(height, load);
      if (peer === undefined || !this.#ask(peer, height)) return;
      this.#owes(peer, height, load, now);
      this.#requests.set(height, { peer, block: undefined, bytes: 0 });
    }
  }

  #owes(peer: PeerId, height: number, load: Map<PeerId, number>, now: number): void {
    load.set(peer, (load.get(peer) ?? 0) + 1);
    if (!this.#debts.has(peer)) this.#debts.set(peer, { height, since: now, reminded: false });
  }

  #leastLoaded(height: number, load: ReadonlyMap<PeerId, number>): PeerId | undefined {
    let best: PeerId | undefined;
    let least = MAX_PER_PEER;
    for (const peer of this.#parts.peers.values()) {
      if (peer.lastBlock < height || peer.base > height) continue;
      if (this.#debts.get(peer.id)?.reminded === true) continue;
      const asked = load.get(peer.id) ?? 0;
      if (asked < least) {
        best = peer.id;
        least = asked;
      }
    }
    return best;
  }
}

/** Tags of BlocksyncMessage.block_response and BlockResponse.block. */
const BLOCK_RESPONSE_TAG = 3 * 8 + 2;
const BLOCK_TAG = 8 + 2;

function noBlock(height: number): Uint8Array {
  return encode({ kind: 'noBlockResponse', value: { height } });
}
