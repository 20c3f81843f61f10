/**
 * Short texts that come again and again (addresses, type URLs, denominations), each made from its
 * bytes once.
 *
 * Upholds: the answer is what decoding the bytes gives. Bounded: a table of fixed size in which a
 * text displaces another of the same place.
 *
 * Pure; runs in a browser.
 *
 * @module
 */
import { fromUtf8 } from './bytes.ts';

const PLACES = 1_024;
/** Most bytes of a text that is remembered. */
const MAX_BYTES = 64;

type Term = { readonly bytes: Uint8Array; readonly text: string };

const terms: (Term | undefined)[] = new Array<Term | undefined>(PLACES).fill(undefined);

/** The text of the bytes from `from` to `to`; `undefined` if they are not well-formed UTF-8. */
export function termAt(bytes: Uint8Array, from: number, to: number): string | undefined {
  const size = to - from;
  if (size > MAX_BYTES) return fromUtf8(bytes.subarray(from, to));
  const place = placeOf(bytes, from, to);
  const term = terms[place];
  if (term !== undefined && isAt(term.bytes, bytes, from, size)) return term.text;
  const copy = bytes.slice(from, to);
  const text = fromUtf8(copy);
  if (text !== undefined) terms[place] = { bytes: copy, text };
  return text;
}

/** By the last bytes: texts of one kind often begin alike. */
function placeOf(bytes: Uint8Array, from: number, to: number): number {
  let place = to - from;
  for (let i = Math.max(from, to - 6); i < to; i++) place = place * 31 + (bytes[i] as number);
  return place % PLACES;
}

function isAt(term: Uint8Array, bytes: Uint8Array, from: number, size: number): boolean {
  if (term.length !== size) return false;
  for (let i = 0; i < size; i++) if (term[i] !== bytes[from + i]) return false;
  return true;
}
