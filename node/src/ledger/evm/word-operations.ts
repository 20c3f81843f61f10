/**
 * Operations on words: arithmetic, comparison, bits, stack, jumps, and what a frame knows.
 *
 * Spec: yellow paper, appendix H, and the EIPs of the hardfork.
 *
 * @module
 */
import { toHex } from '../../base/bytes.ts';
import { type Entry, type Frame, halt, type Operation } from './frame.ts';
import { wordOf } from './records.ts';

const BITS = 256;
const ONE = 1n;
const MODULUS = 1n << 256n;

function unary(work: (a: bigint) => bigint): Operation {
  return (f) => {
    f.stack[f.sp - 1] = work(f.stack[f.sp - 1] as bigint);
  };
}

function binary(work: (a: bigint, b: bigint) => bigint): Operation {
  return (f) => {
    const a = f.stack[--f.sp] as bigint;
    f.stack[f.sp - 1] = work(a, f.stack[f.sp - 1] as bigint);
  };
}

function ternary(work: (a: bigint, b: bigint, c: bigint) => bigint): Operation {
  return (f) => {
    const a = f.stack[--f.sp] as bigint;
    const b = f.stack[--f.sp] as bigint;
    f.stack[f.sp - 1] = work(a, b, f.stack[f.sp - 1] as bigint);
  };
}

function known(work: (f: Frame) => bigint): Operation {
  return (f) => {
    f.stack[f.sp++] = work(f);
  };
}

function bool(yes: boolean): bigint {
  return yes ? 1n : 0n;
}

function signed(a: bigint): bigint {
  return BigInt.asIntN(BITS, a);
}

function unsigned(a: bigint): bigint {
  return BigInt.asUintN(BITS, a);
}

/** A power modulo 2^256 by squaring. */
function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  let square = base;
  for (let rest = exponent; rest > 0n; rest >>= ONE) {
    if ((rest & ONE) === ONE) result = BigInt.asUintN(BITS, result * square);
    if (rest > ONE) square = BigInt.asUintN(BITS, square * square);
  }
  return result;
}

function leadingZeros(word: bigint): number {
  if (word === 0n) return BITS;
  const hex = word.toString(16);
  const first = Number.parseInt(hex.charAt(0), 16);
  return BITS - 4 * hex.length + Math.clz32(first) - 28;
}

const EXPONENT_BYTE_GAS = 50;

const exp: Operation = (f) => {
  const base = f.pop();
  const exponent = f.pop();
  if (exponent > 0n) f.charge(EXPONENT_BYTE_GAS * Math.ceil(exponent.toString(16).length / 2));
  f.push(power(base, exponent));
};

function jumpTo(f: Frame, to: bigint): void {
  if (to >= BigInt(f.code.length)) halt('INVALID_JUMP');
  const at = Number(to);
  if ((((f.analysis.jumps[at >> 3] as number) >> (at & 7)) & 1) === 0) halt('INVALID_JUMP');
  f.pc = at;
}

const jump: Operation = (f) => jumpTo(f, f.pop());

const jumpIf: Operation = (f) => {
  const to = f.pop();
  if (f.pop() !== 0n) jumpTo(f, to);
};

/** Words of one and two bytes, made when they are first pushed. */
const SHORT_WORDS: (bigint | undefined)[] = new Array<undefined>(65_536).fill(undefined);

function shortWord(value: number): bigint {
  const known = SHORT_WORDS[value];
  if (known !== undefined) return known;
  const word = BigInt(value);
  SHORT_WORDS[value] = word;
  return word;
}

const push1: Operation = (f) => {
  f.stack[f.sp++] = shortWord(f.code[f.pc++] ?? 0);
};

const push2: Operation = (f) => {
  const { code, pc } = f;
  f.stack[f.sp++] = shortWord(((code[pc] ?? 0) << 8) | (code[pc + 1] ?? 0));
  f.pc = pc + 2;
};

function pushOf(size: number): Operation {
  return (f) => {
    const { pushes } = f.analysis;
    const at = f.pc;
    let word = pushes.get(at);
    if (word === undefined) {
      const bytes = new Uint8Array(size);
      bytes.set(f.code.subarray(at, at + size));
      word = wordOf(bytes);
      pushes.set(at, word);
    }
    f.stack[f.sp++] = word;
    f.pc = at + size;
  };
}

function duplicateOf(depth: number): Operation {
  return (f) => {
    f.stack[f.sp] = f.stack[f.sp - depth] as bigint;
    f.sp++;
  };
}

function swapOf(depth: number): Operation {
  return (f) => {
    const { stack, sp } = f;
    const top = stack[sp - 1] as bigint;
    stack[sp - 1] = stack[sp - 1 - depth] as bigint;
    stack[sp - 1 - depth] = top;
  };
}

const stop: Operation = (f) => {
  f.pc = f.code.length;
};

function byteOf(at: bigint, word: bigint): bigint {
  return at > 31n ? 0n : (word >> ((31n - at) * 8n)) & 0xffn;
}

function signExtend(size: bigint, word: bigint): bigint {
  if (size > 30n) return word;
  const bits = 8 * (Number(size) + 1);
  return unsigned(BigInt.asIntN(bits, word));
}

/** The low 20 bytes of a word. */
export function addressBytes(word: bigint): Uint8Array {
  const bytes = new Uint8Array(20);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, Number(BigInt.asUintN(32, word >> 128n)));
  view.setBigUint64(4, word >> 64n);
  view.setBigUint64(12, word);
  return bytes;
}

