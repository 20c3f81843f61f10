/**
 * The load generator: a process of its own, so that its work is not counted as the validators'.
 *
 * Upholds: transactions are made before the clock starts. A sender stays with one node, so its
 * transactions arrive in order. Latency runs from the write to the socket to the arrival of the
 * WebSocket Tx event from node 0. After a refusal the sender is given up: what follows would only
 * fail for its sequence.
 *
 * @module
 */
import { WebSocket } from 'ws';
import { type BenchLoad, type BenchTx, makeTx } from './bench-txs.ts';

/** What the load generator is told. */
export type LoadSpec = BenchLoad & {
  /** `http://…` of every node's RPC. */
  readonly nodes: readonly string[];
  /** Transactions a second; 0 keeps `window` of them under way instead. */
  readonly rate: number;
  readonly seconds: number;
  readonly window: number;
};

/** What it reports. Times in milliseconds. */
export type LoadReport = {
  readonly sent: number;
  readonly refused: number;
  /** The first refusals, as the nodes worded them. */
  readonly reasons: readonly string[];
  readonly latencies: Float64Array;
  /** From the first write to the last event. */
  readonly elapsedMs: number;
  readonly cpuSeconds: number;
  /** Hashes of all that was sent and not refused. */
  readonly hashes: readonly string[];
};

/** Messages between the load generator and its parent. */
export type LoadMessage =
  | { readonly kind: 'progress'; readonly text: string }
  | { readonly kind: 'prepared' }
  | { readonly kind: 'done'; readonly report: LoadReport }
  | { readonly kind: 'failed'; readonly reason: string };

const TICK_MS = 2;
const GRACE_MS = 15_000;
const HASH_MARK = '"tx.hash":["';
const MAX_REASONS = 5;

function connect(url: string): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const address = `${url.replace(/^http/, 'ws')}/websocket`;
    const socket = new WebSocket(address, { perMessageDeflate: false });
    socket.once('open', () => resolve(socket));
    socket.once('error', reject);
  });
}

class Load {
  readonly #spec: LoadSpec;
  readonly #txs: readonly BenchTx[];
  readonly #sockets: readonly WebSocket[];
  readonly #byHash: Map<string, number>;
  readonly #sentAt: Float64Array;
  readonly #stopped: Set<number> = new Set();
  readonly #latencies: number[] = [];
  readonly #reasons: string[] = [];
  readonly #failed: Set<number> = new Set();
  #next = 0;
  #sent = 0;
  #refused = 0;
  #firstAt = 0;
  #lastAt = 0;

  constructor(spec: LoadSpec, txs: readonly BenchTx[], sockets: readonly WebSocket[]) {
    this.#spec = spec;
    this.#txs = txs;
    this.#sockets = sockets;
    this.#byHash = new Map(txs.map((tx, i) => [tx.hash, i]));
    this.#sentAt = new Float64Array(txs.length);
    sockets.forEach((socket) => {
      socket.on('message', (data: Buffer) => this.#onMessage(data.toString('latin1')));
    });
  }

  /** Node 0 tells of every transaction; the others only answer. */
  subscribe(): void {
    const query = "tm.event='Tx'";
    const request = { jsonrpc: '2.0', id: 'tx', method: 'subscribe', params: { query } };
    this.#sockets[0]?.send(JSON.stringify(request));
  }

  #onMessage(text: string): void {
    const at = text.indexOf(HASH_MARK);
    if (at >= 0) {
      this.#onEvent(text.slice(at + HASH_MARK.length, at + HASH_MARK.length + 64));
    } else if (!text.includes('"code":0,')) {
      this.#onAnswer(text);
    }
  }

  #onEvent(hash: string): void {
    const index = this.#byHash.get(hash);
    if (index === undefined || this.#sentAt[index] === 0) return;
    this.#lastAt = performance.now();
    this.#latencies.push(this.#lastAt - (this.#sentAt[index] as number));
  }

  #onAnswer(text: string): void {
    const answer = JSON.parse(text) as { id?: unknown; result?: { code?: unknown } };
    if (typeof answer.id !== 'number' || answer.result?.code === 0) return;
    this.#refused++;
    this.#failed.add(answer.id);
    const tx = this.#txs[answer.id];
    if (tx !== undefined && this.#spec.app === 'memory') this.#stopped.add(tx.sender);
    if (this.#reasons.length < MAX_REASONS) this.#reasons.push(text.slice(0, 300));
  }

  #underWay(): number {
    return this.#sent - this.#latencies.length - this.#refused;
  }

  #sendOne(now: number): void {
    const index = this.#next++;
    const tx = this.#txs[index];
    if (tx === undefined || this.#stopped.has(tx.sender)) return;
    this.#sentAt[index] = now;
    this.#sent++;
    this.#sockets[tx.sender % this.#sockets.length]?.send(tx.frame, { binary: false });
  }

  /** How many are due by now. */
  #due(now: number): number {
    const { rate, window } = this.#spec;
    if (rate === 0) return window - this.#underWay();
    const due = Math.floor(((now - this.#firstAt) / 1_000) * rate) + 1 - this.#next;
    return Math.min(due, window - this.#underWay());
  }

  #finished(now: number): boolean {
    const over = now - this.#firstAt >= this.#spec.seconds * 1_000;
    return over || this.#next >= this.#txs.length;
  }

  async run(): Promise<LoadReport> {
    const cpu = process.cpuUsage();
    this.#firstAt = performance.now();
    const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, TICK_MS));
    for (let now = this.#firstAt; !this.#finished(now); now = performance.now()) {
      for (let n = this.#due(now); n > 0 && this.#next < this.#txs.length; n--) {
        this.#sendOne(performance.now());
      }
      await pause();
    }
    const deadline = performance.now() + GRACE_MS;
    while (this.#underWay() > 0 && performance.now() < deadline) await pause();
    const used = process.cpuUsage(cpu);
    return {
      sent: this.#sent,
      refused: this.#refused,
      reasons: this.#reasons,
      latencies: Float64Array.from(this.#latencies),
      elapsedMs: Math.max(this.#lastAt, this.#firstAt + 1) - this.#firstAt,
      cpuSeconds: (used.user + used.system) / 1e6,
      hashes: this.#txs
        .filter((_, i) => this.#sentAt[i] !== 0 && !this.#failed.has(i))
        .map((tx) => tx.hash),
    };
  }
}

function tell(message: LoadMessage): void {
  process.send?.(message);
}

function prepare(spec: LoadSpec): readonly BenchTx[] {
  const run = Math.trunc(performance.timeOrigin).toString(36);
  const txs: BenchTx[] = [];
  let reported = performance.now();
  for (let i = 0; i < spec.count; i++) {
    txs.push(makeTx(spec, run, i));
    if (performance.now() - reported > 1_000) {
      reported = performance.now();
      tell({ kind: 'progress', text: `signing: ${i}/${spec.count}` });
    }
  }
  return txs;
}

async function main(spec: LoadSpec): Promise<void> {
  const txs = prepare(spec);
  const sockets = await Promise.all(spec.nodes.map(connect));
  const load = new Load(spec, txs, sockets);
  load.subscribe();
  tell({ kind: 'prepared' });
  const report = await load.run();
  for (const socket of sockets) socket.terminate();
  tell({ kind: 'done', report });
}

process.on('disconnect', () => process.exit());
process.once('message', (spec: LoadSpec) => {
  main(spec).catch((thrown: unknown) => {
    tell({ kind: 'failed', reason: thrown instanceof Error ? thrown.message : String(thrown) });
  });
});
