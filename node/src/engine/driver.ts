/**
 * Runs the consensus core: logs its inputs, performs its effects, answers its questions.
 *
 * Upholds: an input that changes anything is in the log before its effects happen; answers come
 * before any other input; `persist` is a synced log. What is signed can be asked for again from
 * the log, or the guard alone forbids its contradiction (signer.ts). A height begins only after the
 * one before is durable. After a restart the log is folded first, and only what was not answered
 * is asked again.
 * Absent here: peers (reactor.ts, gossip.ts) and the queue of what comes next (engine.ts).
 * Spec: node/consensus/core.ts, "The driver's side of the contract".
 *
 * @module
 */

import { heldBlocks, type State } from '../../consensus/state.ts';
import type { Effect, Input, Timeout } from '../../consensus/types.ts';
import { equalBytes } from '../base/bytes.ts';
import { invariant, LedgerError, present } from '../base/errors.ts';
import type { CommittedHeight } from '../types/chain-state.ts';
import type { CheckSignature, Signers } from '../types/check-signature.ts';
import type { Commit } from '../types/commit.ts';
import { maxBlockBytes } from '../types/params.ts';
import type { Part } from '../types/part-set.ts';
import { verifyProposal, verifyVote } from '../types/verify-vote.ts';
import { VOTE_TYPE } from '../types/vote.ts';
import { needsProofBlock, nextHeight } from './chain-rules.ts';
import type { Collector, WholeBlock } from './collector.ts';
import type { Executor } from './executor.ts';
import type { ChainStore, Clock, Timer, Wal } from './ports.ts';
import { Fold, type Question, type StepFunction } from './replay.ts';
import type { Signer } from './signer.ts';
import { encodeRecord, type Finalized, type HeightLog, type WalRecord } from './wal-records.ts';

/** An effect that only tells others: it asks nothing and changes nothing here. */
export type Announcement = Extract<
  Effect,
  {
    kind:
      | 'sendVote'
      | 'announceBlock'
      | 'stepChanged'
      | 'voteAdded'
      | 'equivocation'
      | 'blame'
      | 'noted'
      | 'sendProposal';
  }
>;

/** The log is emptied once it holds this many bytes: emptying costs more than many records. */
const LOG_BYTES = 4 * 1_048_576;

/** What the driver works with. */
export type DriverParts = {
  readonly step: StepFunction;
  readonly chainId: string;
  readonly clock: Clock;
  readonly wal: Wal;
  readonly store: ChainStore;
  readonly check: CheckSignature;
  readonly signer: Signer | undefined;
  readonly executor: Executor;
  readonly collector: Collector;
  /** A timer of the core fired. */
  readonly timedOut: (timeout: Timeout) => void;
  readonly announce: (effect: Announcement) => void;
  /** A height is durable. */
  readonly committed: (height: CommittedHeight) => void;
  /** A proposed block was refused, and why. */
  readonly refused: (height: number, reason: string) => void;
};

/** Drives one core. */
export class Driver {
  readonly #parts: DriverParts;
  #state: State;
  #timer: Timer | undefined;
  /** The core rests: blocks come from sync. */
  #paused = true;
  /** What follows from an effect, after the answers. */
  #next: Input[] = [];
  /** Bytes in the log; not known at the start. */
  #logged = Number.POSITIVE_INFINITY;
  /** Results of the next block, if the application has committed it already. */
  #known: Finalized | undefined;

  constructor(parts: DriverParts, initial: State) {
    this.#parts = parts;
    this.#state = initial;
  }

  /** The core's state. */
  get state(): State {
    return this.#state;
  }

  /** Whether the core rests. */
  get paused(): boolean {
    return this.#paused;
  }

