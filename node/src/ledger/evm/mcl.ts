/**
 * The curve library's WebAssembly module, used by addresses in its memory.
 *
 * The library's own face keeps one curve for a whole process and passes numbers as text. Here each
 * curve has an instance of the module, and numbers are copied as bytes.
 * Upholds: a number that is not below the field's modulus, or a point off the curve, is not taken.
 * Absent here: curves' uses (p256.ts, bn254.ts, bls.ts).
 *
 * @module
 */
import { invariant } from '../../base/errors.ts';

/** Curves by the library's numbers. */
export const CURVE = { bn254: 4, p256: 107 } as const;

type Unary = (out: number, a: number) => number;
type Binary = (out: number, a: number, b: number) => number;
type Ask = (a: number) => number;
type FromBytes = (out: number, bytes: number, size: number) => number;
type Many = (out: number, a: number, b: number, count: number) => number;

/** What is used of the module. Each function takes addresses and answers 0 or a truth. */
export type MclModule = {
  readonly HEAP8: Int8Array;
  readonly _malloc: (size: number) => number;
  readonly _mclBn_init: (curve: number, version: number) => number;
  readonly _mclBn_verifyOrderG1: (on: number) => void;
  readonly _mclBn_verifyOrderG2: (on: number) => void;
  readonly _mclBnFp_setBigEndianMod: FromBytes;
  readonly _mclBnFp_getLittleEndian: (bytes: number, size: number, a: number) => number;
  readonly _mclBnFp_setInt32: (out: number, value: number) => void;
  readonly _mclBnFr_setBigEndianMod: FromBytes;
  readonly _mclBnFr_setLittleEndianMod: FromBytes;
  readonly _mclBnFr_isEqual: (a: number, b: number) => number;
  readonly _mclBnFr_inv: Unary;
  readonly _mclBnFr_mul: Binary;
  readonly _mclBnG1_getBasePoint: Ask;
  readonly _mclBnG1_clear: Ask;
  readonly _mclBnG1_isValid: Ask;
  readonly _mclBnG1_isValidOrder: Ask;
  readonly _mclBnG1_isZero: Ask;
  readonly _mclBnG1_normalize: Unary;
  readonly _mclBnG1_add: Binary;
  readonly _mclBnG1_mul: Binary;
  readonly _mclBnG1_mulVec: Many;
  readonly _mclBnG2_clear: Ask;
  readonly _mclBnG2_isValid: Ask;
  readonly _mclBnG2_isValidOrder: Ask;
  readonly _mclBnG2_isZero: Ask;
  readonly _mclBnG2_normalize: Unary;
  readonly _mclBnG2_add: Binary;
  readonly _mclBnG2_mulVec: Many;
  readonly _mclBn_millerLoopVec: Many;
  readonly _mclBn_finalExp: Unary;
  readonly _mclBnGT_mul: Binary;
  readonly _mclBnGT_setInt32: (out: number, value: number) => void;
  readonly _mclBnGT_isOne: Ask;
};

/** Bytes of values in the module's memory. */
export const SIZE = { fp: 48, fr: 32, g1: 144, g2: 288, gt: 576 } as const;
/** How the module was compiled; it checks this. */
const VERSION = 46;
/** Most bytes that are copied in one go. */
const BUFFER_BYTES = 64;

/** Pairs whose pairings are computed in one go. */
const BATCH = 16;

/** A module on a curve of its own. */
export async function openModule(curve: number): Promise<MclModule> {
  const { default: create } = await import('mcl-wasm/dist/mcl_c.js');
  // Randomness is asked for by functions that are not called here.
  const module = (await create({ cryptoGetRandomValues: () => undefined })) as MclModule;
  invariant(module._mclBn_init(curve, VERSION) === 0, 'the curve is known');
  return module;
}

/** A curve: numbers of its field and points of its groups, by address. */
export class Curve {
  readonly mcl: MclModule;
  /** Bytes of the field's modulus, most significant first. */
  readonly #modulus: Uint8Array;
  readonly #buffer: number;

  constructor(mcl: MclModule, modulus: Uint8Array) {
    this.mcl = mcl;
    this.#modulus = modulus;
    this.#buffer = mcl._malloc(BUFFER_BYTES);
  }

  /** Room for a value, for good. */
  room(size: number): number {
    return this.mcl._malloc(size);
  }

