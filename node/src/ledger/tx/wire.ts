/**
 * Cosmos transactions on the wire, read strictly.
 *
 * Upholds: what decodes is canonical: encoding it again gives the same bytes. Every list and text
 * has a bound, and nothing nests deeper than a multisig of plain keys.
 * Absent here: meaning. Fields later SDKs added (tip, unordered, timeout_timestamp) are unknown.
 * Spec: cosmos.tx.v1beta1 (SDK 0.50), ADR-027.
 *
 * @module
 */
import { DEFAULT_MAX_TX_BYTES } from '../../base/limits.ts';
import {
  bytes,
  bytesList,
  type Codec,
  list,
  message,
  optional,
  term,
  text,
  uint,
  uint64,
} from '../../base/proto.ts';

/** Most bytes of a transaction. */
export const MAX_TX_BYTES: number = DEFAULT_MAX_TX_BYTES;
/** Most messages in a transaction, and signers, and coins in a list. */
export const MAX_MESSAGES = 1_000;
export const MAX_SIGNERS = 100;
export const MAX_COINS = 100;
/** Most bytes of a type URL. */
export const MAX_URL_BYTES = 256;
const MAX_TEXT = 65_536;
const MAX_ADDRESS = 256;

/** google.protobuf.Any. */
export type Any = { readonly typeUrl: string; readonly value: Uint8Array };

/** google.protobuf.Any. */
export const anyCodec: Codec<Any> = message<Any>('Any', {
  typeUrl: term(1, MAX_URL_BYTES),
  value: bytes(2, MAX_TX_BYTES),
});

/** cosmos.base.v1beta1.Coin. */
export type Coin = { readonly denom: string; readonly amount: string };

/** cosmos.base.v1beta1.Coin. */
export const coinCodec: Codec<Coin> = message<Coin>('Coin', {
  denom: term(1, 128),
  amount: text(2, 100),
});

/** cosmos.tx.v1beta1.TxRaw. */
export type TxRaw = {
  readonly bodyBytes: Uint8Array;
  readonly authInfoBytes: Uint8Array;
  readonly signatures: readonly Uint8Array[];
};

/** cosmos.tx.v1beta1.TxRaw. */
export const txRawCodec: Codec<TxRaw> = message<TxRaw>('TxRaw', {
  bodyBytes: bytes(1, MAX_TX_BYTES),
  authInfoBytes: bytes(2, MAX_TX_BYTES),
  signatures: bytesList(3, MAX_TEXT, MAX_SIGNERS),
});

/** cosmos.tx.v1beta1.TxBody. */
export type TxBody = {
  readonly messages: readonly Any[];
  readonly memo: string;
  readonly timeoutHeight: bigint;
  readonly extensionOptions: readonly Any[];
  readonly nonCriticalExtensionOptions: readonly Any[];
};

/** cosmos.tx.v1beta1.TxBody. */
export const txBodyCodec: Codec<TxBody> = message<TxBody>('TxBody', {
  messages: list(1, anyCodec, MAX_MESSAGES),
  memo: text(2, MAX_TEXT),
  timeoutHeight: uint64(3),
  extensionOptions: list(1023, anyCodec, 16),
  nonCriticalExtensionOptions: list(2047, anyCodec, 16),
});

/** Signing modes that are understood. */
export const SIGN_MODE = { unspecified: 0, direct: 1, legacyAmino: 127 } as const;

/** cosmos.tx.v1beta1.ModeInfo.Single. */
export type Single = { readonly mode: number };

/** Bits of a multisig: who of the keys signed. */
export type BitArray = { readonly extraBitsStored: number; readonly elems: Uint8Array };

/** cosmos.tx.v1beta1.ModeInfo, of one key or of a multisig over plain keys. */
export type ModeInfo<Inner> = {
  readonly single: Single | undefined;
  readonly multi: Inner;
};

/** ModeInfo.Multi whose parts are plain. */
export type Multi = {
  readonly bitarray: BitArray | undefined;
  readonly modeInfos: readonly { readonly single: Single | undefined }[];
};

const singleCodec: Codec<Single> = message<Single>('ModeInfo.Single', { mode: uint(1, 2 ** 31) });

const multiCodec: Codec<Multi> = message<Multi>('ModeInfo.Multi', {
  bitarray: optional(
    1,
    message<BitArray>('CompactBitArray', { extraBitsStored: uint(1, 7), elems: bytes(2, 16) }),
  ),
  modeInfos: list(
    2,
    message<{ single: Single | undefined }>('ModeInfo', { single: optional(1, singleCodec) }),
    MAX_SIGNERS,
  ),
});

/** cosmos.tx.v1beta1.SignerInfo. */
export type SignerInfo = {
  readonly publicKey: Any | undefined;
  readonly modeInfo: ModeInfo<Multi | undefined> | undefined;
  readonly sequence: bigint;
};

