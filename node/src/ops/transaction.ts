/**
 * Building and signing Cosmos transactions for the command line and the benchmark.
 *
 * Upholds: SIGN_MODE_DIRECT over the bytes that are sent; the gas limit covers what the table of
 * the ledger charges at most, so that a transaction does not fail for its limit.
 * Spec: cosmos.tx.v1beta1; ADR-020.
 *
 * @module
 */
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { EMPTY } from '../base/bytes.ts';
import { sha256 } from '../base/hash.ts';
import type { EntryType } from '../gen/metatron/memory/v1/state.ts';
import { MsgPut } from '../gen/metatron/memory/v1/tx.ts';
import { GAS, POLICY_GAS_WEIGHT } from '../ledger/gas.ts';
import {
  type Any,
  authInfoCodec,
  type Coin,
  msgSendCodec,
  pubKeyCodec,
  SIGN_MODE,
  signDocCodec,
  txBodyCodec,
  txRawCodec,
} from '../ledger/tx/wire.ts';
import { MSG_PUT_URL } from '../types/memory.ts';

/** Signs a 32-byte hash with secp256k1: 64 bytes r ‖ s, low s. */
export type SignHash = (hash: Uint8Array, secret: Uint8Array) => Uint8Array;

/** Signs by the reference library. */
export const signHash: SignHash = (hash, secret) =>
  secp256k1.sign(hash, secret, { prehash: false });

/** Who signs, and where the account stands. */
export type Signing = {
  readonly secret: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly chainId: string;
  readonly accountNumber: bigint;
  readonly sequence: bigint;
};

/** What a transaction says besides its messages. */
export type TxTerms = {
  readonly gasLimit: bigint;
  readonly fee: readonly Coin[];
  readonly memo: string;
};

/** What to write; what is left out is empty. */
export type PutContent = {
  readonly content: Uint8Array;
  readonly key?: string;
  readonly type?: EntryType;
  readonly tags?: readonly string[];
  readonly expectedVersion?: bigint | undefined;
  /** 32 bytes; without it the author's own space. */
  readonly space?: Uint8Array | undefined;
};

/** A memory write by `author`. */
export function putMessage(author: string, put: PutContent): Any {
  const message = MsgPut.fromPartial({
    author,
    content: put.content,
    space: put.space ?? EMPTY,
    key: put.key ?? '',
    type: put.type ?? 1,
    tags: [...(put.tags ?? [])],
    expectedVersion: put.expectedVersion,
  });
  return { typeUrl: MSG_PUT_URL, value: MsgPut.encode(message).finish() };
}

/** A transfer. */
export function sendMessage(from: string, to: string, amount: readonly Coin[]): Any {
  const value = msgSendCodec.encode({ fromAddress: from, toAddress: to, amount });
  return { typeUrl: '/cosmos.bank.v1beta1.MsgSend', value };
}

/** Bytes of a transaction outside its messages, at most. */
const ENVELOPE_BYTES = 500;
/** Gas of a byte and of a signature by the parameters of module auth (the SDK's defaults). */
const GAS_PER_BYTE = 10;
const GAS_PER_SIGNATURE = 1_000;

/** Gas for asking a policy once, at the most: what the contract may use, and how it counts. */
export const POLICY_GAS: number = GAS.policy + GAS.policyCall + 100_000 * POLICY_GAS_WEIGHT;

/** Gas of what a message does, at most, without its bytes. */
function messageGas({ typeUrl, value }: Any): number {
  if (typeUrl.startsWith('/metatron.memory.') && typeUrl !== MSG_PUT_URL) return GAS.spaceChange;
  if (typeUrl !== MSG_PUT_URL) return GAS.transfer + GAS.newAccount;
  const { key, space } = MsgPut.decode(value);
  return GAS.put + (key === '' ? 0 : GAS.head) + (space.length === 0 ? 0 : GAS.sharedSpace);
}

/**
 * A gas limit that covers these messages, signed once, with a fee of at most one coin; without
 * policies.
 */
export function gasLimitFor(messages: readonly Any[]): bigint {
  const bytes = messages.reduce((sum, m) => sum + m.value.length, 0);
  const framing = messages.length * (MSG_PUT_URL.length + 12) + ENVELOPE_BYTES;
  const work = messages.reduce((sum, m) => sum + messageGas(m), GAS.newSpace + GAS.feeCoin);
  const signed = GAS.signature + GAS_PER_SIGNATURE;
  const gas = work + signed + bytes * (GAS.storedByte + GAS_PER_BYTE) + framing * GAS_PER_BYTE;
  return BigInt(Math.ceil(1.05 * gas));
}

/**
 * A signed transaction, ready to be sent.
 *
 * @param sign - the library to sign with
 */
export function signTransaction(
  messages: readonly Any[],
  signing: Signing,
  terms: TxTerms,
  sign: SignHash = signHash,
): Uint8Array {
  const bodyBytes = txBodyCodec.encode({
    messages,
    memo: terms.memo,
    timeoutHeight: 0n,
    extensionOptions: [],
    nonCriticalExtensionOptions: [],
  });
  const publicKey = {
    typeUrl: '/cosmos.crypto.secp256k1.PubKey',
    value: pubKeyCodec.encode({ key: signing.publicKey }),
  };
  const authInfoBytes = authInfoCodec.encode({
    signerInfos: [
      {
        publicKey,
        modeInfo: { single: { mode: SIGN_MODE.direct }, multi: undefined },
        sequence: signing.sequence,
      },
    ],
    fee: { amount: terms.fee, gasLimit: terms.gasLimit, payer: '', granter: '' },
  });
  const { chainId, accountNumber } = signing;
  const doc = signDocCodec.encode({ bodyBytes, authInfoBytes, chainId, accountNumber });
  const signature = sign(sha256(doc), signing.secret);
  return txRawCodec.encode({ bodyBytes, authInfoBytes, signatures: [signature] });
}

/** Terms of a transaction without fee: what a devnet accepts. */
export function freeTerms(messages: readonly Any[]): TxTerms {
  return { gasLimit: gasLimitFor(messages), fee: [], memo: '' };
}
