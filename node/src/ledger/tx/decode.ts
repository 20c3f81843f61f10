/**
 * A transaction from its bytes: decoded and checked as far as bytes alone go.
 *
 * Upholds: no state is read, so the answer for the same bytes never changes on one chain. What
 * passes is canonical, has messages that are known, as many signatures as signers, coins that are
 * coins, and a fee payer among the signers.
 * Absent here: sequences, funds and signatures; `ante.ts` checks them against the state.
 * Spec: Cosmos SDK 0.50 types/tx, x/auth/ante/basic.go.
 *
 * @module
 */

import { equalBytes, latin1 } from '../../base/bytes.ts';
import { LedgerError } from '../../base/errors.ts';
import type { Codec } from '../../base/proto.ts';
import type { AccountId, Addresses } from '../addresses.ts';
import { type Amount, parseFee } from '../bank/coins.ts';
import { errors, refuse } from '../errors.ts';
import type { DecodedMessage, MessageType } from '../module.ts';
import type { Signed } from './signatures.ts';
import {
  type Any,
  type AuthInfo,
  authInfoCodec,
  type Fee,
  MAX_TX_BYTES,
  type TxBody,
  type TxRaw,
  txBodyCodec,
  txRawCodec,
} from './wire.ts';

/** A transaction whose bytes are in order. */
export type DecodedTx = {
  readonly bytes: Uint8Array;
  readonly raw: TxRaw;
  /** The body without its messages. */
  readonly body: Omit<TxBody, 'messages'>;
  readonly authInfo: AuthInfo;
  readonly messages: readonly DecodedMessage[];
  /** Who must sign, each once, in order; the fee payer is among them. */
  readonly signers: readonly AccountId[];
  /** The sequence that each of them signed with. */
  readonly sequences: readonly number[];
  readonly payer: AccountId;
  readonly fee: readonly Amount[];
  readonly feeText: Fee;
  readonly gasLimit: number;
  /** By signer: the signatures that were found valid. */
  readonly signed: Signed[];
};

/** Finds a message type by its URL. */
export type FindMessage = (typeUrl: string) => MessageType | undefined;

const NO_FEE: Fee = { amount: [], gasLimit: 0n, payer: '', granter: '' };

/** @throws LedgerError sdk/2 on anything but canonical bytes */
export function decodeCosmos<T>(codec: Codec<T>, bytes: Uint8Array): T {
  try {
    return codec.decode(bytes);
  } catch (thrown) {
    if (thrown instanceof LedgerError) return refuse(errors.TxDecode, thrown.message, thrown);
    throw thrown;
  }
}

/**
 * Decodes a transaction.
 *
 * @throws LedgerError by an SDK code
 */
export function decodeTx(bytes: Uint8Array, find: FindMessage, addresses: Addresses): DecodedTx {
  if (bytes.length > MAX_TX_BYTES) {
    return refuse(errors.TxTooLarge, `${bytes.length} bytes, more than ${MAX_TX_BYTES}`);
  }
  const raw = decodeCosmos(txRawCodec, bytes);
  const body = decodeCosmos(txBodyCodec, raw.bodyBytes);
  const authInfo = decodeCosmos(authInfoCodec, raw.authInfoBytes);
  const extension = body.extensionOptions[0];
  if (extension !== undefined) {
    return refuse(errors.UnknownExtensionOptions, extension.typeUrl);
  }
  if (body.messages.length === 0) {
    return refuse(errors.InvalidRequest, 'must contain at least one message');
  }
  const messages = body.messages.map((any) => decodeMessage(any, find, addresses));
  const feeText = authInfo.fee ?? NO_FEE;
  const signers = messages.flatMap((message) => message.signers);
  const payer =
    feeText.payer === ''
      ? (signers[0] as AccountId)
      : addresses.id(feeText.payer, 'invalid fee payer address');
  const { memo, timeoutHeight, extensionOptions, nonCriticalExtensionOptions } = body;
  return {
    bytes,
    raw,
    body: { memo, timeoutHeight, extensionOptions, nonCriticalExtensionOptions },
    authInfo,
    messages,
    ...checkSigners(raw, authInfo, unique([...signers, payer])),
    payer,
    fee: parseFee(feeText.amount),
    feeText,
    gasLimit: checkFee(feeText),
    signed: [],
  };
}

function decodeMessage(any: Any, find: FindMessage, addresses: Addresses): DecodedMessage {
  const type = find(any.typeUrl);
  if (type === undefined) {
    return refuse(errors.TxDecode, `unable to resolve type URL ${any.typeUrl}`);
  }
  return type.decode(any.value, addresses);
}

function unique(ids: readonly AccountId[]): readonly AccountId[] {
  const [first] = ids;
  if (first !== undefined && ids.every((id) => equalBytes(id, first))) return [first];
  const seen = new Map<string, AccountId>();
  for (const id of ids) if (!seen.has(latin1(id))) seen.set(latin1(id), id);
  return [...seen.values()];
}

function checkSigners(
  raw: TxRaw,
  authInfo: AuthInfo,
  signers: readonly AccountId[],
): Pick<DecodedTx, 'signers' | 'sequences'> {
  if (raw.signatures.length === 0) return refuse(errors.NoSignatures);
  const counts = [raw.signatures.length, authInfo.signerInfos.length];
  for (const count of counts) {
    if (count === signers.length) continue;
    const reason = `wrong number of signers; expected ${signers.length}, got ${count}`;
    return refuse(errors.Unauthorized, reason);
  }
  return { signers, sequences: authInfo.signerInfos.map((info) => Number(info.sequence)) };
}

function checkFee(fee: Fee): number {
  if (fee.granter !== '') return refuse(errors.InvalidRequest, 'fee grants are not enabled');
  if (fee.gasLimit > BigInt(Number.MAX_SAFE_INTEGER)) {
    const reason = `invalid gas supplied; ${fee.gasLimit} > ${Number.MAX_SAFE_INTEGER}`;
    return refuse(errors.InvalidRequest, reason);
  }
  return Number(fee.gasLimit);
}
