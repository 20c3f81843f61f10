/**
 * The library's EVM with the ledger's state, journal, block hashes and precompiles in it.
 *
 * @module
 */
import type { Common } from '@ethereumjs/common';
import {
  EVM,
  EVMError,
  type EVMMockBlockchainInterface,
  type EVMOpts,
  type EVMResult,
  type ExecResult,
  type Message,
} from '@ethereumjs/evm';
import { Account, Address } from '@ethereumjs/util';
import { concatBytes, EMPTY, fromHex } from '../../base/bytes.ts';
import { present } from '../../base/errors.ts';
import { encodeRlp, integerBytes } from '../ethereum/rlp.ts';
import { keccak256 } from '../keccak.ts';
import { Overlay } from '../overlay.ts';
import { delegateOf } from './calls.ts';
import type { Context, RunState } from './frame.ts';
import {
  type InterpreterClass,
  interpreterFor,
  resultOf,
  type Table,
  tableOf,
} from './interpreter.ts';
import type { WarmJournal } from './journal.ts';
import { precompilesOf } from './precompiles.ts';
import { wordOf } from './records.ts';
import type { FlatState } from './state.ts';
import type { EvmPorts } from './types.ts';

/** What it is made of. */
export type EvmParts = {
  readonly common: Common;
  readonly recover: EvmPorts['recover'];
  readonly state: FlatState;
  readonly journal: WarmJournal;
};

type MessageWithTo = Message & { to: Address };

/** Frames that may run inside each other before one of them waits. */
const DEPTH_ON_STACK = 16;
const CREATE2 = Uint8Array.of(0xff);
const MAX_BALANCE = 2n ** 256n - 1n;

/** Whether an address is small enough to be that of a precompile. */
function isLow(address: Uint8Array): boolean {
  for (let i = 0; i < 18; i++) if (address[i] !== 0) return false;
  return true;
}

/** An operation that no hardfork has. */
const PROBE = 0x0c;

/** Hash of a block by its height. */
type BlockHash = (height: number) => Uint8Array;

/** Answers BLOCKHASH; the library asks nothing else of a chain. */
class Chain implements EVMMockBlockchainInterface {
  blockHash: BlockHash = () => new Uint8Array(32);

  getBlock(height: number): Promise<{ hash(): Uint8Array }> {
    return Promise.resolve({ hash: () => this.blockHash(height) });
  }

  putBlock(): Promise<void> {
    return Promise.resolve();
  }

  shallowCopy(): EVMMockBlockchainInterface {
    return this;
  }
}

/** The library does not export its interpreter; an operation made for this gets hold of it. */
async function interpreterClass(options: EVMOpts): Promise<InterpreterClass> {
  let found: InterpreterClass | undefined;
  const probe = new EVM({
    ...options,
    customOpcodes: [
      {
        opcode: PROBE,
        opcodeName: 'PROBE',
        baseFee: 0,
        logicFunction: ({ interpreter }: RunState) => {
          found = interpreter.constructor as unknown as InterpreterClass;
        },
      },
    ],
  });
  await probe.runCode({ code: Uint8Array.of(PROBE), gasLimit: 1n });
  return present(found, 'interpreter of the library');
}

/** The EVM. */
export class LedgerEvm extends EVM {
  readonly flat: FlatState;
  readonly warm: WarmJournal;
  readonly table: Table;
  readonly #chain: Chain;
  readonly #interpreter: InterpreterClass;
  #context: Context | undefined;

  private constructor(
    options: EVMOpts,
    { state, journal }: EvmParts,
    chain: Chain,
    theirs: InterpreterClass,
  ) {
    super(options);
    this.flat = state;
    this.warm = journal;
    this.#chain = chain;
    this.table = tableOf(this, this._opcodeMap);
    this.#interpreter = interpreterFor(theirs);
    // The library names a class where it needs only these methods.
    this.journal = journal as unknown as EVM['journal'];
  }

  /** Makes one. */
  static async create(parts: EvmParts): Promise<LedgerEvm> {
    const { common, recover, state } = parts;
    const chain = new Chain();
    const options: EVMOpts = {
      common,
      stateManager: state,
      blockchain: chain,
      customPrecompiles: precompilesOf(common, recover),
    };
    state.begin(new Overlay({ get: () => undefined, row: () => undefined }));
    return new LedgerEvm(options, parts, chain, await interpreterClass(options));
  }

  /** How BLOCKHASH is answered. */
  set blockHash(answer: BlockHash) {
    this.#chain.blockHash = answer;
  }

  /** The hash of an earlier block. */
  hashOfBlock(height: number): Uint8Array {
    return this.#chain.blockHash(height);
  }

  /** Starts a run. */
  begin(): void {
    this.#context = undefined;
  }

  /** What all frames of the run share. */
  get context(): Context {
    this.#context ??= this.#makeContext();
    return this.#context;
  }

