/**
 * Bringing store and application to one height when a node starts.
 *
 * Upholds: after it, both are at the same height with the same application hash, or the node does
 * not start and says why. Blocks and state are stored in one batch, so of CometBFT's table only the
 * rows remain in which the application is new, behind, level, or one height ahead.
 *
 * | application at A, store at S | what happens                                                |
 * |------------------------------|-------------------------------------------------------------|
 * | A = 0                        | `initChain`; the state is saved if S = 0; then as below     |
 * | A < S                        | blocks A + 1 … S run on the application; hashes must match  |
 * | A = S                        | hashes must match                                           |
 * | A = S + 1                    | its results are in the log: the block is applied without it |
 * | A > S + 1, or no such record | refused: the application is ahead of the store              |
 * | 0 < A < base − 1             | refused: the blocks that it lacks are pruned                |
 *
 * Spec: CometBFT 0.38 consensus/replay.go.
 *
 * @module
 */
import type { Application } from '../abci/application.ts';
import { equalBytes, toUpperHex } from '../base/bytes.ts';
import { type ErrorSpec, errorSpec, LedgerError } from '../base/errors.ts';
import { type ChainState, firstState } from '../types/chain-state.ts';
import type { Genesis } from '../types/genesis.ts';
import { checkParams } from '../types/params.ts';
import { replayBlock } from './executor.ts';
import type { ChainStore } from './ports.ts';
import type { Finalized } from './wal-records.ts';

type Heights = { readonly app: number; readonly store: number };
type Hashes = { readonly height: number; readonly app: string; readonly chain: string };

/** Refusals to start. */
export const errors: {
  readonly AppAhead: ErrorSpec<Heights>;
  readonly AppTooFarBehind: ErrorSpec<Heights & { readonly base: number }>;
  readonly HashDiffers: ErrorSpec<Hashes>;
  readonly NoValidators: ErrorSpec<Record<never, never>>;
  readonly OtherChain: ErrorSpec<{ readonly stored: string; readonly genesis: string }>;
} = {
  AppAhead: errorSpec(
    'handshake',
    1,
    'node',
    (p) =>
      `the application is at height ${p.app}, ahead of the stored chain at ${p.store}: ` +
      'restore the chain that belongs to it, or start both anew',
  ),
  AppTooFarBehind: errorSpec(
    'handshake',
    2,
    'node',
    (p) =>
      `the application is at height ${p.app}, but blocks are kept from ${p.base} to ${p.store} ` +
      'only: restore a later copy of the application',
  ),
  HashDiffers: errorSpec(
    'handshake',
    3,
    'node',
    (p) =>
      `at height ${p.height} the application has hash ${p.app}, the chain says ${p.chain}: ` +
      'it is another version, or its data is damaged',
  ),
  NoValidators: errorSpec(
    'handshake',
    4,
    'client',
    () => 'neither the genesis file nor the application names a validator',
  ),
  OtherChain: errorSpec(
    'handshake',
    5,
    'client',
    (p) =>
      `the store holds chain ${p.stored}, the genesis file is of ${p.genesis}: put the genesis ` +
      'file of that chain back, or start this one in another home',
  ),
};

/** What the handshake works with. */
export type HandshakeParts = {
  readonly genesis: Genesis;
  readonly application: Application;
  readonly store: ChainStore;
  /** Results in the write-ahead log that the store lacks. */
  readonly finalized: Finalized | undefined;
};

/**
 * Brings application and store together.
 *
 * @returns the state to go on from
 * @throws LedgerError handshake/… if they do not belong together
 */
export async function handshake(parts: HandshakeParts): Promise<ChainState> {
  const { application, store, genesis, finalized } = parts;
  const info = await application.info();
  const stored = store.state();
  if (stored !== undefined && stored.chainId !== genesis.chainId) {
    throw new LedgerError(errors.OtherChain, { stored: stored.chainId, genesis: genesis.chainId });
  }
  const S = store.height;
  const A = info.lastHeight;
  const level = { app: A, store: S };
  if (A > S) {
    if (A === S + 1 && finalized?.height === A && stored !== undefined) return stored;
    throw new LedgerError(errors.AppAhead, level);
  }
  const first = A === 0 ? genesis.initialHeight : A + 1;
  if (S > 0 && first < store.base) {
    throw new LedgerError(errors.AppTooFarBehind, { ...level, base: store.base });
  }
  const state = A === 0 ? await beginChain(parts, info.appVersion, stored) : stored;
  if (state === undefined) throw new LedgerError(errors.AppAhead, level);
  let hash = A === 0 ? state.appHash : info.lastAppHash;
  for (let height = first; height <= S; height++) {
    hash = await replayBlock(application, store, height);
    const chain = store.meta(height + 1)?.header.appHash ?? state.appHash;
    requireSame(height, hash, chain);
  }
  requireSame(S, hash, state.appHash);
  return state;
}

function requireSame(height: number, app: Uint8Array, chain: Uint8Array): void {
  if (equalBytes(app, chain)) return;
  throw new LedgerError(errors.HashDiffers, {
    height,
    app: toUpperHex(app),
    chain: toUpperHex(chain),
  });
}

/** Starts the application's chain; saves the first state if there is no block yet. */
async function beginChain(
  { genesis, application, store }: HandshakeParts,
  appVersion: number,
  stored: ChainState | undefined,
): Promise<ChainState> {
  const response = await application.initChain({
    time: genesis.genesisTime,
    chainId: genesis.chainId,
    params: genesis.params,
    validators: genesis.validators.map(({ publicKey, power }) => ({ publicKey, power })),
    appState: genesis.appState,
    initialHeight: genesis.initialHeight,
  });
  if (stored !== undefined && stored.lastHeight > 0) return stored;
  const named = response.validators.length > 0 ? response.validators : genesis.validators;
  if (named.length === 0) throw new LedgerError(errors.NoValidators, {});
  const params =
    response.params === undefined
      ? { ...genesis.params, version: { app: appVersion } }
      : { ...genesis.params, ...response.params };
  checkParams(params);
  const state = firstState({
    chainId: genesis.chainId,
    initialHeight: genesis.initialHeight,
    time: genesis.genesisTime,
    validators: named.map(({ publicKey, power }) => ({ publicKey, power })),
    params,
    appHash: response.appHash.length > 0 ? response.appHash : genesis.appHash,
  });
  await store.saveGenesis(state);
  return state;
}
