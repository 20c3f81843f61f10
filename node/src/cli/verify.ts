/**
 * `metatron verify`: checks a proof file, offline.
 *
 * Upholds: what is trusted is named by the user: a genesis file, a validators' hash, or a node.
 * Exit code 1 says that the proof does not hold, and where.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { type ErrorSpec, errorSpec, LedgerError } from '../base/errors.ts';
import type { Trusted } from '../client/anchor.ts';
import type { ProvenAt } from '../client/bundle.ts';
import { jsonOption } from './options.ts';
import { printResult, table } from './output.ts';

/** Refusals. */
export const errors: { readonly NoTrust: ErrorSpec<object> } = {
  NoTrust: errorSpec(
    'verify',
    1,
    'client',
    () => 'say what to trust: --genesis FILE, --chain-id with --validators-hash, or --trust-node',
  ),
};

type Options = {
  readonly genesis?: string;
  readonly chainId?: string;
  readonly validatorsHash?: string;
  readonly trustNode?: string;
  readonly json?: true;
};

async function trusted(options: Options): Promise<Trusted> {
  const { trustGenesis, trustNode } = await import('../client/chain.ts');
  const { genesis, chainId, validatorsHash } = options;
  if (genesis !== undefined) return trustGenesis(JSON.parse(readFileSync(genesis, 'utf8')));
  if (options.trustNode !== undefined) {
    const { httpRpc } = await import('../client/rpc.ts');
    const { httpUrl } = await import('../ops/rpc-client.ts');
    return await trustNode(httpRpc(httpUrl(options.trustNode)));
  }
  const { fromHex } = await import('../base/bytes.ts');
  const hash = validatorsHash === undefined ? undefined : fromHex(validatorsHash);
  if (chainId === undefined || hash === undefined) throw new LedgerError(errors.NoTrust, {});
  return { chainId, validatorsHash: hash };
}

function shown(proven: ProvenAt): object {
  const { id, author, space, index, height, provenHeight, entry, content } = proven;
  const text = new TextDecoder().decode(content);
  return { id, author, space, index, height, provenHeight, key: entry.key, content: text };
}

async function verify(file: string, options: Options): Promise<void> {
  const { verifyBundle } = await import('../client/proof.ts');
  const trust = await trusted(options);
  const { entries, ...more } = verifyBundle(readFileSync(file, 'utf8'), trust);
  const values = [...entries.map(shown), ...Object.values(more).map(flat)];
  const json = { holds: true, entries: entries.map(shown), ...more };
  printResult(options.json === true, json, () =>
    [
      'the proof holds',
      ...values.map((v) => table(Object.entries(v).map(([n, x]) => [n, String(x)]))),
    ].join('\n\n'),
  );
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
        '--genesis ~/.metatron/devnet/node0/config/genesis.json',
    )
    .action(verify);
}
