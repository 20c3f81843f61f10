/**
 * Reading app_state of a genesis document: the parts of an SDK genesis that this ledger has.
 *
 * Upholds: what is read is checked; what has no effect here is named, never dropped in silence.
 * The bech32 prefix is `app_state.metatron.bech32_prefix`, else that of the first account or
 * balance, else `metatron`.
 * Spec: Cosmos SDK 0.50 genesis JSON of x/auth and x/bank.
 *
 * @module
 */
import { decodeBech32, isBech32Prefix } from '../base/bech32.ts';
import { fromUtf8 } from '../base/bytes.ts';
import { describe, type ErrorSpec, errorSpec, LedgerError } from '../base/errors.ts';
import { DEFAULT_PREFIX } from './addresses.ts';

/** Refusals of a genesis document's app_state. */
export const errors: { readonly BadGenesis: ErrorSpec<{ readonly reason: string }> } = {
  BadGenesis: errorSpec('genesis', 2, 'node', (p) => `genesis app_state: ${p.reason}`),
};

/** Stops the chain from starting: app_state is wrong because of `reason`. */
export function badGenesis(reason: string): never {
  throw new LedgerError(errors.BadGenesis, { reason });
}

/** A JSON object. */
export type JsonObject = { readonly [name: string]: unknown };

/** `value` as an object; absent is empty. */
export function object(value: unknown, what: string): JsonObject {
  if (value === undefined || value === null) return {};
  if (typeof value === 'object' && !Array.isArray(value)) return value as JsonObject;
  return badGenesis(`${what} is not an object`);
}

/** `value` as a list; absent is empty. */
export function list(value: unknown, what: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : badGenesis(`${what} is not a list`);
}

/** `value` as text; absent is empty. */
export function text(value: unknown, what: string): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : badGenesis(`${what} is not a text`);
}

/** `value` as a whole number written as text or number; absent is `otherwise`. */
export function count(value: unknown, what: string, otherwise: number): number {
  if (value === undefined || value === null) return otherwise;
  const number = typeof value === 'string' && /^\d{1,16}$/.test(value) ? Number(value) : value;
  if (typeof number === 'number' && Number.isSafeInteger(number) && number >= 0) return number;
  return badGenesis(`${what} is not a whole number`);
}

/** The sections of app_state, by module. @throws LedgerError genesis/1 if it is not JSON */
export function parseAppState(bytes: Uint8Array): JsonObject {
  if (bytes.length === 0) return {};
  const source = fromUtf8(bytes) ?? badGenesis('is not UTF-8');
  try {
    return object(JSON.parse(source) as unknown, 'app_state');
  } catch (cause) {
    return badGenesis(describe(cause));
  }
}

/** The prefix of this chain's addresses. */
export function prefixOf(appState: JsonObject): string {
  const own = text(object(appState['metatron'], 'metatron')['bech32_prefix'], 'bech32_prefix');
  const accounts = list(object(appState['auth'], 'auth')['accounts'], 'auth.accounts');
  const balances = list(object(appState['bank'], 'bank')['balances'], 'bank.balances');
  const prefix = own === '' ? (firstPrefix(accounts) ?? firstPrefix(balances)) : own;
  if (prefix === undefined) return DEFAULT_PREFIX;
  return isBech32Prefix(prefix) ? prefix : badGenesis(`${prefix} is not a bech32 prefix`);
}

function firstPrefix(items: readonly unknown[]): string | undefined {
  const address = addressOf(object(items[0], 'the first account or balance'));
  return address === undefined ? undefined : decodeBech32(address)?.prefix;
}

/** The address in an account of any of the SDK's kinds, or in a balance. */
export function addressOf(item: JsonObject): string | undefined {
  if (typeof item['address'] === 'string') return item['address'];
  for (const inner of ['base_account', 'base_vesting_account']) {
    if (inner in item) return addressOf(object(item[inner], inner));
  }
  return undefined;
}
