/**
 * Reading accounts and sending transactions over a node's RPC.
 *
 * Upholds: a transaction is told as committed only after the node finds it in a block; a refusal
 * carries the code of the ledger.
 *
 * @module
 */
import { fromBase64, fromHex, toBase64, toHex, toUpperHex, utf8 } from '../base/bytes.ts';
import { type ErrorSpec, errorSpec, LedgerError } from '../base/errors.ts';
import { sha256 } from '../base/hash.ts';
import { accountOn, addressOn } from '../client/accounts.ts';
import type { Coin } from '../ledger/tx/wire.ts';
import { addressRequestCodec, readAccount, readBalances } from '../rpc/rest/cosmos.ts';
import { call, nodeRpc, pick, pickText, errors as rpcErrors } from './rpc-client.ts';
import { checkAddress, isEvmAddress, wrongUsage } from './usage.ts';

/** Refusals of a query or transaction. */
export const errors: {
  readonly QueryRefused: ErrorSpec<{ readonly path: string; code: string; log: string }>;
  readonly TxRefused: ErrorSpec<{ readonly codespace: string; code: number; log: string }>;
  readonly NotCommitted: ErrorSpec<{ readonly hash: string; readonly seconds: number }>;
  readonly NoAccount: ErrorSpec<{ readonly address: string }>;
  readonly NoAlias: ErrorSpec<{ readonly address: string }>;
} = {
  QueryRefused: errorSpec('client', 11, 'client', (p) => `${p.path}: ${p.log} (code ${p.code})`),
  TxRefused: errorSpec(
    'client',
    12,
    'client',
    (p) => `the transaction was refused: ${p.log} (${p.codespace} ${p.code})`,
  ),
  NotCommitted: errorSpec(
    'client',
    13,
    'client',
    (p) =>
      `transaction ${p.hash} is not in a block after ${p.seconds} s: ` +
      '"metatron query tx" may find it later; "metatron query status" shows if the chain moves',
  ),
  NoAccount: errorSpec(
    'client',
    14,
    'client',
    (p) => `${p.address} is not on this chain: send it something first`,
  ),
  NoAlias: errorSpec(
    'client',
    15,
    'client',
    (p) =>
      `this chain knows nothing of ${p.address} yet: which account it belongs to shows with the ` +
      'first transaction of its key; until then ask by the metatron1… address ' +
      '("metatron keys show" and "metatron devnet" have both)',
  ),
};

/** The answer of an ABCI query. */
export type Queried = { readonly value: Uint8Array; readonly height: string };

/** An ABCI query whose refusal is thrown. @throws LedgerError client/11 */
export async function query(
  node: string,
  path: string,
  data: Uint8Array,
  height = 0,
): Promise<Queried> {
  const params = { path, data: toHex(data), height: String(height), prove: false };
  const response = pick(await call(node, 'abci_query', params), 'response');
  const code = pickText(response, 'code');
  if (code !== '' && code !== '0') {
    const log = pickText(response, 'log');
    throw new LedgerError(errors.QueryRefused, { path, code, log });
  }
  const value = fromBase64(pickText(response, 'value'));
  return { value: value ?? new Uint8Array(0), height: pickText(response, 'height') };
}

/** Where an account stands. */
export type AccountState = {
  readonly address: string;
  readonly accountNumber: bigint;
  readonly sequence: bigint;
};

/**
 * A query about the account of one address, bech32 or 0x.
 *
 * @throws LedgerError usage/1 if the chain has no such addresses
 */
async function queryAddress(node: string, path: string, text: string): Promise<Uint8Array> {
  const address = await addressOn(nodeRpc(node), checkAddress(text, 'the account'));
  try {
    return (await query(node, path, addressRequestCodec.encode({ address }))).value;
  } catch (thrown) {
    if (!LedgerError.is(thrown, errors.QueryRefused)) throw thrown;
    const expected = /Bech32 prefix; expected ([^ ,]+)/.exec(thrown.params.log)?.[1];
    if (expected === undefined) throw thrown;
    const reason = `addresses of this chain begin with ${expected}1, unlike ${address}`;
    return wrongUsage(`the account: ${reason}`, thrown);
  }
}

/** An account. @throws LedgerError client/14, client/15 if the chain does not know it; usage/1 */
export async function account(node: string, address: string): Promise<AccountState> {
  let value: Uint8Array;
  try {
    value = await queryAddress(node, '/cosmos.auth.v1beta1.Query/Account', address);
  } catch (thrown) {
    if (LedgerError.is(thrown, errors.QueryRefused) && /not ?found/i.test(thrown.params.log)) {
      const missing = isEvmAddress(address) ? errors.NoAlias : errors.NoAccount;
      throw new LedgerError(missing, { address }, thrown);
    }
    throw thrown;
  }
  const found = readAccount(value);
  const [accountNumber, sequence] = [BigInt(found.accountNumber), BigInt(found.sequence)];
  return { address: found.address, accountNumber, sequence };
}

