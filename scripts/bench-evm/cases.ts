/**
 * What the EVM benchmark measures: operations with large operands, precompiles with the inputs that
 * cost most, and programs that make an EVM work for little gas.
 *
 * @module
 */
import { bls12_381 } from '@noble/curves/bls12-381.js';
import { bn254 } from '@noble/curves/bn254.js';
import { p256 } from '@noble/curves/nist.js';
import { concatBytes, fromHex } from '../../node/src/base/bytes.ts';
import { present } from '../../node/src/base/errors.ts';
import { sha256 } from '../../node/src/base/hash.ts';
import { address, type Case, forever } from './run.ts';

const LARGE = [0x7f, ...Array.from({ length: 32 }, (_, i) => 0xf1 - 3 * i)];
const LARGE_2 = [0x7f, ...Array.from({ length: 32 }, (_, i) => 0xe7 - 5 * (i % 40))];
const LARGE_3 = [0x7f, ...Array.from({ length: 32 }, (_, i) => 0xd3 - 7 * (i % 30))];
const POP = 0x50;

function hex(text: string): Uint8Array {
  return present(fromHex(text), 'hex');
}

function push2(value: number): number[] {
  return [0x61, value >> 8, value & 255];
}

function push3(value: number): number[] {
  return [0x62, value >> 16, (value >> 8) & 255, value & 255];
}

/** An operation on words that lie on the stack, its answer dropped. */
function operation(name: string, op: number, takes: number, answers: number): Case {
  const before = [...LARGE, ...LARGE_2, ...LARGE_3];
  const operands = Array.from({ length: takes }, () => 0x82);
  const drops = Array.from({ length: answers }, () => POP);
  return { name: `op ${name}`, code: forever(before, [...operands, op, ...drops], 200) };
}

/** Jumps from one to the next. */
function jumps(): Uint8Array {
  const steps = Array.from({ length: 200 }, (_, i) => [0x5b, ...push2(5 * ((i + 1) % 200)), 0x56]);
  return Uint8Array.from(steps.flat());
}

