/**
 * The genesis state of the ledger for a new chain: accounts with money, in the SDK's shape.
 *
 * Upholds: what a given state holds stays; accounts are added, and the supply with them when the
 * state names one.
 * Spec: Cosmos SDK genesis of x/auth and x/bank.
 *
 * @module
 */
import { BASE_DENOM } from '../ledger/denom.ts';

/** What each account of a new chain gets: one million PHI, in aphi. */
export const INITIAL_BALANCE: bigint = 10n ** 24n;

/** `app_state` of a genesis document. */
export type LedgerState = Readonly<Record<string, unknown>>;

type Coin = { readonly denom: string; readonly amount: string };

/** An account of a new chain, and what it holds: `INITIAL_BALANCE` of aphi if that is not said. */
export type Funded = {
  readonly address: string;
  readonly coins?: readonly Coin[];
  /** secp256k1, 33 bytes in base64: then both addresses of the account are known at once. */
  readonly pubKey?: string;
  /** With 0x; an account that has one governs the contracts of a new chain. */
  readonly evmAddress?: string;
};

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : {};
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function byDenom(a: Coin, b: Coin): number {
  return a.denom < b.denom ? -1 : 1;
}

/** The sums of coins by denomination, in its order. */
function sum(coins: readonly Coin[]): readonly Coin[] {
  const amounts = new Map<string, bigint>();
  for (const { denom, amount } of coins) {
    amounts.set(denom, (amounts.get(denom) ?? 0n) + BigInt(amount));
  }
  return [...amounts].map(([denom, amount]) => ({ denom, amount: String(amount) })).sort(byDenom);
}

const PHI = {
  description: 'The coin of the ledger.',
  denom_units: [
    { denom: BASE_DENOM, exponent: 0, aliases: [] },
    { denom: 'phi', exponent: 18, aliases: [] },
  ],
  base: BASE_DENOM,
  display: 'phi',
  name: 'Phi',
  symbol: 'PHI',
  uri: '',
  uri_hash: '',
};

/** The state with these accounts and their coins added. */
export function ledgerState(base: LedgerState, funded: readonly Funded[]): LedgerState {
  const [auth, bank] = [record(base['auth']), record(base['bank'])];
  const accounts = funded.map(({ address, pubKey }) => ({
    '@type': '/cosmos.auth.v1beta1.BaseAccount',
    address,
    pub_key:
      pubKey === undefined ? null : { '@type': '/cosmos.crypto.secp256k1.PubKey', key: pubKey },
    account_number: '0',
    sequence: '0',
  }));
  const known = list(auth['accounts']);
  const initial = [{ denom: BASE_DENOM, amount: String(INITIAL_BALANCE) }];
  const balances = funded.map(({ address, coins }) => ({ address, coins: sum(coins ?? initial) }));
  const supply = list(bank['supply']);
  const added = balances.flatMap(({ coins }) => coins);
  const metadata = list(bank['denom_metadata']);
  return {
    ...base,
    auth: {
      ...auth,
      accounts: [
        ...known,
        ...accounts.map((a, i) => ({ ...a, account_number: String(known.length + i) })),
      ],
    },
    bank: {
      ...bank,
      balances: [...list(bank['balances']), ...balances],
      supply: supply.length === 0 ? [] : sum([...(supply as readonly Coin[]), ...added]),
      denom_metadata: metadata.length === 0 ? [PHI] : metadata,
    },
  };
}

/**
 * The state in which the tips of each validator's blocks go to one of these accounts, in turn; a
 * state that says who gets them stays as it is.
 *
 * @param validators - consensus addresses, 40 hex digits each
 */
export function withTips(
  state: LedgerState,
  validators: readonly string[],
  accounts: readonly Funded[],
): LedgerState {
  const evm = record(state['evm']);
  if (evm['tip_receivers'] !== undefined || accounts.length === 0) return state;
  const receivers = validators.map((validator, i) => ({
    validator,
    account: accounts[i % accounts.length]?.address,
  }));
  return { ...state, evm: { ...evm, tip_receivers: receivers } };
}

/** How long after a decision of the governors it may take effect: a minute, to be tried out. */
const GOVERNANCE_DELAY_SECONDS = 60;

/**
 * The state in which these accounts govern the ledger's contracts, two thirds of them together; a
 * state that says who does stays as it is.
 */
export function withGovernors(state: LedgerState, accounts: readonly Funded[]): LedgerState {
  const governors = accounts.flatMap(({ evmAddress }) => evmAddress ?? []);
  if (state['contracts'] !== undefined || governors.length === 0) return state;
  return { ...state, contracts: { governors, delay_seconds: GOVERNANCE_DELAY_SECONDS } };
}

/** The prefix of addresses when a genesis names none. */
const DEFAULT_PREFIX = 'metatron';

/** The bech32 prefix of a genesis: that of its own parameter, or of its first account. */
export function bech32PrefixOf(appState: Uint8Array | undefined): string {
  if (appState === undefined) return DEFAULT_PREFIX;
  const state = record(JSON.parse(new TextDecoder().decode(appState)));
  const named = record(state['metatron'])['bech32_prefix'];
  if (typeof named === 'string') return named;
  const first = record(list(record(state['bank'])['balances'])[0])['address'];
  const prefix = typeof first === 'string' ? first.slice(0, first.lastIndexOf('1')) : '';
  return prefix === '' ? DEFAULT_PREFIX : prefix;
}
