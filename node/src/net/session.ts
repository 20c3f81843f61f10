/**
 * One peer's connection from the first exchange to its end.
 *
 * Upholds: nothing but the first exchange passes before both sides agree; the dialer owns the
 * opening of streams, so none is opened twice; each end of a session has one reason, which is told
 * to the peer if this side ends it; a peer over its rate, or silent for too long, is dropped.
 * Spec: `hello.ts` for the exchange; CometBFT's pong timeout.
 *
 * @module
 */
import type { Connection, Stream } from '@libp2p/interface';
import { describe, type ErrorSpec, errorSpec, LedgerError } from '../base/errors.ts';
import { errors as codecErrors } from '../base/wire.ts';
import { CONTROL_CHANNEL, type MessageBytes, STREAMS, type StreamName } from './channels.ts';
import {
  type Control,
  controlCodec,
  type Hello,
  errors as helloErrors,
  helloRefusal,
  type NodeInfo,
  readReason,
  writeReason,
} from './hello.ts';
import type { Direction, Remote } from './peers.ts';
import { PexRules } from './pex.ts';
import { Pipe, type PipePort } from './pipe.ts';
import { TokenBucket } from './rate.ts';
import { protocolOf, remoteOf } from './transport.ts';

/** Refusals of a session. */
export const errors: {
  readonly UnexpectedStream: ErrorSpec<{ name: string }>;
  readonly NotClosed: ErrorSpec<{ peer: string }>;
  readonly OutOfTurn: ErrorSpec<{ what: string }>;
  readonly TooFast: ErrorSpec<{ max: number; unit: string }>;
  readonly Silent: ErrorSpec<{ what: string; ms: number }>;
} = {
  UnexpectedStream: errorSpec('net', 20, 'peer', (p) => `stream ${p.name} opened out of turn`),
  NotClosed: errorSpec('net', 21, 'peer', (p) => `${p.peer} did not let the connection close`),
  OutOfTurn: errorSpec('net', 22, 'peer', (p) => p.what),
  TooFast: errorSpec('net', 23, 'peer', (p) => `over ${p.max} ${p.unit} per second`),
  Silent: errorSpec('net', 24, 'peer', (p) => `${p.what} ${p.ms} ms`),
};

/** Milliseconds for which closing waits: for the peer to hear the reason, for queues to drain. */
const CLOSE_MS = 300;

/** First byte of a bye: its field number in `Control`, length-delimited. */
const BYE_TAG = 0x12;

/** Bounds and delays of a session. */
export type SessionRules = {
  readonly hello: Hello;
  readonly messageBytes: MessageBytes;
  readonly handshakeMs: number;
  readonly pongMs: number;
  readonly maxBytesPerSecond: number;
  readonly maxMessagesPerSecond: number;
  readonly pexIntervalMs: number;
};

/** What a session asks and tells its host. */
export type SessionPort = {
  nowMs(): number;
  /** The peer agrees: may it stay? A text refuses it. */
  admit(session: Session): string | undefined;
  joined(session: Session): void;
  received(session: Session, channel: number, message: Uint8Array): void;
  /** The peer broke a rule for which it is banned. */
  breach(session: Session, refusal: LedgerError): void;
  /** The end; `joined` has been called before or never will be. */
  ended(session: Session, why: Ending): void;
  dirty(pipe: Pipe): void;
};

/** Why a session ends: a refusal of the peer, or what happened. */
export type Ending = LedgerError | string;

type State = 'greeting' | 'opening' | 'joined' | 'ended';

/** One peer's connection. */
export class Session {
  readonly peer: string;
  readonly direction: Direction;
  readonly remote: Remote;
  readonly openedAtMs: number;
  readonly pex: PexRules;
  readonly #connection: Connection;
  readonly #rules: SessionRules;
  readonly #port: SessionPort;
  readonly #pipes: Readonly<Record<StreamName, Pipe>>;
  readonly #bytes: TokenBucket;
  readonly #messages: TokenBucket;
  readonly #deadline: NodeJS.Timeout;
  readonly #waiting: Map<StreamName, Stream> = new Map();
  #state: State = 'greeting';
  #info: NodeInfo | undefined;
  #peerReady = false;
  #stopWaiting: (() => void) | undefined;
  #heardAtMs: number;
  rttMs: number | undefined;
  receivedMessages = 0;
  /** Whether the peer was ever announced. */
  hasJoined = false;
  /** Resolves once an ended session's connection is closed. */
  closed: Promise<void> = Promise.resolve();
  readonly receivedBytes: Map<number, number> = new Map();

