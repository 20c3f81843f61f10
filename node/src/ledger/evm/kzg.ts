/**
 * The point evaluation proof of EIP-4844 by pairings, without the blobs' setup.
 *
 * Of the ceremony's setup the check needs one point: [tau]₂. A proof holds if
 * e(P, [tau]₂) · e(y·G₁ − z·P − C, G₂) = 1.
 * Upholds: total; what is no point of the group, or no canonical number, proves nothing.
 * Spec: consensus-specs deneb/polynomial-commitments.md, verify_kzg_proof; the point is the second
 * of `g2_monomial` in the trusted setup of mainnet.
 *
 * @module
 */

import { fromHex, toHex } from '../../base/bytes.ts';
import { present } from '../../base/errors.ts';

type Mcl = typeof import('mcl-wasm');

/** Checks that the polynomial of `commitment` has the value `y` at `z`. */
export type VerifyKzg = (
  commitment: Uint8Array,
  z: Uint8Array,
  y: Uint8Array,
  proof: Uint8Array,
) => boolean;

const TAU_G2 = [
  'b5bfd7dd8cdeb128843bc287230af38926187075cbfbefa81009a2ce615ac53d',
  '2914e5870cb452d2afaaab24f3499f72',
  '185cbfee53492714734429b7b38608e23926c911cceceac9a36851477ba4c60b',
  '087041de621000edc98edada20c1def2',
];
const G2 = [
  '93e02b6052719f607dacd3a088274f65596bd0d09920b61ab5da61bbdc7f5049',
  '334cf11213945d57e5ac7d055d042b7e',
  '024aa2b2f08f0a91260805272dc51051c6e47ad4fa403b02b4510b647ae3d177',
  '0bac0326a805bbefd48056c8c121bdb8',
];
const G1 = [
  '97f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac58',
  '6c55e83ff97a1aeffb3af00adb22c6bb',
];

/** A check with points that are read once. @param mcl - initialised for BLS12-381 */
export function kzgVerifier(mcl: Mcl): VerifyKzg {
  const bytes = (...hex: readonly string[]): Uint8Array => present(fromHex(hex.join('')), 'point');
  mcl.setETHserialization(true);
  const g1 = new mcl.G1();
  g1.deserialize(bytes(...G1));
  const g2 = (hex: readonly string[]): InstanceType<Mcl['G2']> => {
    const point = new mcl.G2();
    point.deserialize(bytes(...hex));
    return point;
  };
  const [tau, one] = [new mcl.PrecomputedG2(g2(TAU_G2)), new mcl.PrecomputedG2(g2(G2))];

  const point = (compressed: Uint8Array): InstanceType<Mcl['G1']> | undefined => {
    const value = new mcl.G1();
    try {
      mcl.verifyOrderG1(false); // deserialize checks the curve; the group is asked for
      value.deserialize(compressed);
    } catch {
      return undefined;
    }
    return value.isZero() || value.isValidOrder() ? value : undefined;
  };
  const scalar = (number: Uint8Array): InstanceType<Mcl['Fr']> | undefined => {
    const value = new mcl.Fr();
    try {
      value.setStr(toHex(number), 16);
    } catch {
      return undefined;
    }
    return value;
  };

  return (commitment, z, y, proof) => {
    const [c, p] = [point(commitment), point(proof)];
    const [at, value] = [scalar(z), scalar(y)];
    if (c === undefined || p === undefined || at === undefined || value === undefined) return false;
    const rest = mcl.sub(mcl.mulVec([g1, p], [value, mcl.neg(at)]), c);
    return mcl.finalExp(mcl.precomputedMillerLoop2(p, tau, rest, one)).isOne();
  };
}