/**
 * Everything an account holds, up to one page of the node.
 *
 * @throws LedgerError client/15 if nothing lies at a 0x address whose account is not known; usage/1
 */
export async function balances(node: string, address: string): Promise<readonly Coin[]> {
  const path = '/cosmos.bank.v1beta1.Query/AllBalances';
  const found = readBalances(await queryAddress(node, path, address));
  if (found.length > 0 || !isEvmAddress(address)) return found;
  const { evmAddress } = await accountOn(nodeRpc(node), address);
  if (evmAddress === undefined) throw new LedgerError(errors.NoAlias, { address });
  return found;
}

/** The chain's id. */
export async function chainIdOf(node: string): Promise<string> {
  return pickText(await call(node, 'status'), 'node_info', 'network');
}

/** A transaction that is in a block. */
export type Committed = {
  readonly hash: string;
  readonly height: number;
  readonly code: number;
  readonly gasUsed: number;
  /** The application's data: TxMsgData of the ledger. */
  readonly data: Uint8Array;
};

/** Sends a transaction. @returns its hash @throws LedgerError client/12 if its check fails */
export async function broadcast(node: string, tx: Uint8Array): Promise<string> {
  const answer = await call(node, 'broadcast_tx_sync', { tx: toBase64(tx) });
  const code = Number(pickText(answer, 'code'));
  if (code !== 0) {
    const [codespace, log] = [pickText(answer, 'codespace'), pickText(answer, 'log')];
    throw new LedgerError(errors.TxRefused, { codespace, code, log });
  }
  return pickText(answer, 'hash');
}

const POLL_MS = 25;
const WAIT_MS = 30_000;

/**
 * Waits until a transaction is in a block.
 *
 * @throws LedgerError client/12 if it failed there, client/13 if it does not arrive in time
 */
export async function committed(
  node: string,
  hash: Uint8Array,
  waitMs: number = WAIT_MS,
): Promise<Committed> {
  const deadline = performance.now() + waitMs;
  for (;;) {
    const found = await find(node, hash);
    if (found !== undefined) return found;
    if (performance.now() > deadline) {
      const params = { hash: toUpperHex(hash), seconds: waitMs / 1_000 };
      throw new LedgerError(errors.NotCommitted, params);
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** Whether a transaction is in a block, or comes into one within `waitMs`. */
export async function contains(node: string, hash: Uint8Array, waitMs: number): Promise<boolean> {
  try {
    await committed(node, hash, waitMs);
    return true;
  } catch (thrown) {
    if (LedgerError.is(thrown, errors.NotCommitted)) return false;
    if (LedgerError.is(thrown, errors.TxRefused)) return false;
    throw thrown;
  }
}

async function find(node: string, hash: Uint8Array): Promise<Committed | undefined> {
  let answer: unknown;
  try {
    answer = await call(node, 'tx', { hash: toBase64(hash), prove: false });
  } catch (thrown) {
    if (LedgerError.is(thrown, rpcErrors.Refused) && /not found/.test(thrown.message)) {
      return undefined;
    }
    throw thrown;
  }
  const result = pick(answer, 'tx_result');
  const code = Number(pickText(result, 'code'));
  if (code !== 0) {
    const [codespace, log] = [pickText(result, 'codespace'), pickText(result, 'log')];
    throw new LedgerError(errors.TxRefused, { codespace, code, log });
  }
  return {
    hash: pickText(answer, 'hash'),
    height: Number(pickText(answer, 'height')),
    code,
    gasUsed: Number(pickText(result, 'gas_used')),
    data: fromBase64(pickText(result, 'data')) ?? new Uint8Array(0),
  };
}

/** Sends a transaction and waits for its block. @throws LedgerError as the two steps */
export async function deliver(node: string, tx: Uint8Array): Promise<Committed> {
  await broadcast(node, tx);
  return committed(node, sha256(tx));
}

/**
 * Bytes that a user names: hex, base64, or plain text for the key-value application.
 *
 * @throws LedgerError usage/1
 */
export function bytesFromText(text: string, encoding: 'hex' | 'base64' | 'text'): Uint8Array {
  if (encoding === 'text') return utf8(text);
  const trimmed = text.trim();
  const found = encoding === 'hex' ? fromHex(trimmed.replace(/^0x/, '')) : fromBase64(trimmed);
  return found ?? wrongUsage(`the transaction is not ${encoding}; name its form with --encoding`);
}
