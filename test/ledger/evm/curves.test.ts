/**
 * Curves by WebAssembly against those in JavaScript: known vectors, chosen edges, random input.
 *
 * @module
 */
import { type EVMBN254Interface, NobleBLS, NobleBN254 } from '@ethereumjs/evm';
import { bls12_381 } from '@noble/curves/bls12-381.js';
import { bn254 as nobleBn254 } from '@noble/curves/bn254.js';
import { p256 } from '@noble/curves/nist.js';
import { expect } from 'chai';
import fc from 'fast-check';
import mcl from 'mcl-wasm';
import { concatBytes, fromHex, toHex } from '../../../node/src/base/bytes.ts';
import { present } from '../../../node/src/base/errors.ts';
import { sha256 } from '../../../node/src/base/hash.ts';
import { Bls } from '../../../node/src/ledger/evm/bls.ts';
import { Bn254 } from '../../../node/src/ledger/evm/bn254.ts';
import { p256Verifier, type VerifyP256 } from '../../../node/src/ledger/evm/p256.ts';
import wycheproof from '../../vectors/wycheproof/ecdsa_secp256r1_sha256_p1363_test.json' with {
  type: 'json',
};
import { word } from './world.ts';

const { Point } = p256;
const N = Point.Fn.ORDER;
const P = Point.Fp.ORDER;

const hex = (text: string): Uint8Array => present(fromHex(text), 'hex');

/** What noble says; an exception is a refusal. */
function noble(input: Uint8Array): boolean {
  const key = concatBytes(Uint8Array.of(4), input.subarray(96, 160));
  try {
    const options = { prehash: false, lowS: false } as const;
    return p256.verify(input.subarray(32, 96), input.subarray(0, 32), key, options);
  } catch {
    return false;
  }
}

/** The answer, or how it was refused. */
function answerOf(run: () => Uint8Array): string {
  try {
    return toHex(run());
  } catch {
    return 'refused';
  }
}

const inverse = (a: bigint): bigint => Point.Fn.inv(Point.Fn.create(a));
const times = (a: bigint, b: bigint): bigint => Point.Fn.create(a * b);

type P256Point = InstanceType<typeof Point>;

function inputOf(hash: bigint, r: bigint, s: bigint, key: P256Point): Uint8Array {
  const { x, y } = key.toAffine();
  return concatBytes(...[hash, r, s, x, y].map(word));
}

/** The key under which (r, s) signs `hash`, where `point` is what the check finds. */
function keyFor(point: P256Point, hash: bigint, r: bigint, s: bigint): P256Point {
  const half = point.multiply(times(s, inverse(r)));
  return half.subtract(Point.BASE.multiply(times(hash, inverse(r))));
}

/** A point whose x is above the order, which has to be reduced. */
function largePoint(): P256Point {
  for (let x = N + 1n; ; x++) {
    try {
      return Point.fromHex(`02${x.toString(16).padStart(64, '0')}`);
    } catch {
      // No point has this x.
    }
  }
}

