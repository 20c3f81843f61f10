/**
 * Bad frames: a real libp2p peer that passes the first exchange, listens to what validators say,
 * and says it again spoiled; and peers that spoil the exchange itself, or send what is no libp2p.
 *
 * Upholds: after each frame the peer is either dropped, for a reason that it is told and that the
 * node's log carries with a declared code, or still served: its ping is answered.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { utf8 } from '../../node/src/base/bytes.ts';
import { sodiumAead } from '../../node/src/crypto/aead.ts';
import { parsePeerAddress } from '../../node/src/net/address.ts';
import {
  CHANNELS,
  CONTROL_CHANNEL,
  channelsOf,
  PEX_CHANNEL,
  STREAMS,
  type StreamName,
} from '../../node/src/net/channels.ts';
import { FRAME_HEADER_BYTES, FrameReader } from '../../node/src/net/frames.ts';
import { controlCodec, type Hello } from '../../node/src/net/hello.ts';
import { createTransport } from '../../node/src/net/transport.ts';
import type { DevnetNode, DevnetSummary } from '../../node/src/ops/devnet.ts';
import { genesisHash, parseGenesis } from '../../node/src/types/genesis.ts';
import {
  blocksyncMessageCodec,
  CHANNEL,
  mempoolMessageCodec,
} from '../../node/src/types/messages.ts';
import { frame, Rogue } from '../net/rogue.ts';
import type { Prng } from '../sim/prng.ts';
import { Drops } from './bad-input-drops.ts';
import type { Tally } from './bad-input-judge.ts';
import { completed, spoil, spoilBytes } from './bad-input-mutate.ts';

/** One message as it was heard. */
type Heard = { readonly channel: number; readonly message: Uint8Array };

/** Messages kept per channel to be spoiled. */
const KEPT = 200;
/** Frames one session sends at most. */
const FRAMES_PER_SESSION = 12;
/**
 * Milliseconds within which a dropped peer is told, or a served one answered: what is waited for
 * always comes, so this is for a node that hangs and not for a machine that is busy.
 */
const ANSWER_MS = 60_000;
/** Most peers at a time that may have said too little: the nodes bound how many there are. */
const SILENT_AT_ONCE = 5;
/** Sessions per frame to be judged at most: more means that nobody gets in. */
const SESSIONS_PER_FRAME = 20;
/** Milliseconds after the last frame within which the node may still drop the peer. */
const LATE_MS = 60;

function streamOf(channel: number): StreamName {
  return CHANNELS.find((spec) => spec.id === channel)?.stream ?? 'votes';
}

function ended(rogue: Rogue): boolean {
  return rogue.isClosed || rogue.bye !== undefined;
}

/** Resolves false once `ms` passed. */
function within(ms: number, what: Promise<unknown>): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), ms);
    const done = (): void => {
      clearTimeout(timer);
      resolve(true);
    };
    what.then(done, done);
  });
}

/** Peers that spoil what they say. */
export class BadPeers {
  readonly #net: DevnetSummary;
  readonly #random: Prng;
  readonly #tally: Tally;
  readonly #transactions: () => Uint8Array;
  readonly #genesisHash: Uint8Array;
  readonly #heard = new Map<number, Uint8Array[]>();
  /** The newest of each channel: of the height that is being decided. */
  readonly #newest = new Map<number, Uint8Array>();
  readonly #drops: Drops;
  #sessions = 0;