  constructor(connection: Connection, rules: SessionRules, port: SessionPort) {
    this.#connection = connection;
    this.#rules = rules;
    this.#port = port;
    this.peer = connection.remotePeer.toString();
    this.direction = connection.direction;
    this.remote = remoteOf(connection.remoteAddr);
    const now = port.nowMs();
    this.openedAtMs = now;
    this.#heardAtMs = now;
    this.pex = new PexRules(rules.pexIntervalMs);
    this.#bytes = new TokenBucket(rules.maxBytesPerSecond, 2 * rules.maxBytesPerSecond, now);
    this.#messages = new TokenBucket(
      rules.maxMessagesPerSecond,
      2 * rules.maxMessagesPerSecond,
      now,
    );
    const pipe = (name: StreamName): Pipe =>
      new Pipe(name, rules.messageBytes, this.#pipePort(name));
    this.#pipes = { votes: pipe('votes'), data: pipe('data'), bulk: pipe('bulk') };
    this.#deadline = setTimeout(
      () => this.end(silent('no agreement within', rules.handshakeMs), true),
      rules.handshakeMs,
    );
    connection.addEventListener('close', () => this.end('connection closed', false));
  }

  #pipePort(name: StreamName): PipePort {
    const port = this.#port;
    return {
      message: (channel, message) => this.#received(channel, message),
      bytes: (count) => this.#counted(count),
      breach: (refusal) => {
        if (!this.isEnded) port.breach(this, refusal);
      },
      ended: (reason) => this.end(`${name}: ${reason}`, false),
      dirty: (pipe) => port.dirty(pipe),
      nowMs: () => port.nowMs(),
    };
  }

  /** What the peer said about itself; undefined before the first exchange. */
  get info(): NodeInfo | undefined {
    return this.#info;
  }

  /** The id of the connection, known to the transport. */
  get connectionId(): string {
    return this.#connection.id;
  }

  /** Whether messages may pass. */
  get isJoined(): boolean {
    return this.#state === 'joined';
  }

  get isEnded(): boolean {
    return this.#state === 'ended';
  }

  /** The streams' queues, for statistics. */
  get pipes(): readonly Pipe[] {
    return STREAMS.map((name) => this.#pipes[name]);
  }

  /** The dialer's first step: opens the stream of votes and says hello. */
  async greet(): Promise<void> {
    try {
      const stream = await this.#open('votes');
      this.#pipes.votes.attach(stream);
      this.#say({ kind: 'hello', value: this.#rules.hello });
    } catch (thrown) {
      this.end(`greeting failed: ${describe(thrown)}`, false);
    }
  }

  #open(name: StreamName): Promise<Stream> {
    const signal = AbortSignal.timeout(this.#rules.handshakeMs);
    return this.#connection.newStream(protocolOf(name), { signal });
  }

  /** The peer opened a stream: its first is that of votes, each comes once. */
  accept(name: StreamName, stream: Stream): void {
    const early = name === 'votes' ? this.#state !== 'greeting' : this.#state !== 'opening';
    const twice = this.#pipes[name].attached || this.#waiting.has(name);
    if (this.direction === 'outbound' || early || twice) {
      const refusal = new LedgerError(errors.UnexpectedStream, { name });
      stream.abort(refusal);
      if (!this.isEnded) this.#port.breach(this, refusal);
      return;
    }
    if (name === 'votes') {
      this.#pipes.votes.attach(stream);
      return;
    }
    this.#waiting.set(name, stream);
    this.#answerReady();
  }

  /** The accepting side's last step: all streams are there and the dialer listens on them. */
  #answerReady(): void {
    if (!this.#peerReady || this.#waiting.size < STREAMS.length - 1) return;
    this.#say({ kind: 'ready', value: {} });
    this.#join();
  }

  /** Queues a message for the peer; false if it may not be sent now. */
  send(stream: StreamName, channel: number, message: Uint8Array): boolean {
    return this.#state === 'joined' && this.#pipes[stream].send(channel, message);
  }

  #say(control: Control): void {
    this.#pipes.votes.send(CONTROL_CHANNEL, controlCodec.encode(control));
  }

  #counted(count: number): boolean {
    const now = this.#port.nowMs();
    this.#heardAtMs = now;
    if (this.#bytes.take(count, now)) return true;
    if (!this.isEnded) this.#tooFast(this.#rules.maxBytesPerSecond, 'bytes');
    return false;
  }

  #tooFast(max: number, unit: string): void {
    this.#port.breach(this, new LedgerError(errors.TooFast, { max, unit }));
  }

  #outOfTurn(what: string): void {
    this.#port.breach(this, new LedgerError(errors.OutOfTurn, { what }));
  }

  #received(channel: number, message: Uint8Array): boolean {
    if (this.isEnded) return this.#afterEnd(channel, message);
    this.receivedMessages++;
    this.receivedBytes.set(channel, (this.receivedBytes.get(channel) ?? 0) + message.length);
    if (!this.#messages.take(1, this.#port.nowMs())) {
      this.#tooFast(this.#rules.maxMessagesPerSecond, 'messages');
      return false;
    }
    if (channel === CONTROL_CHANNEL) this.#control(message);
    else if (this.#state === 'joined') this.#port.received(this, channel, message);
    else this.#outOfTurn('sent messages before agreeing');
    return !this.isEnded;
  }

  /** Both sides may end at once: then each hears the other's bye and need not wait for more. */
  #afterEnd(channel: number, message: Uint8Array): boolean {
    if (channel === CONTROL_CHANNEL && message[0] === BYE_TAG) this.#stopWaiting?.();
    return channel === CONTROL_CHANNEL;
  }

  #control(message: Uint8Array): void {
    try {
      this.#heard(controlCodec.decode(message));
    } catch (thrown) {
      if (!LedgerError.is(thrown, codecErrors.Malformed)) throw thrown;
      this.#port.breach(this, thrown);
    }
  }

  #heard(control: Control): void {
    switch (control.kind) {
      case 'hello':
        this.#greeted(control.value);
        break;
      case 'bye':
        this.end(`peer said: ${readReason(control.value.reason)}`, false);
        break;
      case 'ping':
        this.#say({ kind: 'pong', value: control.value });
        break;
      case 'pong':
        this.rttMs = Math.max(0, this.#port.nowMs() - control.value.stamp);
        break;
      case 'ready':
        this.#ready();
        break;
    }
  }

  #greeted(hello: Hello): void {
    if (this.#state !== 'greeting') {
      this.#outOfTurn('said hello twice');
      return;
    }
    const refusal = helloRefusal(this.#rules.hello, hello, this.peer);
    this.#info = hello.nodeInfo;
    const reason = refusal ?? this.#port.admit(this);
    if (reason !== undefined) {
      const spec = refusal === undefined ? helloErrors.NotAdmitted : helloErrors.Incompatible;
      this.end(new LedgerError(spec, { reason }), true);
      return;
    }
    this.#state = 'opening';
    if (this.direction === 'inbound') this.#say({ kind: 'hello', value: this.#rules.hello });
    else void this.#openRest();
  }

  async #openRest(): Promise<void> {
    try {
      const [data, bulk] = await Promise.all([this.#open('data'), this.#open('bulk')]);
      this.#waiting.set('data', data);
      this.#waiting.set('bulk', bulk);
      this.#say({ kind: 'ready', value: {} });
    } catch (thrown) {
      this.end(`opening streams failed: ${describe(thrown)}`, true);
    }
  }

  #ready(): void {
    if (this.#state !== 'opening' || this.#peerReady) {
      this.#outOfTurn('said ready out of turn');
      return;
    }
    this.#peerReady = true;
    if (this.direction === 'inbound') this.#answerReady();
    else if (this.#waiting.size === STREAMS.length - 1) this.#join();
    else this.#outOfTurn('said ready before the streams were open');
  }

  #join(): void {
    if (this.isEnded) return;
    clearTimeout(this.#deadline);
    for (const [name, stream] of this.#waiting) this.#pipes[name].attach(stream);
    this.#waiting.clear();
    this.#state = 'joined';
    this.hasJoined = true;
    this.#port.joined(this);
  }

  /** Asks for a sign of life, and gives up on a peer that gives none or reads nothing. */
  check(nowMs: number): void {
    const silentMs = nowMs - this.#heardAtMs;
    const stalledMs = Math.max(...this.pipes.map((pipe) => pipe.stalledMs(nowMs)));
    if (silentMs >= this.#rules.pongMs) {
      this.end(silent('silent for', silentMs), true);
    } else if (stalledMs >= this.#rules.pongMs) {
      this.end(silent('read nothing for', stalledMs), true);
    } else if (this.isJoined) {
      this.#say({ kind: 'ping', value: { stamp: Math.floor(nowMs) } });
    }
  }

  /** Ends the session after what is queued had a turn to leave. */
  endSoon(reason: string): void {
    setImmediate(() => setImmediate(() => this.end(reason, true)));
  }

  /** Ends the session, once; `tell` sends the reason to the peer. */
  end(why: Ending, tell: boolean): void {
    if (this.isEnded) return;
    if (tell && this.#pipes.votes.attached) {
      this.#say({ kind: 'bye', value: { reason: writeReason(describe(why)) } });
      this.#pipes.votes.flush();
    }
    if (this.isEnded) return;
    this.#state = 'ended';
    clearTimeout(this.#deadline);
    this.#port.ended(this, why);
    this.closed = this.#close(tell);
  }

  async #close(told: boolean): Promise<void> {
    if (told) await this.#heardBye();
    try {
      await this.#connection.close({ signal: AbortSignal.timeout(CLOSE_MS) });
    } catch (thrown) {
      this.#connection.abort(new LedgerError(errors.NotClosed, { peer: this.peer }, thrown));
    }
  }

  /**
   * Waits until the peer closes, as it does when it hears the reason. Closing first would reset the
   * connection if the peer is sending, and the reset would overtake the reason.
   */
  #heardBye(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, CLOSE_MS);
      this.#stopWaiting = () => {
        clearTimeout(timer);
        resolve();
      };
      this.#connection.addEventListener('close', this.#stopWaiting);
    });
  }
}

function silent(what: string, ms: number): LedgerError {
  return new LedgerError(errors.Silent, { what, ms: Math.round(ms) });
}
