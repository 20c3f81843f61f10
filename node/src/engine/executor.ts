/**
 * Blocks made, judged and applied: the engine's side of the seam to the application.
 *
 * Upholds: a block is judged completely before it is voted for or applied, and once: its verdict is
 * remembered for the height. A height is durable, with everything it leaves behind, before anyone
 * is told of it. Anything the application does against its contract throws and stops the node.
 * Absent here: who decides (node/consensus) and who sends.
 * Spec: CometBFT state/execution.go, state/validation.go; ABCI 2.0.
 *
 * @module
 */
import type { Application } from '../abci/application.ts';
import { toHex } from '../base/bytes.ts';
import { invariant, LedgerError, present } from '../base/errors.ts';
import type { Mempool } from '../mempool/mempool.ts';
import { type Block, txBytesInBlock } from '../types/block.ts';
import { checkBlock } from '../types/block-checks.ts';
import type { ChainState, CommittedHeight } from '../types/chain-state.ts';
import type { CheckSignature } from '../types/check-signature.ts';
import { type Commit, EMPTY_COMMIT } from '../types/commit.ts';
import type { FinalizeBlockResponse } from '../types/results.ts';
import { MILLISECOND, type Time } from '../types/time.ts';
import { verifyCommit } from '../types/verify-commit.ts';
import {
  commitInfo,
  contextOf,
  errors,
  judgeHeader,
  judgeTime,
  makeBlock,
  maxDataBytes,
  misbehaviorOf,
  nextHeight,
  nextState,
} from './chain-rules.ts';
import { type WholeBlock, wholeBlockOf } from './collector.ts';
import { type EvidencePool, evidenceListBytes } from './evidence-pool.ts';
import type { Pace } from './pace.ts';
import type { ChainStore, Clock, Indexer } from './ports.ts';
import type { Finalized } from './wal-records.ts';

/** How far ahead of our clock a proposed block's time may be. */
const TIME_TOLERANCE: Time = 60_000n * MILLISECOND;

/** What the executor works with. */
export type ExecutorParts = {
  readonly store: ChainStore;
  readonly application: Application;
  readonly check: CheckSignature;
  readonly evidence: EvidencePool;
  readonly mempool: Mempool;
  readonly clock: Clock;
  readonly pace: Pace;
  readonly indexers: readonly Indexer[];
  /**
   * Called with a block's results before the application commits them; makes them durable for an
   * application that keeps its own store.
   */
  readonly beforeCommit: (finalized: Finalized) => Promise<void>;
};

/** Turns blocks into state, one height after the other. */
export class Executor {
  readonly #parts: ExecutorParts;
  #state: ChainState;
  /** Hashes of this height's blocks that were judged valid, or accepted by the application. */
  readonly #valid = new Set<string>();
  readonly #accepted = new Map<string, boolean>();

  constructor(parts: ExecutorParts, state: ChainState) {
    this.#parts = parts;
    this.#state = state;
  }

  /** The state after the last block applied. */
  get state(): ChainState {
    return this.#state;
  }

  /** Makes the next block from what is pending. */
  async build(lastCommit: Commit, proposerAddress: Uint8Array): Promise<WholeBlock> {
    const state = this.#state;
    const { mempool, application, pace, clock } = this.#parts;
    const startedAt = clock.monotonicMs();
    const evidence = this.#parts.evidence.proposable(state.params.evidence.maxBytes);
    const maxTxBytes = maxDataBytes(state, evidenceListBytes(evidence));
    const reaped = mempool.reap(maxTxBytes, state.params.block.maxGas, pace.bytes);
    const draft = makeBlock(state, { txs: [], evidence, lastCommit, proposerAddress });
    const { height, time, nextValidatorsHash } = draft.header;
    const txs = await application.prepareProposal({
      height,
      time,
      misbehavior: misbehaviorOf(evidence),
      nextValidatorsHash,
      proposerAddress,
      maxTxBytes,
      txs: reaped,
      localLastCommit: commitInfo(lastCommit, state.lastValidators),
    });
    const bytes = txs.reduce((sum, tx) => sum + txBytesInBlock(tx), 0);
    invariant(bytes <= maxTxBytes, 'the application proposes no more bytes than there is room');
    const whole = wholeBlockOf(makeBlock(state, { txs, evidence, lastCommit, proposerAddress }));
    const key = toHex(whole.blockId.hash);
    this.#valid.add(key);
    this.#accepted.set(key, true);
    pace.proposed(key, bytes, startedAt);
    return whole;
  }

