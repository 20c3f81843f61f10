/**
 * Frames of a stream: four bytes of length, one byte of channel, the message.
 *
 * Upholds: a frame's length is checked against its channel before memory is set aside, and memory
 * grows only with bytes that arrived. Each message handed on has an array of its own, because a
 * view would keep the whole chunk alive for as long as one small message is kept.
 * Absent here: meaning of messages; rates (`rate.ts`).
 * Pure.
 *
 * @module
 */
import { type ErrorSpec, errorSpec, LedgerError } from '../base/errors.ts';
import type { ChannelSpec } from './channels.ts';

/** Bytes before each message. */
export const FRAME_HEADER_BYTES = 5;
/** Memory set aside at once for a message whose bytes have not arrived. */
const FIRST_ALLOCATION_BYTES = 131_072;

/** Refusals of frames. */
export const errors: {
  readonly UnknownChannel: ErrorSpec<{ channel: number; stream: string }>;
  readonly FrameTooLong: ErrorSpec<{ channel: number; length: number; max: number }>;
  readonly EmptyFrame: ErrorSpec<{ channel: number }>;
} = {
  UnknownChannel: errorSpec(
    'net',
    1,
    'peer',
    (p) => `channel ${p.channel} does not belong to stream ${p.stream}`,
  ),
  FrameTooLong: errorSpec(
    'net',
    2,
    'peer',
    (p) => `message of ${p.length} bytes on channel ${p.channel}, more than ${p.max}`,
  ),
  EmptyFrame: errorSpec('net', 3, 'peer', (p) => `empty message on channel ${p.channel}`),
};

/** Writes a frame's header at `at`. */
export function writeHeader(out: Uint8Array, at: number, channel: number, length: number): void {
  out[at] = length >>> 24;
  out[at + 1] = length >>> 16;
  out[at + 2] = length >>> 8;
  out[at + 3] = length;
  out[at + 4] = channel;
}

/** Takes frames from the bytes of one stream. */
export class FrameReader {
  readonly #stream: string;
  readonly #channels: ReadonlyMap<number, ChannelSpec>;
  readonly #deliver: (channel: number, message: Uint8Array) => boolean;
  readonly #header: Uint8Array = new Uint8Array(FRAME_HEADER_BYTES);
  #headerHave = 0;
  #body: Uint8Array | undefined;
  #length = 0;
  #have = 0;

  /** @param deliver - called per message in order; false stops reading for good */
  constructor(
    stream: string,
    channels: readonly ChannelSpec[],
    deliver: (channel: number, message: Uint8Array) => boolean,
  ) {
    this.#stream = stream;
    this.#channels = new Map(channels.map((spec) => [spec.id, spec]));
    this.#deliver = deliver;
  }

  /**
   * Reads what arrived.
   *
   * @returns false once `deliver` returned false: the rest is not read
   * @throws LedgerError net/1, net/2, net/3: the peer broke the framing
   */
  push(chunk: Uint8Array): boolean {
    let at = 0;
    while (at < chunk.length) {
      if (this.#body === undefined) {
        at = this.#readHeader(chunk, at);
        if (this.#headerHave < FRAME_HEADER_BYTES) return true;
        this.#begin();
      }
      at = this.#readBody(chunk, at);
      if (this.#have === this.#length && !this.#finish()) return false;
    }
    return true;
  }

  #readHeader(chunk: Uint8Array, from: number): number {
    let at = from;
    while (this.#headerHave < FRAME_HEADER_BYTES && at < chunk.length) {
      this.#header[this.#headerHave++] = chunk[at++] as number;
    }
    return at;
  }

  #begin(): void {
    const [a = 0, b = 0, c = 0, d = 0, channel = 0] = this.#header;
    const length = a * 2 ** 24 + ((b << 16) | (c << 8) | d);
    const spec = this.#channels.get(channel);
    if (spec === undefined) {
      throw new LedgerError(errors.UnknownChannel, { channel, stream: this.#stream });
    }
    if (length === 0) throw new LedgerError(errors.EmptyFrame, { channel });
    if (length > spec.messageBytes) {
      throw new LedgerError(errors.FrameTooLong, { channel, length, max: spec.messageBytes });
    }
    this.#length = length;
    this.#have = 0;
    this.#body = new Uint8Array(Math.min(length, FIRST_ALLOCATION_BYTES));
  }

  #readBody(chunk: Uint8Array, at: number): number {
    const take = Math.min(this.#length - this.#have, chunk.length - at);
    let body = this.#body as Uint8Array;
    if (this.#have + take > body.length) {
      const grown = new Uint8Array(
        Math.min(this.#length, Math.max(this.#have + take, 2 * body.length)),
      );
      grown.set(body.subarray(0, this.#have));
      body = grown;
      this.#body = grown;
    }
    body.set(take === chunk.length ? chunk : chunk.subarray(at, at + take), this.#have);
    this.#have += take;
    return at + take;
  }

  #finish(): boolean {
    const message = this.#body as Uint8Array;
    this.#body = undefined;
    this.#headerHave = 0;
    return this.#deliver(this.#header[4] as number, message);
  }
}
