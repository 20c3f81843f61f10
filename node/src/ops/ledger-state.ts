/**
 * The genesis state of the ledger for a new chain: accounts with money, in the SDK's shape.
 *
 * Upholds: what a given state holds stays; accounts are added, and the supply with them when the
 * state names one.
 * Spec: Cosmos SDK genesis of x/auth and x/bank.
 *
 * @module
 */

/** The base denomination; 10^18 of it are one PHI. */
export const BASE_DENOM = 'aphi';

/** What each account of a new chain gets: one million PHI, in aphi. */
export const INITIAL_BALANCE: bigint = 10n ** 24n;

/** `app_state` of a genesis document. */
export type LedgerState = Readonly<Record<string, unknown>>;

type Coin = { readonly denom: string; readonly amount: string };

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : {};
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function addToSupply(supply: readonly unknown[], amount: bigint): readonly Coin[] {
  const coins = supply as readonly Coin[];
  const known = coins.some((coin) => coin.denom === BASE_DENOM);
  const all = known ? coins : [...coins, { denom: BASE_DENOM, amount: '0' }];
  return all
    .map((coin) =>
      coin.denom === BASE_DENOM
        ? { denom: coin.denom, amount: String(BigInt(coin.amount) + amount) }
        : coin,
    )
    .toSorted((a, b) => (a.denom < b.denom ? -1 : 1));
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

/** The state with `addresses` added as accounts of `INITIAL_BALANCE`. */
export function ledgerState(base: LedgerState, addresses: readonly string[]): LedgerState {
  const [auth, bank] = [record(base['auth']), record(base['bank'])];
  const accounts = addresses.map((address) => ({
    '@type': '/cosmos.auth.v1beta1.BaseAccount',
    address,
    pub_key: null,
    account_number: '0',
    sequence: '0',
  }));
  const known = list(auth['accounts']);
  const balances = addresses.map((address) => ({
    address,
    coins: [{ denom: BASE_DENOM, amount: String(INITIAL_BALANCE) }],
  }));
  const supply = list(bank['supply']);
  const added = INITIAL_BALANCE * BigInt(addresses.length);
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
      supply: supply.length === 0 ? [] : addToSupply(supply, added),
      denom_metadata: metadata.length === 0 ? [PHI] : metadata,
    },
  };
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
