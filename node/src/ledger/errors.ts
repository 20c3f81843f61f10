/**
 * The refusals of transactions and queries that Cosmos clients know, by the SDK's codes and texts.
 *
 * Upholds: codes and descriptions are those of codespace `sdk`; the text before the colon is what
 * relayers and wallets read where they do. Refusals of module memory stand in its own table.
 * Spec: Cosmos SDK 0.50, types/errors/errors.go.
 *
 * @module
 */
import { type Blame, type ErrorSpec, errorSpec, LedgerError } from '../base/errors.ts';

/** What every refusal of this space says beyond its description. */
export type Reason = { readonly reason: string };

function sdk(code: number, description: string, blame: Blame = 'client'): ErrorSpec<Reason> {
  return errorSpec<Reason>('sdk', code, blame, (p) =>
    p.reason === '' ? description : `${p.reason}: ${description}`,
  );
}

/** Names of the refusals in codespace `sdk`. */
export type SdkError =
  | 'TxDecode'
  | 'InvalidSequence'
  | 'Unauthorized'
  | 'InsufficientFunds'
  | 'UnknownRequest'
  | 'InvalidAddress'
  | 'InvalidPubKey'
  | 'UnknownAddress'
  | 'InvalidCoins'
  | 'OutOfGas'
  | 'MemoTooLarge'
  | 'InsufficientFee'
  | 'TooManySignatures'
  | 'NoSignatures'
  | 'InvalidRequest'
  | 'TxTooLarge'
  | 'KeyNotFound'
  | 'InvalidHeight'
  | 'TxTimeoutHeight'
  | 'UnknownExtensionOptions'
  | 'WrongSequence'
  | 'NotSupported'
  | 'NotFound'
  | 'InvalidGasLimit';

/** Refusals in codespace `sdk`. */
export const errors: Readonly<Record<SdkError, ErrorSpec<Reason>>> = {
  TxDecode: sdk(2, 'tx parse error'),
  InvalidSequence: sdk(3, 'invalid sequence'),
  Unauthorized: sdk(4, 'unauthorized'),
  InsufficientFunds: sdk(5, 'insufficient funds'),
  UnknownRequest: sdk(6, 'unknown request'),
  InvalidAddress: sdk(7, 'invalid address'),
  InvalidPubKey: sdk(8, 'invalid pubkey'),
  UnknownAddress: sdk(9, 'unknown address'),
  InvalidCoins: sdk(10, 'invalid coins'),
  OutOfGas: sdk(11, 'out of gas'),
  MemoTooLarge: sdk(12, 'memo too large'),
  InsufficientFee: sdk(13, 'insufficient fee'),
  TooManySignatures: sdk(14, 'maximum number of signatures exceeded'),
  NoSignatures: sdk(15, 'no signatures supplied'),
  InvalidRequest: sdk(18, 'invalid request'),
  TxTooLarge: sdk(21, 'tx too large'),
  KeyNotFound: sdk(22, 'key not found'),
  InvalidHeight: sdk(26, 'invalid height'),
  TxTimeoutHeight: sdk(30, 'tx timeout height'),
  UnknownExtensionOptions: sdk(31, 'unknown extension options'),
  WrongSequence: sdk(32, 'incorrect account sequence'),
  NotSupported: sdk(37, 'feature not supported'),
  NotFound: sdk(38, 'not found'),
  InvalidGasLimit: sdk(41, 'invalid gas limit'),
};

/** Refuses with an SDK code; without a stack, which costs more than the refused check. */
export function refuse(spec: ErrorSpec<Reason>, reason = '', cause?: unknown): never {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    throw new LedgerError(spec, { reason }, cause);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** A gRPC status as the SDK words it in the log of a failed ABCI query. */
export function grpcRefusal(status: 'NotFound' | 'InvalidArgument', text: string): never {
  const spec = status === 'NotFound' ? errors.KeyNotFound : errors.InvalidRequest;
  return refuse(spec, `rpc error: code = ${status} desc = ${text}`);
}
