/**
 * Transactions made fast, for tests of many: their signatures are not real, and the ledger that
 * they are for takes any.
 *
 * @module
 */

import { encodeBech32 } from '../../node/src/base/bech32.ts';
import { u64be, utf8 } from '../../node/src/base/bytes.ts';
import { hash160, sha256 } from '../../node/src/base/hash.ts';
import { secp256k1Keys } from '../../node/src/crypto/secp256k1.ts';
import { Ledger } from '../../node/src/ledger/ledger.ts';
import type { StateStore } from '../../node/src/ledger/store.ts';
import type { VerifySecp256k1 } from '../../node/src/ledger/tx/signatures.ts';
import type { Any } from '../../node/src/ledger/tx/wire.ts';
import {
  putMessage,
  type SignHash,
  sendMessage,
  signTransaction,
} from '../../node/src/ops/transaction.ts';
import { DEFAULT_PARAMS } from '../../node/src/types/params.ts';
import { appStateOf, CHAIN_ID, DENOM, PREFIX } from './world.ts';

/** An account whose key is only a number. */
export type QuickActor = {
  readonly number: number;
  readonly publicKey: Uint8Array;
  readonly id: Uint8Array;
  readonly address: string;
};

const anySignature: SignHash = (digest) => {
  const signature = new Uint8Array(64);
  signature.set(digest);
  return signature;
};

/** Account `number`. */
export function quickActor(number: number): QuickActor {
  const publicKey = new Uint8Array(33);
  publicKey[0] = 2;
  publicKey.set(u64be(number), 1);
  const id = hash160(publicKey);
  return { number, publicKey, id, address: encodeBech32(PREFIX, id) };
}

/** What to make a transaction of. */
export type QuickDraft = {
  readonly from: QuickActor;
  readonly sequence: number;
  readonly fee?: bigint;
  readonly gas?: bigint;
  /** Sent to `to`; without it a memory is written. */
  readonly amount?: bigint;
  readonly to?: QuickActor;
  readonly text?: string;
};

/** A transaction. */
export function quickTx(draft: QuickDraft): Uint8Array {
  const { from, to, sequence, fee = 0n, amount = 1n, gas = 200_000n, text = 'x' } = draft;
  const coins = (sum: bigint) => (sum === 0n ? [] : [{ denom: DENOM, amount: String(sum) }]);
  const message: Any =
    to === undefined
      ? putMessage(from.address, { content: utf8(text), key: text })
      : sendMessage(from.address, to.address, coins(amount));
  const signing = {
    secret: sha256(from.publicKey),
    publicKey: from.publicKey,
    chainId: CHAIN_ID,
    accountNumber: BigInt(from.number),
    sequence: BigInt(sequence),
  };
  const terms = { gasLimit: gas, fee: coins(fee), memo: '' };
  return signTransaction([message], signing, terms, anySignature);
}

/** A started ledger that takes any signature, if not told otherwise, and gives each `balance`. */
export async function quickLedger(
  store: StateStore,
  actors: readonly QuickActor[],
  balance: bigint,
  verify: VerifySecp256k1 = () => true,
): Promise<Ledger> {
  const ledger = new Ledger({
    store,
    keys: secp256k1Keys,
    verifySecp256k1: verify,
    blockHash: (height) => sha256(u64be(height)),
  });
  const state = {
    ...appStateOf(actors.map(({ address }) => address)),
    bank: {
      balances: actors.map(({ address }) => ({
        address,
        coins: [{ denom: DENOM, amount: String(balance) }],
      })),
    },
  };
  await ledger.initChain({
    time: 0n,
    chainId: CHAIN_ID,
    params: { ...DEFAULT_PARAMS, block: { maxBytes: 22_020_096, maxGas: -1 } },
    validators: [],
    appState: utf8(JSON.stringify(state)),
    initialHeight: 1,
  });
  return ledger;
}
