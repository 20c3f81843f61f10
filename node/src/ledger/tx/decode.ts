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

import { latin1 } from '../../base/bytes.ts';
import { LedgerError } from '../../base/errors.ts';
import type { Codec } from '../../base/proto.ts';
import type { AccountId, Addresses } from '../addresses.ts';
import { type Amount, parseFee } from '../bank/coins.ts';
import { errors, refuse } from '../errors.ts';
import { type CarriedTx, decodeCarrier } from '../ethereum/carrier.ts';
import { ETHEREUM_OPTION_URL } from '../ethereum/wrapper.ts';
import type { DecodedMessage, MessageType } from '../module.ts';
import type { KeyTools } from './key-tools.ts';
import type { Signed } from './signatures.ts';
import { type Envelope, readUsual } from './usual.ts';
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
  /** Present if it carries an Ethereum transaction. */
  readonly ethereum: CarriedTx | undefined;
  /** By signer: the signatures that were found valid. */
  readonly signed: Signed[];
  /** Whether it is remembered until it is in a block, and `signed` with it. */
  kept: boolean;
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
export function decodeTx(
  bytes: Uint8Array,
  find: FindMessage,
  addresses: Addresses,
  keys: KeyTools,
): DecodedTx {
  if (bytes.length > MAX_TX_BYTES) {
    return refuse(errors.TxTooLarge, `${bytes.length} bytes, more than ${MAX_TX_BYTES}`);
  }
  const { raw, body, authInfo } = readUsual(bytes) ?? readEnvelope(bytes);
  const extension = body.extensionOptions[0];
  if (extension?.typeUrl === ETHEREUM_OPTION_URL) return decodeCarrier(bytes, body, keys);
  if (extension !== undefined) {
    return refuse(errors.UnknownExtensionOptions, extension.typeUrl);
  }
  if (body.messages.length === 0) {
    return refuse(errors.InvalidRequest, 'must contain at least one message');
  }
  const messages = body.messages.map((any) => decodeMessage(any, find, addresses));
  const feeText = authInfo.fee ?? NO_FEE;
  const payer =
    feeText.payer === ''
      ? (messages[0]?.signers[0] as AccountId)
      : addresses.id(feeText.payer, 'invalid fee payer address');
  const signers = signersOf(messages, payer);
  checkCounts(raw, authInfo, signers.length);
  const { memo, timeoutHeight, extensionOptions, nonCriticalExtensionOptions } = body;
  return {
    bytes,
    raw,
    body: { memo, timeoutHeight, extensionOptions, nonCriticalExtensionOptions },
    authInfo,
    messages,
    signers,
    sequences: authInfo.signerInfos.map((info) => Number(info.sequence)),
    payer,
    fee: parseFee(feeText.amount),
    feeText,
    gasLimit: checkFee(feeText),
    ethereum: undefined,
    signed: [],
    kept: false,
  };
}

function readEnvelope(bytes: Uint8Array): Envelope {
  const raw = decodeCosmos(txRawCodec, bytes);
  const body = decodeCosmos(txBodyCodec, raw.bodyBytes);
  const authInfo = decodeCosmos(authInfoCodec, raw.authInfoBytes);
  return { raw, body, authInfo };
}

function decodeMessage(any: Any, find: FindMessage, addresses: Addresses): DecodedMessage {
  const type = find(any.typeUrl);
  if (type === undefined) {
    return refuse(errors.TxDecode, `unable to resolve type URL ${any.typeUrl}`);
  }
  return type.decode(any.value, addresses);
}

/** Who signs the messages, then who pays; each once. */
function signersOf(messages: readonly DecodedMessage[], payer: AccountId): readonly AccountId[] {
  // Of one account there is mostly one array.
  if (messages.every((message) => isAlone(message, payer))) return [payer];
  const signers: AccountId[] = [];
  const seen = new Set<string>();
  for (const message of messages) {
    for (const id of message.signers) addOnce(signers, seen, id);
  }
  addOnce(signers, seen, payer);
  return signers;
}

function isAlone({ signers }: DecodedMessage, id: AccountId): boolean {
  return signers.length === 1 && signers[0] === id;
}

function addOnce(signers: AccountId[], seen: Set<string>, id: AccountId): void {
  const name = latin1(id);
  if (seen.has(name)) return;
  seen.add(name);
  signers.push(id);
}

function checkCounts(raw: TxRaw, authInfo: AuthInfo, wanted: number): void {
  if (raw.signatures.length === 0) refuse(errors.NoSignatures);
  for (const count of [raw.signatures.length, authInfo.signerInfos.length]) {
    if (count === wanted) continue;
    const reason = `wrong number of signers; expected ${wanted}, got ${count}`;
    refuse(errors.Unauthorized, reason);
  }
}

function checkFee(fee: Fee): number {
  if (fee.granter !== '') return refuse(errors.InvalidRequest, 'fee grants are not enabled');
  if (fee.gasLimit > BigInt(Number.MAX_SAFE_INTEGER)) {
    const reason = `invalid gas supplied; ${fee.gasLimit} > ${Number.MAX_SAFE_INTEGER}`;
    return refuse(errors.InvalidRequest, reason);
  }
  return Number(fee.gasLimit);
}
