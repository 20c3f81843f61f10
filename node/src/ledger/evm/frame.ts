/**
 * One frame of the interpreter: stack, memory, gas and counter.
 *
 * Gas is a number; what a number cannot hold exactly waits in a reserve. Frames are used again: a
 * call is nothing but the setting of these fields.
 * Upholds: memory beyond the words that were paid for is zero. Which error ends a frame first may
 * differ from other EVMs where two do, and both take all gas.
 *
 * @module
 */
import { EVMError } from '@ethereumjs/evm';
import { EMPTY, latin1 } from '../../base/bytes.ts';
import type { LedgerEvm } from './ledger-evm.ts';
import { type Ending, isCreation, type Message } from './message.ts';
import { wordOf } from './records.ts';
import type { Holder } from './state.ts';

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
  /** Hash of an earlier block. */
  readonly hashOf: (height: number) => Uint8Array;
};

/** What is worked out about a code once. */
export type Analysis = {
  /** A bit for each place, set where a jump may lead. */
  readonly jumps: Uint8Array;
  /** Long words that were pushed, by position. */
  readonly pushes: Map<number, bigint>;
};

const analyses = new WeakMap<Uint8Array, Analysis>();

/** Most words of memory before their price is above any limit on gas. */
const MAX_OFFSET = 0xffff_ffffn;
/** Gas that a number holds exactly, with room below zero. */
const EXACT_GAS = 2n ** 52n;
/** Bytes of memory that a frame begins with, and the most it keeps for the next that uses it. */
const SMALL_MEMORY = 1_024;
const LARGE_MEMORY = 8_192;
/** How a frame ends that reverts: it keeps its gas. */
export const REVERT: string = EVMError.errorMessages.REVERT;
/** Deepest call. */
export const MAX_DEPTH = 1_024;
/** Most items on the stack. */
export const MAX_STACK = 1_024;

function analyse(code: Uint8Array): Analysis {
  const jumps = new Uint8Array((code.length + 7) >> 3);
  for (let at = 0; at < code.length; at++) {
    const op = code[at] as number;
    if (op === 0x5b) jumps[at >> 3] = (jumps[at >> 3] as number) | (1 << (at & 7));
    else if (op >= 0x60 && op <= 0x7f) at += op - 0x5f;
  }
  return { jumps, pushes: new Map() };
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
  readonly evm: LedgerEvm;
  readonly stack: bigint[] = [];
  message: Message;
  code: Uint8Array;
  /** What CALLDATA shows. */
  input: Uint8Array = EMPTY;
  pc = 0;
  sp = 0;
  /** Gas left, but for the reserve. */
  gas = 0;
  #reserve = 0n;
  memory: Uint8Array = new Uint8Array(SMALL_MEMORY);
  view: DataView = new DataView(this.memory.buffer);
  /** Words of memory that were paid for. */
  words = 0;
  /** What the last frame below gave back. */
  returned: Uint8Array = EMPTY;
  /** What this frame gives back. */
  output: Uint8Array = EMPTY;
  /** Why it failed. */
  error: string | undefined;
  /** Where the answer of the frame below goes, and how much of it at most. */
  outAt = 0;
  outSize = 0;
  #holder: Holder | undefined;
  #address: bigint | undefined;
  #caller: bigint | undefined;
  #warmName: string | undefined;
  #analysis: Analysis | undefined;

  constructor(evm: LedgerEvm, message: Message, code: Uint8Array) {
    this.evm = evm;
    this.message = message;
    this.code = code;
    this.enter(message, code);
  }

  /** Begins anew. */
  enter(message: Message, code: Uint8Array): void {
    this.message = message;
    this.code = code;
    this.input = isCreation(message) ? EMPTY : message.data;
    this.pc = 0;
    this.sp = 0;
    this.#setGas(message.gas);
    this.#clearMemory();
    this.returned = EMPTY;
    this.output = EMPTY;
    this.error = undefined;
    this.#holder = undefined;
    this.#address = undefined;
    this.#caller = undefined;
    this.#warmName = undefined;
    this.#analysis = undefined;
  }

  /** Keeps nothing alive until it is entered again. */
  leave(): void {
    this.code = EMPTY;
    this.input = EMPTY;
    this.returned = EMPTY;
    this.output = EMPTY;
    this.#analysis = undefined;
    this.#holder = undefined;
  }

  #clearMemory(): void {
    if (this.memory.length > LARGE_MEMORY) this.#setMemory(new Uint8Array(SMALL_MEMORY));
    else if (this.words > 0) this.memory.fill(0, 0, 32 * this.words);
    this.words = 0;
  }

  get context(): Context {
    return this.evm.context;
  }

  /** The account whose storage this frame sees. */
  get holder(): Holder {
    this.#holder ??= this.evm.flat.holder(this.message.self);
    return this.#holder;
  }

  /** The name under which the journal knows this frame's account. */
  get warmName(): string {
    this.#warmName ??= latin1(this.message.self);
    return this.#warmName;
  }

  get address(): bigint {
    this.#address ??= wordOf(this.message.self);
    return this.#address;
  }

  get caller(): bigint {
    this.#caller ??= wordOf(this.message.caller);
    return this.#caller;
  }

  get analysis(): Analysis {
    this.#analysis ??= analysisOf(this.code);
    return this.#analysis;
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

  /** Takes what a frame below used, which it was given from this gas, and its answer. */
  take({ error, gasUsed, output, created }: Ending): void {
    if (gasUsed <= EXACT_GAS) this.charge(Number(gasUsed));
    else this.#setGas(this.gasLeft - gasUsed);
    const reverted = error === REVERT;
    if (created !== undefined) {
      this.returned = reverted ? output : EMPTY;
      this.push(error === undefined ? wordOf(created) : 0n);
      return;
    }
    if (error === undefined || reverted) {
      this.returned = output;
      const { outSize } = this;
      const answer = output.length > outSize ? output.subarray(0, outSize) : output;
      if (answer.length > 0) this.memory.set(answer, this.outAt);
    }
    this.push(error === undefined ? 1n : 0n);
  }

  /** What a frame below may be given: all but a 64th. */
  get most(): bigint {
    const left = this.gasLeft;
    return left - left / 64n;
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
    if (this.message.isStatic) halt('STATIC_STATE_CHANGE');
  }
}

/** An operation: the gas of the table is paid, the stack is deep enough and has room. */
export type Operation = (frame: Frame) => void;

/** An operation with how many words it takes and gives. */
export type Entry = readonly [op: number, pops: number, pushes: number, run: Operation];
