/**
 * One stream of a session: its send queue, its frame reader, and the pauses between them.
 *
 * Upholds: what is sent in one turn leaves as few stretches of bytes as it fits into; while the
 * stream takes no more, messages wait in the bounded queue, so a slow reader costs bounded memory.
 * Reading never pauses: messages are handed on as they arrive.
 *
 * @module
 */
import type { Stream } from '@libp2p/interface';
import { describe, LedgerError } from '../base/errors.ts';
import { channelsOf, type MessageBytes, type StreamName } from './channels.ts';
import { FrameReader } from './frames.ts';
import { SendQueue } from './send-queue.ts';
import { updateWindowAtHalf } from './tuning.ts';

/** Bytes handed to the stream at once: with yamux's header they fill one noise message. */
const CHUNK_BYTES = 65_519 - 12;

/** What a pipe tells its session. */
export type PipePort = {
  /** A message arrived; false stops reading. */
  message(channel: number, message: Uint8Array): boolean;
  /** Bytes arrived; false stops reading. */
  bytes(count: number): boolean;
  /** The peer broke the framing. */
  breach(refusal: LedgerError): void;
  /** The stream is gone. */
  ended(reason: string): void;
  /** Something waits: `flush` is to be called at the end of this turn. */
  dirty(pipe: Pipe): void;
  nowMs(): number;
};

/** One stream of a session. */
export class Pipe {
  readonly name: StreamName;
  readonly queue: SendQueue;
  readonly #port: PipePort;
  readonly #reader: FrameReader;
  #stream: Stream | undefined;
  #blocked = false;
  #blockedAtMs = 0;
  #dirty = false;
  receivedBytes = 0;

  constructor(name: StreamName, messageBytes: MessageBytes, port: PipePort) {
    this.name = name;
    this.#port = port;
    const channels = channelsOf(name, messageBytes);
    this.queue = new SendQueue(channels);
    this.#reader = new FrameReader(name, channels, (channel, message) =>
      port.message(channel, message),
    );
  }

  /** Whether the stream is there. */
  get attached(): boolean {
    return this.#stream !== undefined;
  }

  /** Milliseconds since which the peer has taken nothing although something waits. */
  stalledMs(nowMs: number): number {
    return this.#blocked ? nowMs - this.#blockedAtMs : 0;
  }

  /** Starts to read and write on `stream`. */
  attach(stream: Stream): void {
    this.#stream = stream;
    updateWindowAtHalf(stream);
    stream.addEventListener('message', (event) => this.#read(event.data));
    stream.addEventListener('drain', () => queueMicrotask(() => this.#drained(stream)));
    stream.addEventListener('remoteCloseWrite', () => this.#port.ended('stream closed by peer'));
    stream.addEventListener('close', (event) => {
      this.#port.ended(event.error === undefined ? 'stream closed' : event.error.message);
    });
    if (this.queue.pending > 0) this.#mark();
  }

  /** Queues a message; false if its queue is full. */
  send(channel: number, message: Uint8Array): boolean {
    if (!this.queue.offer(channel, message)) return false;
    this.#mark();
    return true;
  }

  #mark(): void {
    if (this.#dirty || this.#blocked || this.#stream === undefined) return;
    this.#dirty = true;
    this.#port.dirty(this);
  }

  /** Hands what waits to the stream, as much as it takes. */
  flush(): void {
    this.#dirty = false;
    const stream = this.#stream;
    if (stream === undefined) return;
    while (!this.#blocked) {
      const chunk = this.queue.next(CHUNK_BYTES);
      if (chunk === undefined) return;
      try {
        if (!stream.send(chunk)) {
          this.#blocked = true;
          this.#blockedAtMs = this.#port.nowMs();
        }
      } catch (thrown) {
        this.#port.ended(describe(thrown));
        return;
      }
    }
  }

  #drained(stream: Stream): void {
    if (!this.#blocked || stream.writableNeedsDrain) return;
    this.#blocked = false;
    this.flush();
  }

  #read(data: Uint8Array | Iterable<Uint8Array>): void {
    if (data instanceof Uint8Array) {
      this.#readChunk(data);
      return;
    }
    for (const chunk of data) if (!this.#readChunk(chunk)) return;
  }

  #readChunk(chunk: Uint8Array): boolean {
    this.receivedBytes += chunk.length;
    if (!this.#port.bytes(chunk.length)) return false;
    try {
      return this.#reader.push(chunk);
    } catch (thrown) {
      if (!(thrown instanceof LedgerError) || thrown.space !== 'net') throw thrown;
      this.#port.breach(thrown);
      return false;
    }
  }
}
