/**
 * Making and unmaking homes: a genesis for new chains, the home of one node, the reset of its data.
 *
 * Upholds: a new chain's genesis writes out all consensus parameters; a reset keeps keys,
 * configuration and the signer's guard, so a validator cannot sign a height twice after it.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { base58 } from '@scure/base';
import { FileLock } from '../../state/lock-file.ts';
import { concatBytes, EMPTY, toHex } from '../base/bytes.ts';
import { LedgerError } from '../base/errors.ts';
import { BLOCK_GAS } from '../ledger/gas.ts';
import { type GenesisValidator, genesisJson, parseGenesis } from '../types/genesis.ts';
import { type ConsensusParams, DEFAULT_PARAMS } from '../types/params.ts';
import type { Time } from '../types/time.ts';
import {
  createHome,
  createKeyPair,
  errors,
  GUARD_FILE,
  homePaths,
  isHome,
  keyAddress,
  LOCK_FILE,
} from './home.ts';
import {
  type Funded,
  type LedgerState,
  ledgerState,
  withGovernors,
  withTips,
} from './ledger-state.ts';
import { wrongUsage } from './usage.ts';

/** The application of a chain. */
export type App = 'ledger' | 'kvstore';

/** The id by which peers know an Ed25519 key: base58 of its identity multihash (libp2p). */
export function peerIdOf(publicKey: Uint8Array): string {
  return base58.encode(concatBytes(Uint8Array.of(0x00, 0x24, 0x08, 0x01, 0x12, 0x20), publicKey));
}

/** A chain id that nobody has used: `prefix-` and 8 random hex digits. */
export function newChainId(prefix: string): string {
  return `${prefix}-${toHex(new Uint8Array(randomBytes(4)))}`;
}

/** The least price of gas that `init` writes: a transaction costs some 10^-5 PHI. */
const INITIAL_GAS_PRICE = '1000000000aphi';

/** What a new chain starts from. */
export type NewChain = {
  readonly chainId: string;
  readonly app: App;
  readonly genesisTime: Time;
  readonly validators: readonly GenesisValidator[];
  /** Accounts that get money; of the ledger only. */
  readonly accounts: readonly Funded[];
  /** Another genesis whose parameters and state to take over. */
  readonly base: string | undefined;
};

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** Consensus parameters of a new chain: gas bounds the time that a block of the ledger takes. */
function paramsOf(app: App): ConsensusParams {
  const { block } = DEFAULT_PARAMS;
  if (app === 'kvstore') return DEFAULT_PARAMS;
  return { ...DEFAULT_PARAMS, block: { ...block, maxGas: BLOCK_GAS } };
}

/** The text of a new chain's genesis file. @throws LedgerError genesis/1 if `base` is not one */
export function newGenesis(chain: NewChain): string {
  const base = chain.base === undefined ? undefined : parseGenesis(chain.base);
  const state = base === undefined ? {} : JSON.parse(new TextDecoder().decode(base.appState));
  const head = {
    genesisTime: chain.genesisTime,
    chainId: chain.chainId,
    initialHeight: base?.initialHeight ?? 1,
    params: base?.params ?? paramsOf(chain.app),
    validators: chain.validators,
    appHash: EMPTY,
  };
  return json(genesisJson(head, chain.app === 'ledger' ? stateOf(chain, state) : state));
}

function stateOf({ validators, accounts }: NewChain, base: LedgerState): LedgerState {
  const addresses = validators.map(({ publicKey }) => keyAddress(publicKey.bytes));
  return withGovernors(withTips(ledgerState(base, accounts), addresses, accounts), accounts);
}

/** How to make the home of one node. */
export type InitSpec = {
  readonly home: string;
  readonly moniker: string;
  readonly app: App;
  readonly chainId: string | undefined;
  /** Text of the genesis of a chain to join; a new chain of this one validator if absent. */
  readonly genesis: string | undefined;
  /** Accounts with coins from the start; of a new chain of the ledger only. */
  readonly accounts: readonly Funded[];
  readonly now: Time;
};

/** What `init` made. */
export type InitResult = {
  readonly home: string;
  readonly chainId: string;
  readonly validatorAddress: string;
  readonly peerId: string;
};

/** Makes the home of one node. @throws LedgerError home/1 if there is one, genesis/1, usage/1 */
export function initHome(spec: InitSpec): InitResult {
  const { home, moniker, app } = spec;
  const nodeKey = createKeyPair();
  const validatorKey = createKeyPair();
  const publicKey = { type: 'ed25519', bytes: validatorKey.publicKey } as const;
  if (isHome(home)) throw new LedgerError(errors.Exists, { home });
  const genesis =
    spec.genesis ??
    newGenesis({
      chainId: spec.chainId ?? newChainId('metatron'),
      app,
      genesisTime: spec.now,
      validators: [{ publicKey, power: 10n, name: moniker }],
      accounts: spec.accounts,
      base: undefined,
    });
  const { chainId } = parseGenesis(genesis);
  if (spec.chainId !== undefined && spec.chainId !== chainId) {
    wrongUsage(
      `--chain-id ${spec.chainId}: the genesis is of chain ${chainId}; ` +
        'leave --chain-id out to join that',
    );
  }
  const ledger = { minGasPrices: INITIAL_GAS_PRICE };
  createHome(home, { config: { moniker, app, ledger }, genesis, nodeKey, validatorKey });
  return {
    home,
    chainId,
    validatorAddress: keyAddress(validatorKey.publicKey),
    peerId: peerIdOf(nodeKey.publicKey),
  };
}

/**
 * Deletes a node's blocks and state, but not the signer's guard.
 *
 * @returns the names of what was removed
 * @throws LedgerError home/2 if there is no home, storage/10 if its node runs
 */
export function resetData(home: string): readonly string[] {
  const paths = homePaths(home);
  if (!isHome(home)) throw new LedgerError(errors.Missing, { home, file: paths.config });
  if (!existsSync(paths.data)) return [];
  const lock = FileLock.acquire(join(paths.data, LOCK_FILE));
  try {
    const names = readdirSync(paths.data).filter(
      (name) => name !== GUARD_FILE && name !== LOCK_FILE,
    );
    for (const name of names) rmSync(join(paths.data, name), { recursive: true });
    return names;
  } finally {
    lock.release();
  }
}
