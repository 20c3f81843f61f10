/**
 * The curve BLS12-381 for the precompiles 0x0b to 0x11: the library's, with sums of two points that
 * pass no text, as they cost least gas.
 *
 * Upholds: what is no point of the curve is refused by an exception, which the precompile's guard
 * makes a failure. A sum asks of its points to be on the curve, not in the group.
 * Spec: EIP-2537.
 *
 * @module
 */
import { EVMError, MCLBLS } from '@ethereumjs/evm';
import { fromHex } from '../../base/bytes.ts';
import { present } from '../../base/errors.ts';
import { type Coordinates, Curve, isZero, type MclModule, SIZE } from './mcl.ts';

type Mcl = typeof import('mcl-wasm');

/** Bytes of a coordinate in the input; 16 zeros stand before its 48. */
const COORDINATE = 64;
const PADDING = 16;
const G1_BYTES = 2 * COORDINATE;
const G2_BYTES = 4 * COORDINATE;
const MODULUS = present(
  fromHex(
    [
      '1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f624',
      '1eabfffeb153ffffb9feffffffffaaab',
    ].join(''),
  ),
  'constant',
);

function coordinate(bytes: Uint8Array, index: number): Uint8Array {
  return bytes.subarray(index * COORDINATE + PADDING, (index + 1) * COORDINATE);
}

/** The curve. */
export class Bls extends MCLBLS {
  readonly #curve: Curve;
  readonly #a: number;
  readonly #b: number;

  /** @param mcl - initialised for BLS12-381 */
  constructor(mcl: Mcl) {
    super(mcl);
    this.init();
    // The library has its module, though its types do not say so.
    const curve = new Curve((mcl as unknown as { readonly mod: MclModule }).mod, MODULUS);
    this.#curve = curve;
    this.#a = curve.room(SIZE.g2);
    this.#b = curve.room(SIZE.g2);
  }

  override addG1(input: Uint8Array): Uint8Array {
    const { mcl } = this.#curve;
    mcl._mclBn_verifyOrderG1(0);
    this.#setG1(this.#a, input.subarray(0, G1_BYTES));
    this.#setG1(this.#b, input.subarray(G1_BYTES));
    mcl._mclBnG1_add(this.#a, this.#a, this.#b);
    const out = new Uint8Array(G1_BYTES);
    if (mcl._mclBnG1_isZero(this.#a) === 1) return out;
    mcl._mclBnG1_normalize(this.#a, this.#a);
    this.#get(out, 2);
    return out;
  }

  override addG2(input: Uint8Array): Uint8Array {
    const { mcl } = this.#curve;
    mcl._mclBn_verifyOrderG2(0);
    this.#setG2(this.#a, input.subarray(0, G2_BYTES));
    this.#setG2(this.#b, input.subarray(G2_BYTES));
    mcl._mclBnG2_add(this.#a, this.#a, this.#b);
    const out = new Uint8Array(G2_BYTES);
    if (mcl._mclBnG2_isZero(this.#a) === 1) return out;
    mcl._mclBnG2_normalize(this.#a, this.#a);
    this.#get(out, 4);
    return out;
  }

  #get(out: Uint8Array, count: number): void {
    for (let i = 0; i < count; i++) {
      this.#curve.getField(this.#a + i * SIZE.fp, out, i * COORDINATE, COORDINATE);
    }
  }

  #setG1(at: number, bytes: Uint8Array): void {
    if (isZero(bytes)) this.#curve.mcl._mclBnG1_clear(at);
    else if (!this.#curve.setG1(at, coordinate(bytes, 0), coordinate(bytes, 1))) refuse();
  }

  #setG2(at: number, bytes: Uint8Array): void {
    const parts = [0, 1, 2, 3].map((i) => coordinate(bytes, i)) as Coordinates;
    if (isZero(bytes)) this.#curve.mcl._mclBnG2_clear(at);
    else if (!this.#curve.setG2(at, parts)) refuse();
  }
}

function refuse(): never {
  throw new EVMError(EVMError.errorMessages.BLS_12_381_POINT_NOT_ON_CURVE);
}
