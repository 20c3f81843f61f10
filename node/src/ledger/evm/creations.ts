/**
 * Creation and destruction of contracts: what they cost, and the message a creation becomes.
 *
 * Spec: yellow paper, appendix H; EIP-1014 (CREATE2), 2681 (nonces), 3860 (init code), 6780
 * (SELFDESTRUCT).
 *
 * @module
 */
import { concatBytes, EMPTY } from '../../base/bytes.ts';
import { encodeRlp, integerBytes } from '../ethereum/rlp.ts';
import { keccak256 } from '../keccak.ts';
import { type Frame, halt, MAX_DEPTH, type Operation, wordsOf } from './frame.ts';
import type { Message } from './message.ts';
import { wordBytes, wordHex } from './records.ts';
import { addressBytes } from './word-operations.ts';

const CREATE = 0xf0;
const CREATE_2 = 0xf5;
const CREATE_GAS = 32_000;
const INIT_WORD_GAS = 2;
const HASH_WORD_GAS = 6;
const COLD_GAS = 2_600;
const NEW_ACCOUNT_GAS = 25_000;
const MAX_NONCE = 2n ** 64n - 1n;
const CREATE_2_MARK = Uint8Array.of(0xff);
/** Most bytes of init code (EIP-3860). */
export const MAX_INIT_CODE_BYTES = 49_152;

/** Whether an operation is a creation. */
export function isCreate(op: number): boolean {
  return op === CREATE || op === CREATE_2;
}

/** The address of what an account creates with this nonce. */
export function addressByNonce(creator: Uint8Array, nonce: bigint): Uint8Array {
  return keccak256(encodeRlp([creator, integerBytes(nonce)])).slice(12);
}

function addressBySalt(creator: Uint8Array, salt: bigint, initCode: Uint8Array): Uint8Array {
  const salted = wordBytes(wordHex(salt));
  return keccak256(concatBytes(CREATE_2_MARK, creator, salted, keccak256(initCode))).slice(12);
}

/** Takes an operation's operands and its price. @returns nothing if it fails without a run */
export function payCreation(f: Frame, op: number): Message | undefined {
  const salted = op === CREATE_2;
  if (f.sp < (salted ? 4 : 3)) halt('STACK_UNDERFLOW');
  f.forbidStatic();
  const [value, offset, size] = [f.pop(), f.pop(), f.pop()];
  const salt = salted ? f.pop() : undefined;
  if (size > BigInt(MAX_INIT_CODE_BYTES)) halt('INITCODE_SIZE_VIOLATION');
  const bytes = Number(size);
  const wordGas = INIT_WORD_GAS + (salted ? HASH_WORD_GAS : 0);
  f.charge(CREATE_GAS + wordGas * wordsOf(bytes));
  const at = f.touch(offset, size);
  f.returned = EMPTY;
  const { self, depth } = f.message;
  const { flat } = f.evm;
  const { balance, nonce } = flat.account(self) ?? { balance: 0n, nonce: 0n };
  if (depth >= MAX_DEPTH || balance < value || nonce >= MAX_NONCE) {
    f.push(0n);
    return undefined;
  }
  flat.setAccount(self, balance, nonce + 1n);
  const data = f.memory.slice(at, at + bytes);
  const made = salt === undefined ? addressByNonce(self, nonce) : addressBySalt(self, salt, data);
  return {
    kind: salted ? 'create2' : 'create',
    depth: depth + 1,
    caller: self,
    self: made,
    codeAt: made,
    value,
    data,
    gas: f.most,
    isStatic: false,
    code: undefined,
  };
}

/** Hands over all funds; what this run created is gone at its end. */
export const selfDestruct: Operation = (f) => {
  f.forbidStatic();
  const heir = addressBytes(f.pop());
  const { flat, warm } = f.evm;
  const { self } = f.message;
  const { balance, nonce } = flat.account(self) ?? { balance: 0n, nonce: 0n };
  const isNew = balance > 0n && flat.account(heir) === undefined;
  f.charge((warm.warmAddress(heir) ? COLD_GAS : 0) + (isNew ? NEW_ACCOUNT_GAS : 0));
  warm.destroy(self);
  f.pc = f.code.length;
  if (balance === 0n) return;
  // What is left to itself stays, but for one that goes with it.
  if (flat.holder(heir) === f.holder) {
    if (warm.isCreated(self)) flat.setAccount(self, 0n, nonce);
    return;
  }
  flat.setAccount(self, 0n, nonce);
  const before = flat.account(heir) ?? { balance: 0n, nonce: 0n };
  flat.setAccount(heir, before.balance + balance, before.nonce);
};
