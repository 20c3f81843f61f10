/**
 * A ledger transaction that carries an Ethereum transaction, decoded; its sender recovered.
 *
 * Upholds: no state is read. The bytes are the one wrapper of what they carry (wrapper.ts); the
 * signer is the account of the key that signed.
 *
 * @module
 */
import { equalBytes, toHex } from '../../base/bytes.ts';
import { attempt, InvariantViolation, LedgerError } from '../../base/errors.ts';
import { BASE_DENOM } from '../denom.ts';
import type { EvmTx } from '../evm/types.ts';
import type { DecodedMessage } from '../module.ts';
import type { DecodedTx } from '../tx/decode.ts';
import { type Faces, facesOf, type KeyTools } from '../tx/key-tools.ts';
import type { TxBody } from '../tx/wire.ts';
import { refuseEvm } from './errors.ts';
import { decodeEthereumTx, type EthereumTx } from './transaction.ts';
import {
  MSG_ETHEREUM_TX_RESPONSE_URL,
  MSG_ETHEREUM_TX_URL,
  msgEthereumTxCodec,
  wrap,
} from './wrapper.ts';

/** An Ethereum transaction that a ledger transaction carries. */
export type CarriedTx = {
  readonly tx: EthereumTx;
  /** As the engine takes it. */
  readonly run: EvmTx;
  readonly sender: Faces;
  /** The most that it may take from its sender: gas and value. */
  readonly cost: bigint;
};

/** Reads what a wrapper carries. @throws LedgerError of codespace `evm` */
export function decodeCarrier(bytes: Uint8Array, body: TxBody, keys: KeyTools): DecodedTx {
  const message = body.messages[0];
  if (message?.typeUrl !== MSG_ETHEREUM_TX_URL) return refuseEvm('WrongWrapper');
  const carried = attempt(() => msgEthereumTxCodec.decode(message.value));
  if (carried instanceof LedgerError) return refuseEvm('WrongWrapper', carried.message);
  const tx = decodeEthereumTx(carried.raw);
  const wrapper = wrap(tx);
  if (!equalBytes(wrapper.bytes, bytes)) return refuseEvm('WrongWrapper');
  const sender = senderOf(tx, keys);
  const { memo, timeoutHeight, extensionOptions, nonCriticalExtensionOptions } = wrapper.body;
  const gasFee = tx.gasLimit * tx.maxFeePerGas;
  const feeText = wrapper.authInfo.fee;
  return {
    bytes,
    raw: wrapper.raw,
    body: { memo, timeoutHeight, extensionOptions, nonCriticalExtensionOptions },
    authInfo: wrapper.authInfo,
    messages: [messageOf(tx, sender)],
    signers: [sender.id],
    sequences: [Number(tx.nonce)],
    payer: sender.id,
    fee: gasFee === 0n ? [] : [{ denom: BASE_DENOM, amount: gasFee }],
    feeText: feeText ?? { amount: [], gasLimit: tx.gasLimit, payer: '', granter: '' },
    gasLimit: Number(tx.gasLimit),
    ethereum: { tx, run: { ...tx, from: sender.address }, sender, cost: gasFee + tx.value },
    signed: [],
    kept: false,
  };
}

/** Who signed. @throws LedgerError evm/4 if no key did */
export function senderOf(
  tx: Pick<EthereumTx, 'digest' | 'signature' | 'yParity'>,
  keys: KeyTools,
): Faces {
  const key = keys.recover(tx.digest, tx.signature, tx.yParity);
  return key === undefined ? refuseEvm('InvalidSignature') : facesOf(key);
}

/** 0x and lower-case hex. */
export function hex0x(bytes: Uint8Array): string {
  return `0x${toHex(bytes)}`;
}

/** The message as people are shown it; `executor.ts` runs the transaction itself. */
function messageOf(tx: EthereumTx, sender: Faces): DecodedMessage {
  return {
    typeUrl: MSG_ETHEREUM_TX_URL,
    responseUrl: MSG_ETHEREUM_TX_RESPONSE_URL,
    module: 'evm',
    signers: [sender.id],
    amino: () => ({
      type: 'metatron/MsgEthereumTx',
      value: {
        hash: hex0x(tx.hash),
        type: tx.type,
        chain_id: String(tx.chainId),
        from: hex0x(sender.address),
        to: tx.to === undefined ? '' : hex0x(tx.to),
        nonce: String(tx.nonce),
        value: String(tx.value),
        gas: String(tx.gasLimit),
        max_fee_per_gas: String(tx.maxFeePerGas),
        max_priority_fee_per_gas: String(tx.maxPriorityFeePerGas),
        input: hex0x(tx.data),
      },
    }),
    execute: () => {
      throw new InvariantViolation('Ethereum transactions are run by the block');
    },
  };
}
