/**
 * The load generator for a node of Ethereum's JSON-RPC over HTTP (bench-child.ts).
 *
 * Upholds: transactions are made and connections opened before the clock starts. The clock stops
 * when the last block with a transaction of ours was seen; only transactions whose receipt says
 * that they succeeded are counted.
 *
 * @module
 */
import { Agent, request } from 'node:http';
import { describe, type ErrorSpec, errorSpec, LedgerError } from '../base/errors.ts';
import { serveLoad } from './bench-child.ts';
import { prepareTxs } from './bench-prepare.ts';
import type { Pace } from './bench-sender.ts';
import type { BenchLoad, BenchTx } from './bench-txs.ts';
import { pick, pickText } from './rpc-client.ts';

/** Failures of such a load. */
export const errors: { readonly Refused: ErrorSpec<{ method: string; reason: string }> } = {
  Refused: errorSpec('bench', 4, 'node', (p) => `${p.method}: ${p.reason}`),
};

/** What the load generator is told. */
export type HttpLoadSpec = BenchLoad & Pace & { readonly url: string };

/** What was sent and found. */
export type HttpLoadReport = {
  readonly sent: number;
  readonly refused: number;
  readonly reasons: readonly string[];
  /** Receipts with status 1. */
  readonly committed: number;
  /** From the first request to the last block. */
  readonly elapsedMs: number;
};

/** Requests under way at a time. */
const CONNECTIONS = 64;
const POLL_MS = 50;
const TICK_MS = 2;
const MAX_REASONS = 5;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

class HttpLoad {
  readonly #spec: HttpLoadSpec;
  readonly #txs: readonly BenchTx[];
  readonly #agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS + 1 });
  readonly #under: Map<string, number> = new Map();
  readonly #found: string[] = [];
  readonly #reasons: string[] = [];
  #next = 0;
  #requests = 0;
  #refused = 0;
  #height = 0;
  #firstAt = 0;
  #lastAt = 0;

  constructor(spec: HttpLoadSpec, txs: readonly BenchTx[]) {
    this.#spec = spec;
    this.#txs = txs;
  }

  #post(body: Buffer): Promise<unknown> {
    const headers = { 'content-type': 'application/json', 'content-length': body.length };
    return new Promise((resolve, reject) => {
      const sent = request(this.#spec.url, { method: 'POST', agent: this.#agent, headers });
      sent.once('error', reject);
      sent.once('response', (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.once('error', reject);
        answer.once('end', () => {
          try {
            resolve(JSON.parse(Buffer.concat(chunks).toString()));
          } catch (thrown) {
            reject(thrown);
          }
        });
      });
      sent.end(body);
    });
  }

  async #call(method: string, ...params: readonly unknown[]): Promise<unknown> {
    const body = Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: 0, method, params }));
    const answer = await this.#post(body);
    const reason = pickText(answer, 'error', 'message');
    if (reason !== '') throw new LedgerError(errors.Refused, { method, reason });
    return pick(answer, 'result');
  }

  async #send(index: number, tx: BenchTx): Promise<void> {
    this.#requests++;
    this.#under.set(tx.hash, index);
    const answer = await this.#post(tx.frame).catch((thrown: unknown) => ({
      error: { message: describe(thrown) },
    }));
    this.#requests--;
    if (pick(answer, 'result') === tx.hash) return;
    this.#under.delete(tx.hash);
    this.#refused++;
    if (this.#reasons.length < MAX_REASONS) {
      this.#reasons.push(JSON.stringify(pick(answer, 'error')).slice(0, 300));
    }
  }

  #due(now: number): number {
    const { rate, window } = this.#spec;
    const room = Math.min(CONNECTIONS - this.#requests, window - this.#under.size);
    if (rate === 0) return room;
    return Math.min(room, Math.floor(((now - this.#firstAt) / 1_000) * rate) + 1 - this.#next);
  }

  /** Takes note of the blocks since the last look. */
  async #look(): Promise<void> {
    const height = Number(await this.#call('eth_blockNumber'));
    while (this.#height < height) {
      this.#height++;
      const block = await this.#call(
        'eth_getBlockByNumber',
        `0x${this.#height.toString(16)}`,
        false,
      );
      const hashes = pick(block, 'transactions');
      if (!Array.isArray(hashes)) continue;
      for (const hash of hashes as readonly string[]) {
        if (!this.#under.delete(hash)) continue;
        this.#found.push(hash);
        this.#lastAt = performance.now();
      }
    }
  }

  /** Receipts with status 1 among what was found. */
  async #succeeded(): Promise<number> {
    let succeeded = 0;
    for (let from = 0; from < this.#found.length; from += CONNECTIONS) {
      const chunk = this.#found.slice(from, from + CONNECTIONS);
      const receipts = await Promise.all(
        chunk.map((hash) => this.#call('eth_getTransactionReceipt', hash)),
      );
      succeeded += receipts.filter((receipt) => pickText(receipt, 'status') === '0x1').length;
    }
    return succeeded;
  }

  async run(): Promise<HttpLoadReport> {
    this.#height = Number(await this.#call('eth_blockNumber'));
    this.#firstAt = performance.now();
    const end = this.#firstAt + this.#spec.seconds * 1_000;
    let nextLook = this.#firstAt + POLL_MS;
    for (let now = this.#firstAt; now < end; now = performance.now()) {
      for (let due = this.#due(now); due > 0; due--) {
        const tx = this.#txs[this.#next];
        if (tx === undefined) break;
        void this.#send(this.#next++, tx);
      }
      if (this.#next >= this.#txs.length) break;
      if (now >= nextLook) {
        await this.#look();
        nextLook = performance.now() + POLL_MS;
      }
      await pause(TICK_MS);
    }
    const deadline = performance.now() + this.#spec.graceMs;
    while ((this.#requests > 0 || this.#under.size > 0) && performance.now() < deadline) {
      await this.#look();
      await pause(POLL_MS);
    }
    const committed = await this.#succeeded();
    this.#agent.destroy();
    return {
      sent: this.#next,
      refused: this.#refused,
      reasons: this.#reasons,
      committed,
      elapsedMs: Math.max(this.#lastAt - this.#firstAt, 1),
    };
  }
}

serveLoad(async (spec: HttpLoadSpec, { progress, sending }): Promise<HttpLoadReport> => {
  const txs = await prepareTxs(spec, progress);
  sending();
  return await new HttpLoad(spec, txs).run();
});
