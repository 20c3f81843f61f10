/**
 * What the engine knows after a height: everything the next block is checked against.
 *
 * Upholds: a value; `nextState` (engine/chain-rules.ts) makes the next one from a block and its
 * results.
 * Spec: CometBFT state/state.go.
 *
 * @module
 */
import { EMPTY_ROOT } from '../base/merkle.ts';
import type { Block } from './block.ts';
import { type BlockId, NIL_BLOCK_ID } from './block-id.ts';
import type { Commit } from './commit.ts';
import type { Header } from './header.ts';
import type { ConsensusParams } from './params.ts';
import type { PartSet } from './part-set.ts';
import type { FinalizeBlockResponse } from './results.ts';
import type { Time } from './time.ts';
import {
  createValidatorSet,
  rotate,
  type ValidatorSet,
  type ValidatorUpdate,
} from './validators.ts';

/** The chain's state after `lastHeight`; before the first block `lastHeight` is 0. */
export type ChainState = {
  readonly chainId: string;
  readonly initialHeight: number;
  readonly lastHeight: number;
  readonly lastBlockId: BlockId;
  readonly lastTime: Time;
  /** Who signs block `lastHeight + 1`. */
  readonly validators: ValidatorSet;
  /** Who signs block `lastHeight + 2`. */
  readonly nextValidators: ValidatorSet;
  /** Who signed block `lastHeight`; absent before the first block. */
  readonly lastValidators: ValidatorSet | undefined;
  /** Height from which `nextValidators` (but for rotation) is in force. */
  readonly validatorsChangedHeight: number;
  /** In force at `lastHeight + 1`. */
  readonly params: ConsensusParams;
  readonly paramsChangedHeight: number;
  /** Hash over the results of `lastHeight`. */
  readonly lastResultsHash: Uint8Array;
  /** The application's hash after `lastHeight`. */
  readonly appHash: Uint8Array;
};

/** What a chain starts from. */
export type ChainStart = Pick<ChainState, 'chainId' | 'initialHeight' | 'params' | 'appHash'> & {
  readonly time: Time;
  readonly validators: readonly ValidatorUpdate[];
};

/** The state before the first block. @throws LedgerError of validators.ts for such validators */
export function firstState(start: ChainStart): ChainState {
  const { chainId, initialHeight, params, appHash } = start;
  const validators = createValidatorSet(start.validators);
  return {
    chainId,
    initialHeight,
    lastHeight: 0,
    lastBlockId: NIL_BLOCK_ID,
    lastTime: start.time,
    validators,
    nextValidators: rotate(validators, 1),
    lastValidators: undefined,
    validatorsChangedHeight: initialHeight,
    params,
    paramsChangedHeight: initialHeight,
    lastResultsHash: EMPTY_ROOT,
    appHash,
  };
}

/** What is known of a stored block without reading its transactions. */
export type BlockMeta = {
  readonly blockId: BlockId;
  readonly blockSize: number;
  readonly header: Header;
  readonly txCount: number;
};

/** Everything a height leaves behind; written in one synced batch and then published. */
export type CommittedHeight = {
  readonly block: Block;
  readonly blockId: BlockId;
  readonly parts: PartSet;
  readonly seenCommit: Commit;
  readonly results: FinalizeBlockResponse;
  /** The state after this height. */
  readonly state: ChainState;
};
