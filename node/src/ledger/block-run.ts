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
import { EMPTY_RESULT, type ExecTxResult, refused } from '../types/results.ts';
import type { CarriedTx } from './ethereum/carrier.ts';
import { EthereumRun } from './ethereum/run.ts';
import { BlockWitness } from './evm/second-opinion/block-witness.ts';
import type { SeenBlock } from './evm/second-opinion/port.ts';
import { type Environment, runAlone, startTransaction, Undecided } from './executor.ts';
import { blockGasOf } from './gas.ts';
import type { Block } from './module.ts';
import type { Overlay } from './overlay.ts';
import { auditOperations, type Conduct, reportConduct } from './rules/audit.ts';
import { RulesBatch } from './rules/batch.ts';
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
  readonly #batch: RulesBatch;
  readonly #calls: BlockWitness | undefined;
  readonly #transactions: BlockWitness | undefined;
  /** What the transactions so far count of `block.max_gas`. */
  #gas = 0;
  /** The gas that Ethereum transactions so far may use: the EVM's limit holds without the other. */
  #evmGas = 0;

  /** @param maxBatch - most transactions that the rules are asked about in one call */
  constructor(env: Environment, decoded: DecodedTxs, maxBatch?: number) {
    const { ethereum: host, block, state, isWatched = false } = env;
    const witness = isWatched ? new BlockWitness(host.ports, state) : undefined;
    this.#calls = witness;
    this.#transactions = isWatched ? new BlockWitness(host.ports, state) : undefined;
    this.#env = { ...env, witness };
    this.#decoded = decoded;
    const settle = (place: number, result: ExecTxResult): void => {
      this.#results[place] = result;
    };
    this.#batch = new RulesBatch({ host, block, state, witness }, settle, maxBatch);
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

  /** One result per transaction, when all are `settled`. */
  get results(): readonly ExecTxResult[] {
    return this.#results;
  }

  /** Executes a transaction if it may stand next in a proposed block. @returns whether it may */
  offer(bytes: Uint8Array): Soon<boolean> {
    const tx = this.#decode(bytes);
    if (tx instanceof LedgerError) return false;
    const { maxBlockGas } = this.#env.chain;
    const gas = this.#gas + blockGasOf(tx);
    if (maxBlockGas > 0 && gas > maxBlockGas) return false;
    if (tx.ethereum !== undefined) {
      return this.#runEthereum(bytes, tx, tx.ethereum, false);
    }
    if (this.#ethereum !== undefined) return false;
    return this.#run(bytes, tx, false);
  }

  /** Executes a transaction of a decided block. */
  execute(bytes: Uint8Array): Soon<unknown> {
    const tx = this.#decode(bytes);
    if (tx instanceof LedgerError) this.#keep(bytes, undefined, refused(tx, 0, 0));
    else if (tx.ethereum !== undefined) return this.#runEthereum(bytes, tx, tx.ethereum, true);
    else return this.#run(bytes, tx, true);
    return undefined;
  }

  /** @param always - whether it stands in the block even if it may not run */
  #run(bytes: Uint8Array, tx: DecodedTx, always: boolean): Soon<boolean> {
    if (!this.#batch.concerns(tx)) return this.#start(bytes, tx, always);
    return this.#batch.decide().then(() => this.#start(bytes, tx, always));
  }

  #start(bytes: Uint8Array, tx: DecodedTx, always: boolean): Soon<boolean> {
    const started = startTransaction(this.#env, tx, 'execute');
    if (started instanceof Undecided) return this.#wait(bytes, tx, started);
    const { admitted, result } = started;
    if (!admitted && !always) return false;
    this.#gas += tx.gasLimit;
    this.#keep(bytes, tx, result);
    return true;
  }

  #wait(bytes: Uint8Array, tx: DecodedTx, undecided: Undecided): Soon<boolean> {
    this.#gas += tx.gasLimit;
    const place = this.#txs.length;
    this.#keep(bytes, tx, EMPTY_RESULT);
    if (undecided.isMixed) return this.#decideAlone(undecided, place);
    return this.#batch.add(undecided, place) ? this.#batch.decide().then(() => true) : true;
  }

  async #decideAlone(undecided: Undecided, place: number): Promise<boolean> {
    await this.#batch.decide();
    this.#results[place] = await runAlone(this.#env, undecided);
    return true;
  }

  /** Waits until no transaction waits for the rules. */
  async settled(): Promise<this> {
    await this.#batch.decide();
    return this;
  }

  /** @param always - whether it stands in the block even if it may not run */
  async #runEthereum(
    bytes: Uint8Array,
    tx: DecodedTx,
    carried: CarriedTx,
    always: boolean,
  ): Promise<boolean> {
    const { ethereum: host, state, block, addresses } = this.#env;
    const evmGas = this.#evmGas + tx.gasLimit;
    if (!always && evmGas > host.terms.gasLimit) return false;
    if (!this.#batch.isEmpty) await this.#batch.decide();
    const witness = this.#transactions;
    if (this.#ethereum === undefined) this.#calls?.pause();
    const run = this.#ethereum ?? new EthereumRun({ host, state, block, addresses, witness });
    const { admitted, result } = await run.run(carried, this.#txs.length);
    if (!admitted && !always) return false;
    this.#ethereum = run;
    this.#gas += blockGasOf(tx);
    this.#evmGas = evmGas;
    this.#keep(bytes, tx, result);
    return true;
  }

  /** Notes what the block had as a whole; after its last transaction, once. */
  async finish(conduct: Omit<Conduct, 'hasTxs'>): Promise<void> {
    this.#ethereum?.finish();
    const { ethereum: host, block, state, witness } = this.#env;
    const place = { host, block, state, witness };
    await auditOperations(place);
    await reportConduct(place, { ...conduct, hasTxs: this.#txs.length > 0 });
  }

  /** What a second opinion is told: the ledger's own calls, then the Ethereum transactions. */
  seen(): readonly SeenBlock[] {
    const seen = [this.#calls?.seen(), this.#transactions?.seen()];
    return seen.filter((one) => one !== undefined);
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
