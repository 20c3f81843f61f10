/**
 * The price of work in gas: a short fixed table, and the meter that charges it.
 *
 * A transaction costs its bytes and signatures (parameters of module auth, the SDK's defaults, and
 * the rest of a signature here) and what its messages say here. Gas bounds time: work costs at
 * least about 90 gas for each microsecond of a validator (2 GHz core, native secp256k1) that sees
 * the transaction for the first time in a block, its part of storing the state included:
 *
 *     signature, decoding, ante, the signer's record   150 µs   13,500 of bytes and signature
 *     one more signature of a multisig                  80 µs   12,000
 *     put of one byte, 50 in a transaction              45 µs    5,000
 *     head of a key, or any other new record            35 µs    3,000
 *     transfer of one coin                             110 µs   11,000
 *     account that did not exist                        75 µs    7,500
 *     fee of one coin                                   35 µs    4,000
 *
 * A byte that is kept for good costs 10 more, which is for the place it takes. So a block of
 * 20,000,000 gas, whatever its mix, executes in about 220 ms.
 * Upholds: the same transaction on the same state costs the same, whoever asks.
 *
 * @module
 */
import { errors, refuse } from './errors.ts';

/** Gas by kind of work. */
export const GAS = {
  /** One signature, beside what the parameters of module auth ask. */
  signature: 10_000,
  /** One coin of a fee. */
  feeCoin: 4_000,
  /** One coin from one account to another. */
  transfer: 10_000,
  /** One coin of one party of a multi-send. */
  party: 5_000,
  /** An account that did not exist before. */
  newAccount: 7_500,
  /** One memory entry. */
  put: 4_000,
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
