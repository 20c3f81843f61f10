/**
 * A network of simulated nodes in one thread, run from a seed.
 *
 * Upholds: everything that happens follows from the seed and the options; nothing reads a real
 * clock. First comes the storm, in which faults strike; then the network heals, and everybody who
 * is honest must come on.
 *
 * @module
 */

import type { TimeoutConfig } from '../../node/consensus/types.ts';
import { utf8 } from '../../node/src/base/bytes.ts';
import type { SigningKey } from '../../node/src/engine/ports.ts';
import type { Genesis } from '../../node/src/types/genesis.ts';
import { DEFAULT_PARAMS } from '../../node/src/types/params.ts';
import { Checkers, GENESIS_POWER, type Violation } from './checkers.ts';
import { drawFaults, type Fault, type FaultPlan, LIES, noFaults } from './faults.ts';
import { Keyring } from './keys.ts';
import { Liar } from './liar.ts';
import { SimNet } from './net.ts';
import { Prng } from './prng.ts';
import { EPOCH, SimNode } from './sim-node.ts';
import { Story } from './story.ts';
import { Timeline } from './timeline.ts';

/** What a run is. */
export type RunOptions = {
  readonly seed: number;
  readonly nodes: number;
  /** Heights that the storm lasts. */
  readonly heights: number;
  /** Kinds of faults that are left out. */
  readonly without: readonly Fault[];
  /** Faults instead of those that the seed draws. */
  readonly plan?: FaultPlan;
};

/** What came of a run. */
export type Outcome = {
  readonly seed: number;
  readonly heights: number;
  readonly faults: Readonly<Record<Fault, number>>;
  readonly virtualMs: number;
  readonly violation: Violation | undefined;
  readonly story: Story;
};

/** The storm ends at the latest then. */
const STORM_MS = 40_000;
/** After healing, everybody must have stored this many heights more … */
const HEIGHTS_AFTER = 2;
/** … within this time. */
const CALM_MS = 180_000;

/** What strikes by itself; the other faults strike messages. */
const STRIKES = ['crash', 'crash', 'partition', 'disconnect', 'corruptWal', 'truncateWal'] as const;
/** More events than any run has: beyond them something turns in circles. */
const MAX_EVENTS = 3_000_000;

const TIMEOUTS: TimeoutConfig = {
  proposeMs: 500,
  proposeDeltaMs: 250,
  prevoteMs: 200,
  prevoteDeltaMs: 100,
  precommitMs: 200,
  precommitDeltaMs: 100,
  commitMs: 0,
  emptyBlocksMs: 200,
};

/** A network under test. Scenarios drive it by hand; `storm` lets the seed do it. */
export class Cluster {
  readonly nodes: readonly SimNode[];
  readonly net: SimNet;
  readonly timeline: Timeline = new Timeline();
  readonly checkers: Checkers;
  readonly story: Story = new Story();
  readonly plan: FaultPlan;
  readonly faults: Record<Fault, number> = noFaults();
  readonly prng: Prng;
  #calm = false;
  #txs = 0;
  #events = 0;
  /** How the log of the next validator to die is damaged. */
  #damage: 'corruptWal' | 'truncateWal' | undefined;

