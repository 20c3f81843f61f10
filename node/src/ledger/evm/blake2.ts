/**
 * The rounds of BLAKE2b's compression function, by WebAssembly that is put together here.
 *
 * The precompile costs one gas for a round. In JavaScript, where a 64-bit word is two numbers, a
 * round takes half a microsecond; here it takes some 30 ns.
 * Upholds: any number of rounds below 2^32; no state is kept between calls.
 * Spec: EIP-152; RFC 7693, section 3.2. The module's form: WebAssembly core specification, 5.5.
 *
 * @module
 */

const WORDS = 16;
const M_AT = 0;
const V_AT = 128;
const ROUNDS_LOCAL = 0;
/** Rounds of one call, a multiple of ten: the engine makes faster code between calls. */
const SLICE = 1_000;

/** Order of the message's words in each of ten rounds. */
const SIGMA: readonly string[] = [
  '0123456789abcdef',
  'ea489fd61c02b753',
  'b8c052fdae367194',
  '7931dcbe265a40f8',
  '905724afe1bc683d',
  '2c6a0b834d75fe19',
  'c51fed4a0763928b',
  'db7ec13950f4862a',
  '6fe9b308c2d714a5',
  'a2847615fb9e3cd0',
];

/** Which words each of the eight mixings takes. */
const MIXES: readonly (readonly [number, number, number, number])[] = [
  [0, 4, 8, 12],
  [1, 5, 9, 13],
  [2, 6, 10, 14],
  [3, 7, 11, 15],
  [0, 5, 10, 15],
  [1, 6, 11, 12],
  [2, 7, 8, 13],
  [3, 4, 9, 14],
];

type Code = readonly number[];

/** Unsigned LEB128, as the format writes numbers. */
function leb(value: number): number[] {
  const out: number[] = [];
  let rest = value;
  do {
    const low = rest & 0x7f;
    rest >>>= 7;
    out.push(rest === 0 ? low : low | 0x80);
  } while (rest !== 0);
  return out;
}

const ZERO: Code = [0x41, 0];
const ADD: Code = [0x7c];
const XOR: Code = [0x85];
/** Rotation to the right: the number of bits as a signed LEB128 in two bytes. */
const ROTATE = (bits: number): Code => [0x42, bits | 0x80, 0, 0x8a];
const get = (word: number): Code => [0x20, word + 1];
const set = (word: number): Code => [0x21, word + 1];
const load = (at: number): Code => [...ZERO, 0x29, 3, ...leb(at)];
const store = (at: number, value: Code): Code => [...ZERO, ...value, 0x37, 3, ...leb(at)];

/** Adds word b and a word of the message to a, then turns d, c and b by these bits. */
function half(
  [a, b, c, d]: readonly [number, number, number, number],
  message: number,
  turns: readonly [number, number],
): Code {
  return [
    ...[...get(a), ...get(b), ...ADD, ...load(M_AT + 8 * message), ...ADD, ...set(a)],
    ...[...get(d), ...get(a), ...XOR, ...ROTATE(turns[0]), ...set(d)],
    ...[...get(c), ...get(d), ...ADD, ...set(c)],
    ...[...get(b), ...get(c), ...XOR, ...ROTATE(turns[1]), ...set(b)],
  ];
}

function round(order: string): Code {
  const words = [...order].map((digit) => Number.parseInt(digit, 16));
  return MIXES.flatMap((mix, i) => [
    ...half(mix, words[2 * i] as number, [32, 24]),
    ...half(mix, words[2 * i + 1] as number, [16, 63]),
  ]);
}

/** Ends when no round is left, else counts one. */
const COUNT: Code = [
  ...[0x20, ROUNDS_LOCAL, 0x45, 0x0d, 1],
  ...[0x20, ROUNDS_LOCAL, 0x41, 1, 0x6b, 0x21, ROUNDS_LOCAL],
];

function functionBody(): Code {
  const all = Array.from({ length: WORDS }, (_, i) => i);
  return [
    ...[1, WORDS, 0x7e],
    ...all.flatMap((i) => [...load(V_AT + 8 * i), ...set(i)]),
    ...[0x02, 0x40, 0x03, 0x40],
    ...SIGMA.flatMap((order) => [...COUNT, ...round(order)]),
    ...[0x0c, 0, 0x0b, 0x0b],
    ...all.flatMap((i) => store(V_AT + 8 * i, get(i))),
    0x0b,
  ];
}

function section(id: number, content: Code): Code {
  return [id, ...leb(content.length), ...content];
}

function text(name: string): Code {
  return [name.length, ...Array.from(name, (c) => c.charCodeAt(0))];
}

function moduleBytes(): Uint8Array {
  const body = functionBody();
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 1, 0x7f, 0]),
    ...section(3, [1, 0]),
    ...section(5, [1, 0, 1]),
    ...section(7, [2, ...text('memory'), 2, 0, ...text('run'), 0, 0]),
    ...section(10, [1, ...leb(body.length), ...body]),
  ]);
}

/** The part of the global that is used; the types that this file is checked with lack it. */
type Wasm = {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: object };
};

type Exports = { readonly memory: { readonly buffer: ArrayBuffer }; run(rounds: number): void };

const IV: readonly bigint[] = [
  0x6a09e667f3bcc908n,
  0xbb67ae8584caa73bn,
  0x3c6ef372fe94f82bn,
  0xa54ff53a5f1d36f1n,
  0x510e527fade682d1n,
  0x9b05688c2b3e6c1fn,
  0x1f83d9abfb41bd6bn,
  0x5be0cd19137e2179n,
];

/**
 * Compresses.
 *
 * @param input - 212 bytes: rounds (big-endian), h, m and t as EIP-152 has them
 * @param last - whether it is the last block
 * @returns 64 bytes
 */
export type Compress = (input: Uint8Array, last: boolean) => Uint8Array;

/** Compiles the module; about a millisecond. */
export function blake2Compressor(): Compress {
  const { WebAssembly: wasm } = globalThis as unknown as { readonly WebAssembly: Wasm };
  const { exports } = new wasm.Instance(new wasm.Module(moduleBytes()));
  const { memory, run } = exports as unknown as Exports;
  const view = new DataView(memory.buffer);
  const bytes = new Uint8Array(memory.buffer);
  return (input, last) => {
    const given = new DataView(input.buffer, input.byteOffset, input.length);
    bytes.set(input.subarray(4, 68), V_AT);
    bytes.set(input.subarray(68, 196), M_AT);
    for (const [i, word] of IV.entries()) view.setBigUint64(V_AT + 64 + 8 * i, word, true);
    const mix = (at: number, word: bigint): void => {
      view.setBigUint64(V_AT + 8 * at, view.getBigUint64(V_AT + 8 * at, true) ^ word, true);
    };
    mix(12, given.getBigUint64(196, true));
    mix(13, given.getBigUint64(204, true));
    if (last) mix(14, 0xffff_ffff_ffff_ffffn);
    for (let left = given.getUint32(0); left > 0; left -= SLICE) run(Math.min(left, SLICE));
    const out = new Uint8Array(64);
    for (let i = 0; i < 64; i++) {
      const mixed = (bytes[V_AT + i] as number) ^ (bytes[V_AT + 64 + i] as number);
      out[i] = (input[4 + i] as number) ^ mixed;
    }
    return out;
  };
}
