/**
 * Why a call reverted, in words.
 *
 * Spec: Solidity's Error(string) and Panic(uint256); texts as geth words them.
 *
 * @module
 */
import { fromUtf8, toHex } from '../../base/bytes.ts';

const SELECTOR_BYTES = 4;
const WORD = 32;
/** Error(string) and Panic(uint256). */
const ERROR_SELECTOR = '08c379a0';
const PANIC_SELECTOR = '4e487b71';
/** Most bytes of a reason that are shown. */
const MAX_REASON = 1_024;

/** A word as a whole number, if it is a small one. */
function small(data: Uint8Array, at: number): number | undefined {
  const word = data.subarray(at, at + WORD);
  if (word.length < WORD || word.subarray(0, WORD - 4).some((byte) => byte !== 0)) return undefined;
  return word.subarray(WORD - 4).reduce((value, byte) => value * 256 + byte, 0);
}

function reasonOf(data: Uint8Array): string | undefined {
  if (small(data, 0) !== WORD) return undefined;
  const size = small(data, WORD);
  if (size === undefined || size > MAX_REASON) return undefined;
  const bytes = data.subarray(2 * WORD, 2 * WORD + size);
  return bytes.length === size ? fromUtf8(bytes) : undefined;
}

/** `execution reverted`, with the reason that the data gives. */
export function revertText(returned: Uint8Array): string {
  const text = 'execution reverted';
  if (returned.length < SELECTOR_BYTES) return text;
  const selector = toHex(returned.subarray(0, SELECTOR_BYTES));
  const data = returned.subarray(SELECTOR_BYTES);
  if (selector === ERROR_SELECTOR) {
    const reason = reasonOf(data);
    return reason === undefined ? text : `${text}: ${reason}`;
  }
  if (selector !== PANIC_SELECTOR) return `${text}: custom error 0x${selector}`;
  const code = small(data, 0);
  return code === undefined ? text : `${text}: panic 0x${code.toString(16).padStart(2, '0')}`;
}