/** cosmos.tx.v1beta1.Fee. */
export type Fee = {
  readonly amount: readonly Coin[];
  readonly gasLimit: bigint;
  readonly payer: string;
  readonly granter: string;
};

/** cosmos.tx.v1beta1.AuthInfo. */
export type AuthInfo = {
  readonly signerInfos: readonly SignerInfo[];
  readonly fee: Fee | undefined;
};

/** cosmos.tx.v1beta1.AuthInfo. */
export const authInfoCodec: Codec<AuthInfo> = message<AuthInfo>('AuthInfo', {
  signerInfos: list(
    1,
    message<SignerInfo>('SignerInfo', {
      publicKey: optional(1, anyCodec),
      modeInfo: optional(
        2,
        message<ModeInfo<Multi | undefined>>('ModeInfo', {
          single: optional(1, singleCodec),
          multi: optional(2, multiCodec),
        }),
      ),
      sequence: uint64(3),
    }),
    MAX_SIGNERS,
  ),
  fee: optional(
    2,
    message<Fee>('Fee', {
      amount: list(1, coinCodec, MAX_COINS),
      gasLimit: uint64(2),
      payer: text(3, MAX_ADDRESS),
      granter: text(4, MAX_ADDRESS),
    }),
  ),
});

/** What SIGN_MODE_DIRECT signs. */
export type SignDoc = {
  readonly bodyBytes: Uint8Array;
  readonly authInfoBytes: Uint8Array;
  readonly chainId: string;
  readonly accountNumber: bigint;
};

/** cosmos.tx.v1beta1.SignDoc. */
export const signDocCodec: Codec<SignDoc> = message<SignDoc>('SignDoc', {
  bodyBytes: bytes(1, MAX_TX_BYTES),
  authInfoBytes: bytes(2, MAX_TX_BYTES),
  chainId: text(3, 64),
  accountNumber: uint64(4),
});

/** cosmos.crypto.secp256k1.PubKey. */
export type PubKey = { readonly key: Uint8Array };

/** cosmos.crypto.secp256k1.PubKey. */
export const pubKeyCodec: Codec<PubKey> = message<PubKey>('PubKey', { key: bytes(1, 33) });

/** cosmos.crypto.multisig.LegacyAminoPubKey. */
export type MultisigKey = { readonly threshold: number; readonly publicKeys: readonly Any[] };

/** cosmos.crypto.multisig.LegacyAminoPubKey. */
export const multisigKeyCodec: Codec<MultisigKey> = message<MultisigKey>('LegacyAminoPubKey', {
  threshold: uint(1, MAX_SIGNERS),
  publicKeys: list(2, anyCodec, MAX_SIGNERS),
});

/** cosmos.crypto.multisig.v1beta1.MultiSignature. */
export type MultiSignature = { readonly signatures: readonly Uint8Array[] };

/** cosmos.crypto.multisig.v1beta1.MultiSignature. */
export const multiSignatureCodec: Codec<MultiSignature> = message<MultiSignature>(
  'MultiSignature',
  { signatures: bytesList(1, 64, MAX_SIGNERS) },
);

/** cosmos.base.abci.v1beta1.TxMsgData with its field 2, msg_responses. */
export type TxMsgData = { readonly msgResponses: readonly Any[] };

/** cosmos.base.abci.v1beta1.TxMsgData. */
export const txMsgDataCodec: Codec<TxMsgData> = message<TxMsgData>('TxMsgData', {
  msgResponses: list(2, anyCodec, MAX_MESSAGES),
});

/** cosmos.bank.v1beta1.MsgSend. */
export type MsgSend = {
  readonly fromAddress: string;
  readonly toAddress: string;
  readonly amount: readonly Coin[];
};

/** cosmos.bank.v1beta1.MsgSend. */
export const msgSendCodec: Codec<MsgSend> = message<MsgSend>('MsgSend', {
  fromAddress: term(1, MAX_ADDRESS),
  toAddress: term(2, MAX_ADDRESS),
  amount: list(3, coinCodec, MAX_COINS),
});

/** One side of a MsgMultiSend. */
export type Party = { readonly address: string; readonly coins: readonly Coin[] };

const partyCodec: Codec<Party> = message<Party>('Party', {
  address: text(1, MAX_ADDRESS),
  coins: list(2, coinCodec, MAX_COINS),
});

/** cosmos.bank.v1beta1.MsgMultiSend. */
export type MsgMultiSend = {
  readonly inputs: readonly Party[];
  readonly outputs: readonly Party[];
};

/** cosmos.bank.v1beta1.MsgMultiSend. */
export const msgMultiSendCodec: Codec<MsgMultiSend> = message<MsgMultiSend>('MsgMultiSend', {
  inputs: list(1, partyCodec, MAX_MESSAGES),
  outputs: list(2, partyCodec, MAX_MESSAGES),
});