const OPERATIONS: readonly Case[] = [
  {
    name: 'op JUMPDEST',
    code: forever(
      [],
      Array.from({ length: 20_000 }, () => 0x5b),
    ),
  },
  ...(
    [
      ['ADD', 0x01, 2],
      ['MUL', 0x02, 2],
      ['SUB', 0x03, 2],
      ['DIV', 0x04, 2],
      ['SDIV', 0x05, 2],
      ['MOD', 0x06, 2],
      ['SMOD', 0x07, 2],
      ['ADDMOD', 0x08, 3],
      ['MULMOD', 0x09, 3],
      ['EXP', 0x0a, 2],
      ['SIGNEXTEND', 0x0b, 2],
      ['LT', 0x10, 2],
      ['SLT', 0x12, 2],
      ['ISZERO', 0x15, 1],
      ['AND', 0x16, 2],
      ['NOT', 0x19, 1],
      ['BYTE', 0x1a, 2],
      ['SHL', 0x1b, 2],
      ['SAR', 0x1d, 2],
      ['CLZ', 0x1e, 1],
      ['ADDRESS', 0x30, 0],
      ['CALLER', 0x33, 0],
      ['CALLDATASIZE', 0x36, 0],
      ['CALLDATALOAD', 0x35, 1],
      ['TIMESTAMP', 0x42, 0],
      ['SELFBALANCE', 0x47, 0],
      ['PC', 0x58, 0],
      ['GAS', 0x5a, 0],
      ['PUSH0', 0x5f, 0],
      ['BALANCE', 0x31, 1],
      ['EXTCODESIZE', 0x3b, 1],
      ['EXTCODEHASH', 0x3f, 1],
      ['SLOAD warm', 0x54, 1],
      ['TLOAD', 0x5c, 1],
    ] as const
  ).map(([name, op, takes]) => operation(name, op, takes, 1)),
  operation('DUP1', 0x80, 0, 1),
  { name: 'op PUSH32', code: forever([], [...LARGE, POP], 200) },
  { name: 'op PUSH4', code: forever([], [0x63, 1, 2, 3, 4, POP], 200) },
  { name: 'op JUMP', code: jumps() },
  { name: 'op RETURNDATACOPY of nothing', code: forever([], [0x5f, 0x5f, 0x5f, 0x3e], 200) },
  operation('SWAP1', 0x90, 0, 0),
  operation('TSTORE', 0x5d, 2, 0),
  { name: 'op BLOCKHASH', code: forever([], [...push2(900), 0x40, POP], 200) },
  { name: 'op SHR', code: forever(LARGE, [0x80, 0x60, 3, 0x1c, POP], 200) },
  {
    name: 'op MULMOD of distinct words',
    code: forever([...LARGE, ...LARGE_2, ...LARGE_3], [0x82, 0x82, 0x82, 0x09, POP], 200),
  },
  {
    name: 'op DIV by a half',
    code: forever([...LARGE, 0x6f, ...LARGE.slice(1, 17)], [0x80, 0x82, 0x04, POP], 200),
  },
  { name: 'op MLOAD', code: forever([...LARGE, 0x5f, 0x52], [0x5f, 0x51, POP], 200) },
  { name: 'op MSTORE', code: forever(LARGE, [0x80, 0x5f, 0x52], 200) },
  { name: 'op MSTORE8', code: forever(LARGE, [0x80, 0x5f, 0x53], 200) },
  { name: 'op KECCAK256 of nothing', code: forever([], [0x5f, 0x5f, 0x20, POP], 200) },
  { name: 'op KECCAK256 of 32 bytes', code: forever([], [0x60, 32, 0x5f, 0x20, POP], 200) },
  { name: 'op KECCAK256 of 8 KiB', code: forever([], [...push2(8192), 0x5f, 0x20, POP], 200) },
  { name: 'op CALLDATACOPY of 8 KiB', code: forever([], [...push2(8192), 0x5f, 0x5f, 0x37], 200) },
  { name: 'op CODECOPY of nothing', code: forever([], [0x5f, 0x5f, 0x5f, 0x39], 200) },
  { name: 'op EXTCODECOPY', code: forever([], [...push2(8192), 0x5f, 0x5f, 0x30, 0x3c], 200) },
  { name: 'op MCOPY of 8 KiB', code: forever([], [...push2(8192), 0x60, 32, 0x5f, 0x5e], 200) },
  { name: 'op LOG0', code: forever([], [0x5f, 0x5f, 0xa0], 200) },
  { name: 'op LOG4', code: forever(LARGE, [0x80, 0x80, 0x80, 0x80, 0x5f, 0x5f, 0xa4], 200) },
  { name: 'op SLOAD cold', code: forever([0x5f], [0x60, 1, 0x01, 0x80, 0x54, POP], 200) },
  { name: 'op SSTORE new', code: forever([0x5f], [0x60, 1, 0x01, 0x80, 0x80, 0x55], 200) },
  { name: 'op SSTORE same', code: forever([], [0x60, 1, 0x5f, 0x55], 200) },
  {
    name: 'op SSTORE to and fro',
    code: forever([], [0x60, 1, 0x5f, 0x55, 0x60, 2, 0x5f, 0x55], 100),
  },
  { name: 'op BALANCE cold', code: forever(LARGE, [0x60, 1, 0x01, 0x80, 0x31, POP], 200) },
  { name: 'op memory of a MiB', code: forever([], [0x5f, 0x62, 0x0f, 0xff, 0xe0, 0x52], 200) },
];

/** Code that calls `to` over and over with input that it takes from its own. */
function calling(to: readonly number[], size: number, op = 0xfa): Uint8Array {
  const copy = [...push3(size), 0x5f, 0x5f, 0x37];
  const zeros = op === 0xf1 ? [0x5f] : [];
  return forever(copy, [0x5f, 0x5f, ...push3(size), 0x5f, ...zeros, ...to, 0x5a, op, POP], 20);
}

function precompile(name: string, at: number, input: Uint8Array): Case {
  const to = push2(at);
  return { name: `precompile ${name}`, code: calling(to, input.length), input };
}

function word(value: bigint, size = 32): Uint8Array {
  return hex(value.toString(16).padStart(2 * size, '0'));
}

function repeated(bytes: Uint8Array, times: number): Uint8Array {
  return concatBytes(...Array.from({ length: times }, () => bytes));
}

