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
import type { ProvenAt } from '../client/proof.ts';
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
  const { LISTING_PROOF, verifyListing, verifyProof } = await import('../client/proof.ts');
  const trust = await trusted(options);
  const text = readFileSync(file, 'utf8');
  const proven = text.includes(`"${LISTING_PROOF}"`)
    ? verifyListing(text, trust)
    : [verifyProof(text, trust)];
  const values = proven.map(shown);
  printResult(options.json === true, { holds: true, entries: values }, () =>
    [
      'the proof holds',
      ...values.map((v) => table(Object.entries(v).map(([n, x]) => [n, String(x)]))),
    ].join('\n\n'),
  );
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