  #makeContext(): Context {
    const { header } = present(this._block, 'block of a run');
    const { gasPrice, origin } = present(this._tx, 'origin of a run');
    return {
      gasPrice,
      origin: wordOf(origin.bytes),
      coinbase: wordOf(header.coinbase.bytes),
      time: header.timestamp,
      number: header.number,
      prevRandao: wordOf(header.prevRandao),
      gasLimit: header.gasLimit,
      baseFee: header.baseFeePerGas ?? 0n,
      chainId: this.common.chainId(),
      hashes: new Map(),
    };
  }

  /** The addresses of the precompiles. */
  precompileAddresses(): readonly Uint8Array[] {
    return [...this.precompiles.keys()].map((hex) => present(fromHex(hex), 'address'));
  }

  /** Runs a frame below another: a checkpoint around a call or a creation. */
  async runFrame(message: Message): Promise<EVMResult> {
    // Frames must not pile up on JavaScript's own stack, whose size the machine decides.
    if (message.depth % DEPTH_ON_STACK === 0) await undefined;
    if (message.to === undefined) return await this.runCall({ message });
    const { events, warm } = this;
    const heard = events.listenerCount('beforeMessage') > 0;
    if (heard) events.emit('beforeMessage', message);
    warm.open();
    const result = await this._executeCall(message as MessageWithTo);
    if (result.execResult.exceptionError === undefined) {
      warm.keep();
    } else {
      result.execResult.logs = [];
      result.execResult.gasRefund = 0n;
      warm.undo();
    }
    if (heard) events.emit('afterMessage', result);
    return result;
  }

  /** Moves a message's value and runs the code it is for. */
  protected override async _executeCall(message: MessageWithTo): Promise<EVMResult> {
    const { gasLimit, gasRefund, delegatecall, value, caller, to } = message;
    const exceptionError = delegatecall ? undefined : this.#move(value, caller.bytes, to.bytes);
    const ended = { returnValue: EMPTY, executionGasUsed: 0n, gasRefund };
    if (exceptionError !== undefined) return { execResult: { ...ended, exceptionError } };
    const { bytes } = message.codeAddress;
    const precompile = isLow(bytes) ? this.getPrecompile(message.codeAddress) : undefined;
    const given = message.code as Uint8Array | undefined;
    if (given === undefined && precompile !== undefined) {
      const result = await this.runPrecompile(precompile, message.data, gasLimit);
      return { execResult: { ...result, gasRefund } };
    }
    const code = given ?? this.#codeToRun(bytes, message.depth);
    if (code.length === 0) return { execResult: ended };
    message.code = code;
    return { execResult: await this.runInterpreter(message) };
  }

  #codeToRun(address: Uint8Array, depth: number): Uint8Array {
    const code = this.flat.code(address);
    const delegate = delegateOf(code);
    if (delegate === undefined) return code;
    if (depth === 0) this.warm.always(delegate);
    return this.flat.code(delegate);
  }

  /** Moves funds. @returns why it may not */
  #move(value: bigint, from: Uint8Array, to: Uint8Array): EVMError | undefined {
    if (value === 0n) return undefined;
    const { flat } = this;
    const payer = flat.account(from) ?? { balance: 0n, nonce: 0n };
    if (payer.balance < value) return new EVMError(EVMError.errorMessages.INSUFFICIENT_BALANCE);
    flat.setAccount(from, payer.balance - value, payer.nonce);
    const payee = flat.account(to) ?? { balance: 0n, nonce: 0n };
    const after = payee.balance + value;
    if (after > MAX_BALANCE) return new EVMError(EVMError.errorMessages.VALUE_OVERFLOW);
    flat.setAccount(to, after, payee.nonce);
    return undefined;
  }

  /** The address of a creation; the library hashes init code by JavaScript. */
  protected override _generateAddress(message: Message): Promise<Address> {
    const { caller, salt, code } = message;
    const nonce = (this.flat.account(caller.bytes)?.nonce ?? 0n) - 1n;
    const named =
      salt === undefined
        ? encodeRlp([caller.bytes, integerBytes(nonce)])
        : concatBytes(CREATE2, caller.bytes, salt, keccak256(code as Uint8Array));
    return Promise.resolve(new Address(keccak256(named).slice(12)));
  }

  protected override async runInterpreter(message: Message): Promise<ExecResult> {
    const address = present(message.to, 'address of a frame');
    const interpreter = new this.#interpreter(
      this,
      this.stateManager,
      this.blockchain,
      {
        address,
        caller: message.caller,
        callData: message.data,
        callValue: message.value,
        code: message.code as Uint8Array,
        isStatic: message.isStatic,
        isCreate: message.isCreate ?? false,
        depth: message.depth,
        gasPrice: this.context.gasPrice,
        origin: present(this._tx, 'origin of a run').origin,
        block: present(this._block, 'block of a run'),
        contract: this.flat.account(address.bytes) ?? new Account(),
        codeAddress: message.codeAddress,
        gasRefund: message.gasRefund,
        blobVersionedHashes: message.blobVersionedHashes ?? [],
        ...(message.createdAddresses === undefined
          ? {}
          : { createdAddresses: message.createdAddresses }),
      },
      message.gasLimit,
      this.journal,
      this.performanceLogger,
    );
    if (message.selfdestruct !== undefined) {
      interpreter._result.selfdestruct = message.selfdestruct;
    }
    if (message.createdAddresses !== undefined) {
      interpreter._result.createdAddresses = message.createdAddresses;
    }
    const end = await interpreter.run(message.code as Uint8Array);
    return resultOf(interpreter, message.gasLimit, end);
  }
}
