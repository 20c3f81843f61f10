/**
 * Calls between contracts: what they cost, and the message they become.
 *
 * Spec: EIP-150 (63/64), 161, 2929, 7702; yellow paper, appendix H.
 *
 * @module
 */
import { EMPTY } from '../../base/bytes.ts';
import { type Frame, halt, MAX_DEPTH } from './frame.ts';
import type { Message } from './message.ts';
import { DELEGATION_BYTES } from './records.ts';
import { addressBytes } from './word-operations.ts';

const CALL = 0xf1;
const CALL_CODE = 0xf2;
const DELEGATE_CALL = 0xf4;
const STATIC_CALL = 0xfa;
const WARM_GAS = 100;
const COLD_GAS = 2_600;
const VALUE_GAS = 9_000;
const NEW_ACCOUNT_GAS = 25_000;
const STIPEND = 2_300;
const KIND: Readonly<Record<number, Message['kind']>> = {
  [CALL]: 'call',
  [CALL_CODE]: 'callcode',
  [DELEGATE_CALL]: 'delegatecall',
  [STATIC_CALL]: 'staticcall',
};

/** Whether an operation is a call. */
export function isCall(op: number): boolean {
  return op === CALL || op === STATIC_CALL || op === DELEGATE_CALL || op === CALL_CODE;
}

/** The address that an account's code stands at, if it is a delegation. */
export function delegateOf(code: Uint8Array): Uint8Array | undefined {
  const [a, b, c] = code;
  const is = code.length === DELEGATION_BYTES && a === 0xef && b === 0x01 && c === 0x00;
  return is ? code.subarray(3) : undefined;
}

function payAccess(f: Frame, address: Uint8Array): void {
  f.charge(f.evm.warm.warmAddress(address) ? COLD_GAS : WARM_GAS);
}

/** Pays for moving value. */
function payValue(f: Frame, op: number, target: Uint8Array): void {
  if (op === CALL) f.forbidStatic();
  f.charge(VALUE_GAS);
  if (op === CALL && f.evm.flat.account(target) === undefined) f.charge(NEW_ACCOUNT_GAS);
}

/** Takes an operation's operands and its price. @returns nothing if it fails without a run */
export function payCall(f: Frame, op: number): Message | undefined {
  const valued = op === CALL || op === CALL_CODE;
  if (f.sp < (valued ? 7 : 6)) halt('STACK_UNDERFLOW');
  const wish = f.pop();
  const target = addressBytes(f.pop());
  const value = valued ? f.pop() : 0n;
  const inOffset = f.pop();
  const inSize = f.pop();
  const outOffset = f.pop();
  const outSize = f.pop();
  const inAt = f.touch(inOffset, inSize);
  f.outAt = f.touch(outOffset, outSize);
  f.outSize = Number(outSize);
  payAccess(f, target);
  if (value > 0n) payValue(f, op, target);
  const delegate = delegateOf(f.evm.flat.code(target));
  if (delegate !== undefined) payAccess(f, delegate);
  const { most } = f;
  const given = wish < most ? wish : most;
  if (value > 0n) f.charge(-STIPEND);
  f.returned = EMPTY;
  const { depth, self } = f.message;
  if (depth >= MAX_DEPTH || (value > 0n && f.evm.flat.balance(self) < value)) {
    f.push(0n);
    return undefined;
  }
  const data = inSize === 0n ? EMPTY : f.memory.subarray(inAt, inAt + Number(inSize));
  return messageOf(f, op, target, value, data, value > 0n ? given + BigInt(STIPEND) : given);
}

function messageOf(
  { message: { depth, caller, self, value: shown, isStatic } }: Frame,
  op: number,
  target: Uint8Array,
  value: bigint,
  data: Uint8Array,
  gas: bigint,
): Message {
  const delegates = op === DELEGATE_CALL;
  return {
    kind: KIND[op] ?? 'call',
    depth: depth + 1,
    caller: delegates ? caller : self,
    self: delegates || op === CALL_CODE ? self : target,
    codeAt: target,
    value: delegates ? shown : value,
    data,
    gas,
    isStatic: isStatic || op === STATIC_CALL,
    code: undefined,
  };
}
