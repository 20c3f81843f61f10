/**
 * The EVM: the library's, over the flat state, with the ledger's block around it.
 *
 * Upholds: runs follow one another; a run that throws leaves the overlay as it was. An exception
 * that is no EVM error is a defect and is thrown on: what an interpreter throws may depend on the
 * machine it runs on, so a validator stops rather than disagrees.
 * Absent here: signatures, receipts, and the system contracts of Ethereum's own consensus
 * (EIP-4788, 2935, 7002, 7251), which the ledger has no use for.
 * Spec: the hardfork Osaka, which both the library and Hardhat's EVM know; transactions by
 * validity.ts.
 *
 * @module
 */
import { type Common, createCustomCommon, Mainnet } from '@ethereumjs/common';
import { EMPTY } from '../../base/bytes.ts';
import { invariant } from '../../base/errors.ts';
import { sha256 } from '../../base/hash.ts';
import { keccak256 } from '../keccak.ts';
import type { Overlay } from '../overlay.ts';
import { applyAuthorizations } from './authorizations.ts';
import { CodeStore } from './code.ts';
import { addressByNonce } from './creations.ts';
import type { Context } from './frame.ts';
import { WarmJournal } from './journal.ts';
import { LedgerEvm, MAX_CODE_BYTES } from './ledger-evm.ts';
import type { Ending } from './message.ts';
import { wordOf } from './records.ts';
import { FlatState } from './state.ts';
import type {
  EvmBlock,
  EvmCall,
  EvmCallOptions,
  EvmEngine,
  EvmLog,
  EvmOutcome,
  EvmOverride,
  EvmPorts,
  EvmTracer,
  EvmTx,
} from './types.ts';
import { effectivePrice, floorGas, type Hardfork, intrinsicGas } from './validity.ts';
import type { EvmWitness } from './witness.ts';

/** A fifth of the gas at most comes back (EIP-3529). */
const MAX_REFUND_QUOTIENT = 5n;
/** Who watches a run. */
type Watch = { readonly tracer?: EvmTracer | undefined; readonly witness?: EvmWitness | undefined };
type Run = {
  readonly call: EvmCall;
  readonly gasLimit: bigint;
  readonly gasPrice: bigint;
  readonly code?: Uint8Array;
};

/** How the chain's rules are told to the library. */
function commonOf(chainId: bigint, hardfork: Hardfork): Common {
  return createCustomCommon({ name: 'metatron', chainId: Number(chainId) }, Mainnet, {
    hardfork,
    customCrypto: { keccak256, sha256 },
  });
}

