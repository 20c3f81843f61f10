/**
 * Fixed-size bit arrays: which votes or parts a peer has.
 *
 * Upholds: no bit beyond the size is ever set, whatever the wire carried in the last word; wire
 * values whose words do not match their size are refused (ASA-2025-003).
 * Spec: tendermint.libs.bits.BitArray {bits int64, elems packed uint64}, least significant first.
 *
 * @module
 */
import { MAX_VALIDATORS } from '../base/limits.ts';
import { type Codec, mapped, message, packedUint64, uint } from '../base/proto.ts';
import { refuse } from '../base/wire.ts';

/** A mutable array of `size` bits. */
export class BitArray {
  readonly size: number;
  readonly #bytes: Uint8Array;

  constructor(size: number) {
    this.size = size;
    this.#bytes = new Uint8Array(Math.ceil(size / 8));
  }

  /** Bit `index`; false outside the array. */
  get(index: number): boolean {
    if (index < 0 || index >= this.size) return false;
    return (((this.#bytes[index >> 3] as number) >> (index & 7)) & 1) === 1;
  }

  /** Sets bit `index`; nothing outside the array. */
  set(index: number, value: boolean): void {
    if (index < 0 || index >= this.size) return;
    const mask = 1 << (index & 7);
    const byte = this.#bytes[index >> 3] as number;
    this.#bytes[index >> 3] = value ? byte | mask : byte & ~mask;
  }

  /** Bits set here and not in `other`, as an array of this size. */
  minus(other: BitArray): BitArray {
    return this.#combine(other, (a, b) => a & ~b);
  }

  /** Bits set here or in `other`, as an array of this size. */
  or(other: BitArray): BitArray {
    return this.#combine(other, (a, b) => a | b);
  }

  #combine(other: BitArray, op: (a: number, b: number) => number): BitArray {
    const out = new BitArray(this.size);
    for (const [i, byte] of this.#bytes.entries()) out.#bytes[i] = op(byte, other.#bytes[i] ?? 0);
    out.#mask();
    return out;
  }

  #mask(): void {
    const extra = this.size & 7;
    const last = this.#bytes.length - 1;
    if (extra !== 0 && last >= 0) {
      this.#bytes[last] = (this.#bytes[last] as number) & ((1 << extra) - 1);
    }
  }

  /** Positions of the bits that are set, ascending. */
  indexes(): number[] {
    const out: number[] = [];
    for (let i = 0; i < this.size; i++) if (this.get(i)) out.push(i);
    return out;
  }

  /** How many bits are set. */
  count(): number {
    return this.indexes().length;
  }

  /** Whether every bit is set. */
  get full(): boolean {
    return this.count() === this.size;
  }

  /** The bits, eight to a byte, least significant first. */
  bytes(): Uint8Array {
    return this.#bytes.slice();
  }

  /** `x` and `_` for set and clear, as CometBFT prints it. */
  toString(): string {
    return Array.from({ length: this.size }, (_, i) => (this.get(i) ? 'x' : '_')).join('');
  }

  /** Words of 64 bits, as the wire has them. */
  words(): bigint[] {
    const words = new Array<bigint>(Math.ceil(this.size / 64)).fill(0n);
    for (const [i, byte] of this.#bytes.entries()) {
      words[i >> 3] = (words[i >> 3] as bigint) | (BigInt(byte) << BigInt((i & 7) * 8));
    }
    return words;
  }

  /** From words of 64 bits; bits beyond `size` are dropped. */
  static ofWords(size: number, words: readonly bigint[]): BitArray {
    const out = new BitArray(size);
    for (let i = 0; i < out.#bytes.length; i++) {
      out.#bytes[i] = Number(((words[i >> 3] ?? 0n) >> BigInt((i & 7) * 8)) & 0xffn);
    }
    out.#mask();
    return out;
  }
}

type Wire = { readonly bits: number; readonly elems: readonly bigint[] };

/** tendermint.libs.bits.BitArray, of at most as many bits as there may be validators. */
export const bitArrayCodec: Codec<BitArray> = mapped(
  message<Wire>('BitArray', {
    bits: uint(1, MAX_VALIDATORS),
    elems: packedUint64(2, Math.ceil(MAX_VALIDATORS / 64)),
  }),
  (wire) => {
    if (wire.elems.length !== Math.ceil(wire.bits / 64)) {
      refuse('BitArray', `${wire.elems.length} words for ${wire.bits} bits`);
    }
    return BitArray.ofWords(wire.bits, wire.elems);
  },
  (array) => ({ bits: array.size, elems: array.words() }),
);