function bn254Cases(): readonly Case[] {
  const g1 = bn254.G1.Point.BASE.multiply(12_345n).toAffine();
  const g2 = bn254.G2.Point.BASE.multiply(54_321n).toAffine();
  const one = concatBytes(word(g1.x), word(g1.y));
  const two = concatBytes(word(g2.x.c1), word(g2.x.c0), word(g2.y.c1), word(g2.y.c0));
  const pair = concatBytes(one, two);
  return [
    precompile('bn254 add', 6, concatBytes(one, one)),
    precompile('bn254 mul', 7, concatBytes(one, word(2n ** 256n - 1n))),
    precompile('bn254 pairing of nothing', 8, new Uint8Array(0)),
    precompile('bn254 pairing of 1', 8, pair),
    precompile('bn254 pairing of 10', 8, repeated(pair, 10)),
  ];
}

function blsCases(): readonly Case[] {
  const fp = (value: bigint): Uint8Array => word(value, 64);
  const g1 = bls12_381.G1.Point.BASE.multiply(12_345n).toAffine();
  const g2 = bls12_381.G2.Point.BASE.multiply(54_321n).toAffine();
  const one = concatBytes(fp(g1.x), fp(g1.y));
  const two = concatBytes(fp(g2.x.c0), fp(g2.x.c1), fp(g2.y.c0), fp(g2.y.c1));
  const scalar = word(2n ** 256n - 1n);
  const large = fp(bls12_381.fields.Fp.ORDER - 7n);
  const oneTerm = concatBytes(one, scalar);
  const twoTerm = concatBytes(two, scalar);
  return [
    precompile('BLS12 G1 add', 0x0b, concatBytes(one, one)),
    precompile('BLS12 G1 MSM of 1', 0x0c, oneTerm),
    precompile('BLS12 G1 MSM of 16', 0x0c, repeated(oneTerm, 16)),
    precompile('BLS12 G1 MSM of 128', 0x0c, repeated(oneTerm, 128)),
    precompile('BLS12 G2 add', 0x0d, concatBytes(two, two)),
    precompile('BLS12 G2 MSM of 1', 0x0e, twoTerm),
    precompile('BLS12 G2 MSM of 16', 0x0e, repeated(twoTerm, 16)),
    precompile('BLS12 G2 MSM of 128', 0x0e, repeated(twoTerm, 128)),
    precompile('BLS12 pairing of 1', 0x0f, concatBytes(one, two)),
    precompile('BLS12 pairing of 8', 0x0f, repeated(concatBytes(one, two), 8)),
    precompile('BLS12 map to G1', 0x10, large),
    precompile('BLS12 map to G2', 0x11, concatBytes(large, large)),
  ];
}

function modExp(name: string, base: number, exponent: Uint8Array, modulus: number): Case {
  const lengths = [base, exponent.length, modulus].map((n) => word(BigInt(n)));
  const odd = new Uint8Array(modulus).fill(0xff);
  const parts = [...lengths, new Uint8Array(base).fill(0xfe), exponent, odd];
  return precompile(`modexp ${name}`, 5, concatBytes(...parts));
}

function p256Input(): Uint8Array {
  const secret = sha256(Uint8Array.of(3));
  const hash = sha256(Uint8Array.of(4));
  const signature = p256.sign(hash, secret, { prehash: false });
  return concatBytes(hash, signature, p256.getPublicKey(secret, false).subarray(1));
}

function otherPrecompiles(): readonly Case[] {
  const recover = concatBytes(
    sha256(Uint8Array.of(1)),
    word(27n),
    word(0x79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798n),
    sha256(Uint8Array.of(2)),
  );
  const tau = hex(
    [
      'ad3eb50121139aa34db1d545093ac9374ab7bca2c0f3bf28',
      'e27c8dcd8fc7cb42d25926fc0c97b336e9f0fb35e5a04c81',
    ].join(''),
  );
  const versioned = sha256(tau);
  versioned[0] = 1;
  const proof = bls12_381.G1.Point.BASE.toBytes(true);
  const ones = new Uint8Array(32).fill(0x11);
  const blake = new Uint8Array(213);
  new DataView(blake.buffer).setUint32(0, 100_000);
  return [
    precompile('ecrecover', 1, recover),
    precompile('sha256 of nothing', 2, new Uint8Array(0)),
    precompile('sha256 of 8 KiB', 2, new Uint8Array(8192)),
    precompile('ripemd160 of 8 KiB', 3, new Uint8Array(8192)),
    precompile('identity of nothing', 4, new Uint8Array(0)),
    precompile('identity of 8 KiB', 4, new Uint8Array(8192)),
    modExp('32 bytes', 32, new Uint8Array(32).fill(0xff), 32),
    modExp('8 bytes, long exponent', 8, new Uint8Array(96).fill(0xff), 8),
    modExp('64 bytes', 64, new Uint8Array(8).fill(0xff), 64),
    modExp('192 bytes, small exponent', 192, Uint8Array.of(3), 192),
    modExp('1 KiB, small exponent', 1_024, Uint8Array.of(3), 1_024),
    modExp('1 KiB', 1_024, new Uint8Array(2).fill(0xff), 1_024),
    modExp('256 bytes', 256, new Uint8Array(16).fill(0xff), 256),
    modExp('1 byte of 1 KiB exponent', 1, new Uint8Array(1_024).fill(0xff), 1),
    precompile('blake2f', 9, blake),
    precompile('blake2f of no round', 9, new Uint8Array(213)),
    precompile('ripemd160 of nothing', 3, new Uint8Array(0)),
    precompile('P-256 verify', 0x100, p256Input()),
    precompile('point evaluation', 10, concatBytes(versioned, ones, ones, tau, proof)),
  ];
}

