/**
 * Ethereum accounts and transactions for tests, by unmodified ethers.
 *
 * @module
 */
import { type TransactionLike, Wallet } from 'ethers';
import { encodeBech32 } from '../../../node/src/base/bech32.ts';
import { fromHex, toHex } from '../../../node/src/base/bytes.ts';
import { present } from '../../../node/src/base/errors.ts';
import { hash160, sha256 } from '../../../node/src/base/hash.ts';
import {
  QueryAccountRequest,
  QueryAccountResponse,
  QueryParamsResponse,
} from '../../../node/src/gen/metatron/evm/v1/query.ts';
import { amountCodec } from '../../../node/src/ledger/bank/balances.ts';
import { wrapEthereumTx } from '../../../node/src/ledger/ethereum/wrapper.ts';
import type { Ledger } from '../../../node/src/ledger/ledger.ts';
import { accountFromKey } from '../../../node/src/ops/accounts.ts';
import { sendMessage, signTransaction } from '../../../node/src/ops/transaction.ts';
import type { MemoryStore } from '../memory-store.ts';
import { CHAIN_ID, DENOM, PREFIX } from '../world.ts';

/** The bytes of `0x…`. */
export function bytesOf(hex: string): Uint8Array {
  return present(fromHex(hex.slice(2)), 'hex');
}

/** An account with both faces. */
export type Person = {
  readonly wallet: Wallet;
  /** 33 bytes. */
  readonly publicKey: Uint8Array;
  readonly secret: Uint8Array;
  readonly id: Uint8Array;
  /** Bech32. */
  readonly address: string;
  /** What the EVM sees: 20 bytes. */
  readonly face: Uint8Array;
  /** The same as bech32. */
  readonly faceAddress: string;
};

/** Account `number`. */
export function person(number: number): Person {
  const secret = sha256(Uint8Array.of(number, 7));
  const wallet = new Wallet(`0x${toHex(secret)}`);
  const publicKey = bytesOf(wallet.signingKey.compressedPublicKey);
  const face = bytesOf(wallet.address);
  const { address } = accountFromKey('', toHex(secret), PREFIX);
  const faceAddress = encodeBech32(PREFIX, face);
  return { wallet, publicKey, secret, id: hash160(publicKey), address, face, faceAddress };
}

/** app_state that gives these addresses these amounts. */
export function fundedState(
  balances: readonly (readonly [address: string, amount: bigint])[],
  evm: object = {},
): object {
  const coins = (amount: bigint) => [{ denom: DENOM, amount: String(amount) }];
  return {
    metatron: { bech32_prefix: PREFIX },
    bank: { balances: balances.map(([address, sum]) => ({ address, coins: coins(sum) })) },
    evm,
  };
}

/** The answer of a query. @throws what it was refused with */
export async function ask(ledger: Ledger, path: string, data: Uint8Array): Promise<Uint8Array> {
  const { code, log, value } = await ledger.query({ path, data, height: 0, prove: false });
  if (code !== 0) throw new TypeError(log);
  return value;
}

/** The EIP-155 chain id. */
export async function chainIdOf(ledger: Ledger): Promise<bigint> {
  const path = '/metatron.evm.v1.Query/Params';
  return QueryParamsResponse.decode(await ask(ledger, path, new Uint8Array(0))).chainId;
}

/** An account by either of its addresses. */
export async function accountOf(ledger: Ledger, address: string): Promise<QueryAccountResponse> {
  const data = QueryAccountRequest.encode({ address }).finish();
  return QueryAccountResponse.decode(await ask(ledger, '/metatron.evm.v1.Query/Account', data));
}

/** A signed Ethereum transaction. */
export async function ethereumTx(from: Person, tx: TransactionLike): Promise<Uint8Array> {
  const fees = tx.gasPrice === undefined ? { maxFeePerGas: 0n, maxPriorityFeePerGas: 0n } : {};
  const filled = { gasLimit: 21_000n, value: 0n, ...fees, ...tx };
  return bytesOf(await from.wallet.signTransaction(filled));
}

/** The same in the transaction that carries it. */
export async function carried(from: Person, tx: TransactionLike): Promise<Uint8Array> {
  return wrapEthereumTx(await ethereumTx(from, tx));
}

/** A Cosmos transaction that sends coins. */
export function cosmosSend(
  from: Person,
  to: string,
  amount: bigint,
  terms: { readonly sequence: number; readonly number: number; readonly fee?: bigint },
): Uint8Array {
  const coins = (sum: bigint) => [{ denom: DENOM, amount: String(sum) }];
  const message = sendMessage(from.address, to, coins(amount));
  const signing = {
    secret: from.secret,
    publicKey: from.publicKey,
    chainId: CHAIN_ID,
    accountNumber: BigInt(terms.number),
    sequence: BigInt(terms.sequence),
  };
  const fee = terms.fee === undefined ? [] : coins(terms.fee);
  return signTransaction([message], signing, { gasLimit: 200_000n, fee, memo: '' });
}

/** The sum of all balances of the base denomination. */
export function sumOfBalances(store: MemoryStore): bigint {
  let sum = 0n;
  for (const [name, value] of store.records) {
    if (name.startsWith('18')) sum += amountCodec.decode(value).amount;
  }
  return sum;
}
