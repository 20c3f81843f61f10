/**
 * Random numbers from a seed: the only chance in the simulator.
 *
 * Upholds: the same seed gives the same numbers on every machine; `fork` gives a stream of its own,
 * so that one part drawing more numbers does not shift those of another.
 * Source: sfc32 (PractRand), seeded by SplitMix-like mixing of the seed and a name.
 *
 * @module
 */

function mix(value: number): number {
  let z = (value + 0x9e3779b9) | 0;
  z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
  z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
  return (z ^ (z >>> 15)) >>> 0;
}

/** A stream of random numbers. */
export class Prng {
  readonly #seed: number;
  #a: number;
  #b: number;
  #c: number;
  #count = 1;

  constructor(seed: number) {
    this.#seed = seed >>> 0;
    this.#a = mix(seed);
    this.#b = mix(this.#a);
    this.#c = mix(this.#b);
    for (let i = 0; i < 12; i++) this.#next();
  }

  #next(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#count) | 0;
    this.#count = (this.#count + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    return sum >>> 0;
  }

  /** A stream of its own for a part of the simulation. */
  fork(name: string): Prng {
    let seed = this.#seed;
    for (let i = 0; i < name.length; i++) seed = mix(seed ^ name.charCodeAt(i));
    return new Prng(seed);
  }

  /** A number in 0 … 1, 1 excluded. */
  unit(): number {
    return this.#next() / 2 ** 32;
  }

  /** A whole number in `from` … `to`, both included. */
  int(from: number, to: number): number {
    return from + Math.floor(this.unit() * (to - from + 1));
  }

  /** True with this probability. */
  chance(probability: number): boolean {
    return this.unit() < probability;
  }

  /** One of the items, of which there is at least one. */
  pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.unit() * items.length)] as T;
  }

  /** The items in a random order. */
  shuffle<T>(items: readonly T[]): T[] {
    const out = [...items];
    for (let i = out.length - 1; i > 0; i--) {
      const j = this.int(0, i);
      [out[i], out[j]] = [out[j] as T, out[i] as T];
    }
    return out;
  }

  /** Random bytes. */
  bytes(size: number): Uint8Array {
    return Uint8Array.from({ length: size }, () => this.#next() & 0xff);
  }
}
