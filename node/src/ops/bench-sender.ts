/**
 * Sends prepared transactions to the nodes of a benchmark and times what comes back.
 *
 * Upholds: a sender stays with one node, so its transactions arrive in order. Latency runs from the
 * write to the socket to the arrival of the WebSocket Tx event from node 0. After a refusal the
 * sender is given up: what follows would only fail for its sequence. What is unanswered at a node
 * stays below what the node takes from one connection. A connection that ends, an answer to no
 * request and a run without an event are failures with a reason, never a figure.
 *
 * @module
 */
import type { WebSocket } from 'ws';
import { describe, type ErrorSpec, errorSpec, LedgerError } from '../base/errors.ts';
import { DEFAULT_RPC } from '../rpc/config.ts';
import type { BenchApp, BenchTx } from './bench-txs.ts';

/** Why a load could not be measured. */
export const errors: { readonly NotMeasured: ErrorSpec<{ readonly reason: string }> } = {
  NotMeasured: errorSpec('bench', 2, 'node', (p) => p.reason),
};

/** How fast transactions are sent. */
export type Pace = {
  /** Transactions a second; 0 keeps `window` of them under way instead. */
  readonly rate: number;
  readonly seconds: number;
  /** Transactions that may be under way, from the write to the event, at all nodes together. */
  readonly window: number;
  /** How long to wait for the last events, in milliseconds. */
  readonly graceMs: number;
};

/** How transactions are sent. */
export type SendSpec = Pace & {
  readonly app: BenchApp;
  /** Seconds of `WARMUP_RATE` before the clock starts. */
  readonly warmup: number;
};

/** What was sent and seen. Times in milliseconds. */
export type LoadReport = {
  readonly sent: number;
  readonly refused: number;
  /** The first refusals, as the nodes worded them. */
  readonly reasons: readonly string[];
  readonly latencies: Float64Array;
  /** From the first write to the last event. */
  readonly elapsedMs: number;
  readonly cpuSeconds: number;
  /** Mean size of a transaction, in bytes. */
  readonly txBytes: number;
  /** Hashes of all that was sent and not refused. */
  readonly hashes: readonly string[];
};

const TICK_MS = 2;
/** Transactions a second while the nodes warm up: enough blocks for their code to be compiled. */
export const WARMUP_RATE = 50;
const HASH_MARK = '"tx.hash":["';
const MAX_REASONS = 5;
/** Requests of ours that one node may have to answer: half of what makes it drop a client. */
export const MAX_UNANSWERED: number = DEFAULT_RPC.maxPending / 2;
const SUBSCRIPTION = 'tx';

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, TICK_MS));

function notMeasured(reason: string): LedgerError {
  return new LedgerError(errors.NotMeasured, { reason });
}

/** One run over open connections, one for each node. */
export class Load {
  readonly #spec: SendSpec;
  readonly #txs: readonly BenchTx[];
  readonly #sockets: readonly WebSocket[];
  readonly #byHash: Map<string, number>;
  readonly #sentAt: Float64Array;
  /** Senders that are given up. */
  readonly #stopped: Set<number> = new Set();
  readonly #unanswered: number[];
  readonly #latencies: number[] = [];
  readonly #reasons: string[] = [];
  readonly #failed: Set<number> = new Set();
  #broken: string | undefined;
  #subscribed = false;
  #next = 0;
  /** The first that counts. */
  #first = 0;
  #sent = 0;
  #refused = 0;
  #firstAt = 0;
  #lastAt = 0;

  constructor(spec: SendSpec, txs: readonly BenchTx[], sockets: readonly WebSocket[]) {
    this.#spec = spec;
    this.#txs = txs;
    this.#sockets = sockets;
    this.#byHash = new Map(txs.map((tx, i) => [tx.hash, i]));
    this.#sentAt = new Float64Array(txs.length);
    this.#unanswered = sockets.map(() => 0);
    sockets.forEach((socket, node) => {
      const broke = (how: string): void => {
        this.#broken ??= `the connection to node ${node} ended: ${how}`;
      };
      socket.on('message', (data: Buffer) => this.#onMessage(node, data.toString('latin1')));
      socket.once('error', (error) => broke(describe(error)));
      socket.once('close', (code, reason) => broke(`${code} ${reason.toString()}`.trim()));
    });
  }

  #onMessage(node: number, text: string): void {
    const at = text.indexOf(HASH_MARK);
    if (at >= 0) {
      this.#onEvent(text.slice(at + HASH_MARK.length, at + HASH_MARK.length + 64));
    } else if (text.includes('"code":0,')) {
      this.#unanswered[node] = (this.#unanswered[node] ?? 0) - 1;
    } else {
      this.#onOther(node, text);
    }
  }

  #onEvent(hash: string): void {
    const index = this.#byHash.get(hash);
    if (index === undefined || this.#sentAt[index] === 0) return;
    this.#lastAt = performance.now();
    this.#latencies.push(this.#lastAt - (this.#sentAt[index] as number));
  }

