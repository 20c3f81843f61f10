/**
 * The curve BLS12-381 for the precompiles 0x0b to 0x11: sums, multiples and pairings pass no text,
 * as they cost little gas; maps are the library's.
 *
 * Upholds: what is no point of the curve is refused by an exception, which the precompile's guard
 * makes a failure. A sum asks of its points to be on the curve, not in the group; all else asks for
 * both.
 * Spec: EIP-2537.
 *
 * @module
 */
import { EVMError, MCLBLS } from '@ethereumjs/evm';
import { fromHex } from '../../base/bytes.ts';
import { present } from '../../base/errors.ts';
import { type Coordinates, Curve, isZero, type MclModule, PairingProduct, SIZE } from './mcl.ts';

type Mcl = typeof import('mcl-wasm');

/** Bytes of a coordinate in the input; 16 zeros stand before its 48. */
const COORDINATE = 64;
const PADDING = 16;
const G1_BYTES = 2 * COORDINATE;
const G2_BYTES = 4 * COORDINATE;
const SCALAR_BYTES = 32;
const PAIR_BYTES = G1_BYTES + G2_BYTES;
/** Most terms of a sum of multiples that are computed in one go; the gas of more has no rebate. */
const TERMS = 128;
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

/** One of the two groups: how its points are read, checked, added and written. */
type Group = {
  readonly bytes: number;
  readonly coordinates: number;
  readonly size: number;
  readonly set: (at: number, bytes: Uint8Array) => void;
  readonly isInGroup: (at: number) => boolean;
  readonly clear: (at: number) => void;
  readonly isZero: (at: number) => boolean;
  readonly normalize: (at: number) => void;
  readonly add: (out: number, a: number, b: number) => void;
  readonly mulVec: (out: number, points: number, scalars: number, count: number) => void;
};

function groupOne(curve: Curve): Group {
  const { mcl } = curve;
  return {
    bytes: G1_BYTES,
    coordinates: 2,
    size: SIZE.g1,
    set(at, bytes) {
      if (isZero(bytes)) mcl._mclBnG1_clear(at);
      else if (!curve.setG1(at, coordinate(bytes, 0), coordinate(bytes, 1))) refuse();
    },
    isInGroup: (at) => mcl._mclBnG1_isZero(at) === 1 || mcl._mclBnG1_isValidOrder(at) === 1,
    clear: mcl._mclBnG1_clear,
    isZero: (at) => mcl._mclBnG1_isZero(at) === 1,
    normalize: (at) => mcl._mclBnG1_normalize(at, at),
    add: mcl._mclBnG1_add,
    mulVec: mcl._mclBnG1_mulVec,
  };
}

function groupTwo(curve: Curve): Group {
  const { mcl } = curve;
  return {
    bytes: G2_BYTES,
    coordinates: 4,
    size: SIZE.g2,
    set(at, bytes) {
      const parts = [0, 1, 2, 3].map((i) => coordinate(bytes, i)) as Coordinates;
      if (isZero(bytes)) mcl._mclBnG2_clear(at);
      else if (!curve.setG2(at, parts)) refuse();
    },
    isInGroup: (at) => mcl._mclBnG2_isZero(at) === 1 || mcl._mclBnG2_isValidOrder(at) === 1,
    clear: mcl._mclBnG2_clear,
    isZero: (at) => mcl._mclBnG2_isZero(at) === 1,
    normalize: (at) => mcl._mclBnG2_normalize(at, at),
    add: mcl._mclBnG2_add,
    mulVec: mcl._mclBnG2_mulVec,
  };
}

/** The curve. */
export class Bls extends MCLBLS {
  readonly #curve: Curve;
  readonly #one: Group;
  readonly #two: Group;
  readonly #sum: number;
  readonly #term: number;
  readonly #points: number;
  readonly #scalars: number;
  readonly #pairings: PairingProduct;

  /** @param mcl - initialised for BLS12-381 */
  constructor(mcl: Mcl) {
    super(mcl);
    this.init();
    // The library has its module, though its types do not say so.
    const curve = new Curve((mcl as unknown as { readonly mod: MclModule }).mod, MODULUS);
    // Asked for below where it counts; else the curve's equation asks for it too, and again.
    curve.mcl._mclBn_verifyOrderG1(0);
    curve.mcl._mclBn_verifyOrderG2(0);
    this.#curve = curve;
    this.#one = groupOne(curve);
    this.#two = groupTwo(curve);
    this.#sum = curve.room(SIZE.g2);
    this.#term = curve.room(SIZE.g2);
    this.#points = curve.room(TERMS * SIZE.g2);
    this.#scalars = curve.room(TERMS * SIZE.fr);
    this.#pairings = new PairingProduct(curve);
  }

  override addG1(input: Uint8Array): Uint8Array {
    return this.#add(this.#one, input);
  }

  override addG2(input: Uint8Array): Uint8Array {
    return this.#add(this.#two, input);
  }

  override msmG1(input: Uint8Array): Uint8Array {
    return this.#sumOfMultiples(this.#one, input);
  }

  override msmG2(input: Uint8Array): Uint8Array {
    return this.#sumOfMultiples(this.#two, input);
  }

  override pairingCheck(input: Uint8Array): Uint8Array {
    const pairings = this.#pairings;
    pairings.begin();
    for (let at = 0; at < input.length; at += PAIR_BYTES) {
      const { g1, g2 } = pairings.next;
      setMember(this.#one, g1, input.subarray(at, at + G1_BYTES));
      setMember(this.#two, g2, input.subarray(at + G1_BYTES, at + PAIR_BYTES));
      pairings.take();
    }
    const answer = new Uint8Array(32);
    answer[31] = pairings.isOne() ? 1 : 0;
    return answer;
  }

  #add(group: Group, input: Uint8Array): Uint8Array {
    group.set(this.#sum, input.subarray(0, group.bytes));
    group.set(this.#term, input.subarray(group.bytes));
    group.add(this.#sum, this.#sum, this.#term);
    return this.#answer(group);
  }

  #sumOfMultiples(group: Group, input: Uint8Array): Uint8Array {
    const pairBytes = group.bytes + SCALAR_BYTES;
    group.clear(this.#sum);
    for (let from = 0; from < input.length; from += TERMS * pairBytes) {
      const count = Math.min(TERMS, (input.length - from) / pairBytes);
      for (let i = 0; i < count; i++) {
        const pair = input.subarray(from + i * pairBytes, from + (i + 1) * pairBytes);
        setMember(group, this.#points + i * group.size, pair.subarray(0, group.bytes));
        this.#curve.setScalar(this.#scalars + i * SIZE.fr, pair.subarray(group.bytes));
      }
      group.mulVec(this.#term, this.#points, this.#scalars, count);
      group.add(this.#sum, this.#sum, this.#term);
    }
    return this.#answer(group);
  }

  /** The bytes of the sum. */
  #answer(group: Group): Uint8Array {
    const out = new Uint8Array(group.bytes);
    if (group.isZero(this.#sum)) return out;
    group.normalize(this.#sum);
    for (let i = 0; i < group.coordinates; i++) {
      this.#curve.getField(this.#sum + i * SIZE.fp, out, i * COORDINATE, COORDINATE);
    }
    return out;
  }
}

function setMember(group: Group, at: number, bytes: Uint8Array): void {
  group.set(at, bytes);
  if (!group.isInGroup(at)) refuse();
}

function refuse(): never {
  throw new EVMError(EVMError.errorMessages.BLS_12_381_POINT_NOT_ON_CURVE);
}
