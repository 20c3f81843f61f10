/**
 * Several cores that talk to each other directly, with liars among them.
 *
 * Messages lie in one pool and are delivered in whatever order the schedule says, or dropped.
 * Liars have no core: they send whatever the schedule says. `settle` is the network after it
 * became synchronous: everything arrives, votes and claims are repeated as gossip does, and the
 * earliest timer fires when nothing else happens.
 *
 * @module
 */
import { step } from '../../node/consensus/core.ts';
import { type CoreConfig, initialState, type State } from '../../node/consensus/state.ts';
import type { Effect, Input } from '../../node/consensus/types.ts';
import { equalBytes } from '../../node/src/base/bytes.ts';
import { type BlockId, blockIdKey, isNil } from '../../node/src/types/block-id.ts';
import type { Commit } from '../../node/src/types/commit.ts';
import { quorum, rotate, type ValidatorSet } from '../../node/src/types/validators.ts';
import type { Verified, Vote, VoteType } from '../../node/src/types/vote.ts';
import {
  answer,
  id,
  nil,
  PRECOMMIT,
  PREVOTE,
  proposalOf,
  TIMEOUTS,
  validatorSet,
  voteBy,
} from './world.ts';

type Message = { readonly to: number; readonly input: Input };
type Pending = { readonly at: number; readonly input: Input };

/** One honest validator. */
type Honest = {
  state: State;
  readonly inputs: Input[];
  timer: Pending | undefined;
  readonly decided: Map<number, { blockId: BlockId; commit: Commit }>;
};

/** How cores take an input; tests wrap it to check purity or plant a defect. */
export type StepFunction = typeof step;

/** A network of `powers.length` validators, the first ones of `liars` lying. */
export class Network {
  readonly set: ValidatorSet;
  readonly liars: ReadonlySet<number>;
  readonly nodes: ReadonlyMap<number, Honest>;
  readonly pool: Message[] = [];
  /** Every vote that an honest validator made. */
  readonly honestVotes: Verified<Vote>[] = [];
  /** Every vote made at all, by liars too. */
  readonly allVotes: Verified<Vote>[] = [];
  /** Blocks that exist, by key; a block whose label begins with `bad` is invalid. */
  readonly #blocks = new Map<string, { blockId: BlockId; bad: boolean }>();
  readonly #step: StepFunction;
  readonly #lastHeight: number;
  #now = 0;

  constructor(
    powers: readonly bigint[],
    liars: readonly number[],
    lastHeight: number,
    run: StepFunction = step,
  ) {
    this.set = validatorSet(powers);
    this.liars = new Set(liars);
    this.#step = run;
    this.#lastHeight = lastHeight;
    const honest = [...this.set.validators.keys()].filter((i) => !this.liars.has(i));
    this.nodes = new Map(honest.map((i) => [i, this.#create(i)]));
    for (const index of honest) this.#begin(index, 1, undefined);
  }

  #create(index: number): Honest {
    const address = this.set.validators[index]?.address;
    const config: CoreConfig = { chainId: 'net', address, timeouts: TIMEOUTS };
    return { state: initialState(config), inputs: [], timer: undefined, decided: new Map() };
  }

  #begin(index: number, height: number, commit: Commit | undefined): void {
    const last = commit && { validators: this.set, commit };
    const proofBlock = height % 2 === 1;
    this.feed(index, { kind: 'newHeight', height, validators: this.set, last, proofBlock });
    this.feed(index, { kind: 'txsAvailable', height });
  }

  /** Feeds one honest core and performs its effects. */
  feed(index: number, input: Input): void {
    const node = this.nodes.get(index);
    if (node === undefined) return;
    let next: Input | undefined = input;
    while (next !== undefined) {
      node.inputs.push(next);
      const result = this.#step(node.state, next);
      node.state = result.state;
      next = undefined;
      for (const effect of result.effects) next = this.#perform(index, node, effect) ?? next;
    }
  }

  #perform(index: number, node: Honest, effect: Effect): Input | undefined {
    switch (effect.kind) {
      case 'schedule': {
        const input: Input = { kind: 'timeout', timeout: effect.timeout };
        node.timer = { at: this.#now + effect.delayMs, input };
        return undefined;
      }
      case 'sendProposal':
        this.#broadcast(index, { kind: 'proposal', proposal: effect.proposal });
        return undefined;
      case 'sendVote':
        this.honestVotes.push(effect.vote);
        this.allVotes.push(effect.vote);
        this.#broadcast(index, { kind: 'vote', vote: effect.vote, peer: `v${index}` });
        return undefined;
      case 'collect': {
        const { hash } = effect.partSetHeader;
        const block = [...this.#blocks.values()].find((b) =>
          equalBytes(b.blockId.partSetHeader.hash, hash),
        );
        if (block !== undefined) this.#sendBlock(index, node.state.height, block.blockId);
        return undefined;
      }
      case 'decide':
        node.decided.set(effect.height, effect);
        if (effect.height >= this.#lastHeight) return undefined;
        return {
          kind: 'newHeight',
          height: effect.height + 1,
          validators: this.set,
          last: { validators: this.set, commit: effect.commit },
          proofBlock: true,
        };
      default:
        return this.#answer(index, effect);
    }
  }

  #answer(index: number, effect: Effect): Input | undefined {
    const build = (height: number, round: number): string => `${index}/${height}/${round}`;
    const valid = (blockId: BlockId): boolean =>
      this.#blocks.get(blockIdKey(blockId))?.bad === false;
    const input = answer(effect, this.set, { build, valid, sign: true });
    if (input?.kind === 'built') this.addBlock(input.blockId, false);
    return input;
  }

  /** Makes a block exist, so that it can be fetched. */
  addBlock(blockId: BlockId, bad: boolean): void {
    this.#blocks.set(blockIdKey(blockId), { blockId, bad });
  }

  #sendBlock(to: number, height: number, blockId: BlockId): void {
    this.pool.push({ to, input: { kind: 'block', height, blockId, time: 1n } });
  }

