/**
 * The price of work in gas: a short fixed table, and the meter that charges it.
 *
 * A transaction costs its bytes and signatures (parameters of module auth, the SDK's defaults) and
 * what its messages say here. The figures follow measured cost: about 20 gas a microsecond of a
 * validator, plus 10 gas for each byte that is kept for good.
 * Upholds: the same transaction on the same state costs the same, whoever asks.
 *
 * @module
 */
import { errors, refuse } from './errors.ts';

/** Gas by kind of work. */
export const GAS = {
  /** A bank transfer from one account to another. */
  transfer: 10_000,
  /** One party of a multi-send. */
  party: 5_000,
  /** An account that did not exist before. */
  newAccount: 5_000,
  /** One memory entry. */
  put: 5_000,
  /** The head of a key: one record of the authenticated state. */
  head: 3_000,
  /** A space that did not exist before. */
  newSpace: 5_000,
  /** One byte of a memory entry's content, key, tags and sources. */
  storedByte: 10,
} as const;

/** Counts gas up to a limit. */
export class GasMeter {
  readonly limit: number;
  #used = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  get used(): number {
    return this.#used;
  }

  /** @throws LedgerError sdk/11 when the limit is passed; `where` names the work */
  charge(amount: number, where: string): void {
    this.#used += amount;
    if (this.#used <= this.limit) return;
    refuse(
      errors.OutOfGas,
      `out of gas in location: ${where}; gasWanted: ${this.limit}, gasUsed: ${this.#used}`,
    );
  }
}
