/**
 * Pending Ethereum transactions: by hash, as nonces of a sender, and as they arrive.
 *
 * Upholds: a transaction is decoded once while it waits; what is remembered is bounded by the pool.
 * New ones are told in order of arrival, also those that a block took before anyone looked.
 *
 * @module
 */
import type { EthLedger, EthPool, EthPoolEntry, EthTx } from './ports.ts';
import { data } from './values.ts';

/** Most pending transactions that are looked at. */
const MAX_LISTED = 50_000;
/** Most hashes of told transactions that are remembered. */
const MAX_TOLD = 100_000;

/** A pending transaction. */
export type PendingTx = { readonly tx: EthTx; readonly entry: EthPoolEntry };

/** Looks into the pool. */
export class Pending {
  readonly #pool: EthPool;
  readonly #ledger: EthLedger;
  #known = new Map<string, EthTx | undefined>();
  readonly #told = new Set<string>();

  constructor(pool: EthPool, ledger: EthLedger) {
    this.#pool = pool;
    this.#ledger = ledger;
  }

  /** All that wait, in order of arrival. */
  list(): readonly PendingTx[] {
    const entries = this.#pool.list(MAX_LISTED);
    const known = new Map<string, EthTx | undefined>();
    const found: PendingTx[] = [];
    for (const entry of entries) {
      const { key } = entry;
      const tx = this.#known.has(key) ? this.#known.get(key) : this.#ledger.transaction(entry.tx);
      known.set(key, tx);
      if (tx !== undefined) found.push({ tx, entry });
    }
    this.#known = known;
    return found;
  }

  /** The pending transaction with this hash. */
  find(hash: Uint8Array): EthTx | undefined {
    const name = data(hash);
    return this.list().find(({ tx }) => data(tx.hash) === name)?.tx;
  }

  /** The nonce that follows the pending transactions of an account. @param next - its state's */
  nonce(account: string, next: bigint): bigint {
    const taken = new Set<number>();
    for (const { sender, sequence } of this.#pool.list(MAX_LISTED)) {
      if (sender === account) taken.add(sequence);
    }
    let nonce = Number(next);
    while (taken.has(nonce)) nonce++;
    return BigInt(nonce);
  }

  /** How many follow each other without a gap, and how many stand behind one. */
  count(): { readonly pending: number; readonly queued: number } {
    const lanes = new Map<string, number[]>();
    for (const { entry } of this.list()) {
      const lane = lanes.get(entry.sender ?? '') ?? [];
      lane.push(entry.sequence);
      lanes.set(entry.sender ?? '', lane);
    }
    let pending = 0;
    let total = 0;
    for (const lane of lanes.values()) {
      lane.sort((a, b) => a - b);
      total += lane.length;
      const gap = lane.findIndex((sequence, i) => sequence !== (lane[0] ?? 0) + i);
      pending += gap === -1 ? lane.length : gap;
    }
    return { pending, queued: total - pending };
  }

  /** Takes what waits now as told already. */
  start(): void {
    for (const { tx } of this.list()) this.#tell(data(tx.hash));
  }

  #tell(hash: string): boolean {
    if (this.#told.has(hash)) return false;
    this.#told.add(hash);
    for (const oldest of this.#told) {
      if (this.#told.size <= MAX_TOLD) break;
      this.#told.delete(oldest);
    }
    return true;
  }

  /** What arrived since it was asked last. @param committed - transactions of a new block */
  news(committed: readonly Uint8Array[]): readonly EthTx[] {
    const fresh: EthTx[] = [];
    const txs = committed.map((tx) => this.#ledger.transaction(tx));
    for (const tx of [...txs, ...this.list().map((one) => one.tx)]) {
      if (tx !== undefined && this.#tell(data(tx.hash))) fresh.push(tx);
    }
    return fresh;
  }
}
