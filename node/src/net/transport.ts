/**
 * libp2p, set up for this network: TCP, noise, yamux, and nothing that looks for peers by itself.
 *
 * Upholds: a connection's peer id is the key that noise authenticated; a dial names the id it
 * expects and fails for any other. No mDNS, no DHT, no relay, no identify, no scan of any network.
 * Absent here: what the streams say (`session.ts`), whom to dial (`peers.ts`).
 * Spec: libp2p noise (XX) and yamux; js-libp2p 3.3.
 *
 * @module
 */

import { generateKeyPairFromSeed } from '@libp2p/crypto/keys';
import type { ComponentLogger, Connection, Logger, Stream } from '@libp2p/interface';
import { tcp } from '@libp2p/tcp';
import { yamux } from '@libp2p/yamux';
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr';
import { createLibp2p, type Libp2p } from 'libp2p';
import { describe, type ErrorSpec, errorSpec, LedgerError, present } from '../base/errors.ts';
import { formatAddress, type PeerAddress } from './address.ts';
import { STREAMS, type StreamName } from './channels.ts';
import { encryption } from './encryption.ts';
import type { Aead } from './options.ts';
import type { Remote } from './peers.ts';

/** Refusals of the transport. */
export const errors: { readonly CannotListen: ErrorSpec<{ listen: string; reason: string }> } = {
  CannotListen: errorSpec(
    'net',
    27,
    'node',
    (p) =>
      `cannot listen for peers on ${p.listen} (${p.reason}): stop what uses it, ` +
      'or choose another address in p2p.listen',
  ),
};

/** Bytes a stream may have under way unacknowledged: bounds what a vote may wait behind. */
const STREAM_WINDOW_BYTES = 1_048_576;
/** Bytes libp2p keeps of a stream that is not read; more resets the stream. */
const READ_BUFFER_BYTES = 4_194_304;
/** Milliseconds libp2p would allow a silent stream; pings come far more often. */
const IDLE_MS = 3_600_000;
/** Connections beyond the configured peers that may be in the making. */
const PENDING_CONNECTIONS = 256;

/** What the transport asks and tells. */
export type TransportPort = {
  /** Whether a socket may go on to the handshake. */
  admitSocket(remote: Remote): boolean;
  /** A socket that was admitted has closed. */
  socketClosed(remote: Remote): void;
  /** Whether an authenticated peer may go on to its streams. */
  admitPeer(id: string): boolean;
  /** A peer connected; it must open its first stream soon. */
  connected(connection: Connection): void;
  /** A peer opened a stream. */
  opened(name: StreamName, stream: Stream, connection: Connection): void;
};

/** The identity and address of a transport. */
export type TransportOptions = {
  /** 32 secret bytes of the node's Ed25519 key. */
  readonly seed: Uint8Array;
  readonly listen: string;
  readonly maxConnections: number;
  /** Milliseconds a dial, an encryption handshake or a stream's opening may take. */
  readonly connectMs: number;
  readonly aead: Aead | undefined;
};

/** The node's connections. */
export type Transport = {
  readonly id: string;
  readonly publicKey: Uint8Array;
  /** @throws LedgerError net/27 if the address cannot be had */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** The addresses listened at, with their real ports. */
  listening(): string[];
  /** Connects to a peer; fails if another key answers. */
  dial(address: PeerAddress): Promise<Connection>;
};

/** The protocol name of a stream. */
export function protocolOf(name: StreamName): string {
  return `/metatron/1/${name}`;
}

function silentLogger(): ComponentLogger {
  const ignore = (): void => undefined;
  const logger: Logger = Object.assign(ignore, {
    error: ignore,
    trace: ignore,
    enabled: false,
    newScope: (): Logger => logger,
  });
  return { forComponent: () => logger };
}

/** The IP and port of a remote address; IPv4 also when it comes mapped into IPv6. */
export function remoteOf(address: Multiaddr): Remote {
  const parts = address.getComponents();
  const host = parts.find((part) => part.name === 'ip4' || part.name === 'ip6')?.value ?? '';
  const port = parts.find((part) => part.name === 'tcp')?.value ?? '';
  return { ip: host.replace(/^::ffff:/, ''), port };
}

/** The one line of libp2p's report that says why; it holds a stack for each address. */
function listenReason(thrown: unknown): string {
  const text = describe(thrown);
  return /Error: ([^\n]+)/.exec(text)?.[1] ?? text.split('\n', 1)[0] ?? '';
}

/**
 * Prepares a transport; nothing listens before `start`.
 *
 * @throws what libp2p throws if the seed has not 32 bytes
 */
export async function createTransport(
  options: TransportOptions,
  port: TransportPort,
): Promise<Transport> {
  const privateKey = await generateKeyPairFromSeed('Ed25519', options.seed);
  const node: Libp2p = await createLibp2p({
    start: false,
    privateKey,
    addresses: { listen: [options.listen] },
    logger: silentLogger(),
    transports: [tcp({ maxConnections: options.maxConnections + PENDING_CONNECTIONS })],
    connectionEncrypters: [encryption(options.aead)],
    streamMuxers: [
      yamux({
        maxInboundStreams: 2 * STREAMS.length,
        maxOutboundStreams: 2 * STREAMS.length,
        streamOptions: {
          maxStreamWindowSize: STREAM_WINDOW_BYTES,
          maxReadBufferLength: READ_BUFFER_BYTES,
          inactivityTimeout: IDLE_MS,
        },
      }),
    ],
    connectionMonitor: { enabled: false },
    connectionManager: {
      maxConnections: 1_000_000,
      inboundConnectionThreshold: 1_000_000,
      maxIncomingPendingConnections: PENDING_CONNECTIONS,
      maxParallelDials: 16,
      dialTimeout: options.connectMs,
      addressDialTimeout: options.connectMs,
      inboundUpgradeTimeout: options.connectMs,
      outboundStreamProtocolNegotiationTimeout: options.connectMs,
      inboundStreamProtocolNegotiationTimeout: options.connectMs,
      reconnectRetries: 0,
    },
    connectionGater: {
      denyDialMultiaddr: () => false,
      denyInboundConnection: (raw) => {
        const remote = remoteOf(raw.remoteAddr);
        if (!port.admitSocket(remote)) return true;
        raw.addEventListener('close', () => port.socketClosed(remote));
        return false;
      },
      denyInboundEncryptedConnection: (peer) => !port.admitPeer(peer.toString()),
    },
  });
  for (const name of STREAMS) {
    await node.handle(
      protocolOf(name),
      (stream, connection) => port.opened(name, stream, connection),
      {
        maxInboundStreams: 1,
        maxOutboundStreams: 1,
      },
    );
  }
  node.addEventListener('connection:open', (event) => {
    if (event.detail.direction === 'inbound') port.connected(event.detail);
  });
  return {
    id: node.peerId.toString(),
    publicKey: present(privateKey.publicKey.raw, 'public key'),
    start: async () => {
      try {
        await node.start();
      } catch (thrown) {
        throw new LedgerError(
          errors.CannotListen,
          { listen: options.listen, reason: listenReason(thrown) },
          thrown,
        );
      }
    },
    stop: async () => {
      await node.stop();
    },
    listening: () => node.getMultiaddrs().map((address) => address.toString()),
    dial: (address) => node.dial(multiaddr(formatAddress(address)), { force: true }),
  };
}
