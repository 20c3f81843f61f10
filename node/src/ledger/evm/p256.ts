/**
 * ECDSA signatures over P-256, checked by WebAssembly.
 *
 * Upholds: total; what is no signature or no key of the curve verifies nothing. Both values of s
 * that sign the same are taken.
 * Spec: EIP-7951; FIPS 186-5, section 6.4.2.
 *
 * @module
 */
import { fromHex } from '../../base/bytes.ts';
import { present } from '../../base/errors.ts';
import { CURVE, Curve, isZero, type MclModule, openModule, SIZE } from './mcl.ts';

/** Checks 160 bytes: hash, r, s, and the key's coordinates x and y. */
export type VerifyP256 = (input: Uint8Array) => boolean;

const WORD = 32;
const hex = (text: string): Uint8Array => present(fromHex(text), 'constant');
const MODULUS = hex('ffffffff00000001000000000000000000000000ffffffffffffffffffffffff');
const ORDER = hex('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551');

/** Whether a number is above 0 and below the order. */
function isScalar(bytes: Uint8Array): boolean {
  for (let i = 0; i < WORD; i++) {
    const [a, b] = [bytes[i] as number, ORDER[i] as number];
    if (a !== b) return a < b && !isZero(bytes);
  }
  return false;
}

/** A check over a module of its own. */
export async function p256Verifier(): Promise<VerifyP256> {
  return verifierOver(await openModule(CURVE.p256));
}

function verifierOver(mcl: MclModule): VerifyP256 {
  const curve = new Curve(mcl, MODULUS);
  // Beside each other, as the module takes sums of products: the base point and the key.
  const base = curve.room(2 * SIZE.g1);
  const key = base + SIZE.g1;
  const factors = curve.room(2 * SIZE.fr);
  const [ofBase, ofKey] = [factors, factors + SIZE.fr];
  const [r, inverse, found] = [SIZE.fr, SIZE.fr, SIZE.fr].map((n) => curve.room(n)) as Three;
  const sum = curve.room(SIZE.g1);
  const x = new Uint8Array(WORD);
  mcl._mclBnG1_getBasePoint(base);

  return (input) => {
    const [hash, rBytes, sBytes, keyX, keyY] = [0, 1, 2, 3, 4].map((i) =>
      input.subarray(WORD * i, WORD * (i + 1)),
    ) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array];
    if (!isScalar(rBytes) || !isScalar(sBytes) || !curve.setG1(key, keyX, keyY)) return false;
    curve.setScalar(r, rBytes);
    curve.setScalar(inverse, sBytes);
    mcl._mclBnFr_inv(inverse, inverse);
    curve.setScalar(ofBase, hash);
    mcl._mclBnFr_mul(ofBase, ofBase, inverse);
    mcl._mclBnFr_mul(ofKey, r, inverse);
    mcl._mclBnG1_mulVec(sum, base, factors, 2);
    if (mcl._mclBnG1_isZero(sum) === 1) return false;
    mcl._mclBnG1_normalize(sum, sum);
    curve.getField(sum, x, 0, WORD);
    curve.setScalar(found, x);
    return mcl._mclBnFr_isEqual(found, r) === 1;
  };
}

type Three = [number, number, number];
