/**
 * The EVM: runs messages in frames over the ledger's state, with the library's rules and
 * precompiles.
 *
 * The library tells which operations a hardfork has and what they cost, and brings most
 * precompiles; frames, calls and creations are our own, as the library makes a dozen objects and
 * promises for each call.
 * Upholds: frames lie on a stack of this object, not on JavaScript's, whose size the machine
 * decides; nothing waits but for curves that are not loaded yet.
 *
 * @module
 */
import type { Common } from '@ethereumjs/common';
import { EVM, EVMError, type ExecResult, type PrecompileFunc } from '@ethereumjs/evm';
import { EMPTY, fromHex, latin1 } from '../../base/bytes.ts';
import { present } from '../../base/errors.ts';
import { delegateOf } from './calls.ts';
import { MAX_INIT_CODE_BYTES } from './creations.ts';
import { type Context, Frame, REVERT } from './frame.ts';
import { advance, type Table, tableOf } from './interpreter.ts';
import type { WarmJournal } from './journal.ts';
import { type Ending, isCreation, type Message } from './message.ts';
import { precompilesOf } from './precompiles.ts';
import type { FlatState } from './state.ts';
import type { EvmPorts, EvmTracer } from './types.ts';

/** What it is made of. */
export type EvmParts = {
  readonly common: Common;
  readonly recover: EvmPorts['recover'];
  readonly state: FlatState;
  readonly journal: WarmJournal;
};

const MAX_BALANCE = 2n ** 256n - 1n;
const CODE_BYTE_GAS = 200n;
/** Most bytes of a contract (EIP-170). */
export const MAX_CODE_BYTES = 24_576;
const { errorMessages: ERRORS } = EVMError;

/** Whether an address is small enough to be that of a precompile. */
function isLow(address: Uint8Array): boolean {
  for (let i = 0; i < 18; i++) if (address[i] !== 0) return false;
  return true;
}

/** An end that takes all gas. */
function failure(message: Message, error: string): Ending {
  const created = isCreation(message) ? message.self : undefined;
  return { error, gasUsed: message.gas, output: EMPTY, created };
}

/** The EVM. */
export class LedgerEvm {
  readonly flat: FlatState;
  readonly warm: WarmJournal;
  /** The addresses of the precompiles. */
  readonly precompiles: readonly Uint8Array[];
  /** Hears of each message of a run. */
  tracer: EvmTracer | undefined;
  readonly #library: EVM;
  readonly #table: Table;
  readonly #precompiles = new Map<string, PrecompileFunc>();
  /** One for each depth that was reached. */
  readonly #frames: Frame[] = [];
  #open = 0;
  #context: Context | undefined;

