/**
 * The curve alt_bn128 for the precompiles 0x06 to 0x08, by WebAssembly.
 *
 * Upholds: what is no point of its group is refused by an exception, which the precompile's guard
 * makes a failure.
 * Spec: EIP-196, EIP-197.
 *
 * @module
 */
import { type EVMBN254Interface, EVMError } from '@ethereumjs/evm';
import { fromHex } from '../../base/bytes.ts';
import { present } from '../../base/errors.ts';
import { CURVE, Curve, isZero, openModule, PairingProduct, SIZE } from './mcl.ts';

const WORD = 32;
const G1_BYTES = 2 * WORD;
const PAIR_BYTES = 6 * WORD;
const MODULUS = present(
  fromHex('30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47'),
  'constant',
);

function refuse(): never {
  throw new EVMError(EVMError.errorMessages.BN254_FP_NOT_IN_FIELD);
}

/** The curve, over a module of its own. */
export class Bn254 implements EVMBN254Interface {
  readonly #curve: Curve;
  readonly #a: number;
  readonly #b: number;
  readonly #scalar: number;
  readonly #pairings: PairingProduct;

  private constructor(curve: Curve) {
    this.#curve = curve;
    this.#a = curve.room(SIZE.g1);
    this.#b = curve.room(SIZE.g1);
    this.#scalar = curve.room(SIZE.fr);
    this.#pairings = new PairingProduct(curve);
    // Asked for below; otherwise it is checked with the curve's equation, and again.
    curve.mcl._mclBn_verifyOrderG2(0);
  }

  /** Loads it. */
  static async open(): Promise<Bn254> {
    return new Bn254(new Curve(await openModule(CURVE.bn254), MODULUS));
  }

  add(input: Uint8Array): Uint8Array {
    const { mcl } = this.#curve;
    this.#setPoint(this.#a, input);
    this.#setPoint(this.#b, input.subarray(G1_BYTES));
    mcl._mclBnG1_add(this.#a, this.#a, this.#b);
    return this.#point(this.#a);
  }

  mul(input: Uint8Array): Uint8Array {
    const { mcl } = this.#curve;
    this.#setPoint(this.#a, input);
    this.#curve.setScalar(this.#scalar, input.subarray(G1_BYTES, G1_BYTES + WORD));
    mcl._mclBnG1_mul(this.#a, this.#a, this.#scalar);
    return this.#point(this.#a);
  }

  pairing(input: Uint8Array): Uint8Array {
    const pairings = this.#pairings;
    pairings.begin();
    for (let at = 0; at < input.length; at += PAIR_BYTES) {
      const { g1, g2 } = pairings.next;
      this.#setPoint(g1, input.subarray(at, at + G1_BYTES));
      this.#setTwist(g2, input.subarray(at + G1_BYTES, at + PAIR_BYTES));
      pairings.take();
    }
    const answer = new Uint8Array(WORD);
    answer[WORD - 1] = pairings.isOne() ? 1 : 0;
    return answer;
  }

  #setPoint(at: number, bytes: Uint8Array): void {
    const [x, y] = [bytes.subarray(0, WORD), bytes.subarray(WORD, G1_BYTES)];
    if (isZero(x) && isZero(y)) this.#curve.mcl._mclBnG1_clear(at);
    else if (!this.#curve.setG1(at, x, y)) refuse();
  }

  /** A point of G2, whose coordinates have the imaginary part first. */
  #setTwist(at: number, bytes: Uint8Array): void {
    const { mcl } = this.#curve;
    const part = (i: number): Uint8Array => bytes.subarray(WORD * i, WORD * (i + 1));
    if (isZero(bytes)) mcl._mclBnG2_clear(at);
    else if (!this.#curve.setG2(at, [part(1), part(0), part(3), part(2)])) refuse();
    else if (mcl._mclBnG2_isValidOrder(at) !== 1) refuse();
  }

  #point(at: number): Uint8Array {
    const { mcl } = this.#curve;
    const out = new Uint8Array(G1_BYTES);
    if (mcl._mclBnG1_isZero(at) === 1) return out;
    mcl._mclBnG1_normalize(at, at);
    this.#curve.getField(at, out, 0, WORD);
    this.#curve.getField(at + SIZE.fp, out, WORD, WORD);
    return out;
  }
}