/** Calls, creations and what an attacker might try. */
function attacks(): readonly Case[] {
  const big = new Uint8Array(24_576).fill(0x5b);
  const badJump = big.slice();
  badJump.set([0x60, 1, 0x56]);
  const other = address(0xbeef);
  const toOther = [0x61, 0xbe, 0xef];
  const initCode = [...push2(0xc000), 0x5f];
  const cheap = [0x5f, 0x5f, 0x5f, 0x5f, ...toOther, 0x60, 100, 0xfa, POP];
  const logs = [0x5f, 0x5f, 0x5f, 0x5f, 0x5f, ...toOther, 0x5a, 0xf1, POP];
  const dies = Array.from({ length: 256 }, (_, i) => address(0x10000 + i));
  const killing = dies.flatMap((_, i) => [
    ...[0x5f, 0x5f, 0x5f, 0x5f, 0x5f],
    ...[0x62, 0x01, i >> 8, i & 255],
    ...[0x5a, 0xf1, POP],
  ]);
  return [
    { name: 'call of an empty account', code: calling([0x60, 0x99], 0) },
    {
      name: 'call with value',
      code: forever([], [0x5f, 0x5f, 0x5f, 0x5f, 0x60, 1, 0x60, 0x99, 0x5f, 0xf1, POP], 20),
    },
    { name: 'call of STOP', code: calling(toOther, 0), others: [[other, Uint8Array.of(0)]] },
    {
      name: 'delegatecall of STOP',
      code: calling(toOther, 0, 0xf4),
      others: [[other, Uint8Array.of(0)]],
    },
    {
      name: 'call of REVERT',
      code: calling(toOther, 0),
      others: [[other, Uint8Array.of(0x5f, 0x5f, 0xfd)]],
    },
    {
      name: 'call of 24 KiB that stops',
      code: forever([], cheap, 50),
      others: [[other, concatBytes(Uint8Array.of(0), big.subarray(1))]],
    },
    {
      name: 'call of 24 KiB that jumps wrong',
      code: forever([], cheap, 50),
      others: [[other, badJump]],
    },
    {
      name: 'call of a log',
      code: forever([], logs, 50),
      others: [[other, Uint8Array.of(0x5f, 0x5f, 0xa0)]],
    },
    {
      name: 'recursion',
      code: Uint8Array.of(0x5f, 0x5f, 0x5f, 0x5f, 0x5f, 0x30, 0x5a, 0xf1, 0x5f, 0x56),
    },
    { name: 'creation of nothing', code: forever([], [0x5f, 0x5f, 0x5f, 0xf0, POP], 50) },
    { name: 'creation with 48 KiB', code: forever([], [...initCode, 0x5f, 0xf0, POP], 50) },
    { name: 'creation with CREATE2', code: forever([], [0x5a, ...initCode, 0x5f, 0xf5, POP], 50) },
    {
      name: 'calls after self-destructions',
      code: forever(killing, cheap, 20),
      others: [
        ...dies.map((at): [Uint8Array, Uint8Array] => [at, Uint8Array.of(0x33, 0xff)]),
        [other, Uint8Array.of(0)],
      ],
    },
  ];
}

/** All of them. */
export function cases(): readonly Case[] {
  return [...OPERATIONS, ...otherPrecompiles(), ...bn254Cases(), ...blsCases(), ...attacks()];
}