  /** @param transactions - valid ones, to be spoiled in frames */
  constructor(net: DevnetSummary, random: Prng, tally: Tally, transactions: () => Uint8Array) {
    this.#net = net;
    this.#random = random;
    this.#tally = tally;
    this.#drops = new Drops(net, tally);
    this.#transactions = transactions;
    const file = join(net.nodes[0]?.home ?? '', 'config', 'genesis.json');
    this.#genesisHash = genesisHash(parseGenesis(readFileSync(file, 'utf8')));
    const txs = [this.#transactions()];
    const sync = (kind: 'statusRequest' | 'blockRequest'): Uint8Array =>
      blocksyncMessageCodec.encode(
        kind === 'statusRequest' ? { kind, value: {} } : { kind, value: { height: 1 } },
      );
    const mempool = mempoolMessageCodec(1_048_576).encode({ kind: 'txs', value: { txs } });
    this.#keep(CHANNEL.mempool, mempool);
    this.#keep(CHANNEL.blocksync, sync('statusRequest'));
    this.#keep(CHANNEL.blocksync, sync('blockRequest'));
    this.#keep(PEX_CHANNEL, Uint8Array.of(10, 0));
    this.#keep(CHANNEL.evidence, Uint8Array.of(10, 4, 10, 2, 24, 1));
    this.#keep(CONTROL_CHANNEL, controlCodec.encode({ kind: 'ping', value: { stamp: 5 } }));
  }

  #keep(channel: number, message: Uint8Array): void {
    const kept = this.#heard.get(channel) ?? [];
    if (kept.length < KEPT) kept.push(message);
    else kept[this.#random.int(0, KEPT - 1)] = message;
    this.#heard.set(channel, kept);
    this.#newest.set(channel, message);
  }

  async #connect(node: DevnetNode): Promise<Rogue> {
    const transport = await createTransport(
      {
        seed: this.#random.bytes(32),
        listen: '/ip4/127.0.0.1/tcp/0',
        maxConnections: 4,
        connectMs: 15_000,
        aead: sodiumAead,
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
    try {
      return new Rogue(transport, await transport.dial(parsePeerAddress(node.p2p)));
    } catch (thrown) {
      await transport.stop();
      throw thrown;
    }
  }

  /** Keeps what the node says on the streams besides that of votes' control messages. */
  #listen(rogue: Rogue): void {
    for (const [name, stream] of rogue.streams) {
      const reader = new FrameReader(name, channelsOf(name, {}), (channel, message) => {
        if (channel !== CONTROL_CHANNEL) this.#keep(channel, message);
        return true;
      });
      stream.addEventListener('message', (event) => void reader.push(event.data.subarray()));
    }
  }

  /** Sends frames until `until` of them are judged, those of other peers included. */
  async run(until: number): Promise<void> {
    const silent = new Set<Promise<void>>();
    while (this.#tally.sent < until) {
      if (this.#sessions > SESSIONS_PER_FRAME * until) {
        this.#tally.failed(`only ${this.#tally.sent} of ${until} frames could be sent`);
        break;
      }
      const node = this.#net.nodes[this.#sessions++ % this.#net.nodes.length];
      if (node === undefined) return;
      const kind = this.#random.int(0, 9);
      if (kind > 2) {
        await this.#session(node, Math.min(FRAMES_PER_SESSION, until - this.#tally.sent));
        continue;
      }
      // Whoever says too little may go on for as long as the node lets him: others need not wait.
      const begun = kind === 0 ? this.#noise(node) : this.#spoiledGreeting(node);
      const waits = begun.finally(() => silent.delete(waits));
      silent.add(waits);
      if (silent.size >= SILENT_AT_ONCE) await Promise.race(silent);
    }
    await Promise.all(silent);
    await this.#drops.compare(ANSWER_MS);
  }

  async #with(node: DevnetNode, work: (rogue: Rogue) => Promise<void>): Promise<void> {
    let rogue: Rogue;
    try {
      rogue = await this.#connect(node);
    } catch {
      // The node takes so many connections a second from one address: that bound holds as well.
      await new Promise((resolve) => setTimeout(resolve, 250));
      return;
    }
    try {
      await work(rogue);
    } finally {
      rogue.connection.abort(new DOMException('done', 'AbortError'));
      await rogue.transport.stop();
    }
  }

