/**
 * What a genesis document leads to: its hash, by which nodes know each other, and the first state.
 *
 * Upholds: two nodes with the same hash start from the same state, if their applications answer
 * `initChain` alike.
 * Spec: CometBFT 0.38 state/state.go (MakeGenesisState), consensus/replay.go (ReplayBlocks).
 *
 * @module
 */
import { fromUtf8, utf8 } from '../base/bytes.ts';
import { present } from '../base/errors.ts';
import { sha256 } from '../base/hash.ts';
import { EMPTY_ROOT } from '../base/merkle.ts';
import { NIL_BLOCK_ID } from './block-id.ts';
import type { ChainState } from './chain-state.ts';
import { type Genesis, genesisJson } from './genesis.ts';
import { type ConsensusParams, checkParams } from './params.ts';
import { createValidatorSet, rotate, type ValidatorUpdate } from './validators.ts';

/** The genesis document as one line of JSON; equal for documents that differ in layout only. */
export function genesisText(genesis: Genesis): string {
  const appState: unknown = JSON.parse(present(fromUtf8(genesis.appState), 'app_state'));
  return JSON.stringify(genesisJson(genesis, appState));
}

/** The name of a genesis: 32 bytes that nodes compare before anything else. */
export function genesisHash(genesis: Genesis): Uint8Array {
  return sha256(utf8(genesisText(genesis)));
}

/** What the application may change of the genesis when it starts a chain. */
export type GenesisAnswer = {
  /** Replaces the validators of the genesis, unless it is empty. */
  readonly validators: readonly ValidatorUpdate[];
  readonly paramUpdates: Partial<ConsensusParams> | undefined;
  /** Replaces the hash of the genesis, unless it is empty. */
  readonly appHash: Uint8Array;
};

/**
 * The state before the first block.
 *
 * @throws LedgerError validators/1 if neither genesis nor application names a validator; params/1
 */
export function genesisState(genesis: Genesis, answer?: GenesisAnswer): ChainState {
  const named = answer?.validators.length ? answer.validators : genesis.validators;
  const validators = createValidatorSet(named);
  const params: ConsensusParams = { ...genesis.params, ...answer?.paramUpdates };
  checkParams(params);
  return {
    chainId: genesis.chainId,
    initialHeight: genesis.initialHeight,
    lastHeight: 0,
    lastBlockId: NIL_BLOCK_ID,
    lastTime: genesis.genesisTime,
    validators,
    nextValidators: rotate(validators, 1),
    lastValidators: undefined,
    validatorsChangedHeight: genesis.initialHeight,
    params,
    paramsChangedHeight: genesis.initialHeight,
    lastResultsHash: EMPTY_ROOT,
    appHash: answer?.appHash.length ? answer.appHash : genesis.appHash,
  };
}
