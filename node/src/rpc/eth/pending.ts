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

/** The first sequence from `next` on that does not wait. */
function after(lane: ReadonlySet<number> | undefined, next: number): number {
  let end = next;
  while (lane?.has(end) === true) end++;
  return end;
}

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

  /** The sequences that wait, by sender, also those of the ledger's own transactions. */
  #lanes(): ReadonlyMap<string, ReadonlySet<number>> {
    const lanes = new Map<string, Set<number>>();
    for (const { sender, sequence } of this.#pool.list(MAX_LISTED)) {
      if (sender === undefined) continue;
      const lane = lanes.get(sender) ?? new Set();
      lanes.set(sender, lane.add(sequence));
    }
    return lanes;
  }

  /** The nonce that follows the pending transactions of an account. @param next - its state's */
  nonce(account: string, next: bigint): bigint {
    return BigInt(after(this.#lanes().get(account), Number(next)));
  }

  /** How many follow each other without a gap, and how many stand behind one. */
  count(): { readonly pending: number; readonly queued: number } {
    const lanes = this.#lanes();
    const ends = new Map<string, number>();
    let [pending, queued] = [0, 0];
    for (const { entry } of this.list()) {
      const { sender = '', sequence } = entry;
      const end = ends.get(sender) ?? after(lanes.get(sender), this.#ledger.sequence(sender));
      ends.set(sender, end);
      if (sequence < end) pending++;
      else queued++;
    }
    return { pending, queued };
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
