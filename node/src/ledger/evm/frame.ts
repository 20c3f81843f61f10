/**
 * One frame of the interpreter while it runs without waiting: stack, memory, gas and counter.
 *
 * The library keeps gas as a bigint and waits for a promise at each operation. Here gas is a number
 * (what a number cannot hold exactly waits in a reserve), the operations of a table run one after
 * the other, and what is not in the table is left to the library, to which the frame gives its
 * state back before.
 * Upholds: an operation that the table has does exactly what the library's does; which error ends a
 * frame first may differ where two do, and both take all gas.
 *
 * @module
 */
import { EVMError, type EVMOpts } from '@ethereumjs/evm';
import { latin1 } from '../../base/bytes.ts';
import type { LedgerEvm } from './ledger-evm.ts';
import { wordOf } from './records.ts';
import type { Holder } from './state.ts';

type CustomOpcode = NonNullable<EVMOpts['customOpcodes']>[number];
type AddOpcode = Extract<CustomOpcode, { logicFunction: unknown }>;

/** The library's state of a frame. */
export type RunState = Parameters<AddOpcode['logicFunction']>[0];
/** The library's interpreter, which it does not export. */
export type Interpreter = RunState['interpreter'];

/** What is the same for all frames of a run. */
export type Context = {
  readonly origin: bigint;
  readonly gasPrice: bigint;
  readonly coinbase: bigint;
  readonly time: bigint;
  readonly number: bigint;
  readonly prevRandao: bigint;
  readonly gasLimit: bigint;
  readonly baseFee: bigint;
  readonly chainId: bigint;
  /** Hashes of blocks as far as they were asked for. */
  readonly hashes: Map<bigint, bigint>;
};

/** The parts of the library's stack that its methods hide. */
type OpenStack = { readonly _store: bigint[]; _len: number };

/** What is worked out about a code once. */
export type Analysis = {
  /** 1 where a jump may lead. */
  readonly jumps: Uint8Array;
  /** Pushed words by position, as far as they were pushed. */
  readonly pushes: bigint[];
};

const analyses = new WeakMap<Uint8Array, Analysis>();

/** Most words of memory before their price is above any limit on gas. */
const MAX_OFFSET = 0xffff_ffffn;
/** Gas that a number holds exactly, with room below zero. */
const EXACT_GAS = 2n ** 52n;
/** Most items on the stack. */
export const MAX_STACK = 1_024;

function analyse(code: Uint8Array): Analysis {
  const jumps = new Uint8Array(code.length);
  for (let at = 0; at < code.length; at++) {
    const op = code[at] as number;
    if (op === 0x5b) jumps[at] = 1;
    else if (op >= 0x60 && op <= 0x7f) at += op - 0x5f;
  }
  return { jumps, pushes: new Array<bigint>(code.length) };
}

/** The analysis of a code, remembered by its array. */
export function analysisOf(code: Uint8Array): Analysis {
  const known = analyses.get(code);
  if (known !== undefined) return known;
  const fresh = analyse(code);
  analyses.set(code, fresh);
  return fresh;
}

/** Ends a frame by an error. */
export function halt(error: keyof typeof EVMError.errorMessages): never {
  throw new EVMError(EVMError.errorMessages[error]);
}

/** Price of so many words of memory. */
function memoryPrice(words: number): number {
  return 3 * words + Math.floor((words * words) / 512);
}

/** Number of whole words for so many bytes. */
export function wordsOf(bytes: number): number {
  return Math.ceil(bytes / 32);
}

/** A frame. */
export class Frame {
  readonly run: RunState;
  readonly evm: LedgerEvm;
  readonly context: Context;
  readonly code: Uint8Array;
  readonly stack: bigint[];
  pc = 0;
  sp = 0;
  /** Gas left, but for the reserve. */
  gas = 0;
  #reserve = 0n;
  memory: Uint8Array;
  view: DataView;
  /** Words of memory that were paid for. */
  words = 0;
  /** Whether the library has the frame's state now. */
  lent = false;
  #holder: Holder | undefined;
  #address: bigint | undefined;
  #caller: bigint | undefined;
  #warmName: string | undefined;
  #analysis: Analysis | undefined;

  constructor(run: RunState, evm: LedgerEvm, context: Context, code: Uint8Array) {
    this.run = run;
    this.evm = evm;
    this.context = context;
    this.code = code;
    this.stack = (run.stack as unknown as OpenStack)._store;
    this.#setGas(run.gasLeft);
    this.memory = run.memory._store;
    this.view = new DataView(this.memory.buffer);
  }

