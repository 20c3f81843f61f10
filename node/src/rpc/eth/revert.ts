/**
 * What a call that failed is answered with.
 *
 * Spec: go-ethereum internal/ethapi/errors.go (revertError), accounts/abi (UnpackRevert).
 *
 * @module
 */
import { fromUtf8 } from '../../base/bytes.ts';
import { LedgerError } from '../../base/errors.ts';
import { errors, fails } from './errors.ts';
import type { EthOutcome } from './ports.ts';
import { data } from './values.ts';

/** Error(string) and Panic(uint256). */
const ERROR = '0x08c379a0';
const PANIC = '0x4e487b71';
const WORD = 32;
/** What Solidity's panics mean. */
const PANICS: ReadonlyMap<bigint, string> = new Map([
  [0x00n, 'generic panic'],
  [0x01n, 'assert(false)'],
  [0x11n, 'arithmetic underflow or overflow'],
  [0x12n, 'division or modulo by zero'],
  [0x21n, 'enum overflow'],
  [0x22n, 'invalid encoded storage byte array accessed'],
  [0x31n, 'out-of-bounds array access; popping on an empty array'],
  [0x32n, 'out-of-bounds access of an array or bytesN'],
  [0x41n, 'out of memory'],
  [0x51n, 'uninitialized function'],
]);

function wordAt(bytes: Uint8Array, at: number): bigint | undefined {
  const word = bytes.subarray(at, at + WORD);
  return word.length < WORD ? undefined : BigInt(data(word));
}

function errorText(body: Uint8Array): string | undefined {
  const size = wordAt(body, WORD);
  if (wordAt(body, 0) !== BigInt(WORD) || size === undefined) return undefined;
  if (size > BigInt(body.length - 2 * WORD)) return undefined;
  return fromUtf8(body.subarray(2 * WORD, 2 * WORD + Number(size)));
}

/** The reason that revert data gives, if it is one of Solidity's own errors. */
export function revertReason(returned: Uint8Array): string | undefined {
  const selector = data(returned.subarray(0, 4));
  const body = returned.subarray(4);
  if (selector === ERROR) return errorText(body);
  if (selector !== PANIC) return undefined;
  const code = wordAt(body, 0);
  if (code === undefined || body.length !== WORD) return undefined;
  return PANICS.get(code) ?? `unknown panic code: 0x${code.toString(16)}`;
}

/** How geth words the failures that the EVM names otherwise. */
const WORDS: ReadonlyMap<string, string> = new Map([
  ['revert', 'execution reverted'],
  ['invalid opcode', 'invalid opcode'],
  ['invalid JUMP', 'invalid jump destination'],
  ['stack overflow', 'stack limit reached'],
  ['insufficient balance', 'insufficient balance for transfer'],
  ['static state change', 'write protection'],
  ['create collision', 'contract address collision'],
  ['invalid bytecode deployed', 'invalid code: must not begin with 0xef'],
  ['initcode exceeds max initcode size', 'max initcode size exceeded'],
  ['code size to deposit exceeds maximum code size', 'max code size exceeded'],
]);

/** A failure in geth's words. */
export function failureText(error: string): string {
  return WORDS.get(error) ?? error;
}

/** The data of a call that succeeded. @throws LedgerError ethrpc/3 or ethrpc/8 if it did not */
export function returnedBy({ status, returned, error = 'failed' }: EthOutcome): Uint8Array {
  if (status === 1) return returned;
  if (error !== 'revert') return fails(failureText(error));
  const words = revertReason(returned);
  const reason = words === undefined ? 'execution reverted' : `execution reverted: ${words}`;
  throw new LedgerError(errors.Reverted, { reason, data: data(returned) });
}
