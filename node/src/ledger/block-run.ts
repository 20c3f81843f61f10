/**
 * One execution of a block, transaction by transaction, before anyone knows whether it is decided.
 *
 * A proposer executes while it picks, the others while they judge; who is handed the same block as
 * decided takes that execution as it is.
 * Upholds: results depend on the block's height, time, proposer and transactions, on the state and
 * on the blocks before alone, and `matches` compares what may differ. What is refused by `offer`
 * leaves no trace, so that `offer` and `execute` of the same list give the same. Native
 * transactions come first: `offer` refuses one after an Ethereum transaction. Nothing reaches the
 * store from here.
 *
 * @module
 */
import { equalBytes } from '../base/bytes.ts';
import { LedgerError } from '../base/errors.ts';
import type { ExecTxResult } from '../types/results.ts';
import type { CarriedTx } from './ethereum/carrier.ts';
import { EthereumRun } from './ethereum/run.ts';
import { type Environment, refused, runTransaction } from './executor.ts';
import type { Block } from './module.ts';
import type { Overlay } from './overlay.ts';
import type { DecodedTx } from './tx/decode.ts';
import type { DecodedTxs } from './tx/decoded.ts';

/** Whether something may be, at once or when an Ethereum transaction has run. */
type Soon<T> = T | Promise<T>;

/** What a block consists of, as far as execution depends on it. */
export type BlockInputs = Block & { readonly txs: readonly Uint8Array[] };

/** A block being executed. */
export class BlockRun {
  readonly #env: Environment;
  readonly #decoded: DecodedTxs;
  readonly #txs: Uint8Array[] = [];
  readonly #known: DecodedTx[] = [];
  readonly #results: ExecTxResult[] = [];
  /** Present once there is an Ethereum transaction: no native one follows it. */
  #ethereum: EthereumRun | undefined;
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
  offer(bytes: Uint8Array): Soon<boolean> {
    const tx = this.#decode(bytes);
    if (tx instanceof LedgerError) return false;
    const { maxBlockGas } = this.#env.chain;
    const gas = this.#gas + tx.gasLimit;
    if (maxBlockGas > 0 && gas > maxBlockGas) return false;
    if (tx.ethereum !== undefined) {
      return this.#runEthereum(bytes, tx, tx.ethereum, false);
    }
    if (this.#ethereum !== undefined) return false;
    const { admitted, result } = runTransaction(this.#env, tx, 'execute');
    if (!admitted) return false;
    this.#gas = gas;
    this.#keep(bytes, tx, result);
    return true;
  }

  /** Executes a transaction of a decided block. */
  execute(bytes: Uint8Array): Soon<unknown> {
    const tx = this.#decode(bytes);
    if (tx instanceof LedgerError) this.#keep(bytes, undefined, refused(tx, 0, 0));
    else if (tx.ethereum !== undefined) return this.#runEthereum(bytes, tx, tx.ethereum, true);
    else this.#keep(bytes, tx, runTransaction(this.#env, tx, 'execute').result);
    return undefined;
  }

  /** @param always - whether it stands in the block even if it may not run */
  async #runEthereum(
    bytes: Uint8Array,
    tx: DecodedTx,
    carried: CarriedTx,
    always: boolean,
  ): Promise<boolean> {
    const { ethereum: host, state, block, addresses } = this.#env;
    const run = this.#ethereum ?? new EthereumRun({ host, state, block, addresses });
    const { admitted, result } = await run.run(carried, this.#txs.length);
    if (!admitted && !always) return false;
    this.#ethereum = run;
    this.#gas += tx.gasLimit;
    this.#keep(bytes, tx, result);
    return true;
  }

  /** Notes what the block had as a whole; after its last transaction, once. */
  finish(): void {
    this.#ethereum?.finish();
  }

  /** Whether this is the execution of exactly that block. */
  matches({ height, time, proposer, txs }: BlockInputs): boolean {
    const { block } = this.#env;
    if (block.height !== height || block.time !== time || txs.length !== this.#txs.length) {
      return false;
    }
    if (!equalBytes(proposer, block.proposer)) return false;
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
