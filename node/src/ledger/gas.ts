/**
 * The price of work in gas: a short fixed table, and the meter that charges it.
 *
 * A transaction costs its bytes and signatures (parameters of module auth, the SDK's defaults, and
 * the rest of a signature here) and what its messages say here. Gas bounds time: work costs at
 * least about 60 gas for each microsecond of a validator (a shared 2-core machine, native
 * secp256k1) that first sees the transaction in a block:
 *
 *     signature, decoding, ante, refused message        235 µs   14,000 of bytes and signature
 *     the same and a transfer of one coin               230 µs   24,000
 *     put of one byte, 200 in a transaction              40 µs    5,000
 *     the same under a key, a record of its own          60 µs    8,000
 *     the rules about one author and space               60 µs    (in the above), 8,000 if shared
 *     the same with a policy, in a call of its own      700 µs   33,000
 *     asking the policy about one more operation        110 µs    7,000 and what the policy uses
 *     a change of a space or a grant                    900 µs   50,000
 *
 * A byte that is kept for good costs 10 more, which is for the place it takes. So a block of
 * `BLOCK_GAS`, whatever its mix, executes in about two thirds of a second at the most.
 * Gas of the EVM is another unit, which counts `EVM_GAS_WEIGHT` times in a block, and in a policy
 * `POLICY_GAS_WEIGHT` times; what an Ethereum transaction pays and reports stays in its own.
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
  /** A space that is not the author's own: once per author and space in a transaction. */
  sharedSpace: 8_000,
  /** A space with a policy contract: once as well. */
  policy: 18_000,
  /** One operation that the policy is asked about, beside the gas that it uses. */
  policyCall: 7_000,
  /** A change of a space or of a grant. */
  spaceChange: 50_000,
  /** One byte of a memory entry's content, key, tags and sources. */
  storedByte: 10,
} as const;

/** The `block.max_gas` that a new chain starts with. */
export const BLOCK_GAS = 40_000_000;

/**
 * What a unit of EVM gas counts of `block.max_gas`: the worst programs make the EVM work as long
 * for it as native transactions do for six of theirs (docs/performance.md).
 */
export const EVM_GAS_WEIGHT = 6;

/**
 * What a unit of a policy's gas counts. A policy finds everything warm, so that it costs the same
 * alone and in a batch; so what it reads from disk, in some 50 µs, is priced as if from memory.
 */
export const POLICY_GAS_WEIGHT = 20;

/** The gas limit of a block as the EVM knows it. @param maxBlockGas - 0 is no bound */
export function evmBlockGas(maxBlockGas: number): number {
  return Math.floor((maxBlockGas === 0 ? BLOCK_GAS : maxBlockGas) / EVM_GAS_WEIGHT);
}

/** What a transaction counts of `block.max_gas`. */
export function blockGasOf(tx: {
  readonly gasLimit: number;
  /** Present if it carries an Ethereum transaction. */
  readonly ethereum: unknown;
}): number {
  return tx.ethereum === undefined ? tx.gasLimit : tx.gasLimit * EVM_GAS_WEIGHT;
}

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
