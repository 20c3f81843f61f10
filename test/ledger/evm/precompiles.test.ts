/**
 * Precompiles: known answers, and every kind of garbage without an exception.
 *
 * @module
 */
import { bls12_381 } from '@noble/curves/bls12-381.js';
import { expect } from 'chai';
import fc from 'fast-check';
import { concatBytes, EMPTY, toHex } from '../../../node/src/base/bytes.ts';
import { Machine } from '../../../node/src/ledger/evm/machine.ts';
import type { EvmOutcome } from '../../../node/src/ledger/evm/types.ts';
import { keccak256 } from '../../../node/src/ledger/keccak.ts';
import { address, block, FlatWorld, hex, left, ports, word } from './world.ts';

const CALLER = address('ca');
const PRECOMPILES = [...Array.from({ length: 17 }, (_, i) => i + 1), 0x100];
const ORDER = 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001n;
const G1 = [
  '97f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac58',
  '6c55e83ff97a1aeffb3af00adb22c6bb',
].join('');
/** [tau]₁ of the ceremony: the commitment to the polynomial x. */
const TAU_G1 = [
  'ad3eb50121139aa34db1d545093ac9374ab7bca2c0f3bf28e27c8dcd8fc7cb42',
  'd25926fc0c97b336e9f0fb35e5a04c81',
].join('');
/** The x of a point of BLS12-381 that is in no group. */
const STRAY_X = 4n;

