/**
 * `metatron verify`: checks a proof file, offline.
 *
 * Upholds: what is trusted is named by the user: a genesis file, a validators' hash, or a node;
 * what was proved is said whole: the claim, whose space, at which height, by whose signatures.
 * Exit code 1 says that the proof does not hold, and where.
 *
 * @module
 */
import type { Command } from 'commander';
import { decodeBech32 } from '../base/bech32.ts';
import { fromHex, toHex, utf8 } from '../base/bytes.ts';
import { attempt, LedgerError } from '../base/errors.ts';
import type { Trusted } from '../client/anchor.ts';
import { errors } from '../client/errors.ts';
import type { Shown } from '../client/proof.ts';
import { isEvmAddress, wrongUsage } from '../ops/usage.ts';
import { personalSpaceId } from '../types/memory.ts';
import { jsonOption, ownerOf } from './options.ts';
import { EXIT, explain, note, printResult } from './output.ts';

type Options = {
  readonly genesis?: string;
  readonly chainId?: string;
  readonly validatorsHash?: string;
  readonly trustNode?: string;
  readonly owner?: string;
  readonly json?: true;
};

/** What is trusted, by whose word, and how the chain writes addresses if that says so. */
type Anchor = Trusted & { readonly source: string; readonly prefix?: string };

async function trusted(options: Options): Promise<Anchor> {
  const { trustGenesis, trustNode } = await import('../client/chain.ts');
  const { genesis, chainId, validatorsHash, trustNode: node } = options;
  if (genesis !== undefined) {
    const { readNamedGenesis } = await import('../ops/named-file.ts');
    const { bech32PrefixOf } = await import('../ops/ledger-state.ts');
    const document = JSON.parse(readNamedGenesis(genesis)) as { readonly app_state?: unknown };
    const trust = attempt(() => trustGenesis(document));
    if (trust instanceof LedgerError) {
      return wrongUsage(`--genesis: ${genesis} names no validators (${trust.message})`, trust);
    }
    const prefix = bech32PrefixOf(utf8(JSON.stringify(document.app_state ?? {})));
    return { ...trust, source: `the genesis ${genesis} says`, prefix };
  }
  if (node !== undefined) {
    const { nodeRpc } = await import('../ops/rpc-client.ts');
    return { ...(await trustNode(nodeRpc(node))), source: `the node at ${node} says` };
  }
  if (chainId === undefined || validatorsHash === undefined) {
    return wrongUsage(
      'say what to trust: --genesis FILE, --chain-id with --validators-hash, or --trust-node',
    );
  }
  const hash = fromHex(validatorsHash);
  if (hash?.length === 32)
    return { chainId, validatorsHash: hash, source: '--validators-hash says' };
  return wrongUsage('--validators-hash: 64 hex digits, as a header has them');
}

/** The space that `--owner` names. @throws LedgerError usage/1 */
function spaceNamed(owner: string): string {
  const account = decodeBech32(owner)?.bytes;
  if (account !== undefined) return toHex(personalSpaceId(account));
  if (!isEvmAddress(owner)) return owner;
  return wrongUsage(
    `--owner: which account ${owner} belongs to is nothing that a proof says: name it by its ` +
      'metatron1… address, which "metatron query account" shows',
  );
}

/** The spaces that a proof is about. */
function spacesOf({ entries, listing, absent, growth }: Shown): readonly string[] {
  return [...entries, listing, absent, growth].flatMap((part) => part?.space ?? []);
}

async function verify(file: string, options: Options): Promise<void> {
  const [{ verifyBundle }, { readNamed }, { factsOf, resultOf }] = await Promise.all([
    import('../client/proof.ts'),
    import('../ops/named-file.ts'),
    import('./verify-text.ts'),
  ]);
  const { owner } = options;
  const wanted = owner === undefined ? undefined : spaceNamed(owner);
  const trust = await trusted(options);
  const bundle = readNamed(file, 'the proof');
  const verdict = attempt(() => verifyBundle(bundle, trust));
  if (verdict instanceof LedgerError) return refuse(verdict, options);
  const space = spacesOf(verdict).find((one) => wanted !== undefined && one !== wanted);
  if (space !== undefined) {
    return refuse(new LedgerError(errors.OtherSpace, { space, wanted: String(wanted) }), options);
  }
  const prefix = decodeBech32(owner ?? '')?.prefix ?? trust.prefix ?? 'metatron';
  const seen = { ...trust, prefix, owner };
  printResult(options.json === true, resultOf(verdict, seen), () => factsOf(verdict, seen));
}

function refuse(why: LedgerError, options: Options): void {
  note(`error: ${explain(why)}`);
  if (options.json === true) printResult(true, { valid: false, reason: why.message }, () => '');
  process.exitCode = EXIT.refused;
}

/** Adds `verify`. */
export function registerVerify(program: Command): void {
  program
    .command('verify <file>')
    .description('check a proof of "metatron memory proof", offline')
    .option('--genesis <file>', 'trust the chain and validators of this genesis')
    .option('--chain-id <id>', 'trust this chain, with --validators-hash')
    .option('--validators-hash <hex>', 'trust these validators: the hash that headers carry')
    .option('--trust-node <url>', 'trust what this node says: for a node of your own')
    .option(
      '--owner <address>',
      "check that it is about this account's own space, or the space of this id",
      ownerOf('--owner'),
    )
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nExample:\n  metatron verify door.proof ' +
        '--genesis ~/.metatron/devnet/node0/config/genesis.json\n' +
        '\nExit codes: 0 it holds, 1 it does not, 2 wrong usage. --json prints {"valid":true,…}\n' +
        'or {"valid":false,"reason":"…"}.',
    )
    .action(verify);
}
