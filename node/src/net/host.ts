/**
 * The node's side of the network: fits the engine's `Net` port and tells a `NetListener`.
 *
 * Upholds: `send` and `drop` never wait and never throw; a peer is announced once its session
 * works and taken back once it ends; whatever a peer does wrong costs that peer its session, with
 * a logged reason, and nothing else.
 * Absent here: decisions about peers (`peers.ts`), the exchange of one session (`session.ts`),
 * libp2p (`transport.ts`), peer exchange (`discovery.ts`).
 *
 * @module
 */
import type { Connection, Stream } from '@libp2p/interface';
import { describe, LedgerError, present } from '../base/errors.ts';
import type { ChannelId } from '../types/messages.ts';
import { type PeerAddress, parseListenAddress, parsePeerAddress } from './address.ts';
import { AddressBook } from './address-book.ts';
import { loadBook, saveBook } from './book-file.ts';
import { ADVERTISED, CHANNELS, PEX_CHANNEL, type StreamName } from './channels.ts';
import { Discovery } from './discovery.ts';
import { BLOCK_VERSION, type Hello, type NodeInfo, P2P_VERSION } from './hello.ts';
import { DEFAULT_LIMITS, type HostLimits, type HostListener, type HostOptions } from './options.ts';
import { Peers, type Remote } from './peers.ts';
import { PEX_BAN_MS } from './pex.ts';
import type { Pipe } from './pipe.ts';
import { type Ending, Session, type SessionPort } from './session.ts';
import { type NetStatus, type PeerStatus, peerStatus } from './status.ts';
import { createTransport, type Transport, type TransportPort } from './transport.ts';

const STREAM_OF: ReadonlyMap<number, StreamName> = new Map(CHANNELS.map((c) => [c.id, c.stream]));
/** Milliseconds between writes of the address book, and those stopping may take. */
const BOOK_MS = 60_000;
const STOP_MS = 1_500;
/** Longest and shortest pause between looks at who is to be dialed. */
const LOOK_MS = 30_000;
const LOOK_AGAIN_MS = 20;

/**
 * Prepares a host; nothing listens before `start`.
 *
 * @throws LedgerError net/10 for a malformed address
 */
export async function createHost(options: HostOptions): Promise<Host> {
  const persistent = (options.persistentPeers ?? []).map(parsePeerAddress);
  const seeds = (options.seeds ?? []).map(parsePeerAddress);
  parseListenAddress(options.listen);
  if (options.externalAddress !== undefined) parseListenAddress(options.externalAddress);
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  let host: Host | undefined;
  const port: TransportPort = {
    admitSocket: (remote) => host?.admitSocket(remote) ?? false,
    socketClosed: (remote) => host?.socketClosed(remote),
    admitPeer: (id) => host?.admitPeer(id) ?? false,
    connected: (connection) => host?.connected(connection),
    opened: (name, stream, connection) => host?.streamOpened(name, stream, connection),
  };
  const maxConnections = limits.maxInbound + limits.maxOutbound + persistent.length;
  const { seed, listen, aead } = options;
  const transport = await createTransport(
    { seed, listen, maxConnections, connectMs: limits.handshakeMs, aead },
    port,
  );
  host = new Host(options, limits, transport, persistent, seeds);
  return host;
}

/** The node's network. Made by `createHost`. */
export class Host {
  /** This node's id on the network, base58. */
  readonly id: string;
  readonly #options: HostOptions;
  readonly #limits: HostLimits;
  readonly #transport: Transport;
  readonly #book: AddressBook = new AddressBook();
  readonly #peers: Peers;
  readonly #discovery: Discovery;
  readonly #nowMs: () => number;
  readonly #random: () => number;
  /** Every connection's session by the connection's id, and the admitted ones by peer. */
  readonly #connections: Map<string, Session> = new Map();
  readonly #sessions: Map<string, Session> = new Map();
  readonly #dialed: Map<string, PeerAddress> = new Map();
  readonly #port: SessionPort;
  #dirty: Pipe[] = [];
  #timers: NodeJS.Timeout[] = [];
  #look: NodeJS.Timeout | undefined;
  #listener: HostListener | undefined;
  #hello: Hello | undefined;
  #ended = 0;
  #failedDials = 0;

