/**
 * Which account a command signs with: a key of the keystore, or a funded account of a devnet.
 *
 * Upholds: the keystore comes first, and if the devnet has another account of that name, it is
 * said which of the two signs; an account of the devnet is used only if the chain behind `--node`
 * is that devnet's; if it is not, that is said.
 *
 * @module
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { fromHex } from '../base/bytes.ts';
import { type ErrorSpec, errorSpec, LedgerError, present } from '../base/errors.ts';
import type { Any } from '../ledger/tx/wire.ts';
import type { SecretAccount } from '../ops/accounts.ts';
import type { Committed } from '../ops/chain-client.ts';
import type { PublicAccount } from '../ops/keystore.ts';
import { abiOption, DEVNET_HOME, keysOption, nodeOption, shown, wholeNumber } from './options.ts';
import { note } from './output.ts';
import { askPassphrase } from './passphrase.ts';

type DevnetOf = { readonly devnet: string; readonly has: string };

/** Refusals. */
export const errors: {
  readonly NoSigner: ErrorSpec<{ readonly name: string; readonly keys: string; devnet: string }>;
  readonly OtherChain: ErrorSpec<{ name: string; node: string; on: string } & DevnetOf>;
} = {
  NoSigner: errorSpec(
    'signer',
    1,
    'client',
    (p) =>
      `no key "${p.name}" in ${p.keys}, nor in the devnet of ${p.devnet}: ` +
      'make one with "metatron keys add"',
  ),
  OtherChain: errorSpec(
    'signer',
    3,
    'client',
    (p) =>
      `the node at ${p.node} is on chain ${p.on}, but "${p.name}" is an account of ` +
      `chain ${p.has}, the devnet in ${p.devnet}: name a node of that devnet with --node ` +
      '(or METATRON_NODE), or the home of the chain with --devnet-home',
  ),
};

/** Options of commands that sign. */
export type SignOptions = {
  readonly from: string;
  readonly keys: string;
  readonly devnetHome: string;
  readonly node: string;
  readonly fee: string;
  readonly gas?: number;
  readonly memo: string;
  readonly abi?: readonly string[];
};

/** Adds the options of a command that signs. */
export function withSigner(command: Command): Command {
  return command
    .requiredOption(
      '--from <name>',
      'account that signs: a key, or one of the devnet (alice …), by name or address',
    )
    .addOption(nodeOption())
    .addOption(keysOption())
    .addOption(
      new Option('--devnet-home <dir>', 'devnet whose accounts may sign').default(
        DEVNET_HOME,
        shown(DEVNET_HOME),
      ),
    )
    .option('--fee <coins>', 'fee, such as 1000aphi', '')
    .option(
      '--gas <limit>',
      'gas limit (default: enough for the messages)',
      wholeNumber(1, 2 ** 53 - 1),
    )
    .option('--memo <text>', 'note in the transaction', '')
    .addOption(abiOption());
}

type DevnetFile = { readonly chainId: string; readonly accounts: readonly SecretAccount[] };

type DevnetAccount = { readonly account: SecretAccount; readonly chainId: string };

/** The account of this name, or else the one that has this address, bech32 or 0x. */
function named<A extends PublicAccount>(accounts: readonly A[], text: string): A | undefined {
  const lower = text.toLowerCase();
  return (
    accounts.find(({ name }) => name === text) ??
    accounts.find((one) => one.address === text || one.evmAddress.toLowerCase() === lower)
  );
}

/** The account of this name in the devnet of a folder, and that devnet's chain. */
function devnetAccount(devnet: string, name: string): DevnetAccount | undefined {
  const file = join(devnet, 'devnet.json');
  if (!existsSync(file)) return undefined;
  const { accounts, chainId } = JSON.parse(readFileSync(file, 'utf8')) as DevnetFile;
  const account = named(accounts, name);
  return account && { account, chainId };
}

