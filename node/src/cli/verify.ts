/**
 * `metatron verify`: checks a proof file, offline.
 *
 * Upholds: what is trusted is named by the user: a genesis file, a validators' hash, or a node.
 * Exit code 1 says that the proof does not hold, and where.
 *
 * @module
 */
import type { Command } from 'commander';
import { attempt, LedgerError } from '../base/errors.ts';
import type { Trusted } from '../client/anchor.ts';
import type { ProvenAt } from '../client/bundle.ts';
import { wrongUsage } from '../ops/usage.ts';
import { jsonOption } from './options.ts';
import { EXIT, explain, note, printResult, table } from './output.ts';

type Options = {
  readonly genesis?: string;
  readonly chainId?: string;
  readonly validatorsHash?: string;
  readonly trustNode?: string;
  readonly json?: true;
};

async function trusted(options: Options): Promise<Trusted> {
  const { trustGenesis, trustNode } = await import('../client/chain.ts');
  const { genesis, chainId, validatorsHash, trustNode: node } = options;
  if (genesis !== undefined) {
    const { readNamedGenesis } = await import('../ops/named-file.ts');
    const document: unknown = JSON.parse(readNamedGenesis(genesis));
    const trust = attempt(() => trustGenesis(document));
    if (!(trust instanceof LedgerError)) return trust;
    return wrongUsage(`--genesis: ${genesis} names no validators (${trust.message})`, trust);
  }
  if (node !== undefined) {
    const { httpRpc } = await import('../client/rpc.ts');
    const { httpUrl } = await import('../ops/rpc-client.ts');
    return await trustNode(httpRpc(httpUrl(node)));
  }
  if (chainId === undefined || validatorsHash === undefined) {
    return wrongUsage(
      'say what to trust: --genesis FILE, --chain-id with --validators-hash, or --trust-node',
    );
  }
  const { fromHex } = await import('../base/bytes.ts');
  const hash = fromHex(validatorsHash);
  if (hash?.length === 32) return { chainId, validatorsHash: hash };
  return wrongUsage('--validators-hash: 64 hex digits, as a header has them');
}

function shown(proven: ProvenAt): object {
  const { id, author, space, index, height, provenHeight, entry, content } = proven;
  const text = new TextDecoder().decode(content);
  return { id, author, space, index, height, provenHeight, key: entry.key, content: text };
}

async function verify(file: string, options: Options): Promise<void> {
  const [{ verifyBundle }, { readNamed }] = await Promise.all([
    import('../client/proof.ts'),
    import('../ops/named-file.ts'),
  ]);
  const trust = await trusted(options);
  const bundle = readNamed(file, 'the proof');
  const verdict = attempt(() => verifyBundle(bundle, trust));
  if (verdict instanceof LedgerError) return refuse(verdict, options);
  const { entries, ...more } = verdict;
  const values = [...entries.map(shown), ...Object.values(more).map(flat)];
  const json = { valid: true, entries: entries.map(shown), ...more };
  printResult(options.json === true, json, () =>
    [
      'the proof holds',
      ...values.map((v) => table(Object.entries(v).map(([n, x]) => [n, String(x)]))),
    ].join('\n\n'),
  );
}

function refuse(why: LedgerError, options: Options): void {
  note(`error: ${explain(why)}`);
  if (options.json === true) printResult(true, { valid: false, reason: why.message }, () => '');
  process.exitCode = EXIT.refused;
}

/** Nested members under joined names. */
function flat(value: object): object {
  const members = Object.entries(value).flatMap(([name, inner]: [string, unknown]) =>
    typeof inner === 'object' && inner !== null
      ? Object.entries(inner).map(([n, x]) => [`${name} ${n}`, x])
      : [[name, inner]],
  );
  return Object.fromEntries(members);
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
