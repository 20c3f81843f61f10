/**
 * Hardhat's network `ledger`: a running devnet, whose address and keys are read from its folder.
 *
 * Upholds: the folder is read when the network is used, not when the configuration is loaded, so
 * that everything else works without a devnet. Environment variables of the same names win.
 *
 * @module
 */
import { configVariable } from 'hardhat/config';
import { definePlugin, HardhatPluginError } from 'hardhat/plugins';
import type { HttpNetworkUserConfig } from 'hardhat/types/config';
import type { ConfigurationVariableHooks } from 'hardhat/types/hooks';
import type { HardhatPlugin } from 'hardhat/types/plugins';
import { describe } from '../node/src/base/errors.ts';
import { readDevnet } from '../node/src/ops/devnet-home.ts';

const ID = 'metatron-ledger';
const URL_VARIABLE = 'METATRON_DEVNET_EVM';
/** One for each account of a devnet, in its order: alice, bob, carol, dave. */
const KEY_VARIABLES: readonly string[] = [0, 1, 2, 3].map((i) => `METATRON_DEVNET_KEY_${i}`);

/** The network, to be named `ledger`. */
export const ledgerNetwork: HttpNetworkUserConfig = {
  type: 'http',
  chainType: 'l1',
  url: configVariable(URL_VARIABLE),
  accounts: KEY_VARIABLES.map((name) => configVariable(name)),
};

/** What a variable is on the devnet of the folder. @throws HardhatPluginError in a sentence */
function devnetValue(name: string): string {
  try {
    const { evm, accounts, home } = readDevnet();
    if (name === URL_VARIABLE) return evm;
    const account = accounts[KEY_VARIABLES.indexOf(name)];
    if (account !== undefined) return account.privateKey;
    throw new RangeError(`the devnet in ${home} has only ${accounts.length} accounts`);
  } catch (thrown) {
    const cause = thrown instanceof Error ? thrown : undefined;
    throw new HardhatPluginError(ID, describe(thrown), cause);
  }
}

const NAMES: readonly string[] = [URL_VARIABLE, ...KEY_VARIABLES];

const variables: Partial<ConfigurationVariableHooks> = {
  fetchValue: async (context, variable, next) =>
    NAMES.includes(variable.name) ? devnetValue(variable.name) : await next(context, variable),
};

/** Reads the variables of the network. */
export const ledgerPlugin: HardhatPlugin = definePlugin({
  id: ID,
  npmPackage: null,
  hookHandlers: {
    configurationVariables: () => Promise.resolve({ default: () => Promise.resolve(variables) }),
  },
});
