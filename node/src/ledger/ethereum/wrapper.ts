/**
 * The ledger's transaction that carries an Ethereum transaction: a TxRaw whose bytes follow from
 * the Ethereum transaction alone, so that Cosmos tools can decode every transaction of a block.
 *
 *     body       one MsgEthereumTx, one extension option without content
 *     auth info  the most it may pay, its gas limit; no signer, since no SignDoc is signed
 *     signature  r, s and the parity: 65 bytes
 *
 * Upholds: one Ethereum transaction has one wrapper and so one hash on each side.
 *
 * @module
 */
import { concatBytes, EMPTY } from '../../base/bytes.ts';
import { bytes, type Codec, message } from '../../base/proto.ts';
import { BASE_DENOM } from '../denom.ts';
import {
  type AuthInfo,
  authInfoCodec,
  MAX_TX_BYTES,
  type TxBody,
  type TxRaw,
  txBodyCodec,
  txRawCodec,
} from '../tx/wire.ts';
import { decodeEthereumTx, type EthereumTx } from './transaction.ts';

/** Type URLs of the message, its response, and the option that says what the wrapper is. */
export const MSG_ETHEREUM_TX_URL = '/metatron.evm.v1.MsgEthereumTx';
export const MSG_ETHEREUM_TX_RESPONSE_URL = '/metatron.evm.v1.MsgEthereumTxResponse';
export const ETHEREUM_OPTION_URL = '/metatron.evm.v1.ExtensionOptionsEthereumTx';

/** metatron.evm.v1.MsgEthereumTx. */
export const msgEthereumTxCodec: Codec<{ readonly raw: Uint8Array }> = message<{
  readonly raw: Uint8Array;
}>('MsgEthereumTx', { raw: bytes(1, MAX_TX_BYTES) });

/** A wrapper in its parts. */
export type Wrapper = {
  readonly bytes: Uint8Array;
  readonly raw: TxRaw;
  readonly body: TxBody;
  readonly authInfo: AuthInfo;
};

/** The wrapper of a transaction. */
export function wrap(tx: EthereumTx): Wrapper {
  const value = msgEthereumTxCodec.encode({ raw: tx.raw });
  const body: TxBody = {
    messages: [{ typeUrl: MSG_ETHEREUM_TX_URL, value }],
    memo: '',
    timeoutHeight: 0n,
    extensionOptions: [{ typeUrl: ETHEREUM_OPTION_URL, value: EMPTY }],
    nonCriticalExtensionOptions: [],
  };
  const most = tx.gasLimit * tx.maxFeePerGas;
  const fee = {
    amount: most === 0n ? [] : [{ denom: BASE_DENOM, amount: most.toString() }],
    gasLimit: tx.gasLimit,
    payer: '',
    granter: '',
  };
  const authInfo: AuthInfo = { signerInfos: [], fee };
  const raw: TxRaw = {
    bodyBytes: txBodyCodec.encode(body),
    authInfoBytes: authInfoCodec.encode(authInfo),
    signatures: [concatBytes(tx.signature, Uint8Array.of(tx.yParity))],
  };
  return { bytes: txRawCodec.encode(raw), raw, body, authInfo };
}

/**
 * The bytes of the ledger's transaction that carries the Ethereum transaction `rlp`.
 *
 * @throws LedgerError of codespace `evm` if it is not one
 */
export function wrapEthereumTx(rlp: Uint8Array): Uint8Array {
  return wrap(decodeEthereumTx(rlp)).bytes;
}
