/**
 * The library's interpreter, whose loop does not wait where nothing is waited for.
 *
 * Each frame runs operations from a table as far as it can (frame.ts); a call is one promise;
 * creation and self-destruction are the library's. What a run created and destroyed is kept
 * once for all frames, with undo, where the library copies it for every call: time grew with the
 * square of a block's gas.
 * Upholds: results, gas, refunds and logs are those of the library's own loop (tested with programs
 * made at random).
 *
 * @module
 */
import { type EVM, EVMError, type EVMResult, type ExecResult, Message } from '@ethereumjs/evm';
import { EMPTY } from '../../base/bytes.ts';
import { present } from '../../base/errors.ts';
import { isCall, payCall } from './calls.ts';
import {
  type Entry,
  Frame,
  halt,
  type Interpreter,
  MAX_STACK,
  type Operation,
  type RunState,
} from './frame.ts';
import type { LedgerEvm } from './ledger-evm.ts';
import { wordOf } from './records.ts';
import { STATE_OPERATIONS } from './state-operations.ts';
import { WORD_OPERATIONS } from './word-operations.ts';

/** The library's class, as far as it is used. */
export type InterpreterClass = new (
  evm: EVM,
  state: EVM['stateManager'],
  blockchain: EVM['blockchain'],
  env: RunState['env'],
  gasLeft: bigint,
  journal: EVM['journal'],
  logger: unknown,
) => Interpreter;

/** The operations of a hardfork that do not wait. */
export type Table = {
  readonly operations: readonly (Operation | undefined)[];
  readonly prices: readonly number[];
  /** How many words an operation needs on the stack. */
  readonly least: readonly number[];
  /** And how many there may be for its answer to find room. */
  readonly most: readonly number[];
};

/** An operation of the library that does not wait. */
type Handler = (run: RunState, common: EVM['common']) => void;

/** BLOBHASH: the library's own. */
const BORROWED = [0x49];
/** Deepest call. */
const MAX_DEPTH = 1_024;
const MAX_NONCE = 2n ** 64n - 1n;

/** The table for the hardfork of `evm`. */
export function tableOf(evm: EVM, handlers: readonly { readonly opHandler: unknown }[]): Table {
  const borrowed = BORROWED.map((op): Entry => {
    const handler = handlers[op]?.opHandler as Handler;
    return [op, 0, 0, (f) => f.borrowStack((run) => handler(run, evm.common))];
  });
  const operations = new Array<Operation | undefined>(256).fill(undefined);
  const [prices, least, most] = [0, 0, 0].map(() => new Array<number>(256).fill(0)) as [
    number[],
    number[],
    number[],
  ];
  for (const [op, pops, pushes, run] of [...WORD_OPERATIONS, ...STATE_OPERATIONS, ...borrowed]) {
    const known = evm.opcodes.get(op);
    if (known === undefined || known.isInvalid) continue;
    operations[op] = run;
    prices[op] = known.fee;
    least[op] = pops;
    most[op] = MAX_STACK + pops - pushes;
  }
  return { operations, prices, least, most };
}

const END = -1;

/** Runs until an operation that is not in the table. @returns it, or END */
function runFree(f: Frame, { operations, prices, least, most }: Table): number {
  const { code } = f;
  while (f.pc < code.length) {
    const op = code[f.pc] as number;
    const operation = operations[op];
    if (operation === undefined) return op;
    f.gas -= prices[op] as number;
    if (f.gas < 0) f.refill();
    if (f.sp < (least[op] as number)) halt('STACK_UNDERFLOW');
    if (f.sp > (most[op] as number)) halt('STACK_OVERFLOW');
    f.pc++;
    operation(f);
  }
  return END;
}

/** Whether a frame that threw this ended as it should. */
function isStop(thrown: EVMError): boolean {
  return thrown.error === EVMError.errorMessages.STOP;
}

/** How a frame ended that threw this. */
function endOf(frame: Frame, thrown: unknown): Awaited<ReturnType<Interpreter['run']>> {
  if (!(thrown instanceof EVMError)) throw thrown;
  if (!frame.lent) frame.flush();
  const { run: runState } = frame;
  return isStop(thrown) ? { runState } : { runState, exceptionError: thrown };
}