  constructor(
    options: HostOptions,
    limits: HostLimits,
    transport: Transport,
    persistent: readonly PeerAddress[],
    seeds: readonly PeerAddress[],
  ) {
    this.#options = options;
    this.#limits = limits;
    this.#transport = transport;
    this.id = transport.id;
    this.#nowMs = options.nowMs ?? (() => performance.now());
    this.#random = options.random ?? Math.random;
    const rules = { ...limits, selfId: transport.id, persistent, seeds };
    this.#peers = new Peers(rules, this.#book, this.#random);
    this.#discovery = new Discovery({
      book: this.#book,
      scope: options.addressScope ?? 'public',
      seedMode: options.seedMode ?? false,
      nowMs: this.#nowMs,
      random: this.#random,
    });
    this.#port = this.#sessionPort();
  }

  /** This node's Ed25519 public key. */
  get publicKey(): Uint8Array {
    return this.#transport.publicKey;
  }

  /** The addresses listened at, `/ip4/…/tcp/…/p2p/…`; empty before `start`. */
  listening(): string[] {
    return this.#transport.listening();
  }

  /**
   * Listens, dials, and tells `listener` from here on.
   *
   * @throws LedgerError net/27 if the address cannot be listened at
   */
  async start(listener: HostListener): Promise<void> {
    const { addressBook, log } = this.#options;
    this.#listener = listener;
    if (addressBook !== undefined) await loadBook(addressBook, this.#book, log);
    await this.#transport.start();
    this.#hello = { nodeInfo: this.#nodeInfo(), genesisHash: this.#options.genesisHash };
    log.info('network listens', { id: this.id, address: this.listening().join(' ') });
    this.#every(this.#limits.pingMs, () => {
      for (const session of [...this.#sessions.values()]) session.check(this.#nowMs());
    });
    this.#every(this.#limits.pexAskMs, () => this.#askSomeone());
    if (addressBook !== undefined) {
      this.#every(BOOK_MS, () => void saveBook(addressBook, this.#book, log));
    }
    this.#dialDue();
  }

  #every(ms: number, run: () => void): void {
    this.#timers.push(setInterval(run, ms));
  }

  #nodeInfo(): NodeInfo {
    const options = this.#options;
    const listening = (this.listening()[0] ?? options.listen).replace(/\/p2p\/.*$/, '');
    return {
      protocolVersion: { p2p: P2P_VERSION, block: BLOCK_VERSION, app: options.appVersion },
      id: this.id,
      listenAddr: options.externalAddress ?? listening,
      network: options.chainId,
      version: options.softwareVersion,
      channels: ADVERTISED,
      moniker: options.moniker,
      other: {
        txIndex: options.txIndex === false ? 'off' : 'on',
        rpcAddress: options.rpcAddress ?? '',
      },
    };
  }

  /** Closes everything within two seconds; the listener hears of every peer that leaves. */
  async stop(): Promise<void> {
    if (this.#hello === undefined) return;
    this.#hello = undefined;
    for (const timer of this.#timers) clearInterval(timer);
    clearTimeout(this.#look);
    const sessions = [...this.#connections.values()];
    for (const session of sessions) session.end('node is stopping', true);
    const { addressBook, log } = this.#options;
    if (addressBook !== undefined) await saveBook(addressBook, this.#book, log);
    const late = new Promise<void>((resolve) => {
      setTimeout(resolve, STOP_MS).unref();
    });
    const closed = Promise.all(sessions.map((session) => session.closed));
    await Promise.race([closed.then(() => this.#transport.stop()), late]);
  }

  /** Queues one message for one peer; false if the peer is gone or its queue is full. */
  send(peer: string, channel: ChannelId, message: Uint8Array): boolean {
    const stream = STREAM_OF.get(channel);
    if (stream === undefined) return false;
    return this.#sessions.get(peer)?.send(stream, channel, message) ?? false;
  }

  /** Drops a peer for `reason`, told to it, and refuses it for `banMs` milliseconds. */
  drop(peer: string, reason: string, banMs: number): void {
    if (banMs > 0) this.#peers.ban(peer, reason, this.#nowMs(), banMs);
    this.#sessions.get(peer)?.end(reason, true);
  }

  /**
   * Notes an address and dials it when there is room.
   *
   * @throws LedgerError net/10 for a malformed address
   */
  addAddress(text: string): void {
    const address = parsePeerAddress(text);
    if (address.id !== this.id) this.#book.hear(address, address.id);
    this.#dialDue();
  }

  /** What RPC and metrics show. */
  status(): NetStatus {
    const nowMs = this.#nowMs();
    const peers: PeerStatus[] = [];
    for (const session of this.#sessions.values()) {
      if (!session.isJoined) continue;
      const info = present(session.info, 'info of a joined peer');
      peers.push(peerStatus(session, info, this.#peers.isPersistent(session.peer), nowMs));
    }
    return {
      id: this.id,
      publicKey: this.publicKey,
      listening: this.listening(),
      info: this.#nodeInfo(),
      peers,
      bans: this.#peers.bans(nowMs),
      knownAddresses: this.#book.size,
      ended: this.#ended,
      failedDials: this.#failedDials,
    };
  }

  /** For the transport: whether a socket may go on. */
  admitSocket(remote: Remote): boolean {
    return this.#hello !== undefined && this.#peers.admitSocket(remote, this.#nowMs());
  }

  /** For the transport: a socket that was admitted has closed. */
  socketClosed(remote: Remote): void {
    this.#peers.settled(remote);
  }

  /** For the transport: whether an authenticated peer may go on. */
  admitPeer(id: string): boolean {
    return id !== this.id && this.#peers.banned(id, this.#nowMs()) === undefined;
  }

  /** For the transport: a peer connected. */
  connected(connection: Connection): void {
    if (this.#hello === undefined) connection.abort(new DOMException('stopping', 'AbortError'));
    else this.#session(connection, this.#hello);
  }

  /** For the transport: a peer opened a stream. */
  streamOpened(name: StreamName, stream: Stream, connection: Connection): void {
    const session = this.#connections.get(connection.id);
    if (session === undefined) stream.abort(new DOMException('no session', 'AbortError'));
    else session.accept(name, stream);
  }

  #session(connection: Connection, hello: Hello): Session {
    const messageBytes = this.#options.messageBytes ?? {};
    const rules = { ...this.#limits, hello, messageBytes };
    const session = new Session(connection, rules, this.#port);
    this.#connections.set(connection.id, session);
    return session;
  }

  #sessionPort(): SessionPort {
    return {
      nowMs: this.#nowMs,
      admit: (session) => this.#admit(session),
      joined: (session) => this.#joined(session),
      received: (session, channel, message) => this.#received(session, channel, message),
      breach: (session, refusal) => this.#breach(session, refusal, this.#limits.breachBanMs),
      ended: (session, why) => this.#endedSession(session, why),
      dirty: (pipe) => this.#flushSoon(pipe),
    };
  }

  #admit(session: Session): string | undefined {
    const { peer, direction } = session;
    const admission = this.#peers.admit(peer, direction, this.#nowMs());
    if (admission.kind === 'refuse') return admission.reason;
    this.#sessions.get(peer)?.end('replaced by a newer connection', true);
    this.#sessions.set(peer, session);
    this.#peers.opened(peer, direction, this.#nowMs());
    return undefined;
  }

  #joined(session: Session): void {
    const { peer, direction, remote } = session;
    const remoteIp = remote.ip;
    if (direction === 'inbound') this.#peers.settled(remote);
    const moniker = session.info?.moniker;
    this.#options.log.info('peer joined', { peer, direction, remoteIp, moniker });
    const dialed = direction === 'outbound' ? this.#dialed.get(peer) : undefined;
    this.#discovery.joined(session, dialed);
    this.#listener?.peerJoined(peer);
    if (direction === 'outbound' && this.#peers.wantsPeers()) this.#discovery.ask(session);
  }

  #received(session: Session, channel: number, message: Uint8Array): void {
    if (channel !== PEX_CHANNEL) {
      this.#listener?.received(session.peer, channel as ChannelId, message);
      return;
    }
    const outcome = this.#discovery.received(session, message);
    if (outcome.kind === 'breach') this.#breach(session, outcome.refusal, PEX_BAN_MS);
    else if (outcome.kind === 'served') session.endSoon('addresses told');
    else if (outcome.kind === 'learnt') this.#dialDue();
  }

  #breach(session: Session, refusal: LedgerError, banMs: number): void {
    const { peer } = session;
    const { code, message: reason } = told(refusal);
    this.#peers.ban(peer, reason, this.#nowMs(), banMs);
    this.#options.log.warn('peer breaks the protocol', { peer, code, reason, banMs });
    session.end(refusal, true);
  }

  #endedSession(session: Session, why: Ending): void {
    const { peer, direction, remote } = session;
    this.#connections.delete(session.connectionId);
    if (direction === 'outbound') this.#dialed.delete(peer);
    this.#ended++;
    const admitted = this.#sessions.get(peer) === session;
    const { code, message: reason } = told(why);
    this.#options.log.info('peer left', { peer, direction, remoteIp: remote.ip, code, reason });
    if (admitted) {
      this.#sessions.delete(peer);
      this.#peers.closed(peer, this.#nowMs());
      // Deferred: the engine may have asked for the drop and is in the middle of a step.
      if (session.hasJoined) queueMicrotask(() => this.#listener?.peerLeft(peer));
    } else if (direction === 'outbound') {
      this.#peers.dialFailed(peer, this.#nowMs());
    }
    this.#dialDue();
  }

  #flushSoon(pipe: Pipe): void {
    this.#dirty.push(pipe);
    if (this.#dirty.length === 1) queueMicrotask(() => this.#flush());
  }

  /**
   * Sends what was queued since it was scheduled: votes of all peers first. Not at the end of the
   * turn: consensus goes on in the same turn and writes to the disk, and a proposal would wait.
   */
  #flush(): void {
    const dirty = this.#dirty;
    this.#dirty = [];
    for (const pipe of dirty) if (pipe.name === 'votes') pipe.flush();
    for (const pipe of dirty) if (pipe.name !== 'votes') pipe.flush();
  }

  #dialDue(): void {
    if (this.#hello === undefined) return;
    clearTimeout(this.#look);
    for (const address of this.#peers.takeDials(this.#nowMs())) void this.#dial(address);
    const nowMs = this.#nowMs();
    const waitMs = Math.max(LOOK_AGAIN_MS, this.#peers.nextDialMs(nowMs) - nowMs);
    this.#look = setTimeout(() => this.#dialDue(), Math.min(waitMs, LOOK_MS));
  }

  async #dial(address: PeerAddress): Promise<void> {
    try {
      const connection = await this.#transport.dial(address);
      // The other side may have dialed as well, and got through first.
      const met = this.#sessions.has(address.id);
      if (this.#hello === undefined || met) {
        await connection.close();
        return;
      }
      this.#dialed.set(address.id, address);
      await this.#session(connection, this.#hello).greet();
    } catch (thrown) {
      this.#failedDials++;
      const { id, host, port } = address;
      this.#options.log.warn('dialing failed', { peer: id, host, port, reason: describe(thrown) });
      this.#peers.dialFailed(id, this.#nowMs());
      this.#dialDue();
    }
  }

  #askSomeone(): void {
    if (!this.#peers.wantsPeers()) return;
    const joined = [...this.#sessions.values()].filter((session) => session.isJoined);
    const chosen = joined[Math.floor(this.#random() * joined.length)];
    if (chosen !== undefined) this.#discovery.ask(chosen);
    this.#dialDue();
  }
}

/** The end of a session as the log tells it: with space and code if the peer was refused. */
function told(why: Ending): { readonly code: string | undefined; readonly message: string } {
  const code = why instanceof LedgerError ? `${why.space}/${why.code}` : undefined;
  return { code, message: describe(why) };
}
