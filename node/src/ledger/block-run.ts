/**
 * One execution of a block, transaction by transaction, before anyone knows whether it is decided.
 *
 * A proposer executes while it picks, the others while they judge; who is handed the same block as
 * decided takes that execution as it is.
 * Upholds: results depend on the block's height, time and transactions and on the state alone, and
 * `matches` compares all of these. What is refused by `offer` leaves no trace, so that `offer` and
 * `execute` of the same list give the same. Nothing reaches the store from here.
 *
 * @module
 */
import { equalBytes } from '../base/bytes.ts';
import { LedgerError } from '../base/errors.ts';
import type { ExecTxResult } from '../types/results.ts';
import { type Environment, refused, runTransaction } from './executor.ts';
import type { Block } from './module.ts';
import type { Overlay } from './overlay.ts';
import type { DecodedTx } from './tx/decode.ts';
import type { DecodedTxs } from './tx/decoded.ts';

/** What a block consists of, as far as execution depends on it. */
export type BlockInputs = Block & { readonly txs: readonly Uint8Array[] };

/** A block being executed. */
export class BlockRun {
  readonly #env: Environment;
  readonly #decoded: DecodedTxs;
  readonly #txs: Uint8Array[] = [];
  readonly #known: DecodedTx[] = [];
  readonly #results: ExecTxResult[] = [];
  #gas = 0;

  constructor(env: Environment, decoded: DecodedTxs) {
    this.#env = env;
    this.#decoded = decoded;
  }

  /** The state after the transactions so far. */
  get state(): Overlay {
    return this.#env.state;
  }

  /** The transactions so far. */
  get txs(): readonly Uint8Array[] {
    return this.#txs;
  }

  /** Those of them that could be decoded. */
  get known(): readonly DecodedTx[] {
    return this.#known;
  }

  /** One result per transaction. */
  get results(): readonly ExecTxResult[] {
    return this.#results;
  }

  /** Executes a transaction if it may stand next in a proposed block. @returns whether it may */
  offer(bytes: Uint8Array): boolean {
    const tx = this.#decode(bytes);
    if (tx instanceof LedgerError) return false;
    const { maxBlockGas } = this.#env.chain;
    const gas = this.#gas + tx.gasLimit;
    if (maxBlockGas > 0 && gas > maxBlockGas) return false;
    const { admitted, result } = runTransaction(this.#env, tx, 'execute');
    if (!admitted) return false;
    this.#gas = gas;
    this.#keep(bytes, tx, result);
    return true;
  }

  /** Executes a transaction of a decided block. */
  execute(bytes: Uint8Array): void {
    const tx = this.#decode(bytes);
    if (tx instanceof LedgerError) this.#keep(bytes, undefined, refused(tx, 0, 0));
    else this.#keep(bytes, tx, runTransaction(this.#env, tx, 'execute').result);
  }

  /** Whether this is the execution of exactly that block. */
  matches({ height, time, txs }: BlockInputs): boolean {
    const { block } = this.#env;
    if (block.height !== height || block.time !== time || txs.length !== this.#txs.length) {
      return false;
    }
    return txs.every((tx, i) => equalBytes(tx, this.#txs[i] as Uint8Array));
  }

  #decode(bytes: Uint8Array): DecodedTx | LedgerError {
    try {
      return this.#decoded.get(bytes);
    } catch (thrown) {
      if (thrown instanceof LedgerError) return thrown;
      throw thrown;
    }
  }

  #keep(bytes: Uint8Array, tx: DecodedTx | undefined, result: ExecTxResult): void {
    this.#txs.push(bytes);
    if (tx !== undefined) this.#known.push(tx);
    this.#results.push(result);
  }
}