  constructor(options: RunOptions) {
    const { seed, nodes } = options;
    const prng = new Prng(seed);
    this.prng = prng;
    this.plan = options.plan ?? drawFaults(prng.fork('faults'), nodes, options.without);
    const keyring = new Keyring(seed, nodes);
    const genesis = genesisOf(seed, keyring.keys);
    const everybody = [...Array(nodes).keys()];
    const honest = new Set(everybody.filter((i) => !this.plan.liars.includes(i)));
    this.checkers = new Checkers(genesis.chainId, keyring, honest);
    const tell = (node: number, text: string): void => {
      this.story.tell(this.timeline.now, node, text);
    };
    this.net = new SimNet({
      timeline: this.timeline,
      prng: prng.fork('net'),
      nodes,
      allows: (kind) => this.allows(kind),
      struck: (kind) => this.struck(kind),
      tell,
      dropped: (by, who, reason) => this.#dropped(by, who, reason),
    });
    const timeouts = { ...TIMEOUTS, emptyBlocksMs: prng.pick([20, 200, 1_000]) };
    // An application with a store of its own cannot do without the log: then it is not damaged.
    const damage = this.plan.damaged.length > 0;
    const keepsStore = prng.chance(0.3) && !damage;
    this.nodes = everybody.map((index) => {
      return new SimNode({
        index,
        liar: this.plan.liars.includes(index),
        genesis,
        timeouts,
        keepsStore,
        keyring,
        timeline: this.timeline,
        net: this.net,
        checkers: this.checkers,
        prng: prng.fork(`node ${index}`),
        tell,
        died: (torn) => this.#died(index, torn),
      });
    });
    for (const index of this.plan.liars) this.#corrupt(index, keyring, genesis.chainId);
  }

  /** Whether a kind of fault may strike now. Liars go on lying when the storm is over. */
  allows(kind: Fault): boolean {
    return this.plan.kinds.has(kind) && (!this.#calm || LIES.includes(kind));
  }

  /** A fault struck. */
  struck(kind: Fault): void {
    this.faults[kind]++;
  }

  /** Runs the network for so many virtual milliseconds, or until something is violated. */
  async run(ms: number, until: () => boolean = () => false): Promise<boolean> {
    const end = this.timeline.now + ms;
    let over = false;
    this.timeline.after(ms, () => {
      over = true;
    });
    while (!over && this.timeline.now <= end && this.checkers.violation === undefined) {
      if (until()) return true;
      this.timeline.advance();
      await turn();
      if (++this.#events > MAX_EVENTS) this.checkers.violate('progress', 'events without end');
    }
    return until();
  }

  /** Starts every node and the clients. */
  start(): void {
    for (const node of this.nodes) node.start();
    this.#submitSoon();
  }

  /** A client sends a transaction to somebody every now and then. */
  #submitSoon(): void {
    this.timeline.after(this.prng.int(20, 400), () => {
      this.submit(this.prng.int(0, this.nodes.length - 1));
      this.#submitSoon();
    });
  }

  /** A client sends a transaction to one node. */
  submit(node: number): Uint8Array {
    const tx = utf8(`key${this.#txs++}=value`);
    const submit = async () => await this.nodes[node]?.engine?.submitTx(tx);
    submit().catch(() => undefined);
    return tx;
  }

  #corrupt(index: number, keyring: Keyring, chainId: string): void {
    const key = keyring.keys[index] as SigningKey;
    const spied: SigningKey = {
      ...key,
      sign: (message) => {
        this.checkers.signing(index, message, 0);
        return key.sign(message);
      },
    };
    const liar = new Liar({
      chainId,
      key: spied,
      prng: this.prng.fork(`liar ${index}`),
      allows: (kind) => this.allows(kind),
      struck: (kind) => this.struck(kind),
    });
    this.net.tamper(index, (to, packet) => liar.tamper(to, packet));
  }

  #dropped(by: number, who: number, reason: string): void {
    this.story.tell(this.timeline.now, by, `drops n${who}: ${reason}`);
    const honest = ![by, who].some((node) => this.plan.liars.includes(node));
    if (honest && this.#calm) this.checkers.violate('peace', `n${by} drops n${who}: ${reason}`);
  }

