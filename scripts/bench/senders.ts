/**
 * Accounts that send transactions in benchmarks of the ledger, with real signatures.
 *
 * @module
 */
import secp from 'secp256k1';
import { encodeBech32 } from '../../node/src/base/bech32.ts';
import { u64be } from '../../node/src/base/bytes.ts';
import { present } from '../../node/src/base/errors.ts';
import { hash160, sha256 } from '../../node/src/base/hash.ts';
import { freeTerms, signTransaction } from '../../node/src/ops/transaction.ts';

/** An account and its key. */
export type Sender = {
  readonly secret: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly address: string;
};

/** The same accounts in every run; they have their numbers in this order. */
export function makeSenders(count: number): readonly Sender[] {
  return Array.from({ length: count }, (_, i) => {
    const secret = sha256(u64be(i));
    const publicKey = secp.publicKeyCreate(secret, true);
    return { secret, publicKey, address: encodeBech32('metatron', hash160(publicKey)) };
  });
}

/** Who sends a transaction, in turns. @param index - of the transaction, from 0 */
export function senderOf(senders: readonly Sender[], index: number): Sender {
  return present(senders[index % senders.length], 'sender');
}

/** Signs a transaction without a fee for the sender whose turn it is. */
export function signed(
  messages: Parameters<typeof signTransaction>[0],
  chainId: string,
  senders: readonly Sender[],
  index: number,
): Uint8Array {
  const signing = {
    ...senderOf(senders, index),
    chainId,
    accountNumber: BigInt(index % senders.length),
    sequence: BigInt(Math.floor(index / senders.length)),
  };
  return signTransaction(
    messages,
    signing,
    freeTerms(messages),
    (hash, secret) => secp.ecdsaSign(hash, secret).signature,
  );
}