  constructor({ common, recover, state, journal }: EvmParts) {
    this.flat = state;
    this.warm = journal;
    this.#library = new EVM({ common, customPrecompiles: precompilesOf(common, recover) });
    this.#table = tableOf(this.#library);
    this.precompiles = [...this.#library.precompiles].map(([hex, precompile]) => {
      const address = present(fromHex(hex), 'address');
      this.#precompiles.set(latin1(address), precompile);
      return address;
    });
  }

  /** What all frames of a run share. */
  get context(): Context {
    return present(this.#context, 'context of a run');
  }

  /** Runs a message and all that it calls. */
  async run(context: Context, message: Message): Promise<Ending> {
    this.#context = context;
    this.#open = 0;
    let ending = await this.#start(message);
    for (;;) {
      if (ending === undefined) {
        const frame = this.#top();
        const wanted = advance(frame, this.#table);
        const next = wanted === undefined ? this.#leave(frame) : this.#start(wanted);
        ending = next instanceof Promise ? await next : next;
      } else if (this.#open === 0) {
        return ending;
      } else {
        this.#top().take(ending);
        ending = undefined;
      }
    }
  }

  #top(): Frame {
    return this.#frames[this.#open - 1] as Frame;
  }

  /** Starts a message. @returns how it ended, if there is no code to run */
  #start(message: Message): Ending | undefined | Promise<Ending> {
    if (this.tracer !== undefined) tell(this.tracer, message);
    const creates = isCreation(message);
    // Its address stays warm even if it fails.
    if (creates) this.warm.warmAddress(message.self);
    this.warm.open();
    const failed = creates ? this.#prepare(message) : this.#pay(message);
    if (failed !== undefined) return this.#close(failed);
    if (creates) return this.#enter(message, message.data);
    const { codeAt, code } = message;
    const precompile =
      code === undefined && isLow(codeAt) ? this.#precompiles.get(latin1(codeAt)) : undefined;
    if (precompile !== undefined) return this.#compute(precompile, message);
    return this.#enter(message, code ?? this.#codeToRun(message));
  }

  #enter(message: Message, code: Uint8Array): Ending | undefined {
    if (code.length === 0) {
      const created = isCreation(message) ? message.self : undefined;
      return this.#close({ error: undefined, gasUsed: 0n, output: EMPTY, created });
    }
    const frame = this.#frames[this.#open];
    if (frame === undefined) this.#frames.push(new Frame(this, message, code));
    else frame.enter(message, code);
    this.#open++;
    return undefined;
  }

  /** Ends the frame on top. */
  #leave(frame: Frame): Ending {
    const { message, error, output, gasLeft } = frame;
    frame.leave();
    this.#open--;
    const { gas, self } = message;
    const keepsGas = error === undefined || error === REVERT;
    if (!keepsGas) return this.#close(failure(message, error));
    const gasUsed = gas - gasLeft;
    if (!isCreation(message)) return this.#close({ error, gasUsed, output, created: undefined });
    const ending = { error, gasUsed, output, created: self };
    return this.#close(error === undefined ? this.#deposit(message, ending) : ending);
  }

  /** Stores the code that init code returned. */
  #deposit(message: Message, { output, gasUsed, ...rest }: Ending): Ending {
    const total = gasUsed + CODE_BYTE_GAS * BigInt(output.length);
    if (output.length > MAX_CODE_BYTES) return failure(message, ERRORS.CODESIZE_EXCEEDS_MAXIMUM);
    if (total > message.gas) return failure(message, ERRORS.OUT_OF_GAS);
    if (output[0] === 0xef) return failure(message, ERRORS.INVALID_BYTECODE_RESULT);
    if (output.length > 0) this.flat.setCode(message.self, output);
    return { ...rest, output, gasUsed: total };
  }

  #close(ending: Ending): Ending {
    if (ending.error === undefined) this.warm.keep();
    else this.warm.undo();
    const { error, gasUsed, output, created } = ending;
    this.tracer?.leave({ gasUsed, output, created, error });
    return ending;
  }

  #compute(precompile: PrecompileFunc, message: Message): Ending | Promise<Ending> {
    const { data, gas } = message;
    const { common } = this.#library;
    const result = precompile({ data, gasLimit: gas, common, _EVM: this.#library });
    return result instanceof Promise
      ? result.then((later) => this.#close(answerOf(later)))
      : this.#close(answerOf(result));
  }

  #codeToRun({ codeAt, depth }: Message): Uint8Array {
    const code = this.flat.code(codeAt);
    const delegate = delegateOf(code);
    if (delegate === undefined) return code;
    if (depth === 0) this.warm.always(delegate);
    return this.flat.code(delegate);
  }

  /** Makes the account of a creation. @returns why it may not */
  #prepare(message: Message): Ending | undefined {
    const { self, value, caller, data } = message;
    if (data.length > MAX_INIT_CODE_BYTES) return failure(message, ERRORS.INITCODE_SIZE_VIOLATION);
    const { flat, warm } = this;
    if (value > (flat.account(caller)?.balance ?? 0n)) {
      return failure(message, ERRORS.INSUFFICIENT_BALANCE);
    }
    warm.create(self);
    if ((flat.account(self)?.nonce ?? 0n) > 0n || flat.hasCode(self)) {
      return failure(message, ERRORS.CREATE_COLLISION);
    }
    flat.clear(flat.holder(self));
    const failed = this.#pay(message);
    if (failed === undefined) flat.setAccount(self, flat.balance(self), 1n);
    return failed;
  }

  /** Moves a message's value. @returns why it may not */
  #pay(message: Message): Ending | undefined {
    const { kind, value, caller, self } = message;
    if (value === 0n || kind === 'delegatecall') return undefined;
    const { flat } = this;
    const payer = flat.account(caller) ?? { balance: 0n, nonce: 0n };
    if (payer.balance < value) return unpaid(message, ERRORS.INSUFFICIENT_BALANCE);
    flat.setAccount(caller, payer.balance - value, payer.nonce);
    const payee = flat.account(self) ?? { balance: 0n, nonce: 0n };
    const after = payee.balance + value;
    if (after > MAX_BALANCE) return unpaid(message, ERRORS.VALUE_OVERFLOW);
    flat.setAccount(self, after, payee.nonce);
    return undefined;
  }
}

/** A failure before anything ran. */
function unpaid(message: Message, error: string): Ending {
  return { ...failure(message, error), gasUsed: 0n };
}

function answerOf({ exceptionError, executionGasUsed, returnValue }: ExecResult): Ending {
  const error = exceptionError?.error;
  return { error, gasUsed: executionGasUsed, output: returnValue, created: undefined };
}

function tell(tracer: EvmTracer, message: Message): void {
  const { kind, depth, caller, self, codeAt, value, data, gas } = message;
  tracer.enter({
    kind,
    depth,
    from: kind === 'delegatecall' ? self : caller,
    to: isCreation(message) ? undefined : codeAt,
    value,
    input: data.slice(),
    gas,
  });
}