  /** The account whose storage this frame sees. */
  get holder(): Holder {
    this.#holder ??= this.evm.flat.holder(this.run.env.address.bytes);
    return this.#holder;
  }

  /** The name under which the journal knows this frame's account. */
  get warmName(): string {
    this.#warmName ??= latin1(this.run.env.address.bytes);
    return this.#warmName;
  }

  get address(): bigint {
    this.#address ??= wordOf(this.run.env.address.bytes);
    return this.#address;
  }

  get caller(): bigint {
    this.#caller ??= wordOf(this.run.env.caller.bytes);
    return this.#caller;
  }

  get analysis(): Analysis {
    this.#analysis ??= analysisOf(this.code);
    return this.#analysis;
  }

  /** Gives the library its state. */
  flush(): void {
    const { run } = this;
    run.gasLeft = this.gasLeft;
    run.programCounter = this.pc;
    (run.stack as unknown as OpenStack)._len = this.sp;
    run.memoryWordCount = BigInt(this.words);
    run.highestMemCost = BigInt(memoryPrice(this.words));
  }

  /** Takes it back. */
  reload(): void {
    const { run } = this;
    this.#setGas(run.gasLeft);
    this.pc = run.programCounter;
    this.sp = (run.stack as unknown as OpenStack)._len;
    this.words = Number(run.memoryWordCount);
    if (run.memory._store !== this.memory) this.#setMemory(run.memory._store);
    // The library charges for memory that it makes only when it is written.
    this.#provide();
  }

  /** Has one of the library's operations work on the stack. */
  borrowStack(work: (run: RunState) => void): void {
    const stack = this.run.stack as unknown as OpenStack;
    stack._len = this.sp;
    work(this.run);
    this.sp = stack._len;
  }

  pop(): bigint {
    return this.stack[--this.sp] as bigint;
  }

  push(word: bigint): void {
    this.stack[this.sp++] = word;
  }

  /** Takes gas. @throws EVMError when there is too little */
  charge(amount: number): void {
    this.gas -= amount;
    if (this.gas < 0) this.refill();
  }

  /** Takes what a frame below used, which it was given from this gas. */
  spend(amount: bigint): void {
    if (amount <= EXACT_GAS) this.charge(Number(amount));
    else this.#setGas(this.gasLeft - amount);
  }

  /** All gas left. */
  get gasLeft(): bigint {
    return BigInt(this.gas) + this.#reserve;
  }

  #setGas(gas: bigint): void {
    this.#reserve = gas > EXACT_GAS ? gas - EXACT_GAS : 0n;
    this.gas = Number(gas - this.#reserve);
  }

  /** Goes on with gas from the reserve. @throws EVMError if that is too little, too */
  refill(): void {
    const left = this.gasLeft;
    if (left < 0n) halt('OUT_OF_GAS');
    this.#setGas(left);
  }

  /** Pays for memory and makes it. @returns the offset as a number; 0 if nothing is touched */
  touch(offset: bigint, size: bigint): number {
    if (size === 0n) return 0;
    if (offset > MAX_OFFSET || size > MAX_OFFSET) halt('OUT_OF_GAS');
    const from = Number(offset);
    this.#expand(from + Number(size));
    return from;
  }

  #expand(end: number): void {
    const words = wordsOf(end);
    if (words <= this.words) return;
    this.charge(memoryPrice(words) - memoryPrice(this.words));
    this.words = words;
    this.#provide();
  }

  /** Makes the memory that was paid for. */
  #provide(): void {
    const size = this.words * 32;
    const { length } = this.memory;
    if (size <= length) return;
    const larger = new Uint8Array(Math.max(size, 2 * length));
    larger.set(this.memory);
    this.#setMemory(larger);
    this.run.memory._store = larger;
  }

  #setMemory(memory: Uint8Array): void {
    this.memory = memory;
    this.view = new DataView(memory.buffer);
  }

  /** Copies `source` from `start` on into memory, zeros where it ends. */
  copy(source: Uint8Array, to: number, start: bigint, size: number): void {
    const from = start > BigInt(source.length) ? source.length : Number(start);
    const part = source.subarray(from, from + size);
    this.memory.set(part, to);
    this.memory.fill(0, to + part.length, to + size);
  }

  /** Refuses what changes state inside a static call. */
  forbidStatic(): void {
    if (this.run.env.isStatic) halt('STATIC_STATE_CHANGE');
  }
}

/** An operation: the gas of the table is paid, the stack is deep enough and has room. */
export type Operation = (frame: Frame) => void;

/** An operation with how many words it takes and gives. */
export type Entry = readonly [op: number, pops: number, pushes: number, run: Operation];