  /** Against whom this height's votes are checked. */
  signers(): Signers {
    const { chainId, check } = this.#parts;
    return { chainId, check, validators: this.#state.firstValidators };
  }

  /** Lets the core rest: blocks are applied without it from now on. */
  pause(): void {
    this.#paused = true;
    this.#timer?.cancel();
  }

  /** Stops for good. */
  stop(): void {
    this.pause();
  }

  /** Begins the height after the last one stored, with an empty log. */
  async begin(): Promise<void> {
    this.#paused = false;
    await this.#run(this.#freshHeight(), false);
  }

  /** Feeds one input and everything that follows from it. Does nothing while the core rests. */
  async feed(input: Input): Promise<void> {
    if (!this.#paused) await this.#run(input, true);
  }

  /** Adds a part to the block being collected. @returns whether it was new */
  async addPart(part: Part): Promise<boolean> {
    if (this.#paused) return false;
    const added = this.#parts.collector.add(part);
    if (added === 'known') return false;
    this.#log({ kind: 'part', part });
    if (added === 'broken') this.#parts.refused(this.#state.height, 'its parts are not a block');
    else if (added !== 'added') await this.feed(blockInput(added));
    return true;
  }

  #log(record: WalRecord): void {
    const bytes = encodeRecord(record);
    this.#logged += bytes.length;
    this.#parts.wal.append(bytes);
  }

  /** Empties the log if it holds at least so much, all of it of heights that are stored. */
  #emptyLog(atLeast: number): void {
    if (this.#logged < atLeast) return;
    this.#parts.wal.reset();
    this.#logged = 0;
  }

  /** Marks in the log where the next height begins, and gives its input. */
  #freshHeight(): Input {
    const input = this.#newHeightInput();
    this.#emptyLog(LOG_BYTES);
    this.#log({ kind: 'height', height: input.height });
    return input;
  }

  #newHeightInput(): Extract<Input, { kind: 'newHeight' }> {
    const { executor, store, collector } = this.#parts;
    const chain = executor.state;
    const height = nextHeight(chain);
    collector.begin(height, maxBlockBytes(chain.params));
    const { lastValidators: validators, lastHeight } = chain;
    const commit = validators && present(store.seenCommit(lastHeight), `commit ${lastHeight}`);
    return {
      kind: 'newHeight',
      height,
      validators: chain.validators,
      last: validators && commit && { validators, commit },
      proofBlock: needsProofBlock(chain, store.meta(lastHeight)?.header),
    };
  }

  /** Steps through an input, its answers, and what follows, in that order. */
  async #run(first: Input, logged: boolean): Promise<void> {
    let input: Input | undefined = first;
    let log = logged;
    while (input !== undefined && !this.#paused) {
      const { state, effects } = this.#parts.step(this.#state, input);
      if (log && state !== this.#state) this.#log({ kind: 'input', input });
      this.#state = state;
      let answer: Input | undefined;
      for (const effect of effects) answer = (await this.#perform(effect)) ?? answer;
      input = answer ?? this.#next.shift();
      log = input?.kind !== 'newHeight';
    }
    this.#parts.collector.keepOnly(heldBlocks(this.#state));
  }

  async #perform(effect: Effect): Promise<Input | undefined> {
    switch (effect.kind) {
      case 'persist':
        await this.#parts.wal.sync();
        return undefined;
      case 'schedule':
        this.#schedule(effect.timeout, effect.delayMs);
        return undefined;
      case 'collect': {
        const whole = this.#parts.collector.collect(effect.partSetHeader);
        if (whole !== undefined) this.#next.push(blockInput(whole));
        return undefined;
      }
      case 'build':
      case 'validate':
      case 'signProposal':
      case 'signVote':
      case 'decide':
        return this.#answer(effect);
      default:
        this.#parts.announce(effect);
        return undefined;
    }
  }

