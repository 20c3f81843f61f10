/**
 * Pure functions of byte arrays that are never changed, remembered by the array itself.
 *
 * Upholds: an answer is remembered as long as its array is kept elsewhere, so nothing is bounded
 * here. Used where the same array is asked about again and again: records, account ids.
 *
 * @module
 */

/** A function of bytes. */
export type Once<T> = (bytes: Uint8Array) => T;

/** Gives `compute` a memory; it must depend on the bytes alone and never answer undefined. */
export function once<T extends object | string>(compute: (bytes: Uint8Array) => T): Once<T> {
  const known = new WeakMap<Uint8Array, T>();
  return (bytes) => {
    const before = known.get(bytes);
    if (before !== undefined) return before;
    const value = compute(bytes);
    known.set(bytes, value);
    return value;
  };
}