/** Makes a call of a frame and puts its answer there. */
async function call(above: Interpreter, frame: Frame, op: number): Promise<void> {
  const { message, outAt, outSize } = payCall(frame, op);
  frame.pc++;
  const { run, evm } = frame;
  run.returnBytes = EMPTY;
  const { depth, address } = run.env;
  const poor = !message.delegatecall && evm.flat.balance(address.bytes) < message.value;
  if (depth >= MAX_DEPTH || poor) {
    frame.push(0n);
    return;
  }
  const { execResult } = await runInside(above, run, message);
  frame.spend(execResult.executionGasUsed);
  const { exceptionError, returnValue } = execResult;
  if (exceptionError === undefined || exceptionError.error === EVMError.errorMessages.REVERT) {
    run.returnBytes = returnValue;
    frame.memory.set(returnValue.subarray(0, outSize), outAt);
  }
  frame.push(exceptionError === undefined ? 1n : 0n);
}

/** Runs a frame below that of `above` and takes over its logs and refund, not its gas. */
async function runInside(
  above: Interpreter,
  runState: RunState,
  message: Message,
): Promise<EVMResult> {
  const { warm, flat } = above._evm as LedgerEvm;
  message.selfdestruct = warm.destroyed;
  message.createdAddresses = warm.created;
  message.gasRefund = runState.gasRefund;
  const result = await (above._evm as LedgerEvm).runFrame(message);
  const { execResult } = result;
  for (const log of execResult.logs ?? []) above._result.logs.push(log);
  if (execResult.exceptionError === undefined) runState.gasRefund = execResult.gasRefund ?? 0n;
  above._env.contract = present(flat.account(above._env.address.bytes), 'account that runs');
  return result;
}

/** The ledger's interpreter, over the library's. */
export function interpreterFor(Base: InterpreterClass): InterpreterClass {
  return class LedgerInterpreter extends Base {
    get #ledger(): LedgerEvm {
      return this._evm as LedgerEvm;
    }

    override async run(code: Uint8Array): ReturnType<Interpreter['run']> {
      const runState = this._runState;
      runState.code = code;
      const frame = new Frame(runState, this.#ledger, this.#ledger.context, code);
      const { table } = this.#ledger;
      try {
        for (let op = runFree(frame, table); op !== END; op = runFree(frame, table)) {
          await (isCall(op) ? call(this, frame, op) : this.#lend(frame, op));
        }
        frame.flush();
        return { runState };
      } catch (thrown) {
        return endOf(frame, thrown);
      }
    }

    /** Has the library do an operation. */
    async #lend(frame: Frame, op: number): Promise<void> {
      frame.flush();
      frame.lent = true;
      this._runState.opCode = op;
      await this.runStep();
      frame.lent = false;
      frame.reload();
    }

    override async create(
      gasLimit: bigint,
      value: bigint,
      data: Uint8Array,
      salt?: Uint8Array,
    ): Promise<bigint> {
      this._runState.returnBytes = EMPTY;
      const { address, depth, blobVersionedHashes } = this._env;
      const { flat } = this.#ledger;
      const { balance, nonce } = present(flat.account(address.bytes), 'account that runs');
      if (depth >= MAX_DEPTH || balance < value || nonce >= MAX_NONCE) return 0n;
      flat.setAccount(address.bytes, balance, nonce + 1n);
      const message = new Message({
        caller: address,
        gasLimit,
        value,
        data,
        ...(salt === undefined ? {} : { salt }),
        depth: depth + 1,
        blobVersionedHashes,
      });
      const { execResult, createdAddress } = await runInside(this, this._runState, message);
      this.useGas(execResult.executionGasUsed);
      const { exceptionError } = execResult;
      if (exceptionError?.error === EVMError.errorMessages.REVERT) {
        this._runState.returnBytes = execResult.returnValue;
      }
      return exceptionError === undefined ? wordOf(createdAddress?.bytes ?? EMPTY) : 0n;
    }
  };
}

/** The answer of the library's EVM for a frame that ended. */
export function resultOf(
  interpreter: Interpreter,
  gasLimit: bigint,
  { runState, exceptionError }: Awaited<ReturnType<Interpreter['run']>>,
): ExecResult {
  const reverted = exceptionError?.error === EVMError.errorMessages.REVERT;
  const keepsGas = exceptionError === undefined || reverted;
  const { returnValue = EMPTY, logs, selfdestruct, createdAddresses } = interpreter._result;
  return {
    returnValue,
    executionGasUsed: keepsGas ? gasLimit - runState.gasLeft : gasLimit,
    gas: runState.gasLeft,
    gasRefund: runState.gasRefund,
    logs: exceptionError === undefined ? logs : [],
    selfdestruct,
    ...(createdAddresses === undefined ? {} : { createdAddresses }),
    ...(exceptionError === undefined ? {} : { exceptionError }),
  };
}
