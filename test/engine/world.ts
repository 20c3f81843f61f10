/**
 * A small network of real engines in one thread, over virtual time: the harness of these tests.
 *
 * Upholds: nothing happens but what the timeline plans, so a test gives the same result each time.
 *
 * @module
 */
import { step } from '../../node/consensus/core.ts';
import { KvstoreApplication, MemoryKeySpace } from '../../node/src/abci/kvstore.ts';
import { toHex } from '../../node/src/base/bytes.ts';
import { type Logger, SILENT } from '../../node/src/base/logger.ts';
import { Engine, type EngineOptions } from '../../node/src/engine/engine.ts';
import type { GuardStore, Net, PeerId, SigningKey, Wal } from '../../node/src/engine/ports.ts';
import type { StepFunction } from '../../node/src/engine/replay.ts';
import { DEFAULT_MEMPOOL } from '../../node/src/mempool/config.ts';
import type { ChainEvent } from '../../node/src/types/chain-events.ts';
import type { CommittedHeight } from '../../node/src/types/chain-state.ts';
import type { CheckSignature } from '../../node/src/types/check-signature.ts';
import type { Genesis } from '../../node/src/types/genesis.ts';
import type { ChannelId } from '../../node/src/types/messages.ts';
import { DEFAULT_PARAMS } from '../../node/src/types/params.ts';
import { MILLISECOND, parseTime } from '../../node/src/types/time.ts';
import { SimChainStore } from '../sim/chain-store.ts';
import { Disk } from '../sim/disk.ts';
import { Keyring } from '../sim/keys.ts';
import { Timeline } from '../sim/timeline.ts';

/** Milliseconds a message takes. */
const LATENCY_MS = 1;

const START = parseTime('2026-01-01T00:00:00Z') ?? 0n;

/** What may happen to a message on its way; undefined loses it. */
export type Intercept = (
  from: number,
  to: number,
  channel: ChannelId,
  message: Uint8Array,
) => Uint8Array | undefined;

/** Choices of a world. */
export type WorldOptions = {
  readonly nodes: number;
  /** How many of them are validators; the first ones. */
  readonly validators?: number;
  readonly emptyBlocksMs?: number;
  readonly durableApp?: boolean;
  /** Who hears what node 0 logs. */
  readonly logger?: Logger;
};

/** One node over its lives. */
export class WorldNode {
  readonly index: number;
  readonly id: PeerId;
  readonly disk: Disk = new Disk();
  readonly key: SigningKey;
  readonly dropped: { readonly peer: PeerId; readonly reason: string }[] = [];
  readonly events: ChainEvent[] = [];
  readonly signed: { readonly bytes: string; readonly signature: string }[] = [];
  /** Peers whose share of signature checks is used up, and those whose share was forgotten. */
  readonly exhausted: Set<PeerId> = new Set();
  readonly forgotten: PeerId[] = [];
  space: MemoryKeySpace = new MemoryKeySpace();
  application: KvstoreApplication;
  engine: Engine | undefined;
  fatal: unknown;
  step: StepFunction = step;
  /** Called at each sync of the log; throwing there is a crash. */
  onSync: (() => void) | undefined;

  constructor(index: number, key: SigningKey) {
    this.index = index;
    this.id = `node${index}`;
    this.key = key;
    this.application = new KvstoreApplication(this.space);
  }

  /** The running engine. */
  get live(): Engine {
    if (this.engine === undefined) throw new TypeError(`node ${this.index} is down`);
    return this.engine;
  }

  /** The last stored height. */
  get height(): number {
    return this.disk.height;
  }

  committed(): CommittedHeight[] {
    return this.events.flatMap((e) => (e.kind === 'committed' ? [e.height] : []));
  }
}

/** The network. */
export class World {
  readonly timeline: Timeline = new Timeline();
  readonly nodes: WorldNode[];
  readonly genesis: Genesis;
  readonly #keyring: Keyring;
  readonly #options: WorldOptions;
  readonly #links = new Set<string>();
  intercept: Intercept = (_from, _to, _channel, message) => message;

