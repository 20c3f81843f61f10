/**
 * What waits to be handled: messages of peers, taken in turns, and our own events, taken first.
 *
 * Upholds: bounded in count and bytes per peer, so that a flooding peer costs only itself; one peer
 * after the other is served, each in the order it sent.
 * Absent here: what messages mean.
 *
 * @module
 */
import type { ChannelId } from '../types/messages.ts';
import type { PeerId } from './ports.ts';

/** A message as it came from a peer. */
export type Letter = {
  readonly peer: PeerId;
  readonly channel: ChannelId;
  readonly message: Uint8Array;
};

/** Bounds per peer; a message larger than `bytes` is taken if nothing else waits. */
export type InboxBounds = { readonly messages: number; readonly bytes: number };

type Queue = { readonly letters: Letter[]; next: number; bytes: number };

/** A fair queue over peers. */
export class Inbox {
  readonly #bounds: InboxBounds;
  readonly #queues = new Map<PeerId, Queue>();
  #dropped = 0;

  constructor(bounds: InboxBounds) {
    this.#bounds = bounds;
  }

  /** Messages refused because their sender's queue was full. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Queues a message. @returns false if its sender's queue is full and it was dropped */
  push(letter: Letter): boolean {
    const size = letter.message.length;
    const queue = this.#queues.get(letter.peer) ?? { letters: [], next: 0, bytes: 0 };
    const waiting = queue.letters.length - queue.next;
    const full = waiting >= this.#bounds.messages || queue.bytes + size > this.#bounds.bytes;
    if (full && waiting > 0) {
      this.#dropped++;
      return false;
    }
    this.#queues.set(letter.peer, queue);
    queue.letters.push(letter);
    queue.bytes += size;
    return true;
  }

  /** The next message: of the peer that has waited longest for its turn. */
  next(): Letter | undefined {
    for (const [peer, queue] of this.#queues) {
      const letter = queue.letters[queue.next++] as Letter;
      queue.bytes -= letter.message.length;
      this.#queues.delete(peer);
      if (queue.next < queue.letters.length) {
        if (queue.next > 256) {
          queue.letters.splice(0, queue.next);
          queue.next = 0;
        }
        this.#queues.set(peer, queue);
      }
      return letter;
    }
    return undefined;
  }

  /** Forgets what a peer sent. */
  forget(peer: PeerId): void {
    this.#queues.delete(peer);
  }
}
