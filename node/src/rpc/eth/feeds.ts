/**
 * What happens on the chain, told to filters and subscriptions: blocks, logs, pending transactions.
 *
 * Upholds: heights are told in order and once; who listens to nothing costs nothing. Pending
 * transactions are looked for while somebody listens, at every block and every tenth of a second.
 *
 * @module
 */
import { describe } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import type { CommittedHeight } from '../../types/chain-state.ts';
import type { JsonObject } from '../json.ts';
import type { EthChain } from './chain.ts';
import { type LogFilter, logsOf } from './logs.ts';
import type { Pending } from './pending.ts';
import type { EthTx } from './ports.ts';

/** Time between two looks into the pool. */
const LOOK_MS = 100;
/** Most heights that wait to be told. */
const MAX_WAITING = 1_000;

/** Hears of new blocks. */
export type HeadListener = (header: JsonObject) => void;
/** Hears of logs that its filter means. */
export type LogListener = {
  readonly filter: LogFilter;
  readonly deliver: (logs: readonly JsonObject[]) => void;
};
/** Hears of transactions that came to wait. */
export type TxListener = (txs: readonly EthTx[]) => void;

/** Tells listeners. */
export class Feeds {
  readonly #chain: EthChain;
  readonly #pending: Pending;
  readonly #logger: Logger;
  readonly heads: Set<HeadListener> = new Set();
  readonly logs: Set<LogListener> = new Set();
  readonly #txs = new Set<TxListener>();
  #waiting: CommittedHeight[] = [];
  #telling = false;
  #looking: NodeJS.Timeout | undefined;

  constructor(chain: EthChain, pending: Pending, logger: Logger) {
    this.#chain = chain;
    this.#pending = pending;
    this.#logger = logger;
  }

  /** Starts telling of pending transactions. @returns what ends it */
  listenToTxs(listener: TxListener): () => void {
    if (this.#txs.size === 0) {
      this.#pending.start();
      this.#looking = setInterval(() => this.#look([]), LOOK_MS);
      this.#looking.unref();
    }
    this.#txs.add(listener);
    return () => {
      this.#txs.delete(listener);
      if (this.#txs.size > 0) return;
      clearInterval(this.#looking);
      this.#looking = undefined;
    };
  }

  /** A transaction of this node's own clients is told at once. */
  look(): void {
    this.#look([]);
  }

  #look(committed: readonly Uint8Array[]): void {
    if (this.#txs.size === 0) return;
    const news = this.#pending.news(committed);
    if (news.length > 0) for (const listener of this.#txs) listener(news);
  }

  /** A height was committed. */
  committed(height: CommittedHeight): void {
    if (this.heads.size + this.logs.size + this.#txs.size === 0) return;
    if (this.#waiting.length >= MAX_WAITING) this.#waiting.shift();
    this.#waiting.push(height);
    if (!this.#telling) {
      this.#telling = true;
      this.#tell().catch((thrown: unknown) => {
        this.#logger.error('eth subscribers were not told', { reason: describe(thrown) });
      });
    }
  }

  async #tell(): Promise<void> {
    try {
      for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
        await this.#tellOf(next);
      }
    } finally {
      this.#telling = false;
    }
  }

  async #tellOf({ block, blockId }: CommittedHeight): Promise<void> {
    const { height, time } = block.header;
    this.#look(block.data.txs);
    if (this.heads.size > 0) {
      const header = await this.#chain.header(height);
      for (const listener of this.heads) listener(header);
    }
    if (this.logs.size === 0) return;
    const receipts = await this.#chain.queries.receipts(height);
    if (receipts.length === 0) return;
    const place = { hash: blockId.hash, time };
    for (const { filter, deliver } of this.logs) {
      const found = logsOf(receipts, filter, place);
      if (found.length > 0) deliver(found);
    }
  }

  /** Ends the looking. */
  stop(): void {
    clearInterval(this.#looking);
    this.heads.clear();
    this.logs.clear();
    this.#txs.clear();
  }
}