  constructor(options: WorldOptions) {
    this.#options = options;
    this.#keyring = new Keyring(1, options.nodes);
    this.nodes = this.#keyring.keys.map((key, i) => new WorldNode(i, key));
    const count = options.validators ?? options.nodes;
    this.genesis = {
      genesisTime: START,
      chainId: 'world',
      initialHeight: 1,
      params: DEFAULT_PARAMS,
      validators: this.#keyring.keys.slice(0, count).map((key, i) => ({
        publicKey: { type: 'ed25519' as const, bytes: key.publicKey },
        power: 10n,
        name: `v${i}`,
      })),
      appHash: new Uint8Array(0),
      appState: new TextEncoder().encode('{}'),
    };
  }

  node(index: number): WorldNode {
    const node = this.nodes[index];
    if (node === undefined) throw new RangeError(`no node ${index}`);
    return node;
  }

  get engineOptions(): EngineOptions {
    return {
      genesis: this.genesis,
      timeouts: {
        proposeMs: 500,
        proposeDeltaMs: 250,
        prevoteMs: 200,
        prevoteDeltaMs: 100,
        precommitMs: 200,
        precommitDeltaMs: 100,
        commitMs: 0,
        emptyBlocksMs: this.#options.emptyBlocksMs ?? 1_000,
      },
      mempool: DEFAULT_MEMPOOL,
      applicationKeepsStore: this.#options.durableApp ?? false,
    };
  }

  /** Starts a node and links it with all that run. */
  async start(index: number): Promise<WorldNode> {
    const node = this.node(index);
    node.fatal = undefined;
    if (this.#options.durableApp !== true) node.space = new MemoryKeySpace();
    node.application = new KvstoreApplication(node.space);
    const life = { alive: true };
    const net = this.#net(node);
    const check: CheckSignature = (publicKey, message, signature) =>
      this.#keyring.check(publicKey, message, signature);
    const engine = await Engine.start(this.engineOptions, {
      net,
      clock: {
        now: () => START + BigInt(Math.round(this.timeline.now * 1000)) * (MILLISECOND / 1000n),
        monotonicMs: () => this.timeline.now,
        after: (delayMs, fire) => this.timeline.after(delayMs, () => life.alive && fire()),
      },
      wal: this.#wal(node),
      store: new SimChainStore(node.disk, { alive: () => true, storing: () => undefined }),
      application: node.application,
      validator: { key: this.#recording(node), guard: guardOf(node.disk) },
      check,
      checkFrom: (peer) => (node.exhausted.has(peer) ? () => undefined : check),
      forget: (peer) => node.forgotten.push(peer),
      indexers: [],
      logger: (index === 0 ? this.#options.logger : undefined) ?? SILENT,
      step: (state, input) => node.step(state, input),
      publish: (event) => node.events.push(event),
      fatal: (thrown) => {
        node.fatal = thrown;
        life.alive = false;
        this.#down(node);
      },
    });
    node.engine = engine;
    for (const other of this.nodes) {
      if (other !== node && other.engine !== undefined) this.link(index, other.index);
    }
    await settle();
    return node;
  }

  /** Starts all nodes. */
  async startAll(): Promise<void> {
    for (const node of this.nodes) await this.start(node.index);
  }

  /** Ends a node as a power failure does. */
  async crash(index: number): Promise<void> {
    const node = this.node(index);
    const { engine } = node;
    this.#down(node);
    await engine?.stop();
  }

  #down(node: WorldNode): void {
    node.engine = undefined;
    for (const other of this.nodes) if (other !== node) this.unlink(node.index, other.index);
  }

  link(a: number, b: number): void {
    if (this.#links.has(linkName(a, b))) return;
    this.#links.add(linkName(a, b));
    this.node(a).engine?.peerJoined(this.node(b).id);
    this.node(b).engine?.peerJoined(this.node(a).id);
  }

  unlink(a: number, b: number): void {
    if (!this.#links.delete(linkName(a, b))) return;
    this.node(a).engine?.peerLeft(this.node(b).id);
    this.node(b).engine?.peerLeft(this.node(a).id);
  }

  linked(a: number, b: number): boolean {
    return this.#links.has(linkName(a, b));
  }

  /** Delivers a message as if `from` had sent it. */
  deliver(from: number, to: number, channel: ChannelId, message: Uint8Array): void {
    this.timeline.after(LATENCY_MS, () => {
      if (!this.linked(from, to)) return;
      this.node(to).engine?.received(this.node(from).id, channel, message);
    });
  }

  #net(node: WorldNode): Net {
    return {
      send: (peer, channel, message) => {
        const to = this.nodes.findIndex((n) => n.id === peer);
        if (!this.linked(node.index, to)) return false;
        const passed = this.intercept(node.index, to, channel, message);
        if (passed !== undefined) this.deliver(node.index, to, channel, passed);
        return true;
      },
      drop: (peer, reason) => {
        node.dropped.push({ peer, reason });
        const to = this.nodes.findIndex((n) => n.id === peer);
        this.timeline.after(0, () => this.unlink(node.index, to));
      },
    };
  }

  #wal(node: WorldNode): Wal {
    return {
      append: (record) => node.disk.append(record),
      sync: () => {
        node.disk.sync();
        node.onSync?.();
        return Promise.resolve();
      },
      records: () => node.disk.records(),
      reset: () => node.disk.reset(),
      close: () => undefined,
    };
  }

  #recording(node: WorldNode): SigningKey {
    const { publicKey, address } = node.key;
    const sign = (message: Uint8Array): Uint8Array => {
      const signature = node.key.sign(message);
      node.signed.push({ bytes: toHex(message), signature: toHex(signature) });
      return signature;
    };
    return { publicKey, address, sign };
  }

  /** Lets time pass until `done` holds. @returns whether it did within `maxMs` */
  async until(done: () => boolean, maxMs: number): Promise<boolean> {
    const end = this.timeline.now + maxMs;
    while (!done()) {
      if (this.timeline.now > end || !this.timeline.advance()) return false;
      await settle();
    }
    return true;
  }

  /** Lets `ms` pass. */
  async pass(ms: number): Promise<void> {
    const end = this.timeline.now + ms;
    await this.until(() => this.timeline.now >= end, ms + 1);
  }

  /** Lets time pass until all running nodes stored `height`. */
  async reach(height: number, maxMs = 60_000): Promise<boolean> {
    return await this.until(
      () => this.nodes.every((n) => n.engine === undefined || n.height >= height),
      maxMs,
    );
  }
}

function linkName(a: number, b: number): string {
  return a < b ? `${a}-${b}` : `${b}-${a}`;
}

function guardOf(disk: Disk): GuardStore {
  return {
    load: () => disk.guard,
    save: (record) => {
      disk.guard = record;
      return Promise.resolve();
    },
  };
}

/** Lets everything that is already decided happen: no promise is left that can settle. */
export async function settle(): Promise<void> {
  await new Promise<void>((done) => setImmediate(done));
}
