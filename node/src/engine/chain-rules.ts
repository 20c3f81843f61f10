/**
 * Blocks against the chain's state: what the next header must say, and the state after a block.
 *
 * Upholds: every node derives the same next state from a block and its results; a block is compared
 * with the state field by field before anyone votes for it.
 * Absent here: signatures and evidence, which need time (executor.ts); the form of a block on its
 * own (types/block-checks.ts).
 * Spec: CometBFT 0.38.25 state/validation.go, state/execution.go (updateState).
 *
 * @module
 */
import type { BlockContext, CommitInfo, Misbehavior } from '../abci/application.ts';
import { equalBytes } from '../base/bytes.ts';
import { type ErrorSpec, errorSpec, invariant, LedgerError } from '../base/errors.ts';
import {
  MAX_BLOCK_OVERHEAD_BYTES,
  MAX_COMMIT_OVERHEAD_BYTES,
  MAX_COMMIT_SIG_BYTES,
  MAX_HEADER_BYTES,
} from '../base/limits.ts';
import { type Block, dataHash, type Tx } from '../types/block.ts';
import { type BlockId, equalBlockIds } from '../types/block-id.ts';
import type { ChainState } from '../types/chain-state.ts';
import { BLOCK_ID_FLAG, type Commit, commitHash } from '../types/commit.ts';
import { type Evidence, evidenceListHash } from '../types/evidence.ts';
import { BLOCK_PROTOCOL, type Header } from '../types/header.ts';
import { medianTime } from '../types/median-time.ts';
import { type ConsensusParams, checkParams, maxBlockBytes, paramsHash } from '../types/params.ts';
import { type FinalizeBlockResponse, resultsHash } from '../types/results.ts';
import type { Time } from '../types/time.ts';
import {
  indexOfValidator,
  rotate,
  updateValidatorSet,
  type ValidatorSet,
  validatorsHash,
} from '../types/validators.ts';

/** Refusals of a block by the state before it. */
export const errors: {
  readonly WrongField: ErrorSpec<{ readonly field: string; readonly height: number }>;
  readonly UnknownProposer: ErrorSpec<{ readonly height: number }>;
  readonly WrongTime: ErrorSpec<{ readonly height: number; readonly reason: string }>;
  readonly TooMuchEvidence: ErrorSpec<{ readonly bytes: number; readonly max: number }>;
} = {
  WrongField: errorSpec(
    'chain',
    1,
    'peer',
    (p) => `block ${p.height} does not follow from the chain: its ${p.field} is wrong`,
  ),
  UnknownProposer: errorSpec(
    'chain',
    2,
    'peer',
    (p) => `block ${p.height} names a proposer who is not a validator`,
  ),
  WrongTime: errorSpec('chain', 3, 'peer', (p) => `the time of block ${p.height} ${p.reason}`),
  TooMuchEvidence: errorSpec(
    'chain',
    4,
    'peer',
    (p) => `the block carries ${p.bytes} bytes of evidence, more than ${p.max}`,
  ),
};

/** The height that follows a state. */
export function nextHeight(state: ChainState): number {
  return state.lastHeight === 0 ? state.initialHeight : state.lastHeight + 1;
}

/** Whether a block is due without transactions: the first, or one that shows a new app hash. */
export function needsProofBlock(state: ChainState, last: Header | undefined): boolean {
  return last === undefined || !equalBytes(last.appHash, state.appHash);
}

/** The time of the block after `state`, which its last commit fixes. @throws LedgerError time/… */
export function blockTime(state: ChainState, lastCommit: Commit): Time {
  return state.lastValidators === undefined
    ? state.lastTime
    : medianTime(lastCommit, state.lastValidators);
}

/** What a proposer puts together. */
export type BlockParts = {
  readonly txs: readonly Tx[];
  readonly evidence: readonly Evidence[];
  readonly lastCommit: Commit;
  readonly proposerAddress: Uint8Array;
};

/** The block after `state` with these contents. */
export function makeBlock(state: ChainState, parts: BlockParts): Block {
  const { lastCommit, proposerAddress } = parts;
  const evidence = { evidence: parts.evidence };
  const header: Header = {
    version: { block: BLOCK_PROTOCOL, app: state.params.version.app },
    chainId: state.chainId,
    height: nextHeight(state),
    time: blockTime(state, lastCommit),
    lastBlockId: state.lastBlockId,
    lastCommitHash: commitHash(lastCommit),
    dataHash: dataHash(parts.txs),
    validatorsHash: validatorsHash(state.validators),
    nextValidatorsHash: validatorsHash(state.nextValidators),
    consensusHash: paramsHash(state.params),
    appHash: state.appHash,
    lastResultsHash: state.lastResultsHash,
    evidenceHash: evidenceListHash(evidence),
    proposerAddress,
  };
  return { header, data: { txs: parts.txs }, evidence, lastCommit };
}

/** Bytes left for transactions in a block with so much evidence. */
export function maxDataBytes(state: ChainState, evidenceBytes: number): number {
  const commit =
    MAX_COMMIT_OVERHEAD_BYTES + state.validators.validators.length * MAX_COMMIT_SIG_BYTES;
  const fixed = MAX_BLOCK_OVERHEAD_BYTES + MAX_HEADER_BYTES + commit + evidenceBytes;
  return Math.max(0, maxBlockBytes(state.params) - fixed);
}