describe('EVM: P-256 by WebAssembly', () => {
  let verify: VerifyP256;
  before(async () => {
    verify = await p256Verifier();
  });

  it('agrees with Wycheproof', () => {
    let seen = 0;
    for (const { publicKey, tests } of wycheproof.testGroups) {
      const key = hex(publicKey.uncompressed).subarray(1);
      for (const { msg, sig, result, comment } of tests) {
        seen++;
        const signature = hex(sig);
        // The precompile takes 64 bytes; signatures of another length cannot be passed.
        if (signature.length !== 64) {
          expect(result, comment).to.equal('invalid');
          continue;
        }
        const input = concatBytes(sha256(hex(msg)), signature, key);
        expect(verify(input), comment).to.equal(result === 'valid');
      }
    }
    expect(seen).to.equal(wycheproof.numberOfTests);
  });

  it('agrees with noble at the edges', () => {
    const large = largePoint();
    const r = large.toAffine().x % N;
    const hash = 0x1234n;
    expect(verify(inputOf(hash, r, 5n, keyFor(large, hash, r, 5n)))).to.equal(true);
    const plain = Point.BASE.multiply(99n);
    const rPlain = plain.toAffine().x % N;
    const good = keyFor(plain, hash, rPlain, 7n);
    // u1·G and u2·Q are one point, or cancel each other out.
    const ratio = times(hash, inverse(rPlain));
    const keys = [good, Point.BASE.multiply(ratio), Point.BASE.multiply(ratio).negate()];
    keys.push(Point.BASE, Point.BASE.negate());
    const scalars = [0n, 1n, 2n, 7n, rPlain, N - rPlain, N - 7n, N - 1n, N, N + 1n, P, r];
    const hashes = [hash, 0n, N, N + hash, 2n ** 256n - 1n];
    const inputs = keys.flatMap((key) =>
      hashes.flatMap((h) =>
        [rPlain, 0n, N, r].flatMap((a) => scalars.map((b) => inputOf(h, a, b, key))),
      ),
    );
    const right = inputs.filter(verify);
    for (const input of right) expect(noble(input)).to.equal(true);
    expect(right.length).to.be.above(3);
    expect(verify(inputOf(hash, rPlain, N - 7n, good))).to.equal(true);
  });

  it('takes no key that is off the curve', () => {
    const good = inputOf(1n, 2n, 3n, Point.BASE);
    const { x, y } = Point.BASE.toAffine();
    for (const [a, b] of [
      [0n, 0n],
      [x, y + 1n],
      [x, 0n],
      [0n, y],
      [P, y],
      [x + P, y],
      [x, P],
    ]) {
      const key = concatBytes(word((a as bigint) % 2n ** 256n), word(b as bigint));
      expect(verify(concatBytes(good.subarray(0, 96), key))).to.equal(false);
    }
  });

  it('agrees with noble on signatures with flipped bits, and on garbage', () => {
    const secret = sha256(Uint8Array.of(1));
    const key = p256.getPublicKey(secret, false).subarray(1);
    const signed = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((hash) => {
      const signature = p256.sign(hash, secret, { prehash: false, lowS: false });
      return concatBytes(hash, signature, key);
    });
    const flipped = fc.tuple(signed, fc.nat(1279)).map(([input, bit]) => {
      const out = input.slice();
      out[bit >> 3] = (out[bit >> 3] as number) ^ (1 << (bit & 7));
      return out;
    });
    const garbage = fc.uint8Array({ minLength: 160, maxLength: 160 });
    fc.assert(
      fc.property(fc.oneof(signed, flipped, garbage), (input) => {
        expect(verify(input)).to.equal(noble(input));
      }),
      { numRuns: 150 },
    );
  }).timeout(30_000);
});