  /** Copies bytes to where the module finds them. */
  put(bytes: Uint8Array): number {
    this.mcl.HEAP8.set(bytes, this.#buffer);
    return this.#buffer;
  }

  /** Whether the bytes are a number of the field; as many bytes as the modulus has. */
  isField(bytes: Uint8Array): boolean {
    const modulus = this.#modulus;
    for (let i = 0; i < modulus.length; i++) {
      const [a, b] = [bytes[i] as number, modulus[i] as number];
      if (a !== b) return a < b;
    }
    return false;
  }

  /** Sets a number of the field. @returns whether it is one */
  setField(at: number, bytes: Uint8Array): boolean {
    if (!this.isField(bytes)) return false;
    this.mcl._mclBnFp_setBigEndianMod(at, this.put(bytes), bytes.length);
    return true;
  }

  /** Sets a scalar, of which the order's multiples do not count. */
  setScalar(at: number, bytes: Uint8Array): void {
    this.mcl._mclBnFr_setBigEndianMod(at, this.put(bytes), bytes.length);
  }

  /** Writes a number of the field into `out`, right-aligned in `size` bytes from `offset`. */
  getField(at: number, out: Uint8Array, offset: number, size: number): void {
    const from = this.#buffer;
    const length = this.mcl._mclBnFp_getLittleEndian(from, BUFFER_BYTES, at);
    const { HEAP8 } = this.mcl;
    const last = offset + size - 1;
    // Zeros at its front are left out.
    out.fill(0, offset, offset + size);
    for (let i = 0; i < length; i++) out[last - i] = HEAP8[from + i] as number;
  }

  /** Sets a point of G1 by its coordinates. @returns whether it is on the curve */
  setG1(at: number, x: Uint8Array, y: Uint8Array): boolean {
    const { mcl } = this;
    if (!this.setField(at, x) || !this.setField(at + SIZE.fp, y)) return false;
    mcl._mclBnFp_setInt32(at + 2 * SIZE.fp, 1);
    return mcl._mclBnG1_isValid(at) === 1;
  }

  /** Sets a point of G2 by its coordinates. @returns whether it is on the curve */
  setG2(at: number, [x0, x1, y0, y1]: Coordinates): boolean {
    const { mcl } = this;
    const { fp } = SIZE;
    if (!this.setField(at, x0) || !this.setField(at + fp, x1)) return false;
    if (!this.setField(at + 2 * fp, y0) || !this.setField(at + 3 * fp, y1)) return false;
    mcl._mclBnFp_setInt32(at + 4 * fp, 1);
    mcl._mclBnFp_setInt32(at + 5 * fp, 0);
    return mcl._mclBnG2_isValid(at) === 1;
  }
}

/** A product of pairings, computed in batches: their squarings are shared. */
export class PairingProduct {
  readonly #mcl: MclModule;
  readonly #g1s: number;
  readonly #g2s: number;
  readonly #product: number;
  readonly #factor: number;
  #count = 0;

  constructor({ mcl }: Curve) {
    this.#mcl = mcl;
    this.#g1s = mcl._malloc(BATCH * SIZE.g1);
    this.#g2s = mcl._malloc(BATCH * SIZE.g2);
    this.#product = mcl._malloc(SIZE.gt);
    this.#factor = mcl._malloc(SIZE.gt);
  }

  /** Begins anew. */
  begin(): void {
    this.#count = 0;
    this.#mcl._mclBnGT_setInt32(this.#product, 1);
  }

  /** Where the points of the next pair are to be written. */
  get next(): { readonly g1: number; readonly g2: number } {
    const { g1, g2 } = SIZE;
    return { g1: this.#g1s + g1 * this.#count, g2: this.#g2s + g2 * this.#count };
  }

  /** Takes the pair that was written. */
  take(): void {
    const { g1, g2 } = this.next;
    // The pairing of nothing is one.
    if (this.#mcl._mclBnG1_isZero(g1) === 1 || this.#mcl._mclBnG2_isZero(g2) === 1) return;
    this.#count++;
    if (this.#count === BATCH) this.#multiply();
  }

  #multiply(): void {
    if (this.#count === 0) return;
    this.#mcl._mclBn_millerLoopVec(this.#factor, this.#g1s, this.#g2s, this.#count);
    this.#mcl._mclBnGT_mul(this.#product, this.#product, this.#factor);
    this.#count = 0;
  }

  /** Whether the product of all pairs is one. */
  isOne(): boolean {
    this.#multiply();
    this.#mcl._mclBn_finalExp(this.#product, this.#product);
    return this.#mcl._mclBnGT_isOne(this.#product) === 1;
  }
}

/** Coordinates of G2: of x and of y, the real part first. */
export type Coordinates = [x0: Uint8Array, x1: Uint8Array, y0: Uint8Array, y1: Uint8Array];

/** Whether all bytes are zero. */
export function isZero(bytes: Uint8Array): boolean {
  for (const byte of bytes) if (byte !== 0) return false;
  return true;
}
