/**
 * Programs for the EVM made at random: calls, creations, storage, every precompile, garbage.
 *
 * @module
 */
import { p256 } from '@noble/curves/nist.js';
import { concatBytes, utf8 } from '../../../../node/src/base/bytes.ts';
import { sha256 } from '../../../../node/src/base/hash.ts';
import { hex, left, word } from '../world.ts';

/** Numbers that follow from a seed. */
export class Random {
  #state: bigint;

  constructor(seed: number) {
    this.#state = BigInt(seed) * 0x9e3779b97f4a7c15n + 1n;
  }

  /** A whole number below `bound`. */
  below(bound: number): number {
    this.#state = (this.#state * 6364136223846793005n + 1442695040888963407n) & (2n ** 64n - 1n);
    return Number((this.#state >> 16n) % BigInt(bound));
  }

  chance(percent: number): boolean {
    return this.below(100) < percent;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }

  bytes(size: number): Uint8Array {
    const out = new Uint8Array(size);
    for (let i = 0; i < size; i++) out[i] = this.below(256);
    return out;
  }
}

const G1 =
  '0000000000000000000000000000000017f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f17' +
  '1bac586c55e83ff97a1aeffb3af00adb22c6bb0000000000000000000000000000000008b3f481e3aaa0f1a09e' +
  '30ed741d8ae4fcf5e095d5d00af600db18cb2c04b3edd03cc744a2888ae40caa232946c5e7e1';
const G2 =
  '00000000000000000000000000000000024aa2b2f08f0a91260805272dc51051c6e47ad4fa403b02b4510b647a' +
  'e3d1770bac0326a805bbefd48056c8c121bdb80000000000000000000000000000000013e02b6052719f607dac' +
  'd3a088274f65596bd0d09920b61ab5da61bbdc7f5049334cf11213945d57e5ac7d055d042b7e00000000000000' +
  '0000000000000000000ce5d527727d6e118cc9cdc6da2e351aadfd9baa8cbdd3a76d429a695160d12c923ac9cc' +
  '3baca289e193548608b82801000000000000000000000000000000000606c4a02ea734cc32acd2b02bc28b99cb' +
  '3e287e85a763af267492ab572e99ab3f370d275cec1da1aaa9075ff05f79be';
const BN_ORDER = 21888242871839275222246405745257275088548364400416034343698204186575808495617n;
const BN_G2 =
  '198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c21800deef121f1e76426a00665e' +
  '5c4479674322d4f75edadd46debd5cd992f6ed090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355ac' +
  'dadcd122975b12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa';

/** How many precompiles there are. */
export const PRECOMPILES = 18;

/** A precompile's address: 1 to 17 in order, then P256VERIFY. @param at - 1 to 18 */
export function precompileAddress(at: number): Uint8Array {
  return left(at === PRECOMPILES ? Uint8Array.of(1, 0) : Uint8Array.of(at), 20);
}

/** A signature by secp256r1 that holds: digest, r, s, x, y. */
function p256Input(random: Random): Uint8Array {
  const secret = word(1n + BigInt(random.below(1_000)));
  const digest = random.bytes(32);
  const signature = p256.sign(digest, secret, { prehash: false, format: 'compact' });
  return concatBytes(digest, signature, p256.getPublicKey(secret, false).subarray(1));
}

/** Input that a precompile accepts. @param at - which, 1 to 18 */
function goodInput(random: Random, at: number): Uint8Array {
  const scalar = word(BigInt(random.below(1_000_000)));
  const g1 = hex(G1);
  const g2 = hex(G2);
  const bnG1 = concatBytes(word(1n), word(2n));
  const inputs: Readonly<Record<number, () => Uint8Array>> = {
    1: () => {
      const v = word(BigInt(27 + random.below(2)));
      return concatBytes(sha256(scalar), v, sha256(utf8('r')), left(random.bytes(31)));
    },
    5: () => {
      const [b, e, m] = [random.below(40), random.below(40), random.below(40)];
      const sizes = concatBytes(word(BigInt(b)), word(BigInt(e)), word(BigInt(m)));
      return concatBytes(sizes, random.bytes(b + e + m));
    },
    6: () => concatBytes(bnG1, bnG1),
    7: () => concatBytes(bnG1, random.chance(50) ? scalar : word(BN_ORDER - 1n)),
    8: () => {
      const pair = concatBytes(bnG1, hex(BN_G2));
      return random.chance(30) ? new Uint8Array(0) : concatBytes(pair, pair);
    },
    9: () => {
      const rounds = left(Uint8Array.of(random.below(40)), 4);
      return concatBytes(rounds, random.bytes(208), Uint8Array.of(random.below(2)));
    },
    10: () => {
      const infinity = new Uint8Array(48);
      infinity[0] = 0xc0;
      const versioned = sha256(infinity);
      versioned[0] = 1;
      const y = random.chance(70) ? word(0n) : word(1n);
      return concatBytes(versioned, scalar, y, infinity, infinity);
    },
    11: () => concatBytes(g1, random.chance(50) ? g1 : new Uint8Array(128)),
    12: () => concatBytes(g1, scalar, ...(random.chance(50) ? [g1, scalar] : [])),
    13: () => concatBytes(g2, random.chance(50) ? g2 : new Uint8Array(256)),
    14: () => concatBytes(g2, scalar, ...(random.chance(50) ? [g2, scalar] : [])),
    15: () => concatBytes(g1, g2, ...(random.chance(50) ? [new Uint8Array(128), g2] : [])),
    16: () => left(random.bytes(40), 64),
    17: () => concatBytes(left(random.bytes(40), 64), left(random.bytes(47), 64)),
    18: () => p256Input(random),
  };
  return inputs[at]?.() ?? random.bytes(random.below(200));
}

/** Input for a precompile: mostly good, or broken, cut or lengthened. */
export function precompileInput(random: Random, at: number): Uint8Array {
  const input = goodInput(random, at);
  if (random.chance(60)) return input;
  const kind = random.below(4);
  if (kind === 0) return input.subarray(0, random.below(input.length + 1));
  if (kind === 1) return concatBytes(input, random.bytes(random.below(40)));
  if (kind === 2) return random.bytes(random.below(400));
  const broken = input.slice();
  if (broken.length > 0) broken[random.below(broken.length)] = random.below(256);
  return broken;
}

function push(bytes: Uint8Array): Uint8Array {
  if (bytes.length === 0) return Uint8Array.of(0x5f);
  return concatBytes(Uint8Array.of(0x5f + bytes.length), bytes);
}

function small(value: number): Uint8Array {
  return push(Uint8Array.of(value & 255));
}

function op(...codes: readonly number[]): Uint8Array {
  return Uint8Array.from(codes);
}

/** What programs may name. */
export type Scene = {
  readonly addresses: readonly Uint8Array[];
  readonly height: number;
};

const STORE = op(0x55);
/** ADDRESS, ORIGIN … BASEFEE, BLOBBASEFEE, PC, MSIZE, GAS. */
const NULLARY: readonly number[] = [
  0x30, 0x32, 0x33, 0x34, 0x36, 0x38, 0x3a, 0x3d, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48,
  0x4a, 0x58, 0x59, 0x5a,
];
const BINARY: readonly number[] = [
  0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x0a, 0x0b, 0x10, 0x11, 0x12, 0x13, 0x14, 0x16, 0x17,
  0x18, 0x1a, 0x1b, 0x1c, 0x1d,
];

/** Code that puts bytes into memory at 0. */
function fill(bytes: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += 32) {
    const chunk = new Uint8Array(32);
    chunk.set(bytes.subarray(at, at + 32));
    parts.push(push(chunk), push(left(Uint8Array.of(at >> 8, at & 255), 2)), op(0x52));
  }
  return concatBytes(...parts);
}

function size(bytes: Uint8Array): Uint8Array {
  return push(Uint8Array.of(bytes.length >> 8, bytes.length & 255));
}

/** Stores the topmost word in one of few slots. */
function keep(random: Random): Uint8Array {
  return concatBytes(small(random.below(6)), STORE);
}

function callSnippet(random: Random, scene: Scene): Uint8Array {
  const precompile = random.chance(40) ? 1 + random.below(PRECOMPILES) : 0;
  const to = precompile > 0 ? precompileAddress(precompile) : random.pick(scene.addresses);
  const input =
    precompile > 0 ? precompileInput(random, precompile) : random.bytes(random.below(70));
  const kind = random.pick([0xf1, 0xf2, 0xf4, 0xfa]);
  const value = kind === 0xf1 || kind === 0xf2 ? [small(random.chance(30) ? 3 : 0)] : [];
  const gas = random.chance(70) ? op(0x5a) : push(Uint8Array.of(random.below(200), 0));
  return concatBytes(
    fill(input.slice(0, 0x7fff)),
    small(random.below(70)),
    small(0),
    size(input),
    small(0),
    ...value,
    push(to),
    gas,
    op(kind),
    keep(random),
    op(0x3d),
    keep(random),
    op(0x5f, 0x51),
    keep(random),
  );
}

function createSnippet(random: Random, scene: Scene, depth: number): Uint8Array {
  const init = initCode(random, scene, depth - 1);
  const [salt, code] = random.chance(60) ? [small(random.below(3)), 0xf5] : [op(), 0xf0];
  const value = small(random.chance(20) ? 2 : 0);
  return concatBytes(fill(init), salt, size(init), small(0), value, op(code), keep(random));
}

function logSnippet(random: Random): Uint8Array {
  const topics = random.below(5);
  const words = Array.from({ length: topics }, () => push(random.bytes(1 + random.below(31))));
  return concatBytes(...words, small(random.below(70)), small(0), op(0xa0 + topics));
}

function addressSnippet(random: Random, scene: Scene): Uint8Array {
  const whose = push(random.pick(scene.addresses));
  if (random.chance(20)) {
    return concatBytes(small(40), small(0), small(0), whose, op(0x3c, 0x5f, 0x51), keep(random));
  }
  return concatBytes(whose, op(random.pick([0x31, 0x3b, 0x3f])), keep(random));
}

function wordSnippet(random: Random): Uint8Array {
  if (random.chance(10)) return concatBytes(push(random.bytes(20)), op(0x1e), keep(random));
  const a = push(random.bytes(1 + random.below(32)));
  const b = push(random.bytes(1 + random.below(32)));
  return concatBytes(a, b, op(random.pick(BINARY)), keep(random));
}

function memorySnippet(random: Random): Uint8Array {
  const kind = random.below(4);
  if (kind === 0) return concatBytes(small(random.below(99)), small(0), op(0x20), keep(random));
  if (kind === 1) return concatBytes(small(40), small(0), small(random.below(99)), op(0x5e));
  if (kind === 2) return concatBytes(small(32), small(0), small(random.below(64)), op(0x37));
  const slot = small(random.below(3));
  return concatBytes(op(0x5a), slot, op(0x5d), slot, op(0x5c), keep(random));
}

function endSnippet(random: Random, scene: Scene): Uint8Array {
  const kind = random.below(6);
  if (kind === 0) return concatBytes(small(32), small(0), op(0xfd));
  if (kind === 1) return op(0xfe);
  if (kind === 2) return concatBytes(push(random.pick(scene.addresses)), op(0xff));
  if (kind === 3) return op(0x5b, 0x5f, 0x50, 0x58, 0x56); // jumps to nowhere
  if (kind === 4) return op(0x00);
  return concatBytes(small(32), small(0), op(0xf3));
}

function snippet(random: Random, scene: Scene, depth: number): Uint8Array {
  const kind = random.below(100);
  if (kind < 22) return callSnippet(random, scene);
  if (kind < 30 && depth > 0) return createSnippet(random, scene, depth);
  if (kind < 40) return logSnippet(random);
  if (kind < 50) return addressSnippet(random, scene);
  if (kind < 65) return concatBytes(op(random.pick(NULLARY)), keep(random));
  if (kind < 75) return wordSnippet(random);
  if (kind < 84) return memorySnippet(random);
  if (kind < 92) return concatBytes(small(random.below(6)), op(0x54), keep(random));
  if (kind < 94) return concatBytes(small(random.below(5)), op(0x43, 0x03, 0x40), keep(random));
  if (kind < 96) return random.bytes(1 + random.below(4));
  return concatBytes(small(random.below(6)), op(0x5f), op(0x90), STORE);
}

/** A program: some snippets, and mostly an end. */
export function program(random: Random, scene: Scene, depth = 2): Uint8Array {
  const parts = Array.from({ length: 1 + random.below(7) }, () => snippet(random, scene, depth));
  if (random.chance(3)) parts.push(op(0x5b, 0x60, 0x00, 0x56));
  return concatBytes(...parts, random.chance(70) ? endSnippet(random, scene) : op());
}

/** Init code with the byte ef, which no code begins with: its own, its revert's, its answer's. */
const RESERVED: readonly Uint8Array[] = [
  op(0xef, 0x00, 0x01),
  op(0x60, 0xef, 0x5f, 0x53, 0x60, 0x20, 0x5f, 0xfd),
  op(0x60, 0xef, 0x5f, 0x53, 0x60, 0x20, 0x5f, 0xf3),
];

/** Init code that leaves a program as code, or something that is no good. */
export function initCode(random: Random, scene: Scene, depth = 2): Uint8Array {
  if (random.chance(5)) return random.pick(RESERVED);
  if (random.chance(15)) return program(random, scene, depth);
  const code = program(random, scene, Math.max(depth, 0));
  const before = random.chance(30) ? snippet(random, scene, 0) : op();
  const tail = (at: number): Uint8Array =>
    concatBytes(size(code), push(Uint8Array.of(at >> 8, at & 255)), small(0), op(0x39), size(code));
  const length = before.length + tail(0).length + small(0).length + 1;
  return concatBytes(before, tail(length), small(0), op(0xf3), code);
}