describe('EVM: alt_bn128 by WebAssembly', () => {
  const theirs: EVMBN254Interface = new NobleBN254();
  const modulus = nobleBn254.fields.Fp.ORDER;
  const { ORDER } = nobleBn254.fields.Fr;
  let ours: Bn254;
  before(async () => {
    ours = await Bn254.open();
  });

  const g1 = (scalar: bigint): Uint8Array => {
    if (scalar === 0n) return new Uint8Array(64);
    const { x, y } = nobleBn254.G1.Point.BASE.multiply(scalar).toAffine();
    return concatBytes(word(x), word(y));
  };
  const g2 = (scalar: bigint): Uint8Array => {
    if (scalar === 0n) return new Uint8Array(128);
    const { x, y } = nobleBn254.G2.Point.BASE.multiply(scalar).toAffine();
    return concatBytes(word(x.c1), word(x.c0), word(y.c1), word(y.c0));
  };
  /** A point of the twist that is in no group of that order. */
  const stray = (): Uint8Array => {
    const { Fp2 } = nobleBn254.fields;
    const b = Fp2.div(Fp2.create({ c0: 3n, c1: 0n }), Fp2.create({ c0: 9n, c1: 1n }));
    for (let i = 1n; ; i++) {
      const x = Fp2.create({ c0: i, c1: 0n });
      try {
        const y = Fp2.sqrt(Fp2.add(Fp2.mul(Fp2.sqr(x), x), b));
        return concatBytes(word(x.c1), word(x.c0), word(y.c1), word(y.c0));
      } catch {
        // No point has this x.
      }
    }
  };

  it('adds and multiplies as noble does', () => {
    const scalars = [0n, 1n, 2n, 3n, ORDER - 1n, 12_345_678_901_234_567n];
    const points = [...scalars.map(g1), concatBytes(word(1n), word(3n))];
    points.push(concatBytes(word(1n + modulus), word(2n)), concatBytes(word(modulus), word(0n)));
    points.push(concatBytes(word(0n), word(1n)), new Uint8Array(64).fill(0xff));
    for (const a of points) {
      for (const b of points) {
        const input = concatBytes(a, b);
        expect(answerOf(() => ours.add(input))).to.equal(answerOf(() => theirs.add(input)));
      }
      for (const by of [...scalars, ORDER, ORDER + 1n, 2n ** 256n - 1n]) {
        const input = concatBytes(a, word(by));
        expect(answerOf(() => ours.mul(input))).to.equal(answerOf(() => theirs.mul(input)));
      }
    }
  });

  it('pairs as noble does, and refuses what is in no group', () => {
    const cases: readonly (readonly Uint8Array[])[] = [
      [],
      [g1(1n), g2(1n)],
      [g1(2n), g2(3n), g1(ORDER - 6n), g2(1n)],
      [g1(2n), g2(3n), g1(6n), g2(ORDER - 1n)],
      [g1(2n), g2(3n), g1(ORDER - 5n), g2(1n)],
      [g1(0n), g2(5n)],
      [g1(5n), g2(0n)],
      [g1(0n), g2(0n), g1(1n), g2(1n)],
      [g1(1n), stray()],
      [g1(0n), stray()],
      [concatBytes(word(1n), word(3n)), g2(1n)],
      [concatBytes(word(1n), word(3n)), g2(0n)],
      [g1(1n), new Uint8Array(128).fill(1)],
      [g1(1n), new Uint8Array(128).fill(0xff)],
      Array.from({ length: 17 }, () => [g1(2n), g2(3n), g1(ORDER - 6n), g2(1n)]).flat(),
    ];
    for (const [i, parts] of cases.entries()) {
      const input = concatBytes(...parts);
      const answer = answerOf(() => ours.pairing(input));
      expect(answer, String(i)).to.equal(answerOf(() => theirs.pairing(input)));
    }
  }).timeout(30_000);
});

