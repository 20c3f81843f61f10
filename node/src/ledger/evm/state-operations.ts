/**
 * Operations on memory, input, storage, other accounts and logs, and the two that return.
 *
 * Spec: yellow paper, appendix H; EIP-2200, 2929, 3529 (storage), 5656 (MCOPY).
 *
 * @module
 */
import { EMPTY, toHex } from '../../base/bytes.ts';
import { keccak256 } from '../keccak.ts';
import { type Entry, type Frame, halt, type Operation, REVERT, wordsOf } from './frame.ts';
import { wordHex, wordOf } from './records.ts';
import { addressBytes } from './word-operations.ts';

const COPY_WORD_GAS = 3;
const KECCAK_WORD_GAS = 6;
const LOG_DATA_GAS = 8;
const LOG_TOPIC_GAS = 375;
const WARM_GAS = 100;
const COLD_ACCOUNT_GAS = 2_600;
const COLD_SLOAD_GAS = 2_100;
const SSTORE_SENTRY_GAS = 2_300n;
const SSTORE_SET_GAS = 20_000;
const SSTORE_RESET_GAS = 2_900;
const CLEAR_REFUND = 4_800n;
const SET_REFUND = 19_900n;
const RESET_REFUND = 2_800n;
const SMALL = 1n << 64n;

// Memory

/** The word at `at`. */
function readWord(view: DataView, at: number): bigint {
  const low = view.getBigUint64(at + 24);
  const third = view.getBigUint64(at + 16);
  const second = view.getBigUint64(at + 8);
  const first = view.getBigUint64(at);
  if (first === 0n && second === 0n) return third === 0n ? low : (third << 64n) | low;
  return (first << 192n) | (second << 128n) | (third << 64n) | low;
}

function writeWord(view: DataView, at: number, word: bigint): void {
  view.setBigUint64(at + 24, word);
  if (word < SMALL) {
    view.setBigUint64(at, 0n);
    view.setBigUint64(at + 8, 0n);
    view.setBigUint64(at + 16, 0n);
    return;
  }
  view.setBigUint64(at, word >> 192n);
  view.setBigUint64(at + 8, word >> 128n);
  view.setBigUint64(at + 16, word >> 64n);
}

const mload: Operation = (f) => {
  const at = f.touch(f.pop(), 32n);
  f.push(readWord(f.view, at));
};

const mstore: Operation = (f) => {
  const at = f.touch(f.pop(), 32n);
  writeWord(f.view, at, f.pop());
};

const mstore8: Operation = (f) => {
  const at = f.touch(f.pop(), 1n);
  f.memory[at] = Number(BigInt.asUintN(8, f.pop()));
};

const mcopy: Operation = (f) => {
  const [to, from, size] = [f.pop(), f.pop(), f.pop()];
  const target = f.touch(to > from ? to : from, size);
  const bytes = Number(size);
  f.charge(COPY_WORD_GAS * wordsOf(bytes));
  if (bytes === 0) return;
  const [start, end] = to > from ? [Number(from), target] : [target, Number(to)];
  f.memory.copyWithin(end, start, start + bytes);
};

/** Pays for a copy into memory and makes it. */
function copyIn(f: Frame, source: Uint8Array): void {
  const [to, from, size] = [f.pop(), f.pop(), f.pop()];
  const at = f.touch(to, size);
  const bytes = Number(size);
  f.charge(COPY_WORD_GAS * wordsOf(bytes));
  if (bytes > 0) f.copy(source, at, from, bytes);
}

const returnDataCopy: Operation = (f) => {
  const { returned } = f;
  const end = (f.stack[f.sp - 2] as bigint) + (f.stack[f.sp - 3] as bigint);
  if (end > BigInt(returned.length)) halt('OUT_OF_GAS');
  copyIn(f, returned);
};

const callDataLoad: Operation = (f) => {
  const { input } = f;
  const from = f.pop();
  if (from >= BigInt(input.length)) return f.push(0n);
  const part = input.subarray(Number(from), Number(from) + 32);
  const word = wordOf(part);
  f.push(part.length === 32 ? word : word << BigInt(8 * (32 - part.length)));
};

const keccak: Operation = (f) => {
  const [offset, size] = [f.pop(), f.pop()];
  const at = f.touch(offset, size);
  const bytes = Number(size);
  f.charge(KECCAK_WORD_GAS * wordsOf(bytes));
  f.push(BigInt(`0x${toHex(keccak256(f.memory.subarray(at, at + bytes)))}`));
};

// Other accounts

/** Pays for looking at an account. @returns its address */
function visit(f: Frame): Uint8Array {
  const address = addressBytes(f.pop());
  f.charge(f.evm.warm.warmAddress(address) ? COLD_ACCOUNT_GAS : WARM_GAS);
  return address;
}

const balance: Operation = (f) => f.push(f.evm.flat.balance(visit(f)));