describe('EVM: precompiles', () => {
  let machine: Machine;
  before(async () => {
    machine = await Machine.create(ports());
  });

  function run(at: number, data: Uint8Array, gasLimit = 5_000_000n): Promise<EvmOutcome> {
    const { state } = new FlatWorld();
    const to = left(word(BigInt(at)).subarray(12), 20);
    return machine.call(state, block(), { from: CALLER, to, value: 0n, data, gasLimit });
  }

  it('answer as specified', async () => {
    const blake = [
      '0000000c',
      '48c9bdf267e6096a3ba7ca8485ae67bb2bf894fe72f36e3cf1361d5f3af54fa5',
      'd182e6ad7f520e511f6c3e2b8c68059b6bbd41fbabd9831f79217e1319cde05b',
      `6162630000000000${'00'.repeat(120)}`,
      `0300000000000000${'00'.repeat(8)}01`,
    ].join('');
    const recover = [
      '456e9aea5e197a1f1af7a3e85a3212fa4049a3ba34c2289b4c860fc0b0c64ef3',
      toHex(word(28n)),
      '9242685bf161793cc25603c231bc2f568eb630ea16aa137d2664ac8038825608',
      '4f8ae3bd7535248d0bd448298cc2e2071e56992d0774dc340c368ae950852ada',
    ].join('');
    const known: readonly (readonly [at: number, input: string, output: string])[] = [
      [1, recover, '0000000000000000000000007156526fbd7a3c72969b54f64e42c10fbb768c8a'],
      [2, '616263', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
      [3, '616263', '0000000000000000000000008eb208f7e05d987a9b044a8e98c6b087f15a0bfc'],
      [4, '00010203', '00010203'],
      [
        9,
        blake,
        [
          'ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1',
          '7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923',
        ].join(''),
      ],
    ];
    for (const [at, input, output] of known) {
      expect(toHex((await run(at, hex(input))).returned)).to.equal(output, String(at));
    }
  });

  it('prove the value of a committed polynomial, and no other', async () => {
    const at = word(0x1111n);
    const commitment = hex(TAU_G1);
    const { returned: digest } = await run(2, commitment);
    const versioned = concatBytes(Uint8Array.of(1), digest.subarray(1));
    const input = (z: Uint8Array, y: Uint8Array): Uint8Array =>
      concatBytes(versioned, z, y, commitment, hex(G1));
    const right = await run(10, input(at, at));
    expect(right).to.include({ status: 1, gasUsed: 50_000n });
    expect(toHex(right.returned)).to.equal(toHex(concatBytes(word(4096n), word(ORDER))));
    expect(await run(10, input(at, word(0x1112n)))).to.include({ status: 0 });
    expect(await run(10, input(at, word(ORDER + 0x1111n)))).to.include({ status: 0 });
    expect(await run(10, input(word(ORDER + 0x1111n), at))).to.include({ status: 0 });
  });

  it('take no proof that is off the group, though its pairings are right', async () => {
    const { Point } = bls12_381.G1;
    const { Fp } = bls12_381.fields;
    const stray = Point.fromAffine({ x: STRAY_X, y: Fp.sqrt(STRAY_X ** 3n + 4n) });
    // Of an order that pairings do not see.
    const unseen = stray.multiplyUnsafe(ORDER - 1n).add(stray);
    expect([unseen.is0(), unseen.isTorsionFree()]).to.deep.equal([false, false]);
    const { x, y } = Point.BASE.add(unseen).toAffine();
    const proof = hex(x.toString(16).padStart(96, '0'));
    proof[0] = (proof[0] as number) | (2n * y > Fp.ORDER ? 0xa0 : 0x80);
    const { returned: digest } = await run(2, hex(TAU_G1));
    const versioned = concatBytes(Uint8Array.of(1), digest.subarray(1));
    const at = word(0x1111n);
    const input = concatBytes(versioned, at, at, hex(TAU_G1), proof);
    expect(await run(10, input)).to.include({ status: 0, gasUsed: 5_000_000n });
  });

  it('take garbage of any length without an exception', async () => {
    const sizes = [0, 1, 31, 32, 63, 64, 96, 128, 160, 191, 192, 193, 212, 213, 214, 256, 288];
    const large = [384, 512, 576, 768, 1_024, 2_048, 5_000];
    const fills = [0x00, 0x01, 0x7f, 0x80, 0xc0, 0xff];
    for (const at of PRECOMPILES) {
      for (const size of [...sizes, ...large]) {
        for (const fill of fills) {
          const { status, error } = await run(at, new Uint8Array(size).fill(fill), 300_000n);
          expect((status === 1) === (error === undefined)).to.equal(true);
        }
      }
    }
  }).timeout(60_000);

  it('take random bytes and flipped bits, and fail the same way again', async () => {
    const g1 = concatBytes(word(1n), word(2n));
    const bls = concatBytes(new Uint8Array(16), hex(G1).fill(0x11, 0, 1), new Uint8Array(64));
    const shapes: readonly Uint8Array[] = [
      concatBytes(g1, g1),
      concatBytes(g1, word(2n ** 256n - 1n)),
      concatBytes(word(32n), word(32n), word(32n), word(3n), word(5n), word(7n)),
      concatBytes(word(2n ** 64n), word(1n), word(2n ** 255n)),
      concatBytes(bls, bls),
      new Uint8Array(384),
      new Uint8Array(512),
    ];
    const mutated = fc
      .tuple(fc.constantFrom(...shapes), fc.nat(), fc.integer({ min: 1, max: 255 }))
      .map(([shape, at, flip]) => {
        const out = shape.slice();
        out[at % out.length] = (out[at % out.length] as number) ^ flip;
        return out;
      });
    const bytes = fc.oneof(fc.uint8Array({ maxLength: 600 }), mutated);
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...PRECOMPILES), bytes, async (at, data) => {
        const once = await run(at, data, 200_000n);
        const again = await run(at, data, 200_000n);
        expect(again).to.deep.equal(once);
        if (once.status === 0) expect(once.gasUsed).to.equal(200_000n);
      }),
      { numRuns: 500 },
    );
  }).timeout(60_000);

  it('fail without enough gas', async () => {
    for (const at of PRECOMPILES) {
      const { status } = await run(at, new Uint8Array(213).fill(1), 1n);
      expect(status).to.equal(0, String(at));
    }
    expect(toHex(keccak256(EMPTY))).to.match(/^c5d246/);
  });
});
