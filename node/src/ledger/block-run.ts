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
import type { DecodedTxs, KnownTx } from './tx/decoded.ts';

/** What a block consists of, as far as execution depends on it. */
export type BlockInputs = Block & { readonly txs: readonly Uint8Array[] };

/** A block being executed. */
export class BlockRun {
  readonly #env: Environment;
  readonly #decoded: DecodedTxs;
  readonly #txs: Uint8Array[] = [];
  readonly #names: string[] = [];
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

  /** The transactions so far, and the names under which their decoded forms are remembered. */
  get txs(): readonly Uint8Array[] {
    return this.#txs;
  }

  get names(): readonly string[] {
    return this.#names;
  }

  /** One result per transaction. */
  get results(): readonly ExecTxResult[] {
    return this.#results;
  }

  /** Executes a transaction if it may stand next in a proposed block. @returns whether it may */
  offer(bytes: Uint8Array): boolean {
    const known = this.#decode(bytes);
    if (known instanceof LedgerError) return false;
    const { maxBlockGas } = this.#env.chain;
    const gas = this.#gas + known.tx.gasLimit;
    if (maxBlockGas > 0 && gas > maxBlockGas) return false;
    const { admitted, result } = runTransaction(this.#env, known.tx, 'execute');
    if (!admitted) return false;
    this.#gas = gas;
    this.#keep(bytes, known.name, result);
    return true;
  }

  /** Executes a transaction of a decided block. */
  execute(bytes: Uint8Array): void {
    const known = this.#decode(bytes);
    if (known instanceof LedgerError) this.#keep(bytes, '', refused(known, 0, 0));
    else this.#keep(bytes, known.name, runTransaction(this.#env, known.tx, 'execute').result);
  }

  /** Whether this is the execution of exactly that block. */
  matches({ height, time, txs }: BlockInputs): boolean {
    const { block } = this.#env;
    if (block.height !== height || block.time !== time || txs.length !== this.#txs.length) {
      return false;
    }
    return txs.every((tx, i) => equalBytes(tx, this.#txs[i] as Uint8Array));
  }

  #decode(bytes: Uint8Array): KnownTx | LedgerError {
    try {
      return this.#decoded.get(bytes);
    } catch (thrown) {
      if (thrown instanceof LedgerError) return thrown;
      throw thrown;
    }
  }

  #keep(bytes: Uint8Array, name: string, result: ExecTxResult): void {
    this.#txs.push(bytes);
    this.#names.push(name);
    this.#results.push(result);
  }
}
