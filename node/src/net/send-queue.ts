/**
 * What waits to be sent on one stream: a bounded queue per channel and the order among them.
 *
 * Upholds: order within a channel; bounds in messages and bytes; among channels, the one that sent
 * least for its priority goes next, as in CometBFT's connection. Frames of all channels are joined
 * into stretches of bytes, so that one encryption and one write carry many messages.
 * Messages are kept by reference until they are joined: the caller does not change them.
 * Pure.
 *
 * @module
 */
import { EMPTY } from '../base/bytes.ts';
import { present } from '../base/errors.ts';
import type { ChannelSpec } from './channels.ts';
import { FRAME_HEADER_BYTES, writeHeader } from './frames.ts';

/** Counters of sent bytes are halved at this size, so that the past weighs less and less. */
const FADE_BYTES = 1_048_576;
/** Sent messages are cut off the front of a queue's array in lots of this size. */
const COMPACT_AT = 1_024;

/** A channel's queue and what it did. */
export type Lane = {
  readonly spec: ChannelSpec;
  /** Messages and bytes waiting. */
  readonly messages: number;
  readonly bytes: number;
  /** Bytes taken for sending since the start, without framing. */
  readonly sentBytes: number;
  readonly sentMessages: number;
  /** Messages refused because the queue was full or the message too long. */
  readonly refused: number;
};

type MutableLane = { -readonly [K in keyof Lane]: Lane[K] } & {
  items: Uint8Array[];
  head: number;
  recent: number;
};

/** The queues of one stream. */
export class SendQueue {
  readonly #lanes: readonly MutableLane[];
  readonly #byId: ReadonlyMap<number, MutableLane>;
  #current: Uint8Array | undefined;
  #offset = 0;
  /** Bytes still to be written, framing included. */
  #pending = 0;

  /** @param channels - heaviest first */
  constructor(channels: readonly ChannelSpec[]) {
    this.#lanes = channels.map((spec) => ({
      spec,
      messages: 0,
      bytes: 0,
      sentBytes: 0,
      sentMessages: 0,
      refused: 0,
      items: [],
      head: 0,
      recent: 0,
    }));
    this.#byId = new Map(this.#lanes.map((lane) => [lane.spec.id, lane]));
  }

  /** The queues, for statistics. */
  get lanes(): readonly Lane[] {
    return this.#lanes;
  }

  /** Bytes waiting, framing included. */
  get pending(): number {
    return this.#pending;
  }

  /** Queues a message; false if its queue is full, it is empty or it is over the bound. */
  offer(channel: number, message: Uint8Array): boolean {
    const lane = present(this.#byId.get(channel), `channel ${channel} of this stream`);
    const { spec } = lane;
    const fits =
      lane.messages === 0 ||
      (lane.messages < spec.queueMessages && lane.bytes + message.length <= spec.queueBytes);
    if (!fits || message.length === 0 || message.length > spec.messageBytes) {
      lane.refused++;
      return false;
    }
    lane.items.push(message);
    lane.messages++;
    lane.bytes += message.length;
    this.#pending += message.length + FRAME_HEADER_BYTES;
    return true;
  }

  /**
   * The next bytes of the stream: whole frames and pieces of one, at most `maxBytes` in all.
   *
   * @returns undefined if nothing waits
   */
  next(maxBytes: number): Uint8Array | undefined {
    if (this.#pending === 0) return undefined;
    const out = new Uint8Array(Math.min(this.#pending, maxBytes));
    let at = 0;
    while (at < out.length) {
      if (this.#current === undefined) {
        if (out.length - at < FRAME_HEADER_BYTES) break;
        const lane = this.#pick();
        this.#current = this.#take(lane);
        this.#offset = 0;
        writeHeader(out, at, lane.spec.id, this.#current.length);
        at += FRAME_HEADER_BYTES;
      }
      at = this.#copy(this.#current, out, at);
    }
    this.#pending -= at;
    if (this.#pending === 0) for (const lane of this.#lanes) lane.recent = 0;
    return at === out.length ? out : out.subarray(0, at);
  }

  #copy(message: Uint8Array, out: Uint8Array, at: number): number {
    const rest = message.length - this.#offset;
    const room = out.length - at;
    if (rest <= room) {
      out.set(this.#offset === 0 ? message : message.subarray(this.#offset), at);
      this.#current = undefined;
      return at + rest;
    }
    out.set(message.subarray(this.#offset, this.#offset + room), at);
    this.#offset += room;
    return at + room;
  }

  #pick(): MutableLane {
    let best: MutableLane | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (const lane of this.#lanes) {
      if (lane.messages === 0) continue;
      const share = lane.recent / lane.spec.priority;
      if (share < least) {
        least = share;
        best = lane;
      }
    }
    return present(best, 'a lane with messages while bytes are pending');
  }

  #take(lane: MutableLane): Uint8Array {
    const message = present(lane.items[lane.head], 'queued message');
    lane.items[lane.head++] = EMPTY;
    if (lane.head === lane.items.length) {
      lane.items = [];
      lane.head = 0;
    } else if (lane.head >= COMPACT_AT && 2 * lane.head >= lane.items.length) {
      lane.items = lane.items.slice(lane.head);
      lane.head = 0;
    }
    lane.messages--;
    lane.bytes -= message.length;
    lane.sentMessages++;
    lane.sentBytes += message.length;
    lane.recent += message.length;
    if (lane.recent > FADE_BYTES) for (const each of this.#lanes) each.recent /= 2;
    return message;
  }
}