  #schedule(timeout: Timeout, delayMs: number): void {
    this.#timer?.cancel();
    this.#timer = this.#parts.clock.after(delayMs, () => this.#parts.timedOut(timeout));
  }

  #answer(question: Question): Promise<Input> | Input {
    switch (question.kind) {
      case 'build':
        return this.#build(question);
      case 'validate':
        return this.#validate(question);
      case 'signProposal':
        return this.#signProposal(question);
      case 'signVote':
        return this.#signVote(question);
      case 'decide':
        return this.#decide(question);
    }
  }

  async #build(question: Extract<Question, { kind: 'build' }>): Promise<Input> {
    const { executor, signer, collector } = this.#parts;
    const { height, round, lastCommit } = question;
    const { address } = present(signer, 'the key of a proposer');
    const whole = await executor.build(lastCommit, address);
    collector.hold(whole);
    this.#log({ kind: 'block', bytes: whole.parts.join() });
    return {
      kind: 'built',
      height,
      round,
      blockId: whole.blockId,
      time: whole.block.header.time,
    };
  }

  async #validate(question: Extract<Question, { kind: 'validate' }>): Promise<Input> {
    const { executor, clock } = this.#parts;
    const { height, round, blockId } = question;
    const refusal = await executor.accept(this.#held(blockId), clock.now());
    if (refusal !== undefined) {
      const reason = refusal === 'rejected' ? 'the application rejects it' : refusal.message;
      this.#parts.refused(height, reason);
    }
    return { kind: 'validated', height, round, blockId, valid: refusal === undefined };
  }

  #held({ partSetHeader, hash }: WholeBlock['blockId']): WholeBlock {
    const whole = present(this.#parts.collector.find(partSetHeader), 'a block the core knows');
    invariant(equalBytes(whole.blockId.hash, hash), 'a block has the hash it is known by');
    return whole;
  }

  async #signProposal(question: Extract<Question, { kind: 'signProposal' }>): Promise<Input> {
    const { height, round, polRound, blockId } = question;
    const timestamp = this.#parts.clock.now();
    const signed = await this.#parts.signer?.signProposal({
      type: VOTE_TYPE.proposal,
      height,
      round,
      polRound,
      blockId,
      timestamp,
    });
    if (signed === undefined) return { kind: 'signedProposal', proposal: undefined };
    const proposal = await verifyProposal(this.signers(), signed, this.#state.validators.proposer);
    invariant(!(proposal instanceof LedgerError), 'our own proposal verifies');
    return { kind: 'signedProposal', proposal };
  }

  async #signVote(question: Extract<Question, { kind: 'signVote' }>): Promise<Input> {
    const now = this.#parts.clock.now();
    const { vote: unsigned, notBefore } = question;
    const timestamp = notBefore !== undefined && notBefore > now ? notBefore : now;
    const signed = await this.#parts.signer?.signVote({ ...unsigned, timestamp });
    if (signed === undefined) return { kind: 'signedVote', vote: undefined };
    const vote = await verifyVote(this.signers(), signed);
    invariant(!(vote instanceof LedgerError), 'our own vote verifies');
    return { kind: 'signedVote', vote };
  }

  async #decide(question: Extract<Question, { kind: 'decide' }>): Promise<Input> {
    const { executor } = this.#parts;
    const { blockId, commit, height } = question;
    this.#timer?.cancel();
    const whole = this.#held(blockId);
    const refusal = await executor.judge(whole, false);
    invariant(refusal === undefined, `a decided block is valid: ${refusal?.message}`);
    invariant(height === whole.block.header.height, 'the block decided is of this height');
    await this.#apply(whole, commit);
    this.#next = [];
    return this.#freshHeight();
  }

  async #apply(whole: WholeBlock, commit: Commit): Promise<void> {
    const { executor } = this.#parts;
    const known = this.#known;
    this.#known = undefined;
    const ours = known?.height === whole.block.header.height;
    invariant(
      !ours || equalBytes(known.blockHash, whole.blockId.hash),
      'results in the log belong to the block decided',
    );
    const committed = await executor.apply(whole, commit, ours ? known.results : undefined);
    this.#parts.committed(committed);
  }

  /** Applies a block that others decided, while the core rests until `begin`. */
  async applySynced(whole: WholeBlock, commit: Commit): Promise<void> {
    this.pause();
    await this.#apply(whole, commit);
    this.#emptyLog(1);
  }

  /**
   * Folds the log of the height that was under way, then goes on where it stopped.
   *
   * @param log - the log's records for this height, if it had begun, and results it holds
   */
  async replay(log: HeightLog): Promise<void> {
    this.#paused = false;
    const begin = this.#newHeightInput();
    const fold = new Fold(this.#parts, this.#state, begin);
    for (const record of log.records ?? []) fold.take(record);
    this.#state = fold.state;
    this.#known = log.finalized;
    const { height } = begin;
    this.#parts.signer?.requireAsked(height, fold.asked);
    if (log.records === undefined) this.#log({ kind: 'height', height });
    if (fold.timer !== undefined) this.#schedule(fold.timer.timeout, fold.timer.delayMs);
    const { current } = this.#parts.collector;
    const whole = current?.complete === true && this.#parts.collector.find(current.header);
    if (whole) this.#next.push(blockInput(whole));
    const answer = fold.question && (await this.#answer(fold.question));
    const input = answer ?? this.#next.shift();
    if (input !== undefined) await this.#run(input, input.kind !== 'newHeight');
  }
}

function blockInput({ blockId, block }: WholeBlock): Input {
  const { height, time } = block.header;
  return { kind: 'block', height, blockId, time };
}