/**
 * The account of a devnet that a key of the keystore stands before: of its name, and another.
 *
 * @param on - id of the chain, if it is known
 */
export function shadowedBy(
  devnet: string,
  { name, address }: { readonly name: string; readonly address: string },
  on?: string,
): string | undefined {
  let other: DevnetAccount | undefined;
  try {
    other = devnetAccount(devnet, name);
  } catch {
    // A devnet whose file cannot be read has no part in what a key signs.
    return undefined;
  }
  const elsewhere = on !== undefined && other?.chainId !== on;
  return elsewhere || other?.account.address === address ? undefined : other?.account.address;
}

/** Opens the account that signs, on the chain `on`. @throws LedgerError as `openSigner` */
async function signingAccount(options: SignOptions, on: string): Promise<SecretAccount> {
  const { listAccounts, openAccount } = await import('../ops/keystore.ts');
  const { node, from: name, keys, devnetHome: devnet } = options;
  const stored = named(listAccounts(keys), name);
  if (stored !== undefined) {
    const shadowed = shadowedBy(devnet, { ...stored, name }, on);
    if (shadowed !== undefined) {
      note(
        `signing as ${name} of the keystore, ${stored.address}; ${name} of the devnet is another ` +
          `account, ${shadowed}: to sign as that one, name an empty folder with --keys`,
      );
    }
    return await openAccount(keys, stored.name, await askPassphrase());
  }
  const other = devnetAccount(devnet, name);
  if (other === undefined) throw new LedgerError(errors.NoSigner, { name, keys, devnet });
  if (other.chainId === on) return other.account;
  throw new LedgerError(errors.OtherChain, { name, node, on, devnet, has: other.chainId });
}

/** An opened account on its chain; each transaction takes the next sequence. */
export type OpenSigner = {
  readonly address: string;
  readonly chainId: string;
  /** Signs these messages with the next sequence. */
  sign(messages: readonly Any[]): Uint8Array;
  /** Reads the account's sequence again. */
  refresh(): Promise<void>;
  /** Sends what was signed, and waits for the block. */
  send(tx: Uint8Array): Promise<Committed>;
  /** Signs, sends, and waits for the block. */
  deliver(messages: readonly Any[]): Promise<Committed>;
};

/** Opens the account that `--from` names. @throws LedgerError signer/1 or /3, keystore, client */
export async function openSigner(options: SignOptions): Promise<OpenSigner> {
  const [{ parseCoins }, chain, tx, refusals, { secp256k1 }] = await Promise.all([
    import('../ops/coins.ts'),
    import('../ops/chain-client.ts'),
    import('../ops/transaction.ts'),
    import('../ops/refusals.ts'),
    import('@noble/curves/secp256k1.js'),
  ]);
  const { node } = options;
  const fee = parseCoins(options.fee);
  const abi = await refusals.readErrors(options.abi ?? []);
  const chainId = await chain.chainIdOf(node);
  const account = await signingAccount(options, chainId);
  const secret = present(fromHex(account.privateKey), 'private key');
  const publicKey = secp256k1.getPublicKey(secret, true);
  const { accountNumber, sequence } = await chain.account(node, account.address);
  let next = sequence;
  const sign = (messages: readonly Any[]): Uint8Array => {
    const free = tx.freeTerms(messages);
    const gasLimit = options.gas === undefined ? free.gasLimit : BigInt(options.gas);
    const signing = { secret, publicKey, chainId, accountNumber, sequence: next };
    next += 1n;
    return tx.signTransaction(messages, signing, { fee, gasLimit, memo: options.memo });
  };
  const send = (bytes: Uint8Array): Promise<Committed> =>
    refusals.toldWith(abi, chain.deliver(node, bytes));
  const deliver = (messages: readonly Any[]): Promise<Committed> => send(sign(messages));
  const refresh = async (): Promise<void> => {
    next = (await chain.account(node, account.address)).sequence;
  };
  return { address: account.address, chainId, sign, refresh, send, deliver };
}
