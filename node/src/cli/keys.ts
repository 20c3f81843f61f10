/**
 * `metatron keys`: the accounts of this user, encrypted on disk.
 *
 * Upholds: secrets are printed only by `add` (the new mnemonic, once) and `export`.
 *
 * @module
 */
import { type Command, Option } from 'commander';
import { DEVNET_HOME, jsonOption, keysOption, shown } from './options.ts';
import { EXIT, note, printResult, table } from './output.ts';
import { askPassphrase, newPassphrase, secret } from './passphrase.ts';

type Options = {
  readonly keys: string;
  readonly prefix: string;
  readonly hdPath: string;
  readonly type: 'mnemonic' | 'key';
  readonly yes?: true;
  readonly json?: true;
};

type Shown = { readonly name: string; readonly address: string; readonly evmAddress: string };

function printAccount(options: Options, account: Shown): void {
  const { name, address, evmAddress } = account;
  printResult(options.json === true, { name, address, evmAddress }, () =>
    [`name         ${name}`, `address      ${address}`, `evm address  ${evmAddress}`].join('\n'),
  );
}

/** Says that a new key stands before an account of the usual devnet. */
async function noteShadowed(account: Shown): Promise<void> {
  const { shadowedBy } = await import('./signer.ts');
  const other = shadowedBy(DEVNET_HOME, account);
  if (other === undefined) return;
  const { name } = account;
  note(
    `The devnet in ${shown(DEVNET_HOME)} has another account ${name}, ${other}: from now on ` +
      `--from ${name} means this key.`,
  );
}

async function add(name: string, options: Options): Promise<void> {
  const [{ createAccount }, { saveAccount }] = await Promise.all([
    import('../ops/accounts.ts'),
    import('../ops/keystore.ts'),
  ]);
  const account = createAccount(name, options.prefix);
  await saveAccount(options.keys, account, await newPassphrase());
  await noteShadowed(account);
  if (options.json === true) {
    const { address, evmAddress, mnemonic, hdPath } = account;
    printResult(true, { name, address, evmAddress, mnemonic, hdPath }, () => '');
    return;
  }
  printAccount(options, account);
  note('\nWrite these words down; they are the only way to restore the account:\n');
  note(account.mnemonic);
}

async function importKey(name: string, options: Options): Promise<void> {
  const [{ accountFromKey, accountFromMnemonic }, { saveAccount }] = await Promise.all([
    import('../ops/accounts.ts'),
    import('../ops/keystore.ts'),
  ]);
  const what = options.type === 'key' ? 'private key (hex)' : 'mnemonic';
  const text = await secret(what, 'METATRON_SECRET');
  const account =
    options.type === 'key'
      ? accountFromKey(name, text.trim(), options.prefix)
      : accountFromMnemonic(name, text, options.prefix, options.hdPath);
  await saveAccount(options.keys, account, await newPassphrase());
  await noteShadowed(account);
  printAccount(options, account);
}

async function list(options: Options): Promise<void> {
  const { listAccounts } = await import('../ops/keystore.ts');
  const accounts = listAccounts(options.keys);
  printResult(options.json === true, accounts, () =>
    accounts.length === 0
      ? `no keys in ${options.keys}: make one with "metatron keys add NAME"`
      : table([
          ['name', 'address', 'evm address'],
          ...accounts.map((a) => [a.name, a.address, a.evmAddress]),
        ]),
  );
}

async function show(name: string, options: Options): Promise<void> {
  const { showAccount } = await import('../ops/keystore.ts');
  printAccount(options, showAccount(options.keys, name));
}

async function exportKey(name: string, options: Options): Promise<void> {
  const { openAccount } = await import('../ops/keystore.ts');
  const account = await openAccount(options.keys, name, await askPassphrase());
  printResult(options.json === true, account, () =>
    [
      `mnemonic     ${account.mnemonic === '' ? '(none: a raw key)' : account.mnemonic}`,
      `hd path      ${account.hdPath}`,
      `private key  ${account.privateKey}`,
    ].join('\n'),
  );
}

async function remove(name: string, options: Options): Promise<void> {
  const { deleteAccount, showAccount } = await import('../ops/keystore.ts');
  const account = showAccount(options.keys, name);
  if (options.yes !== true) {
    note(`This deletes the key of ${account.address}. Say --yes if you mean it.`);
    process.exitCode = EXIT.usage;
    return;
  }
  deleteAccount(options.keys, name);
  printAccount(options, account);
}

/** Adds `keys` and its subcommands. */
export function registerKeys(program: Command): void {
  const keys = program
    .command('keys')
    .description('make, list and export accounts in the encrypted keystore')
    .addHelpText(
      'after',
      '\nExamples:\n  metatron keys add writer\n  metatron keys list --json\n' +
        '  METATRON_PASSPHRASE=… metatron keys export writer\n' +
        '\nA passphrase is asked for, or taken from METATRON_PASSPHRASE; an imported mnemonic\n' +
        'or private key is asked for, or taken from METATRON_SECRET.',
    );
  const prefix = (): Option =>
    new Option('--prefix <prefix>', 'bech32 prefix of addresses').default('metatron');
  const command = (name: string, what: string): Command =>
    keys.command(name).description(what).addOption(keysOption()).addOption(jsonOption());
  command('add <name>', 'make a new account').addOption(prefix()).action(add);
  command('import <name>', 'add an account from its mnemonic or private key')
    .addOption(prefix())
    .addOption(
      new Option('--type <type>', 'what is imported')
        .choices(['mnemonic', 'key'])
        .default('mnemonic'),
    )
    .option('--hd-path <path>', 'derivation path of a mnemonic', "m/44'/118'/0'/0/0")
    .action(importKey);
  command('list', 'list the accounts').action(list);
  command('show <name>', 'show the addresses of one account').action(show);
  command('export <name>', 'print the mnemonic and private key of an account').action(exportKey);
  command('delete <name>', 'delete an account').option('--yes', 'do it').action(remove);
}
