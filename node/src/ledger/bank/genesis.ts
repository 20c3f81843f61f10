/**
 * Genesis of module bank: balances, supply and metadata of an SDK genesis.
 *
 * Upholds: the supply is the sum of the balances; a genesis that says otherwise is refused. Every
 * holder of coins has an account. There are at most 1,000 denominations, so lists of them are
 * short.
 *
 * @module
 */
import { createAccount, getAccount } from '../auth/accounts.ts';
import { resolveId } from '../auth/aliases.ts';
import { cosmos } from '../cosmos.ts';
import { badGenesis, count, list, object, text } from '../genesis.ts';
import { KEY, key, textHash } from '../keys.ts';
import type { GenesisContext } from '../module.ts';
import type { Coin } from '../tx/wire.ts';
import { add, setSupply } from './balances.ts';
import { type Amount, coinsText, equalCoins, isDenom, parseAmount, sumCoins } from './coins.ts';
import { MAX_DENOMS, setDenoms } from './denoms.ts';

/** Loads `app_state.bank`. */
export function genesis(context: GenesisContext, section: unknown): void {
  const bank = object(section, 'bank');
  const balances = list(bank['balances'], 'bank.balances').map((item) => {
    const balance = object(item, 'balance');
    const address = text(balance['address'], 'balance.address');
    const id = resolveId(context.state, context.addresses.id(address, 'bank.balances'));
    return { id, coins: coins(balance['coins']) };
  });
  for (const { id, coins: amounts } of balances) {
    if (getAccount(context.state, id) === undefined) createAccount(context.state, id);
    add(context.state, id, amounts);
  }
  const total = sumCoins(balances.map((balance) => balance.coins));
  if (total.length > MAX_DENOMS) badGenesis(`bank has more than ${MAX_DENOMS} denominations`);
  const said = sumCoins([coins(bank['supply'])]);
  if (said.length > 0 && !equalCoins(said, total)) {
    badGenesis(`supply ${coinsText(said)} is not the sum of balances ${coinsText(total)}`);
  }
  for (const { denom, amount } of total) setSupply(context.state, denom, amount);
  setDenoms(
    context.state,
    total.map(({ denom }) => denom),
  );
  const metadata = list(bank['denom_metadata'], 'bank.denom_metadata');
  if (metadata.length > MAX_DENOMS) badGenesis(`more than ${MAX_DENOMS} denom_metadata`);
  for (const item of metadata) loadMetadata(context, item);
  reportIgnored(context, bank);
}

function reportIgnored(context: GenesisContext, bank: Readonly<Record<string, unknown>>): void {
  const params = object(bank['params'], 'bank.params');
  if (params['default_send_enabled'] === false) context.ignored('bank.params.default_send_enabled');
  for (const [name, value] of [
    ['bank.params.send_enabled', params['send_enabled']],
    ['bank.send_enabled', bank['send_enabled']],
  ] as const) {
    if (list(value, name).length > 0) context.ignored(name);
  }
}

function coins(value: unknown): readonly Amount[] {
  return list(value, 'coins').flatMap((item) => {
    const coin = object(item, 'coin') as Partial<Coin>;
    const denom = text(coin.denom, 'denom');
    const amount = parseAmount(text(coin.amount, 'amount'));
    if (!isDenom(denom) || amount === undefined) return badGenesis(`coin ${amount}${denom}`);
    return amount === 0n ? [] : [{ denom, amount }];
  });
}

/** State key of a denomination's metadata. */
export function metadataKey(denom: string): Uint8Array {
  return key(KEY.denomMetadata, textHash(denom));
}

function loadMetadata(context: GenesisContext, item: unknown): void {
  const json = object(item, 'denom_metadata');
  const base = text(json['base'], 'base');
  if (!isDenom(base)) badGenesis(`denom_metadata of ${base}`);
  const metadata = cosmos.bank.Metadata.fromPartial({
    description: text(json['description'], 'description'),
    denomUnits: list(json['denom_units'], 'denom_units').map((value) => {
      const unit = object(value, 'denom_unit');
      return {
        denom: text(unit['denom'], 'denom'),
        exponent: count(unit['exponent'], 'exponent', 0),
        aliases: list(unit['aliases'], 'aliases').map((alias) => text(alias, 'alias')),
      };
    }),
    base,
    display: text(json['display'], 'display'),
    name: text(json['name'], 'name'),
    symbol: text(json['symbol'], 'symbol'),
    uri: text(json['uri'], 'uri'),
    uriHash: text(json['uri_hash'], 'uri_hash'),
  });
  context.state.set(metadataKey(base), cosmos.bank.Metadata.encode(metadata).finish());
}
