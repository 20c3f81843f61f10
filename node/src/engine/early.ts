/**
 * Messages that came before their time: streams are independent, and peers may be a step ahead.
 *
 * Upholds: bounded per peer in count and bytes; what does not fit is dropped, and the sender's
 * repair brings it again.
 *
 * @module
 */
import type { ConsensusMessage } from '../types/messages.ts';
import type { PeerId } from './ports.ts';

/** Bounds per peer: room for the proposal, parts and votes of one busy height. */
const MAX_MESSAGES = 512;
const MAX_BYTES = 8 * 1_048_576;

/** A message and who sent it. */
export type EarlyMessage = { readonly peer: PeerId; readonly message: ConsensusMessage };

type Held = { readonly messages: ConsensusMessage[]; bytes: number };

function bytesOf(message: ConsensusMessage): number {
  return message.kind === 'blockPart' ? message.value.part.bytes.length : 256;
}

/** Holds early messages until someone takes them out again. */
export class EarlyMessages {
  readonly #held = new Map<PeerId, Held>();

  /** Whether nothing is held. */
  get empty(): boolean {
    return this.#held.size === 0;
  }

  /** Keeps a message for later, if there is room. */
  keep(peer: PeerId, message: ConsensusMessage): void {
    const held = this.#held.get(peer) ?? { messages: [], bytes: 0 };
    const bytes = bytesOf(message);
    if (held.messages.length >= MAX_MESSAGES || held.bytes + bytes > MAX_BYTES) return;
    held.messages.push(message);
    held.bytes += bytes;
    this.#held.set(peer, held);
  }

  /** Takes out everything, in order of arrival per peer. */
  take(): EarlyMessage[] {
    const all = [...this.#held].flatMap(([peer, { messages }]) =>
      messages.map((message) => ({ peer, message })),
    );
    this.#held.clear();
    return all;
  }

  /** Forgets what a peer sent. */
  forget(peer: PeerId): void {
    this.#held.delete(peer);
  }
}
