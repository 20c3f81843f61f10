/**
 * Genesis of module auth: parameters and accounts of an SDK genesis.
 *
 * Upholds: account numbers are unique; given ones are kept, others follow. Vesting accounts become
 * plain ones, and that is said.
 *
 * @module
 */
import { EMPTY, fromBase64 } from '../../base/bytes.ts';
import { addressOf, badGenesis, count, type JsonObject, list, object, text } from '../genesis.ts';
import type { GenesisContext } from '../module.ts';
import { MULTISIG_URL, SECP256K1_URL } from '../tx/signer.ts';
import { type Any, anyCodec, multisigKeyCodec, pubKeyCodec } from '../tx/wire.ts';
import {
  DEFAULT_AUTH_PARAMS,
  getAccount,
  setAccount,
  setAuthParams,
  setNextAccountNumber,
} from './accounts.ts';

const MAX_GENESIS_ACCOUNTS = 1_000_000;

/** Loads `app_state.auth`. */
export function genesis(context: GenesisContext, section: unknown): void {
  const auth = object(section, 'auth');
  const params = object(auth['params'], 'auth.params');
  const read = (name: string, otherwise: number): number => {
    const what = `auth.params.${name}`;
    return count(params[name], what, otherwise) || badGenesis(`${what} is not above 0`);
  };
  const d = DEFAULT_AUTH_PARAMS;
  setAuthParams(context.state, {
    maxMemoCharacters: read('max_memo_characters', d.maxMemoCharacters),
    txSigLimit: read('tx_sig_limit', d.txSigLimit),
    txSizeCostPerByte: read('tx_size_cost_per_byte', d.txSizeCostPerByte),
    sigVerifyCostEd25519: read('sig_verify_cost_ed25519', d.sigVerifyCostEd25519),
    sigVerifyCostSecp256k1: read('sig_verify_cost_secp256k1', d.sigVerifyCostSecp256k1),
  });
  const accounts = list(auth['accounts'], 'auth.accounts');
  if (accounts.length > MAX_GENESIS_ACCOUNTS) badGenesis('auth.accounts has more than 1,000,000');
  const numbers = accounts.map((item) => accountNumber(object(item, 'account')));
  const given = new Set(numbers);
  const keep = given.size === accounts.length;
  for (const [i, item] of accounts.entries()) {
    loadAccount(context, object(item, 'account'), keep ? (numbers[i] as number) : i);
  }
  const highest = numbers.reduce((a, b) => Math.max(a, b), -1);
  setNextAccountNumber(context.state, keep ? highest + 1 : accounts.length);
}

function base(item: JsonObject): JsonObject {
  for (const inner of ['base_account', 'base_vesting_account']) {
    if (inner in item) return base(object(item[inner], inner));
  }
  return item;
}

function accountNumber(item: JsonObject): number {
  return count(base(item)['account_number'], 'account_number', 0);
}

function loadAccount(context: GenesisContext, item: JsonObject, number: number): void {
  const address = addressOf(item) ?? badGenesis('an account has no address');
  const id = context.addresses.id(address, 'auth.accounts');
  const type = text(item['@type'], '@type');
  if (type.includes('Vesting')) context.ignored(`vesting schedule of ${address}`);
  if (getAccount(context.state, id) !== undefined) badGenesis(`account ${address} is there twice`);
  const inner = base(item);
  setAccount(context.state, id, {
    number,
    sequence: count(inner['sequence'], 'sequence', 0),
    publicKey: publicKey(inner['pub_key']),
    moduleName: type.endsWith('.ModuleAccount') ? text(item['name'], 'name') : '',
    permissions: list(item['permissions'], 'permissions').map((p) => text(p, 'permission')),
  });
}

function publicKey(value: unknown): Uint8Array {
  return value === undefined || value === null ? EMPTY : anyCodec.encode(keyAny(value));
}

function keyAny(value: unknown): Any {
  const json = object(value, 'pub_key');
  const typeUrl = text(json['@type'], '@type');
  if (typeUrl === SECP256K1_URL) {
    const key = fromBase64(text(json['key'], 'key')) ?? badGenesis('a pub_key is not base64');
    return { typeUrl, value: pubKeyCodec.encode({ key }) };
  }
  if (typeUrl === MULTISIG_URL) {
    const publicKeys = list(json['public_keys'], 'public_keys').map(keyAny);
    const threshold = count(json['threshold'], 'threshold', 0);
    return { typeUrl, value: multisigKeyCodec.encode({ threshold, publicKeys }) };
  }
  return badGenesis(`public key type ${typeUrl} is unknown`);
}