describe('EVM: BLS12-381 by WebAssembly', () => {
  const theirs = new NobleBLS();
  const order = bls12_381.fields.Fr.ORDER;
  const modulus = bls12_381.fields.Fp.ORDER;
  let ours: Bls;
  before(async () => {
    await mcl.init(mcl.BLS12_381);
    ours = new Bls(mcl);
  });

  const field = (value: bigint): Uint8Array => hex(value.toString(16).padStart(128, '0'));
  const g1 = (scalar: bigint): Uint8Array => {
    if (scalar === 0n) return new Uint8Array(128);
    const { x, y } = bls12_381.G1.Point.BASE.multiply(scalar).toAffine();
    return concatBytes(field(x), field(y));
  };
  const g2 = (scalar: bigint): Uint8Array => {
    if (scalar === 0n) return new Uint8Array(256);
    const { x, y } = bls12_381.G2.Point.BASE.multiply(scalar).toAffine();
    return concatBytes(field(x.c0), field(x.c1), field(y.c0), field(y.c1));
  };
  /** A point of the curve that is not in the group; a sum takes it. */
  const strayG1 = (): Uint8Array => {
    const { Fp } = bls12_381.fields;
    for (let x = 1n; ; x++) {
      try {
        return concatBytes(field(x), field(Fp.sqrt(Fp.create(x ** 3n + 4n))));
      } catch {
        // No point has this x.
      }
    }
  };

  const strayG2 = (): Uint8Array => {
    const { Fp2 } = bls12_381.fields;
    const b = Fp2.create({ c0: 4n, c1: 4n });
    for (let i = 1n; ; i++) {
      const x = Fp2.create({ c0: i, c1: 0n });
      try {
        const y = Fp2.sqrt(Fp2.add(Fp2.mul(Fp2.sqr(x), x), b));
        return concatBytes(field(x.c0), field(x.c1), field(y.c0), field(y.c1));
      } catch {
        // No point has this x.
      }
    }
  };

  it('adds as noble does', () => {
    const scalars = [0n, 1n, 2n, 3n, order - 1n, order - 2n, 987_654_321_987_654_321n];
    const one = [...scalars.map(g1), strayG1(), concatBytes(field(1n), field(1n))];
    one.push(concatBytes(field(modulus), field(0n)), concatBytes(field(0n), field(modulus)));
    const two = [...scalars.map(g2), concatBytes(...[1n, 1n, 1n, 1n].map(field))];
    two.push(concatBytes(...[modulus, 0n, 0n, 0n].map(field)));
    for (const a of one) {
      for (const b of one) {
        const input = concatBytes(a, b);
        expect(answerOf(() => ours.addG1(input))).to.equal(answerOf(() => theirs.addG1(input)));
      }
    }
    for (const a of two) {
      for (const b of two) {
        const input = concatBytes(a, b);
        expect(answerOf(() => ours.addG2(input))).to.equal(answerOf(() => theirs.addG2(input)));
      }
    }
  }).timeout(30_000);

  it('multiplies and sums as noble does, beyond a batch too', () => {
    const scalars = [0n, 1n, 2n, order - 1n, order, order + 1n, 2n ** 256n - 1n, 5n ** 100n];
    const many = Array.from({ length: 131 }, (_, i) => [BigInt(i % 7), 3n ** BigInt(i)] as const);
    const sums: readonly (readonly (readonly [bigint, bigint])[])[] = [
      ...scalars.map((scalar) => [[3n, scalar]] as const),
      scalars.map((scalar, i) => [BigInt(i), scalar] as const),
      many,
      [
        [5n, 7n],
        [5n, order - 7n],
      ],
    ];
    for (const terms of sums) {
      const one = concatBytes(...terms.flatMap(([p, s]) => [g1(p), word(s)]));
      expect(answerOf(() => ours.msmG1(one))).to.equal(answerOf(() => theirs.msmG1(one)));
      if (terms === many) continue;
      const two = concatBytes(...terms.flatMap(([p, s]) => [g2(p), word(s)]));
      expect(answerOf(() => ours.msmG2(two))).to.equal(answerOf(() => theirs.msmG2(two)));
    }
    const strays = [strayG1(), concatBytes(field(1n), field(1n)), new Uint8Array(128).fill(255)];
    for (const stray of strays) {
      const input = concatBytes(g1(1n), word(1n), stray, word(0n));
      expect(answerOf(() => ours.msmG1(input))).to.equal(answerOf(() => theirs.msmG1(input)));
    }
    for (const stray of [strayG2(), new Uint8Array(256).fill(1)]) {
      const input = concatBytes(g2(1n), word(1n), stray, word(0n));
      expect(answerOf(() => ours.msmG2(input))).to.equal(answerOf(() => theirs.msmG2(input)));
    }
  }).timeout(60_000);

  it('pairs as noble does, beyond a batch too, and refuses what is in no group', () => {
    const cancelling = [g1(2n), g2(3n), g1(order - 6n), g2(1n)];
    const cases: readonly (readonly Uint8Array[])[] = [
      [g1(1n), g2(1n)],
      cancelling,
      [g1(2n), g2(3n), g1(order - 5n), g2(1n)],
      [g1(0n), g2(5n)],
      [g1(5n), g2(0n), ...cancelling],
      Array.from({ length: 9 }, () => cancelling).flat(),
      [...Array.from({ length: 8 }, () => cancelling).flat(), g1(1n), g2(1n)],
      [strayG1(), g2(0n)],
      [g1(0n), strayG2()],
      [strayG1(), g2(1n)],
    ];
    for (const [i, parts] of cases.entries()) {
      const input = concatBytes(...parts);
      const answer = answerOf(() => ours.pairingCheck(input));
      expect(answer, String(i)).to.equal(answerOf(() => theirs.pairingCheck(input)));
    }
  }).timeout(60_000);
});