const extCodeSize: Operation = (f) => f.push(BigInt(f.evm.flat.code(visit(f)).length));

const extCodeHash: Operation = (f) => {
  const hash = f.evm.flat.codeHash(visit(f));
  f.push(hash === undefined ? 0n : wordOf(hash));
};

const extCodeCopy: Operation = (f) => copyIn(f, f.evm.flat.code(visit(f)));

// Storage

function warmSlot(f: Frame, hex: string): boolean {
  return f.evm.warm.warmSlot(f.warmName, hex, f.message.self);
}

const sload: Operation = (f) => {
  const hex = wordHex(f.pop());
  f.charge(warmSlot(f, hex) ? COLD_SLOAD_GAS : WARM_GAS);
  f.push(f.evm.flat.load(f.holder, hex));
};

/** Price of a change, after EIP-2200 as EIP-2929 and 3529 left it; notes the refunds. */
function changePrice(f: Frame, original: bigint, current: bigint, value: bigint): number {
  const { warm } = f.evm;
  if (current === value) return WARM_GAS;
  if (original === current) {
    if (original === 0n) return SSTORE_SET_GAS;
    if (value === 0n) warm.refund(CLEAR_REFUND);
    return SSTORE_RESET_GAS;
  }
  if (original !== 0n && current === 0n) warm.refund(-CLEAR_REFUND);
  else if (original !== 0n && value === 0n) warm.refund(CLEAR_REFUND);
  if (original === value) warm.refund(original === 0n ? SET_REFUND : RESET_REFUND);
  return WARM_GAS;
}

const sstore: Operation = (f) => {
  f.forbidStatic();
  if (f.gasLeft <= SSTORE_SENTRY_GAS) halt('OUT_OF_GAS');
  const hex = wordHex(f.pop());
  const value = f.pop();
  if (warmSlot(f, hex)) f.charge(COLD_SLOAD_GAS);
  const { flat } = f.evm;
  const current = flat.load(f.holder, hex);
  f.charge(changePrice(f, flat.original(f.holder, hex), current, value));
  if (current !== value) flat.store(f.holder, hex, value);
};

const tload: Operation = (f) => {
  f.push(f.evm.warm.transient(f.warmName + wordHex(f.pop())));
};

const tstore: Operation = (f) => {
  f.forbidStatic();
  const name = f.warmName + wordHex(f.pop());
  f.evm.warm.setTransient(name, f.pop());
};

// Ends and logs

/** The memory that an operation hands out, copied. */
function handOut(f: Frame): Uint8Array {
  const [offset, size] = [f.pop(), f.pop()];
  const at = f.touch(offset, size);
  return size === 0n ? EMPTY : f.memory.slice(at, at + Number(size));
}

const returnData: Operation = (f) => {
  f.output = handOut(f);
  f.pc = f.code.length;
};

const revert: Operation = (f) => {
  f.output = handOut(f);
  f.error = REVERT;
  f.pc = f.code.length;
};

function logOf(count: number): Operation {
  return (f) => {
    f.forbidStatic();
    f.charge(LOG_TOPIC_GAS * count);
    const size = f.stack[f.sp - 2] as bigint;
    const data = handOut(f);
    f.charge(LOG_DATA_GAS * Number(size));
    const topics = Array.from({ length: count }, () => topicOf(f.pop()));
    f.evm.warm.log({ address: f.message.self, topics, data });
  };
}

/** The 32 bytes of a word. */
function topicOf(word: bigint): Uint8Array {
  const bytes = new Uint8Array(32);
  writeWord(new DataView(bytes.buffer), 0, word);
  return bytes;
}

/** The operations. */
export const STATE_OPERATIONS: readonly Entry[] = [
  [0x20, 2, 1, keccak],
  [0x31, 1, 1, balance],
  [0x35, 1, 1, callDataLoad],
  [0x37, 3, 0, (f) => copyIn(f, f.input)],
  [0x39, 3, 0, (f) => copyIn(f, f.code)],
  [0x3b, 1, 1, extCodeSize],
  [0x3c, 4, 0, extCodeCopy],
  [0x3e, 3, 0, returnDataCopy],
  [0x3f, 1, 1, extCodeHash],
  [0x47, 0, 1, (f) => f.push(f.evm.flat.balance(f.message.self))],
  [0x51, 1, 1, mload],
  [0x52, 2, 0, mstore],
  [0x53, 2, 0, mstore8],
  [0x54, 1, 1, sload],
  [0x55, 2, 0, sstore],
  [0x5c, 1, 1, tload],
  [0x5d, 2, 0, tstore],
  [0x5e, 3, 0, mcopy],
  ...[0, 1, 2, 3, 4].map((count): Entry => [0xa0 + count, 2 + count, 0, logOf(count)]),
  [0xf3, 2, 0, returnData],
  [0xfd, 2, 0, revert],
];