/** The engine. */
export class Machine implements EvmEngine {
  readonly #ports: EvmPorts;
  readonly #hardfork: Hardfork;
  readonly #state: FlatState;
  readonly #journal: WarmJournal;
  readonly #evm: LedgerEvm;
  #block: EvmBlock | undefined;
  #witness: EvmWitness | undefined;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(ports: EvmPorts, hardfork: Hardfork, evm: LedgerEvm) {
    this.#ports = ports;
    this.#hardfork = hardfork;
    this.#state = evm.flat;
    this.#journal = evm.warm;
    this.#evm = evm;
  }

  /** Makes an engine. @param hardfork - another one for tests */
  static create(ports: EvmPorts, hardfork: Hardfork = 'osaka'): Promise<Machine> {
    const state = new FlatState(ports, new CodeStore());
    const evm = new LedgerEvm({
      common: commonOf(ports.chainId, hardfork),
      recover: ports.recover,
      state,
      journal: new WarmJournal(state),
    });
    return Promise.resolve(new Machine(ports, hardfork, evm));
  }

  execute(
    state: Overlay,
    block: EvmBlock,
    tx: EvmTx,
    tracer?: EvmTracer,
    witness?: EvmWitness,
  ): Promise<EvmOutcome> {
    return this.#alone(state, block, { tracer, witness }, async () => {
      const outcome = await this.#transact(block, tx);
      this.#state.finish();
      return outcome;
    });
  }

  call(
    state: Overlay,
    block: EvmBlock,
    call: EvmCall,
    options: EvmCallOptions = {},
  ): Promise<EvmOutcome> {
    return this.#alone(state, block, options, async () => {
      const mark = state.mark();
      this.#journal.begin(options.accessed !== undefined, options.warm === true);
      for (const override of options.overrides ?? []) this.#override(override);
      this.#warmUp(block, call);
      if (call.to === undefined) this.#countNonce(call.from);
      const { gasLimit } = call;
      const outcome = await this.#bare({ call, gasLimit, gasPrice: options.gasPrice ?? 0n });
      options.accessed?.(this.#journal.accesses());
      if (options.keep === true) this.#state.finish();
      else state.revert(mark);
      return outcome;
    });
  }

  createAt(
    state: Overlay,
    block: EvmBlock,
    { at, ...rest }: Omit<EvmCall, 'to'> & { readonly at: Uint8Array },
  ): Promise<EvmOutcome> {
    return this.#alone(state, block, {}, async () => {
      const call = { ...rest, to: at, data: EMPTY };
      this.#warmUp(block, call);
      const balance = this.#state.account(at)?.balance ?? 0n;
      this.#state.setAccount(at, balance, 1n);
      const run = { call, gasLimit: call.gasLimit, gasPrice: 0n, code: rest.data };
      const outcome = await this.#bare(run);
      if (outcome.status === 0) return { ...outcome, created: at };
      const { returned } = outcome;
      invariant(returned.length <= MAX_CODE_BYTES && returned[0] !== 0xef, 'code may be stored');
      this.#state.setCode(at, returned);
      this.#state.finish();
      return { ...outcome, created: at };
    });
  }

  /** Runs `work` when those before it are done; takes back what it changed if it throws. */
  #alone<T>(
    state: Overlay,
    block: EvmBlock,
    { tracer, witness }: Watch,
    work: () => Promise<T>,
  ): Promise<T> {
    const run = async (): Promise<T> => {
      const mark = state.mark();
      this.#block = block;
      this.#witness = witness;
      this.#state.begin(state, witness);
      this.#journal.begin(false);
      this.#evm.tracer = tracer;
      try {
        return await work();
      } catch (thrown) {
        state.revert(mark);
        throw thrown;
      } finally {
        this.#state.end();
      }
    };
    const next = this.#last.then(run);
    this.#last = next.catch(() => undefined);
    return next;
  }

  async #transact(block: EvmBlock, tx: EvmTx): Promise<EvmOutcome> {
    const state = this.#state;
    const gasPrice = effectivePrice(tx, block.baseFee);
    const bought = tx.gasLimit * gasPrice;
    const sender = state.account(tx.from) ?? { balance: 0n, nonce: 0n };
    invariant(sender.nonce === tx.nonce, 'the nonce was checked');
    invariant(sender.balance >= bought + tx.value, 'the funds were checked');
    state.setAccount(tx.from, sender.balance - bought, tx.nonce + 1n);

    this.#warmUp(block, tx);
    for (const { address, slots } of tx.accessList) {
      this.#journal.always(address);
      for (const slot of slots) this.#journal.alwaysSlot(address, slot);
    }
    const intrinsic = intrinsicGas(tx);
    const returned = applyAuthorizations(this.#ports, state, this.#journal, tx);
    const result = await this.#run({ call: tx, gasLimit: tx.gasLimit - intrinsic, gasPrice });

    const spent = intrinsic + result.gasUsed;
    const refund = returned + this.#journal.refunded;
    const most = spent / MAX_REFUND_QUOTIENT;
    const used = spent - (refund < most ? refund : most);
    const floor = floorGas(tx.data, this.#hardfork);
    const gasUsed = used < floor ? floor : used;
    this.#pay(tx.from, (tx.gasLimit - gasUsed) * gasPrice);
    this.#witness?.ended();
    this.#pay(block.proposer, gasUsed * (gasPrice - block.baseFee));
    this.#removeDestroyed();
    return outcomeOf(result, this.#journal.logs(), gasUsed, gasPrice);
  }

  #pay(address: Uint8Array, amount: bigint): void {
    if (amount === 0n) return;
    const { balance, nonce } = this.#state.account(address) ?? { balance: 0n, nonce: 0n };
    this.#state.setAccount(address, balance + amount, nonce);
  }

  #countNonce(address: Uint8Array): void {
    const { balance, nonce } = this.#state.account(address) ?? { balance: 0n, nonce: 0n };
    this.#state.setAccount(address, balance, nonce + 1n);
  }

  /** Accounts that the run created and that destroyed themselves are gone (EIP-6780). */
  #removeDestroyed(): void {
    for (const address of this.#journal.gone()) this.#state.remove(address);
  }

  /** A run without fee or nonce. */
  async #bare(run: Run): Promise<EvmOutcome> {
    const result = await this.#run(run);
    this.#removeDestroyed();
    return outcomeOf(result, this.#journal.logs(), result.gasUsed, run.gasPrice);
  }

  #run({ call, gasLimit, gasPrice, code }: Run): Promise<Ending> {
    const { from, to, value, data } = call;
    // Its nonce was counted before.
    const self = to ?? addressByNonce(from, (this.#state.account(from)?.nonce ?? 0n) - 1n);
    return this.#evm.run(this.#contextOf(this.#block as EvmBlock, from, gasPrice), {
      kind: to === undefined ? 'create' : 'call',
      depth: 0,
      caller: from,
      self,
      codeAt: self,
      value,
      data,
      gas: gasLimit,
      isStatic: false,
      code,
    });
  }

  #contextOf(block: EvmBlock, origin: Uint8Array, gasPrice: bigint): Context {
    return {
      gasPrice,
      origin: wordOf(origin),
      coinbase: wordOf(block.proposer),
      time: block.time,
      number: BigInt(block.height),
      prevRandao: wordOf(block.prevRandao),
      gasLimit: block.gasLimit,
      baseFee: block.baseFee,
      chainId: this.#ports.chainId,
      hashes: new Map(),
      hashOf: (height) => {
        this.#witness?.askedBlockHash();
        return block.blockHash(height);
      },
    };
  }

  #warmUp(block: EvmBlock, { from, to }: EvmCall): void {
    for (const address of this.#evm.precompiles) this.#journal.always(address);
    this.#journal.always(from);
    if (to !== undefined) this.#journal.always(to);
    this.#journal.always(block.proposer);
  }

  #override({ address, balance, nonce, code, slots }: EvmOverride): void {
    const account = this.#state.account(address) ?? { balance: 0n, nonce: 0n };
    this.#state.setAccount(address, balance ?? account.balance, nonce ?? account.nonce);
    if (code !== undefined) this.#state.setCode(address, code);
    for (const [slot, value] of slots ?? []) this.#state.overrideSlot(address, slot, value);
  }
}

function outcomeOf(
  { error, output, created }: Ending,
  logs: readonly EvmLog[],
  gasUsed: bigint,
  gasPrice: bigint,
): EvmOutcome {
  const status = error === undefined ? 1 : 0;
  return { status, gasUsed, gasPrice, logs, returned: output, created, error };
}
