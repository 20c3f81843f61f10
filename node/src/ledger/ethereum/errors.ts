/**
 * Refusals of Ethereum transactions, in the words of geth, which tools read.
 *
 * Upholds: each text begins as geth's does; a code is never reused.
 * Spec: go-ethereum core/error.go, core/txpool/errors.go, core/types/transaction.go.
 *
 * @module
 */
import { type ErrorSpec, errorSpec, LedgerError } from '../../base/errors.ts';
import type { EvmFault, EvmFaultCode } from '../evm/types.ts';

/** What a refusal says beyond its description. */
export type Detail = { readonly detail: string };

/** Names of the refusals in codespace `evm`. */
export type EvmError =
  | 'BadEncoding'
  | 'TypeNotSupported'
  | 'Unprotected'
  | 'InvalidSignature'
  | 'WrongChain'
  | 'WrongWrapper'
  | 'NonceTooLow'
  | 'NonceTooHigh'
  | 'NonceMax'
  | 'SenderNotEoa'
  | 'TipAboveFeeCap'
  | 'FeeCapTooLow'
  | 'InsufficientFunds'
  | 'IntrinsicGas'
  | 'FloorDataGas'
  | 'GasLimit'
  | 'InitCodeSize'
  | 'AuthorizationsEmpty'
  | 'AuthorizationsCreate'
  | 'SystemCaller'
  | 'Reverted'
  | 'Failed'
  | 'Underpriced';

/** Codes and the words with which their texts begin. */
const TABLE: Readonly<Record<EvmError, readonly [code: number, words: string]>> = {
  BadEncoding: [1, ''],
  TypeNotSupported: [2, 'transaction type not supported'],
  Unprotected: [3, 'only replay-protected (EIP-155) transactions allowed over RPC'],
  InvalidSignature: [4, 'invalid transaction v, r, s values'],
  WrongChain: [5, 'invalid chain id for signer'],
  WrongWrapper: [6, 'not the one transaction that may carry this Ethereum transaction'],
  NonceTooLow: [7, 'nonce too low'],
  NonceTooHigh: [8, 'nonce too high'],
  NonceMax: [9, 'nonce has max value'],
  SenderNotEoa: [10, 'sender not an eoa'],
  TipAboveFeeCap: [11, 'max priority fee per gas higher than max fee per gas'],
  FeeCapTooLow: [12, 'max fee per gas less than block base fee'],
  InsufficientFunds: [13, 'insufficient funds for gas * price + value'],
  IntrinsicGas: [14, 'intrinsic gas too low'],
  FloorDataGas: [15, 'insufficient gas for floor data gas cost'],
  GasLimit: [16, 'exceeds block gas limit'],
  InitCodeSize: [17, 'max initcode size exceeded'],
  AuthorizationsEmpty: [18, 'EIP-7702 transaction with empty auth list'],
  AuthorizationsCreate: [19, 'EIP-7702 transaction cannot be used to create contract'],
  SystemCaller: [20, 'the system caller sends no transactions'],
  Reverted: [21, 'execution reverted'],
  Failed: [22, ''],
  Underpriced: [23, 'transaction underpriced'],
};

/** Refusals in codespace `evm`, and the codes of transactions that ran and failed. */
export const errors: Readonly<Record<EvmError, ErrorSpec<Detail>>> = Object.fromEntries(
  Object.entries(TABLE).map(([name, [code, words]]) => [
    name,
    errorSpec<Detail>('evm', code, 'client', (p) => `${words}${p.detail}`),
  ]),
) as Record<EvmError, ErrorSpec<Detail>>;

const FAULTS: Readonly<Record<EvmFaultCode, EvmError>> = {
  nonceTooLow: 'NonceTooLow',
  nonceTooHigh: 'NonceTooHigh',
  nonceMax: 'NonceMax',
  senderNotEoa: 'SenderNotEoa',
  tipAboveFeeCap: 'TipAboveFeeCap',
  feeCapTooLow: 'FeeCapTooLow',
  insufficientFunds: 'InsufficientFunds',
  intrinsicGas: 'IntrinsicGas',
  floorDataGas: 'FloorDataGas',
  gasLimit: 'GasLimit',
  initCodeSize: 'InitCodeSize',
  authorizationsEmpty: 'AuthorizationsEmpty',
  authorizationsCreate: 'AuthorizationsCreate',
  systemCaller: 'SystemCaller',
};

/** A refusal of codespace `evm`. @param text - geth's words, with or without the description */
export function evmError(name: EvmError, text: string): LedgerError {
  const words = TABLE[name][1];
  const apart = words === '' || text === '' ? text : `: ${text}`;
  const detail = text.startsWith(words) ? text.slice(words.length) : apart;
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return new LedgerError(errors[name], { detail });
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** @throws LedgerError of codespace `evm` */
export function refuseEvm(name: EvmError, text = ''): never {
  throw evmError(name, text);
}

/** @throws LedgerError evm/1: the bytes are no transaction */
export function badEncoding(text: string): never {
  return refuseEvm('BadEncoding', text);
}

/** The refusal that a fault of the engine stands for. */
export function faultError({ code, text }: EvmFault): LedgerError {
  return evmError(FAULTS[code], text);
}