  #broadcast(from: number, input: Input): void {
    for (const to of this.nodes.keys()) if (to !== from) this.pool.push({ to, input });
  }

  /** Delivers one message of the pool, or drops it. */
  deliver(choice: number, drop: boolean): void {
    if (this.pool.length === 0) return;
    const [message] = this.pool.splice(choice % this.pool.length, 1);
    if (message !== undefined && !drop) this.feed(message.to, message.input);
  }

  /** Fires the running timer of one node. */
  fire(index: number): void {
    const node = this.nodes.get(index);
    const timer = node?.timer;
    if (node === undefined || timer === undefined) return;
    node.timer = undefined;
    this.#now = Math.max(this.#now, timer.at);
    this.feed(index, timer.input);
  }

  /** A liar tells one node something; which lie, the numbers say. */
  lie(liar: number, to: number, what: number, round: number, label: number): void {
    const node = this.nodes.get(to);
    if (node === undefined || !this.liars.has(liar)) return;
    const { height } = node.state;
    const known = [...this.#blocks.values()].map((b) => b.blockId);
    const forged = id(label % 2 === 0 ? `bad ${label % 3}` : `lie ${label % 3}`);
    this.addBlock(forged, label % 2 === 0);
    const blockId = [nil, forged, ...known][label % (known.length + 2)] ?? nil;
    if (what % 3 === 2 && !isNil(blockId)) {
      const { firstValidators } = node.state;
      const turn = round === 0 ? firstValidators : rotate(firstValidators, round);
      const own = this.set.validators[liar]?.address;
      if (own === undefined || !equalBytes(turn.proposer.address, own)) return;
      const proposal = proposalOf(height, round, (label % (round + 1)) - 1, blockId);
      this.pool.push({ to, input: { kind: 'proposal', proposal } });
      return;
    }
    const type: VoteType = what % 3 === 0 ? PREVOTE : PRECOMMIT;
    const vote = voteBy(this.set, liar, type, height, round, blockId);
    this.allVotes.push(vote);
    this.pool.push({ to, input: { kind: 'vote', vote, peer: `v${liar}` } });
  }

  /** Runs synchronously until every honest node decided all heights. @returns whether all did */
  settle(turns: number): boolean {
    for (let turn = 0; turn < turns; turn++) {
      this.#gossip();
      while (this.pool.length > 0) this.deliver(0, false);
      if (this.done) return true;
      const timers = [...this.nodes].filter(([, node]) => node.timer !== undefined);
      timers.sort(([, a], [, b]) => (a.timer?.at ?? 0) - (b.timer?.at ?? 0));
      const [first] = timers;
      if (first !== undefined) this.fire(first[0]);
    }
    return this.done;
  }

  /** Whether every honest node decided the last height. */
  get done(): boolean {
    return [...this.nodes.values()].every((node) => node.decided.has(this.#lastHeight));
  }

  /** Every node repeats to every other what it knows of the other's height. */
  #gossip(): void {
    for (const [from, a] of this.nodes) {
      for (const [to, b] of this.nodes) if (from !== to) this.#repair(`v${from}`, a, to, b);
    }
    for (const [to, node] of this.nodes) {
      const wanted = node.state.collecting;
      for (const { blockId } of this.#blocks.values()) {
        if (wanted !== undefined && equalBytes(wanted.hash, blockId.partSetHeader.hash)) {
          this.#sendBlock(to, node.state.height, blockId);
        }
      }
    }
  }

  #repair(peer: string, a: Honest, to: number, b: Honest): void {
    const { height } = b.state;
    const decided = a.decided.get(height);
    if (decided !== undefined) this.#repairFromCommit(peer, decided, to, height);
    else if (a.state.height === height) this.#repairFromVotes(peer, a, to);
  }

  #repairFromCommit(
    peer: string,
    decided: { readonly blockId: BlockId; readonly commit: Commit },
    to: number,
    height: number,
  ): void {
    const { blockId, commit } = decided;
    const { round } = commit;
    const claim = { peer, height, round, type: PRECOMMIT, blockId } as const;
    this.pool.push({ to, input: { kind: 'majorityClaim', ...claim } });
    for (const [i, sig] of commit.signatures.entries()) {
      if (sig.blockIdFlag !== 2) continue;
      const vote = voteBy(this.set, i, PRECOMMIT, height, round, blockId);
      this.pool.push({ to, input: { kind: 'vote', vote, peer } });
    }
  }

  #repairFromVotes(peer: string, from: Honest, to: number): void {
    const { height, proposal, votes } = from.state;
    if (proposal !== undefined) this.pool.push({ to, input: { kind: 'proposal', proposal } });
    for (const set of [...votes.rounds.values()].flatMap((r) => [r.prevotes, r.precommits])) {
      const { round, type, majority } = set;
      if (majority !== undefined) {
        const claim = { peer, height, round, type, blockId: majority } as const;
        this.pool.push({ to, input: { kind: 'majorityClaim', ...claim } });
      }
      const known = set.votes.filter((vote) => vote !== undefined);
      for (const vote of known) this.pool.push({ to, input: { kind: 'vote', vote, peer } });
    }
  }

  /** What went wrong, in words; empty if nothing did. */
  violations(): string[] {
    return [...this.#disagreements(), ...this.#doubleVotes(), ...this.#brokenLocks()];
  }

  #disagreements(): string[] {
    const out: string[] = [];
    const first = new Map<number, BlockId>();
    for (const [index, node] of this.nodes) {
      for (const [height, { blockId, commit }] of node.decided) {
        const other = first.get(height) ?? blockId;
        first.set(height, other);
        if (blockIdKey(other) !== blockIdKey(blockId)) out.push(`agreement: ${index} at ${height}`);
        if (this.#blocks.get(blockIdKey(blockId))?.bad !== false) out.push(`validity: ${height}`);
        const power = commit.signatures.filter((s) => s.blockIdFlag === 2);
        if (BigInt(power.length) * 10n < quorum(this.set.totalPower)) out.push(`quorum: ${height}`);
      }
    }
    return out;
  }

  #doubleVotes(): string[] {
    const seen = new Map<string, string>();
    return this.honestVotes.flatMap((vote) => {
      const place = `${vote.validatorIndex}/${vote.height}/${vote.round}/${vote.type}`;
      const block = blockIdKey(vote.blockId);
      const before = seen.get(place) ?? block;
      seen.set(place, before);
      return before === block ? [] : [`double vote: ${place}`];
    });
  }

  /** After a quorum of precommits for a block no honest validator precommits another one. */
  #brokenLocks(): string[] {
    const backing = new Map<string, Set<number>>();
    const precommits = this.allVotes.filter((v) => v.type === PRECOMMIT && !isNil(v.blockId));
    for (const vote of precommits) {
      const key = `${vote.height}/${vote.round}/${blockIdKey(vote.blockId)}`;
      backing.set(key, (backing.get(key) ?? new Set()).add(vote.validatorIndex));
    }
    const committed = precommits.filter((vote) => {
      const key = `${vote.height}/${vote.round}/${blockIdKey(vote.blockId)}`;
      const power = BigInt(backing.get(key)?.size ?? 0) * 10n;
      return power >= quorum(this.set.totalPower);
    });
    return this.honestVotes
      .filter((v) => v.type === PRECOMMIT && !isNil(v.blockId))
      .filter((v) =>
        committed.some(
          (c) =>
            c.height === v.height &&
            c.round <= v.round &&
            blockIdKey(c.blockId) !== blockIdKey(v.blockId),
        ),
      )
      .map((v) => `lock: ${v.validatorIndex} at ${v.height}/${v.round}`);
  }
}