  /**
   * Judges a proposed block and asks the application about it.
   *
   * @param now - our clock, which the block's time may not be far ahead of
   * @returns why we do not vote for it, if so; 'rejected' if the application does not want it
   */
  async accept(whole: WholeBlock, now: Time): Promise<LedgerError | 'rejected' | undefined> {
    const { block, blockId } = whole;
    const key = toHex(blockId.hash);
    const refusal = await this.judge(whole, false);
    if (refusal !== undefined) return refusal;
    const { height, time } = block.header;
    if (time > now + TIME_TOLERANCE) {
      return new LedgerError(errors.WrongTime, { height, reason: 'is ahead of our clock' });
    }
    const before = this.#accepted.get(key);
    const accepted =
      before ??
      (await this.#parts.application.processProposal({
        ...contextOf(block),
        txs: block.data.txs,
        hash: blockId.hash,
        proposedLastCommit: this.#lastCommitInfo(block),
      }));
    this.#accepted.set(key, accepted);
    return accepted ? undefined : 'rejected';
  }

  /** Why a block may not follow the state, if so. @param commitVerified - its last commit was */
  async judge(whole: WholeBlock, commitVerified: boolean): Promise<LedgerError | undefined> {
    const key = toHex(whole.blockId.hash);
    if (this.#valid.has(key)) return undefined;
    const refusal = await this.#judgeAnew(whole.block, commitVerified);
    if (refusal === undefined) this.#valid.add(key);
    return refusal;
  }

  async #judgeAnew(block: Block, commitVerified: boolean): Promise<LedgerError | undefined> {
    try {
      checkBlock(block);
      const refusal =
        judgeHeader(this.#state, block) ??
        (commitVerified ? undefined : await this.#judgeLastCommit(block)) ??
        judgeTime(this.#state, block) ??
        this.#judgeEvidenceSize(block);
      return refusal ?? (await this.#parts.evidence.judgeBlock(block.evidence));
    } catch (thrown) {
      if (thrown instanceof LedgerError && thrown.blame === 'peer') return thrown;
      throw thrown;
    }
  }

  async #judgeLastCommit(block: Block): Promise<LedgerError | undefined> {
    const { chainId, lastValidators, lastBlockId, lastHeight } = this.#state;
    const { height } = block.header;
    const commit = block.lastCommit ?? EMPTY_COMMIT;
    if (lastValidators === undefined) {
      return commit.signatures.length === 0
        ? undefined
        : new LedgerError(errors.WrongField, { field: 'last_commit', height });
    }
    const signers = { chainId, validators: lastValidators, check: this.#parts.check };
    return await verifyCommit(signers, lastBlockId, lastHeight, commit);
  }

  #judgeEvidenceSize(block: Block): LedgerError | undefined {
    const bytes = evidenceListBytes(block.evidence.evidence);
    const max = this.#state.params.evidence.maxBytes;
    return bytes > max ? new LedgerError(errors.TooMuchEvidence, { bytes, max }) : undefined;
  }

  #lastCommitInfo(block: Block): ReturnType<typeof commitInfo> {
    return commitInfo(block.lastCommit ?? EMPTY_COMMIT, this.#state.lastValidators);
  }

  /**
   * Applies a decided block: executes, stores with all that belongs to it, and moves the state on.
   *
   * @param known - its results, if the application has committed them in an earlier run
   * @throws anything: the node must stop; nothing of the height is stored then
   */
  async apply(
    whole: WholeBlock,
    seenCommit: Commit,
    known: FinalizeBlockResponse | undefined,
  ): Promise<CommittedHeight> {
    const { block, blockId, parts } = whole;
    const { application, indexers, store, mempool, evidence, pace, clock } = this.#parts;
    const { height } = block.header;
    invariant(height === nextHeight(this.#state), 'blocks are applied in order');
    const results = known ?? (await this.#finalize(whole));
    const state = nextState(this.#state, blockId, block, results);
    let retainHeight = 0;
    if (known === undefined) {
      await this.#parts.beforeCommit({ height, blockHash: blockId.hash, results });
      mempool.hold();
      retainHeight = (await application.commit()).retainHeight;
    }
    const committed = { block, blockId, parts, seenCommit, results, state };
    for (const indexer of indexers) indexer.stage(committed);
    await store.commit(committed);
    this.#state = state;
    this.#valid.clear();
    this.#accepted.clear();
    await evidence.advance(state, block.evidence);
    const { txResults } = results;
    await mempool.update(height, block.data.txs, (i) => txResults[i]?.code === 0);
    pace.committed(toHex(blockId.hash), clock.monotonicMs());
    if (retainHeight > store.base) await store.prune(Math.min(retainHeight, height));
    return committed;
  }

  #finalize({ block, blockId }: WholeBlock): Promise<FinalizeBlockResponse> {
    return this.#parts.application.finalizeBlock({
      ...contextOf(block),
      txs: block.data.txs,
      hash: blockId.hash,
      decidedLastCommit: this.#lastCommitInfo(block),
    });
  }
}

/** Runs a stored block on an application that is behind; for the handshake. */
export async function replayBlock(
  application: Application,
  store: ChainStore,
  height: number,
): Promise<Uint8Array> {
  const block = present(store.block(height), `block ${height}`);
  const meta = present(store.meta(height), `meta of block ${height}`);
  const { txResults, appHash } = await application.finalizeBlock({
    ...contextOf(block),
    txs: block.data.txs,
    hash: meta.blockId.hash,
    decidedLastCommit: commitInfo(block.lastCommit ?? EMPTY_COMMIT, store.validators(height - 1)),
  });
  invariant(txResults.length === block.data.txs.length, 'one result per transaction');
  await application.commit();
  return appHash;
}