const blockHash: Operation = unaryOn((f, height) => {
  const { number, hashes, hashOf } = f.context;
  if (height >= number || number - height > 256n) return 0n;
  const seen = hashes.get(height);
  if (seen !== undefined) return seen;
  const hash = BigInt(`0x${toHex(hashOf(Number(height)))}`);
  hashes.set(height, hash);
  return hash;
});

function unaryOn(work: (f: Frame, a: bigint) => bigint): Operation {
  return (f) => {
    f.stack[f.sp - 1] = work(f, f.stack[f.sp - 1] as bigint);
  };
}

const ARITHMETIC: readonly Entry[] = [
  [0x00, 0, 0, stop],
  [0x01, 2, 1, binary((a, b) => BigInt.asUintN(BITS, a + b))],
  [0x02, 2, 1, binary((a, b) => BigInt.asUintN(BITS, a * b))],
  [0x03, 2, 1, binary((a, b) => BigInt.asUintN(BITS, a - b))],
  [0x04, 2, 1, binary((a, b) => (b === 0n ? 0n : a / b))],
  [0x05, 2, 1, binary((a, b) => (b === 0n ? 0n : unsigned(signed(a) / signed(b))))],
  [0x06, 2, 1, binary((a, b) => (b === 0n ? 0n : a % b))],
  [0x07, 2, 1, binary((a, b) => (b === 0n ? 0n : unsigned(signed(a) % signed(b))))],
  [0x08, 3, 1, ternary((a, b, c) => (c === 0n ? 0n : (a + b) % c))],
  [0x09, 3, 1, ternary((a, b, c) => (c === 0n ? 0n : (a * b) % c))],
  [0x0a, 2, 1, exp],
  [0x0b, 2, 1, binary(signExtend)],
  [0x10, 2, 1, binary((a, b) => bool(a < b))],
  [0x11, 2, 1, binary((a, b) => bool(a > b))],
  [0x12, 2, 1, binary((a, b) => bool(signed(a) < signed(b)))],
  [0x13, 2, 1, binary((a, b) => bool(signed(a) > signed(b)))],
  [0x14, 2, 1, binary((a, b) => bool(a === b))],
  [0x15, 1, 1, unary((a) => bool(a === 0n))],
  [0x16, 2, 1, binary((a, b) => a & b)],
  [0x17, 2, 1, binary((a, b) => a | b)],
  [0x18, 2, 1, binary((a, b) => a ^ b)],
  [0x19, 1, 1, unary((a) => MODULUS - 1n - a)],
  [0x1a, 2, 1, binary(byteOf)],
  [0x1b, 2, 1, binary((a, b) => (a > 255n ? 0n : BigInt.asUintN(BITS, b << a)))],
  [0x1c, 2, 1, binary((a, b) => (a > 255n ? 0n : b >> a))],
  [0x1d, 2, 1, binary((a, b) => unsigned(signed(b) >> (a > 255n ? 255n : a)))],
  [0x1e, 1, 1, unary((a) => BigInt(leadingZeros(a)))],
];

const KNOWN: readonly Entry[] = [
  [0x30, 0, 1, known((f) => f.address)],
  [0x32, 0, 1, known((f) => f.context.origin)],
  [0x33, 0, 1, known((f) => f.caller)],
  [0x34, 0, 1, known((f) => f.message.value)],
  [0x36, 0, 1, known((f) => BigInt(f.input.length))],
  [0x38, 0, 1, known((f) => BigInt(f.code.length))],
  [0x3a, 0, 1, known((f) => f.context.gasPrice)],
  [0x3d, 0, 1, known((f) => BigInt(f.returned.length))],
  [0x40, 1, 1, blockHash],
  [0x41, 0, 1, known((f) => f.context.coinbase)],
  [0x42, 0, 1, known((f) => f.context.time)],
  [0x43, 0, 1, known((f) => f.context.number)],
  [0x44, 0, 1, known((f) => f.context.prevRandao)],
  [0x45, 0, 1, known((f) => f.context.gasLimit)],
  [0x46, 0, 1, known((f) => f.context.chainId)],
  [0x48, 0, 1, known((f) => f.context.baseFee)],
  // No transaction here has blobs.
  [0x49, 1, 1, unary(() => 0n)],
  [0x4a, 0, 1, known(() => 1n)],
  [0x50, 1, 0, (f) => f.sp--],
  [0x56, 1, 0, jump],
  [0x57, 2, 0, jumpIf],
  [0x58, 0, 1, known((f) => BigInt(f.pc - 1))],
  [0x59, 0, 1, known((f) => BigInt(32 * f.words))],
  [0x5a, 0, 1, known((f) => f.gasLeft)],
  [0x5b, 0, 0, () => undefined],
  [0x5f, 0, 1, known(() => 0n)],
];

const SIXTEEN = Array.from({ length: 16 }, (_, i) => i + 1);
const LONG = Array.from({ length: 30 }, (_, i) => i + 3);

/** The operations. */
export const WORD_OPERATIONS: readonly Entry[] = [
  ...ARITHMETIC,
  ...KNOWN,
  [0x60, 0, 1, push1],
  [0x61, 0, 1, push2],
  ...LONG.map((size): Entry => [0x5f + size, 0, 1, pushOf(size)]),
  ...SIXTEEN.map((n): Entry => [0x7f + n, n, n + 1, duplicateOf(n)]),
  ...SIXTEEN.map((n): Entry => [0x8f + n, n + 1, n + 1, swapOf(n)]),
];
