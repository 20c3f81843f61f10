/**
 * What a devnet's folder tells those that want to use it: where Ethereum's JSON-RPC is, and the
 * private keys of its accounts.
 *
 * Upholds: a folder without a devnet is refused in a sentence that says how to make one.
 *
 * @module
 */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type ErrorSpec, errorSpec, LedgerError } from '../base/errors.ts';
import type { SecretAccount } from './accounts.ts';
import { homePaths, readHomeJson } from './home.ts';
import { pickText } from './rpc-client.ts';

/** Refusals of a devnet's folder. */
export const errors: {
  readonly NoDevnet: ErrorSpec<{ readonly home: string }>;
  readonly NoEthereum: ErrorSpec<{ readonly home: string }>;
} = {
  NoDevnet: errorSpec(
    'devnet',
    7,
    'client',
    (p) =>
      `there is no devnet in ${p.home}: start one with "npm run devnet", ` +
      'or name its folder in METATRON_DEVNET_HOME',
  ),
  NoEthereum: errorSpec(
    'devnet',
    8,
    'client',
    (p) => `the devnet in ${p.home} does not serve Ethereum's JSON-RPC (evm.listen is empty)`,
  ),
};

/** How a devnet is reached from Ethereum's tools. */
export type DevnetAccess = {
  readonly home: string;
  /** Ethereum's JSON-RPC of node 0. */
  readonly evm: string;
  /** CometBFT's RPC of node 0. */
  readonly rpc: string;
  readonly accounts: readonly SecretAccount[];
};

/** The folder that `METATRON_DEVNET_HOME` names, else that of `metatron devnet`. */
export function devnetHome(): string {
  return process.env['METATRON_DEVNET_HOME'] || join(homedir(), '.metatron', 'devnet');
}

/** Reads a devnet's folder. @throws LedgerError devnet/7, devnet/8, home/2 or home/3 */
export function readDevnet(home: string = devnetHome()): DevnetAccess {
  const file = join(home, 'devnet.json');
  if (!existsSync(file)) throw new LedgerError(errors.NoDevnet, { home });
  const paths = homePaths(join(home, 'node0'));
  const { accounts } = readHomeJson(paths, file) as Pick<DevnetAccess, 'accounts'>;
  const config = readHomeJson(paths, paths.config);
  const listen = pickText(config, 'evm', 'listen');
  if (listen === '') throw new LedgerError(errors.NoEthereum, { home });
  const rpc = `http://${pickText(config, 'rpc', 'listen')}`;
  return { home, evm: `http://${listen}`, rpc, accounts };
}