  /** Takes an answer that is no acceptance. */
  #onOther(node: number, text: string): void {
    const { id, error } = JSON.parse(text) as { id?: unknown; error?: unknown };
    const excerpt = text.slice(0, 300);
    if (id === SUBSCRIPTION && error === undefined) {
      this.#subscribed = true;
    } else if (typeof id === 'number') {
      this.#unanswered[node] = (this.#unanswered[node] ?? 0) - 1;
      this.#refused++;
      this.#failed.add(id);
      const tx = this.#txs[id];
      if (tx !== undefined && this.#spec.app !== 'kvstore') this.#stopped.add(tx.sender);
      if (this.#reasons.length < MAX_REASONS) this.#reasons.push(excerpt);
    } else {
      this.#broken ??= `node ${node} answered no request of ours: ${excerpt}`;
    }
  }

  #underWay(): number {
    return this.#sent - this.#latencies.length - this.#refused;
  }

  /** Sends the next one. @returns false if its node has enough to answer already */
  #sendOne(): boolean {
    const tx = this.#txs[this.#next];
    if (tx === undefined) return false;
    const node = tx.sender % this.#sockets.length;
    const waiting = this.#unanswered[node] ?? 0;
    if (waiting >= MAX_UNANSWERED) return false;
    const index = this.#next++;
    if (this.#stopped.has(tx.sender)) return true;
    this.#sentAt[index] = performance.now();
    this.#sent++;
    this.#unanswered[node] = waiting + 1;
    this.#sockets[node]?.send(tx.frame, { binary: false });
    return true;
  }

  /** How many are due by now. */
  #due(now: number, rate: number): number {
    const room = this.#spec.window - this.#underWay();
    if (rate === 0) return room;
    const due = Math.floor(((now - this.#firstAt) / 1_000) * rate) + 1;
    return Math.min(this.#first + due - this.#next, room);
  }

  #checkConnections(): void {
    if (this.#broken === undefined) return;
    throw notMeasured([this.#broken, ...this.#reasons].join('; '));
  }

  /** Waits until something is so, at most the grace period. */
  async #until(done: () => boolean): Promise<void> {
    const deadline = performance.now() + this.#spec.graceMs;
    while (!done() && performance.now() < deadline) {
      this.#checkConnections();
      await pause();
    }
    this.#checkConnections();
  }

  /** Node 0 tells of every transaction; the others only answer. */
  async subscribe(): Promise<void> {
    const params = { query: "tm.event='Tx'" };
    const request = { jsonrpc: '2.0', id: SUBSCRIPTION, method: 'subscribe', params };
    this.#sockets[0]?.send(JSON.stringify(request));
    await this.#until(() => this.#subscribed);
    if (!this.#subscribed) throw notMeasured('node 0 did not confirm the subscription to events');
  }

  /** Sends what does not count, so that the nodes run compiled code and the clock can start. */
  async warmUp(): Promise<void> {
    const { warmup } = this.#spec;
    if (warmup === 0) return;
    await this.#send(WARMUP_RATE, warmup);
    if (this.#underWay() > 0 || this.#refused > 0) {
      throw notMeasured(['the nodes did not take the warm-up', ...this.#reasons].join('; '));
    }
    this.#first = this.#next;
    this.#latencies.length = 0;
    this.#sent = 0;
  }

  /** Sends for some seconds, and waits for what is under way then. */
  async #send(rate: number, seconds: number): Promise<void> {
    this.#firstAt = performance.now();
    const end = this.#firstAt + seconds * 1_000;
    for (let now = this.#firstAt; now < end; now = performance.now()) {
      this.#checkConnections();
      let due = this.#due(now, rate);
      while (due > 0 && this.#sendOne()) due--;
      if (this.#next >= this.#txs.length) break;
      await pause();
    }
    await this.#until(() => this.#underWay() <= 0);
  }

  /** Sends for the time set. @returns what was seen of it */
  async run(): Promise<LoadReport> {
    const { rate, seconds, graceMs } = this.#spec;
    const cpu = process.cpuUsage();
    await this.#send(rate, seconds);
    if (this.#latencies.length === 0) {
      const none = `no event for any of ${this.#sent} transactions, ${graceMs} ms after the last`;
      throw notMeasured([none, ...this.#reasons].join('; '));
    }
    const used = process.cpuUsage(cpu);
    return {
      sent: this.#sent,
      refused: this.#refused,
      reasons: this.#reasons,
      latencies: Float64Array.from(this.#latencies),
      elapsedMs: this.#lastAt - this.#firstAt,
      cpuSeconds: (used.user + used.system) / 1e6,
      txBytes: Math.round(this.#txs.reduce((sum, tx) => sum + tx.bytes, 0) / this.#txs.length),
      hashes: this.#txs
        .filter((_, i) => i >= this.#first && this.#sentAt[i] !== 0 && !this.#failed.has(i))
        .map((tx) => tx.hash),
    };
  }
}