  #died(index: number, torn: boolean): void {
    this.struck('crash');
    if (torn) this.struck('tornWrite');
    const { prng, plan } = this;
    const node = this.nodes[index] as SimNode;
    if (plan.damaged.includes(index)) this.#damageLog(node, index);
    const restart = (): void => {
      if (!node.alive) node.start();
    };
    this.timeline.after(prng.int(10, 3_000), restart);
  }

  #damageLog(node: SimNode, index: number): void {
    const kind = this.#damage;
    this.#damage = undefined;
    if (kind === undefined || this.#calm) return;
    const { prng } = this;
    const done = kind === 'corruptWal' ? node.disk.corrupt(prng) : node.disk.truncate(prng);
    if (!done) return;
    this.struck(kind);
    this.story.tell(this.timeline.now, index, `its log is damaged: ${kind}`);
  }

  /** Faults strike until the chain has grown enough, or time is up. */
  async storm(heights: number): Promise<void> {
    if (this.allows('skew')) {
      for (const node of this.nodes) {
        node.skewMs = this.prng.int(-5_000, 5_000);
        this.struck('skew');
      }
    }
    this.#strikeSoon();
    await this.run(STORM_MS, () => this.checkers.height >= heights);
  }

  #strikeSoon(): void {
    this.timeline.after(this.prng.int(50, 900), () => {
      if (this.#calm) return;
      this.#strike();
      this.#strikeSoon();
    });
  }

  #strike(): void {
    const { prng, nodes, plan } = this;
    const kind = prng.pick(STRIKES);
    if (!this.allows(kind)) return;
    if (kind === 'corruptWal' || kind === 'truncateWal') {
      this.#damage = kind;
      for (const index of plan.damaged) nodes[index]?.dieAfter(prng.int(1, 80));
      return;
    }
    const victim = prng.int(0, nodes.length - 1);
    if (kind === 'crash') {
      nodes[victim]?.dieAfter(prng.int(1, 80));
      return;
    }
    this.struck(kind);
    if (kind === 'disconnect') {
      const other = (victim + prng.int(1, nodes.length - 1)) % nodes.length;
      this.net.disconnect(victim, other);
      return;
    }
    this.net.partition(
      nodes.map(() => prng.int(0, 1)),
      prng.chance(0.5),
    );
    this.timeline.after(prng.int(100, 3_000), () => this.net.join());
  }

  /** The storm is over: everybody is up and connected, clocks stay as they are. */
  heal(): void {
    this.#calm = true;
    this.story.tell(this.timeline.now, -1, 'all faults end');
    this.net.heal();
    for (const node of this.nodes) if (!node.alive) node.start();
  }

  /** Whether every honest node stored a height. */
  everyoneAt(height: number): boolean {
    return this.nodes.every((node, index) => {
      return this.plan.liars.includes(index) || node.disk.height >= height;
    });
  }

  /** After healing, everybody must come on. */
  async mustProgress(): Promise<void> {
    const target = this.checkers.height + HEIGHTS_AFTER;
    const done = await this.run(CALM_MS, () => this.everyoneAt(target));
    if (done || this.checkers.violation !== undefined) return;
    const heights = this.nodes.map((node) => node.disk.height).join(' ');
    this.checkers.violate('progress', `heights ${heights} after healing, not ${target}`);
  }
}

/** Lets every promise that can settle do so. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

function genesisOf(seed: number, keys: readonly SigningKey[]): Genesis {
  return {
    genesisTime: EPOCH - 10_000_000_000n,
    chainId: `sim-${seed}`,
    initialHeight: 1,
    params: DEFAULT_PARAMS,
    validators: keys.map(({ publicKey }, i) => ({
      publicKey: { type: 'ed25519', bytes: publicKey },
      power: BigInt(GENESIS_POWER),
      name: `n${i}`,
    })),
    appHash: new Uint8Array(0),
    appState: utf8('{}'),
  };
}

/** Runs a seed. */
export async function runSeed(options: RunOptions): Promise<Outcome> {
  const cluster = new Cluster(options);
  cluster.start();
  await cluster.storm(options.heights);
  cluster.heal();
  await cluster.mustProgress();
  for (const node of cluster.nodes) node.dieAfter(0);
  return {
    seed: options.seed,
    heights: cluster.checkers.height,
    faults: cluster.faults,
    virtualMs: cluster.timeline.now,
    violation: cluster.checkers.violation,
    story: cluster.story,
  };
}