/** Why a block's header does not follow from `state`, if it does not. Signatures aside. */
export function judgeHeader(state: ChainState, block: Block): LedgerError | undefined {
  const { header } = block;
  const { height } = header;
  const rules: readonly (readonly [holds: boolean, field: string])[] = [
    [header.version.block === BLOCK_PROTOCOL, 'version.block'],
    [header.version.app === state.params.version.app, 'version.app'],
    [header.chainId === state.chainId, 'chain_id'],
    [height === nextHeight(state), 'height'],
    [equalBlockIds(header.lastBlockId, state.lastBlockId), 'last_block_id'],
    [equalBytes(header.appHash, state.appHash), 'app_hash'],
    [equalBytes(header.consensusHash, paramsHash(state.params)), 'consensus_hash'],
    [equalBytes(header.lastResultsHash, state.lastResultsHash), 'last_results_hash'],
    [equalBytes(header.validatorsHash, validatorsHash(state.validators)), 'validators_hash'],
    [
      equalBytes(header.nextValidatorsHash, validatorsHash(state.nextValidators)),
      'next_validators_hash',
    ],
  ];
  const field = rules.find(([holds]) => !holds)?.[1];
  if (field !== undefined) return new LedgerError(errors.WrongField, { field, height });
  if (indexOfValidator(state.validators, header.proposerAddress) < 0) {
    return new LedgerError(errors.UnknownProposer, { height });
  }
  return undefined;
}

/** Why a block's time is wrong, if it is; its last commit is verified. */
export function judgeTime(state: ChainState, block: Block): LedgerError | undefined {
  const { header, lastCommit } = block;
  const { height, time } = header;
  if (lastCommit === undefined || time !== blockTime(state, lastCommit)) {
    return new LedgerError(errors.WrongTime, { height, reason: 'is not what its commit says' });
  }
  if (state.lastHeight > 0 && time <= state.lastTime) {
    return new LedgerError(errors.WrongTime, { height, reason: 'does not go forward' });
  }
  return undefined;
}

function nextParams(state: ChainState, results: FinalizeBlockResponse): ConsensusParams {
  const params = { ...state.params, ...results.paramUpdates };
  checkParams(params);
  return params;
}

/**
 * The state after a block.
 *
 * @throws LedgerError params/… or validators/… if the application's updates are not allowed: the
 *   node stops, as every other node does
 */
export function nextState(
  state: ChainState,
  blockId: BlockId,
  block: Block,
  results: FinalizeBlockResponse,
): ChainState {
  const { height, time } = block.header;
  const { validatorUpdates, paramUpdates, txResults, appHash } = results;
  invariant(
    txResults.length === block.data.txs.length,
    'the application gives one result per transaction',
  );
  const allowed = state.params.validator.pubKeyTypes;
  invariant(
    validatorUpdates.every((u) => u.power === 0n || allowed.includes(u.publicKey.type)),
    'the application names validators with allowed keys only',
  );
  const changed = updateValidatorSet(state.nextValidators, validatorUpdates);
  return {
    chainId: state.chainId,
    initialHeight: state.initialHeight,
    lastHeight: height,
    lastBlockId: blockId,
    lastTime: time,
    validators: state.nextValidators,
    nextValidators: rotate(changed, 1),
    lastValidators: state.validators,
    validatorsChangedHeight:
      validatorUpdates.length > 0 ? height + 2 : state.validatorsChangedHeight,
    params: nextParams(state, results),
    paramsChangedHeight: paramUpdates === undefined ? state.paramsChangedHeight : height + 1,
    lastResultsHash: resultsHash(txResults),
    appHash,
  };
}

/** How the validators of the height before took part, as the application is told. */
export function commitInfo(commit: Commit, validators: ValidatorSet | undefined): CommitInfo {
  const votes = (validators?.validators ?? []).map(({ address, power }, index) => ({
    address,
    power,
    blockIdFlag: commit.signatures[index]?.blockIdFlag ?? BLOCK_ID_FLAG.absent,
  }));
  return { round: commit.round, votes };
}

/** Evidence as the application is told of it: one entry per accused validator. */
export function misbehaviorOf(evidence: readonly Evidence[]): Misbehavior[] {
  return evidence.flatMap((one): Misbehavior[] => {
    const { totalPower, timestamp: time } = one.value;
    if (one.kind === 'duplicateVote') {
      const { voteA, validatorPower: power } = one.value;
      if (voteA === undefined) return [];
      const { validatorAddress: address, height } = voteA;
      return [{ type: 'duplicateVote', address, power, height, time, totalPower }];
    }
    return one.value.byzantineValidators.map(({ address, power }) => {
      const height = one.value.commonHeight;
      return { type: 'lightClientAttack', address, power, height, time, totalPower };
    });
  });
}

/** What every call about a block carries. */
export function contextOf(block: Block): BlockContext {
  const { height, time, nextValidatorsHash, proposerAddress } = block.header;
  const misbehavior = misbehaviorOf(block.evidence.evidence);
  return { height, time, misbehavior, nextValidatorsHash, proposerAddress };
}
