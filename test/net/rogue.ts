/**
 * A peer that does as the test says: real libp2p underneath, any bytes on the streams.
 *
 * @module
 */
import type { Connection, Stream } from '@libp2p/interface';
import { parsePeerAddress } from '../../node/src/net/address.ts';
import {
  ADVERTISED,
  CONTROL_CHANNEL,
  channelsOf,
  type StreamName,
} from '../../node/src/net/channels.ts';
import { FrameReader, writeHeader } from '../../node/src/net/frames.ts';
import { type Control, controlCodec, type Hello, readReason } from '../../node/src/net/hello.ts';
import { createTransport, protocolOf, type Transport } from '../../node/src/net/transport.ts';
import { seedOf, type TestHost } from './support.ts';

/** One frame as bytes. */
export function frame(channel: number, message: Uint8Array): Uint8Array {
  const out = new Uint8Array(5 + message.length);
  writeHeader(out, 0, channel, message.length);
  out.set(message, 5);
  return out;
}

/** A peer under the test's control. */
export class Rogue {
  readonly transport: Transport;
  readonly connection: Connection;
  readonly streams: Map<StreamName, Stream> = new Map();
  /** Control messages that arrived. */
  readonly told: Control[] = [];
  #waiters: (() => void)[] = [];

  constructor(transport: Transport, connection: Connection) {
    this.transport = transport;
    this.connection = connection;
    connection.addEventListener('close', () => this.#wake());
  }

  get id(): string {
    return this.transport.id;
  }

  /** The reason the other side gave for ending. */
  get bye(): string | undefined {
    const bye = this.told.find((control) => control.kind === 'bye');
    return bye === undefined ? undefined : readReason(bye.value.reason);
  }

  get isClosed(): boolean {
    return this.connection.status !== 'open';
  }

  #wake(): void {
    for (const wake of this.#waiters.splice(0)) wake();
  }

  /** Resolves once `condition` holds; looked at when something arrives or the connection ends. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiters.push(resolve));
  }

  /** Opens a stream; that of votes is read for control messages. */
  async open(name: StreamName): Promise<Stream> {
    const stream = await this.connection.newStream(protocolOf(name));
    this.streams.set(name, stream);
    if (name === 'votes') {
      const reader = new FrameReader('votes', channelsOf('votes', {}), (channel, message) => {
        if (channel === CONTROL_CHANNEL) this.told.push(controlCodec.decode(message));
        return true;
      });
      stream.addEventListener('message', (event) => {
        reader.push(event.data.subarray());
        if (this.bye !== undefined) this.connection.close().catch(() => undefined);
        this.#wake();
      });
    }
    return stream;
  }

  say(control: Control): void {
    this.streams.get('votes')?.send(frame(CONTROL_CHANNEL, controlCodec.encode(control)));
  }

  /** Goes through the whole first exchange. */
  async join(
    hello: Partial<Hello['nodeInfo']> = {},
    genesisHash: Uint8Array = seedOf('genesis'),
  ): Promise<void> {
    await this.open('votes');
    this.say({ kind: 'hello', value: { nodeInfo: { ...honest(this.id), ...hello }, genesisHash } });
    await this.until(() => this.told.some((control) => control.kind === 'hello') || this.isClosed);
    if (this.isClosed) return;
    await this.open('data');
    await this.open('bulk');
    this.say({ kind: 'ready', value: {} });
    await this.until(() => this.told.some((control) => control.kind === 'ready') || this.isClosed);
  }
}

function honest(id: string): Hello['nodeInfo'] {
  return {
    protocolVersion: { p2p: 8, block: 11, app: 1 },
    id,
    listenAddr: '/ip4/0.0.0.0/tcp/26656',
    network: 'net-test',
    version: '0.1.0',
    channels: ADVERTISED,
    moniker: 'rogue',
    other: { txIndex: 'on', rpcAddress: '' },
  };
}

const transports: Transport[] = [];

/** Connects a rogue to a host. */
export async function rogue(target: TestHost, name = 'rogue'): Promise<Rogue> {
  const transport = await createTransport(
    {
      seed: seedOf(name),
      listen: '/ip4/127.0.0.1/tcp/0',
      maxConnections: 10,
      connectMs: 2_000,
      aead: undefined,
    },
    {
      admitSocket: () => true,
      socketClosed: () => {},
      admitPeer: () => true,
      connected: () => {},
      opened: () => {},
    },
  );
  await transport.start();
  transports.push(transport);
  return new Rogue(transport, await transport.dial(parsePeerAddress(target.address())));
}

/** Stops every rogue a test made. */
export async function stopRogues(): Promise<void> {
  await Promise.all(transports.splice(0).map((transport) => transport.stop()));
}