  #session(node: DevnetNode, frames: number): Promise<void> {
    return this.#with(node, async (rogue) => {
      const joined = rogue.join({ network: this.#net.chainId, moniker: 'm' }, this.#genesisHash);
      await within(ANSWER_MS, joined);
      if (ended(rogue) || !rogue.told.some((told) => told.kind === 'ready')) {
        // On a busy machine this peer itself may be too slow for the node: that bound holds.
        const slow = rogue.bye === undefined || /^no agreement within/.test(rogue.bye);
        if (!slow) this.#tally.failed(`an honest greeting was refused: ${rogue.bye}`);
        return;
      }
      this.#listen(rogue);
      const story = await this.#barrage(rogue, node, frames);
      if (story === undefined) return;
      if (ended(rogue)) this.#noteDrop(rogue, node, story);
      else if (
        await within(
          LATE_MS,
          rogue.until(() => ended(rogue)),
        )
      ) {
        // Counted as harmless already; the log must say why nevertheless.
        this.#drops.note({ peer: rogue.id, home: node.home, story });
      }
    });
  }

  /** Sends bad frames until the peer is dropped. @returns the last one, if all were judged */
  async #barrage(rogue: Rogue, node: DevnetNode, frames: number): Promise<string | undefined> {
    let story = '';
    for (let sent = 0; sent < frames && !ended(rogue); sent++) {
      story = this.#sendBad(rogue);
      if (!(await this.#answered(rogue))) {
        this.#tally.failed(`${node.moniker} neither answers nor drops after ${story}`);
        return undefined;
      }
      if (!ended(rogue)) this.#tally.harmless();
    }
    return story;
  }

  #noteDrop(rogue: Rogue, node: DevnetNode, story: string, sent = true): void {
    this.#tally.dropped();
    // A stream that could not be opened carried nothing to be refused.
    if (sent) this.#drops.note({ peer: rogue.id, home: node.home, story });
  }

  /** Whether the node shows that it lives: by an answer to a ping, or by dropping the peer. */
  #answered(rogue: Rogue): Promise<boolean> {
    const stamp = this.#random.int(1, 1_000_000_000);
    const pong = (): boolean =>
      rogue.told.some((told) => told.kind === 'pong' && told.value.stamp === stamp);
    try {
      rogue.say({ kind: 'ping', value: { stamp } });
    } catch {
      return Promise.resolve(true);
    }
    return within(
      ANSWER_MS,
      rogue.until(() => pong() || ended(rogue)),
    );
  }

  #badFrame(): Heard {
    const random = this.#random;
    const channel = random.pick([...this.#heard.keys()]);
    const some = random.pick(this.#heard.get(channel) ?? []);
    const message = random.chance(0.5) ? (this.#newest.get(channel) ?? some) : some;
    if (channel === CHANNEL.mempool && random.chance(0.7)) {
      const count = random.pick([1, 1, 3, 200]);
      const txs = Array.from({ length: count }, () => spoil(this.#transactions(), random));
      const whole = { kind: 'txs', value: { txs: txs.filter((tx) => tx.length > 0) } } as const;
      return { channel, message: mempoolMessageCodec(1_048_576).encode(whole) };
    }
    if (random.chance(0.1)) return { channel, message: random.bytes(random.int(1, 400)) };
    const spoiled = spoil(message, random);
    return { channel, message: spoiled.length === 0 ? Uint8Array.of(0) : spoiled };
  }

  /** Sends one bad frame. @returns what it was */
  #sendBad(rogue: Rogue): string {
    const random = this.#random;
    const { channel, message } = this.#badFrame();
    const bytes = frame(channel, message);
    const right = streamOf(channel);
    const hex = Buffer.from(message.subarray(0, 80)).toString('hex');
    const [stream, data] = random.pick<() => readonly [StreamName, Uint8Array]>([
      ...Array.from({ length: 12 }, () => () => [right, bytes] as const),
      // On a stream where the channel does not belong, on one that there is not, and no message.
      () => [random.pick(STREAMS), bytes],
      () => [right, frame(random.pick([2, 0x1f, 0x41, 0x60, 0xff]), message)],
      () => [right, frame(channel, new Uint8Array(0))],
      // A length beyond all bounds, and a header that is spoiled.
      () => [right, Uint8Array.of(0xff, 0xff, 0xff, 0xff, channel, 1, 2, 3)],
      () => {
        const header = spoilBytes(bytes.subarray(0, FRAME_HEADER_BYTES), random);
        return [right, completed(Buffer.concat([header, message]))];
      },
    ])();
    try {
      rogue.streams.get(stream)?.send(data);
    } catch {
      // The node closed the stream already: what comes next shows why.
    }
    return `channel ${channel} on ${stream}: ${hex}`;
  }

  /** A peer whose first exchange is spoiled, or that speaks out of turn. */
  #spoiledGreeting(node: DevnetNode): Promise<void> {
    const random = this.#random;
    return this.#with(node, async (rogue) => {
      const hello = this.#hello(rogue.id);
      const encoded = controlCodec.encode({ kind: 'hello', value: hello });
      const { channel, message } = this.#badFrame();
      const ready = frame(CONTROL_CHANNEL, controlCodec.encode({ kind: 'ready', value: {} }));
      const info = random.pick<Partial<Hello['nodeInfo']>>([
        { network: 'another-chain' },
        { id: 'someone' },
        { protocolVersion: { p2p: 7, block: 11, app: 1 } },
        { protocolVersion: { p2p: 8, block: 10, app: 1 } },
        { channels: Uint8Array.of(0x77) },
        { channels: Uint8Array.of(0x20, 0x20) },
        { moniker: '' },
        { moniker: '\u0007bell' },
      ]);
      const wrong: Hello = { ...hello, nodeInfo: { ...hello.nodeInfo, ...info } };
      const first = random.pick<() => Uint8Array>([
        () => frame(CONTROL_CHANNEL, spoil(encoded, random)),
        () => frame(CONTROL_CHANNEL, controlCodec.encode({ kind: 'hello', value: wrong })),
        () => frame(channel, message),
        () => ready,
        () => random.bytes(64),
        () => Buffer.concat([frame(CONTROL_CHANNEL, encoded), frame(CONTROL_CHANNEL, encoded)]),
      ])();
      const turn = random.chance(0.15) ? random.pick(['data', 'bulk'] as const) : 'votes';
      const story = `greeting on ${turn}: ${Buffer.from(first.subarray(0, 60)).toString('hex')}`;
      let sent = false;
      try {
        const stream = await rogue.open(turn);
        sent = true;
        stream.send(first);
      } catch {
        // Closed at once: what follows looks at how.
      }
      const greeted = (): boolean => rogue.told.some((told) => told.kind === 'hello');
      if (
        !(await within(
          ANSWER_MS,
          rogue.until(() => ended(rogue) || greeted()),
        ))
      ) {
        this.#tally.failed(`${node.moniker} lets a bad greeting wait: ${story}`);
      } else if (!ended(rogue)) this.#tally.harmless();
      else this.#noteDrop(rogue, node, story, sent);
    });
  }

  #hello(id: string): Hello {
    const nodeInfo: Hello['nodeInfo'] = {
      protocolVersion: { p2p: 8, block: 11, app: 1 },
      id,
      listenAddr: '/ip4/0.0.0.0/tcp/26656',
      network: this.#net.chainId,
      version: '0.1.0',
      channels: Uint8Array.of(0x20, 0x21, 0x22, 0x23, 0x30),
      moniker: 'm',
      other: { txIndex: 'on', rpcAddress: '' },
    };
    return { nodeInfo, genesisHash: this.#genesisHash };
  }

  /** Bytes that are no libp2p: the socket must end, by the node within its time. */
  async #noise(node: DevnetNode): Promise<void> {
    const random = this.#random;
    const port = Number(/\/tcp\/(\d+)/.exec(node.p2p)?.[1]);
    const text = random.pick<Uint8Array>([
      utf8('GET / HTTP/1.1\r\n\r\n'),
      utf8('\u0013/multistream/1.0.0\n'),
      utf8('\u0013/multistream/1.0.0\n\u0007/noise\n'),
      random.bytes(400),
      new Uint8Array(70_000).fill(0xff),
    ]);
    const bytes = random.chance(0.5) ? text : spoilBytes(text, random);
    const closed = new Promise<void>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
      socket.resume();
      socket.on('error', () => undefined);
      socket.on('close', () => resolve());
    });
    // No word can be said before there is a connection that carries one.
    if (await within(ANSWER_MS, closed)) this.#tally.closed();
    else this.#tally.failed(`${node.moniker} keeps a socket that is no libp2p`);
  }
}
