/**
 * Calls between contracts: what they cost, and the message they become.
 *
 * Spec: EIP-150 (63/64), 161, 2929, 7702; yellow paper, appendix H.
 *
 * @module
 */
import { Message } from '@ethereumjs/evm';
import { Address } from '@ethereumjs/util';
import { type Frame, halt } from './frame.ts';
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
const STIPEND = 2_300n;

/** Whether an operation is a call. */
export function isCall(op: number): boolean {
  return op === CALL || op === STATIC_CALL || op === DELEGATE_CALL || op === CALL_CODE;
}

/** A call that is paid for. */
export type PaidCall = {
  readonly message: Message;
  /** Where the answer goes, and how much of it at most. */
  readonly outAt: number;
  readonly outSize: number;
};

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

/** Takes an operation's operands and its price. */
export function payCall(f: Frame, op: number): PaidCall {
  const valued = op === CALL || op === CALL_CODE;
  if (f.sp < (valued ? 7 : 6)) halt('STACK_UNDERFLOW');
  const wish = f.pop();
  const target = addressBytes(f.pop());
  const value = valued ? f.pop() : 0n;
  const [inOffset, inSize, outOffset, outSize] = [f.pop(), f.pop(), f.pop(), f.pop()];
  const inAt = f.touch(inOffset, inSize);
  const outAt = f.touch(outOffset, outSize);
  payAccess(f, target);
  if (value > 0n) payValue(f, op, target);
  const delegate = delegateOf(f.evm.flat.code(target));
  if (delegate !== undefined) payAccess(f, delegate);
  const left = f.gasLeft;
  const most = left - left / 64n;
  const given = wish < most ? wish : most;
  const data = f.memory.subarray(inAt, inAt + Number(inSize));
  const gasLimit = value > 0n ? given + STIPEND : given;
  if (value > 0n) f.charge(-Number(STIPEND));
  const message = messageOf(f, op, new Address(target), { value, data, gasLimit });
  return { message, outAt, outSize: Number(outSize) };
}

function messageOf(
  { run: { env } }: Frame,
  op: number,
  target: Address,
  rest: { readonly value: bigint; readonly data: Uint8Array; readonly gasLimit: bigint },
): Message {
  const { blobVersionedHashes } = env;
  const depth = env.depth + 1;
  const common = { ...rest, depth, isStatic: env.isStatic, blobVersionedHashes };
  switch (op) {
    case CALL:
      return new Message({ ...common, caller: env.address, to: target });
    case STATIC_CALL:
      return new Message({ ...common, caller: env.address, to: target, isStatic: true });
    case CALL_CODE:
      return new Message({
        ...common,
        caller: env.address,
        to: env.address,
        codeAddress: target,
      });
    default:
      return new Message({
        ...common,
        caller: env.caller,
        to: env.address,
        codeAddress: target,
        value: env.callValue,
        delegatecall: true,
      });
  }
}
