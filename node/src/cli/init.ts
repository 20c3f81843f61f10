/**
 * `metatron init`: makes the home of one node, and says what comes next.
 *
 * Upholds: what was asked for is checked before anything is written. The text for people names the
 * commands that lead to a first transaction.
 *
 * @module
 */
import { type Command, Option } from 'commander';
import { decodeBech32, encodeBech32 } from '../base/bech32.ts';
import { fromHex } from '../base/bytes.ts';
import type { InitResult } from '../ops/chain-home.ts';
import type { Funded } from '../ops/ledger-state.ts';
import { checkAddress, isEvmAddress, wrongUsage } from '../ops/usage.ts';
import { homeOption, jsonOption, keysOption, NODE_HOME, repeated } from './options.ts';
import { printResult } from './output.ts';

type InitOptions = {
  readonly home: string;
  readonly moniker: string;
  readonly chainId?: string;
  readonly app: 'ledger' | 'kvstore';
  readonly genesis?: string;
  readonly account: readonly string[];
  readonly keys: string;
  readonly json?: true;
};

/** The account that `ADDRESS[:COINS]` or `KEY[:COINS]` names. */
async function fundedAccount(text: string, keys: string): Promise<Funded> {
  const [{ listAccounts }, { parseCoins }] = await Promise.all([
    import('../ops/keystore.ts'),
    import('../ops/coins.ts'),
  ]);
  const [, name = '', amount] = /^([^:]*)(?::(.*))?$/s.exec(text) ?? [];
  const key = listAccounts(keys).find(
    (account) => account.name === name || account.evmAddress.toLowerCase() === name.toLowerCase(),
  );
  const named = key?.address ?? checkAddress(name, '--account (there is no such key)');
  // A new chain has seen no key: coins at a 0x address wait there for it.
  const bytes = isEvmAddress(named) ? fromHex(named.slice(2)) : undefined;
  const address = bytes === undefined ? named : encodeBech32('metatron', bytes);
  if (amount === undefined) return { address };
  const coins = parseCoins(amount);
  if (coins.length === 0) wrongUsage(`--account ${text}: say how much, such as ${name}:1000aphi`);
  return { address, coins };
}

/** Accounts of a new chain: of one prefix, none twice. */
async function fundedAccounts(options: InitOptions): Promise<readonly Funded[]> {
  const { account, app, genesis, keys } = options;
  if (account.length > 0 && genesis !== undefined) {
    wrongUsage('--account goes with a new chain: with --genesis the accounts are fixed');
  }
  if (account.length > 0 && app === 'kvstore') wrongUsage('--app kvstore has no accounts');
  const accounts = await Promise.all(account.map((text) => fundedAccount(text, keys)));
  const addresses = accounts.map(({ address }) => address);
  if (new Set(addresses).size < addresses.length) wrongUsage('--account names an address twice');
  if (new Set(addresses.map((address) => decodeBech32(address)?.prefix)).size > 1) {
    wrongUsage('--account: all addresses of a chain have the same prefix');
  }
  return accounts;
}

/** A fee for one write that the gas price of a new home accepts, in aphi. */
const EXAMPLE_FEE = '100000000000000aphi';

/** What to do with the new home, for people. */
function nextSteps(options: InitOptions, home: string): readonly string[] {
  const start = `metatron start --home ${home}`;
  if (options.genesis !== undefined) {
    const peers = `p2p.persistentPeers of ${home}/config/config.json`;
    return [`Name a peer of the chain in ${peers}, then start it with:`, `  ${start}`];
  }
  if (options.app === 'kvstore') {
    const write = 'metatron tx broadcast --encoding text name=satoshi';
    return ['Start it, then write to it:', `  ${start}`, `  ${write}`];
  }
  const [account] = options.account;
  if (account !== undefined) {
    const [name = ''] = account.split(':');
    const isAddress = isEvmAddress(name) || decodeBech32(name) !== undefined;
    const from = isAddress ? 'NAME-OF-ITS-KEY' : name;
    const write = `metatron memory put "hello" --from ${from} --fee ${EXAMPLE_FEE}`;
    return ['Start it, then write to it:', `  ${start}`, `  ${write}`];
  }
  return [
    'No account of this chain has coins, so nobody can write to it. For one where yours has:',
    '  metatron keys add NAME',
    '  metatron init --home OTHER-FOLDER --account NAME',
    `Or start it as it is: ${start}`,
  ];
}

function picture(made: InitResult, accounts: readonly Funded[]): readonly string[] {
  return [
    `home       ${made.home}`,
    `chain id   ${made.chainId}`,
    `validator  ${made.validatorAddress}`,
    `peer id    ${made.peerId}`,
    ...accounts.map(({ address }) => `account    ${address}`),
  ];
}

async function init(options: InitOptions): Promise<void> {
  const [{ initHome }, { readNamedGenesis }] = await Promise.all([
    import('../ops/chain-home.ts'),
    import('../ops/named-file.ts'),
  ]);
  const { home, moniker, app, chainId } = options;
  const genesis = options.genesis === undefined ? undefined : readNamedGenesis(options.genesis);
  const accounts = await fundedAccounts(options);
  const now = BigInt(Date.now()) * 1_000_000n;
  const made = initHome({ home, moniker, app, chainId, genesis, accounts, now });
  printResult(options.json === true, { ...made, accounts: accounts.map((a) => a.address) }, () =>
    [...picture(made, accounts), '', ...nextSteps(options, home)].join('\n'),
  );
}

/** Adds `init`. */
export function registerInit(program: Command): void {
  program
    .command('init')
    .description('make the home of one node: keys, configuration, genesis')
    .addOption(homeOption(NODE_HOME, 'folder to make'))
    .option('--moniker <name>', 'name of the node', 'node')
    .option('--chain-id <id>', 'id of the chain (default: metatron- and 8 random digits)')
    .addOption(
      new Option('--app <app>', 'the application').choices(['ledger', 'kvstore']).default('ledger'),
    )
    .option('--genesis <file>', 'join the chain of this genesis instead of making a new one')
    .option(
      '--account <account>',
      'give coins of a new chain to an address or a key: ADDRESS:COINS or KEY:COINS, by default ' +
        '10^24 aphi (a million PHI); may be repeated',
      repeated,
      [],
    )
    .addOption(keysOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nExamples:\n  metatron keys add writer\n' +
        '  metatron init --home ./mynode --chain-id my-chain-1 --account writer\n' +
        '  metatron init --home ./mynode --account metatron1…:5000000aphi\n' +
        '\nOnly who has coins can write: a node asks a fee of 10^9 aphi for each unit of gas\n' +
        '(ledger.minGasPrices in config.json), which is some 10^-5 PHI for a memory.',
    )
    .action(init);
}
