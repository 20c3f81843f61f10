/**
 * What the tests of the core share: validators, blocks and votes by short names, and a driver that
 * answers the core's questions at once.
 *
 * Signatures here are not real: the core takes verified votes, and these stand for them.
 *
 * @module
 */

import { step } from '../../node/consensus/core.ts';
import { type CoreConfig, initialState, type State } from '../../node/consensus/state.ts';
import type { Effect, Input, TimeoutConfig } from '../../node/consensus/types.ts';
import { concatBytes, utf8 } from '../../node/src/base/bytes.ts';
import { sha256 } from '../../node/src/base/hash.ts';
import { type BlockId, NIL_BLOCK_ID } from '../../node/src/types/block-id.ts';
import { createValidatorSet, type ValidatorSet } from '../../node/src/types/validators.ts';
import {
  type Proposal,
  type Verified,
  VOTE_TYPE,
  type Vote,
  type VoteType,
} from '../../node/src/types/vote.ts';

export const PREVOTE: VoteType = VOTE_TYPE.prevote;
export const PRECOMMIT: VoteType = VOTE_TYPE.precommit;
export const nil: BlockId = NIL_BLOCK_ID;

/** Delays that are easy to tell apart. */
export const TIMEOUTS: TimeoutConfig = {
  proposeMs: 1000,
  proposeDeltaMs: 100,
  prevoteMs: 500,
  prevoteDeltaMs: 50,
  precommitMs: 300,
  precommitDeltaMs: 30,
  commitMs: 0,
  emptyBlocksMs: 2000,
};

/** A set of validators with the given powers. */
export function validatorSet(powers: readonly bigint[]): ValidatorSet {
  return createValidatorSet(
    powers.map((power, i) => ({
      publicKey: { type: 'ed25519', bytes: sha256(utf8(`validator ${i}`)) },
      power,
    })),
  );
}

/** A block's name by a short label. */
export function id(label: string): BlockId {
  return {
    hash: sha256(utf8(`block ${label}`)),
    partSetHeader: { total: 1, hash: sha256(utf8(`parts ${label}`)) },
  };
}

/** A vote of validator `index` of `set`. */
export function voteBy(
  set: ValidatorSet,
  index: number,
  type: VoteType,
  height: number,
  round: number,
  blockId: BlockId,
  salt = '',
): Verified<Vote> {
  const content = `${index} ${type} ${height} ${round} ${salt}`;
  return {
    type,
    height,
    round,
    blockId,
    timestamp: BigInt(height) * 1_000_000_000n + BigInt(round),
    validatorAddress: set.validators[index]?.address ?? new Uint8Array(20),
    validatorIndex: index,
    signature: sha256(concatBytes(utf8(content), blockId.hash)),
  } as Vote as Verified<Vote>;
}

/** A proposal. */
export function proposalOf(
  height: number,
  round: number,
  polRound: number,
  blockId: BlockId,
): Verified<Proposal> {
  return {
    type: VOTE_TYPE.proposal,
    height,
    round,
    polRound,
    blockId,
    timestamp: BigInt(height),
    signature: sha256(concatBytes(utf8(`proposal ${height} ${round}`), blockId.hash)),
  } as Proposal as Verified<Proposal>;
}

/** How questions are answered. */
export type Answers = {
  /** The label of the block that `build` makes. */
  readonly build: (height: number, round: number) => string;
  readonly valid: (blockId: BlockId) => boolean;
  /** False: the guard refuses. */
  readonly sign: boolean;
};

const ANSWERS: Answers = {
  build: (height, round) => `own ${height}/${round}`,
  valid: () => true,
  sign: true,
};

/** The answer to a question effect; undefined for other effects. */
export function answer(effect: Effect, set: ValidatorSet, answers: Answers): Input | undefined {
  switch (effect.kind) {
    case 'build': {
      const { height, round } = effect;
      return { kind: 'built', height, round, blockId: id(answers.build(height, round)), time: 5n };
    }
    case 'validate': {
      const { height, round, blockId } = effect;
      return { kind: 'validated', height, round, blockId, valid: answers.valid(blockId) };
    }
    case 'signProposal': {
      const { height, round, polRound, blockId } = effect;
      const proposal = answers.sign ? proposalOf(height, round, polRound, blockId) : undefined;
      return { kind: 'signedProposal', proposal };
    }
    case 'signVote': {
      const { type, height, round, blockId, validatorIndex } = effect.vote;
      const vote = voteBy(set, validatorIndex, type, height, round, blockId);
      return { kind: 'signedVote', vote: answers.sign ? vote : undefined };
    }
    default:
      return undefined;
  }
}

/** One core of a small network, told by hand what happens. */
export class Bench {
  state: State;
  readonly set: ValidatorSet;
  readonly inputs: Input[] = [];
  answers: Answers = ANSWERS;
  /** Effects since the last `take`. */
  #effects: Effect[] = [];

  /**
   * @param me - our index in the set; −1 for a node that only follows; `proposer` for the validator
   *   whose turn round 0 is
   */
  constructor(
    me: number | 'proposer' = 'proposer',
    timeouts: Partial<TimeoutConfig> = {},
    powers: readonly bigint[] = [10n, 10n, 10n, 10n],
  ) {
    this.set = validatorSet(powers);
    const address =
      me === 'proposer' ? this.set.proposer.address : this.set.validators[me]?.address;
    const config: CoreConfig = {
      chainId: 'bench',
      address,
      timeouts: { ...TIMEOUTS, ...timeouts },
    };
    this.state = initialState(config);
  }

  /** Begins a height after `last`; a proof block unless told otherwise, so that nobody waits. */
  begin(height = 1, proofBlock = true, last?: Extract<Input, { kind: 'newHeight' }>['last']): this {
    return this.feed({ kind: 'newHeight', height, validators: this.set, last, proofBlock });
  }

  /** Feeds inputs, answering every question. */
  feed(...inputs: readonly Input[]): this {
    for (const input of inputs) {
      let next: Input | undefined = input;
      while (next !== undefined) {
        this.inputs.push(next);
        const result = step(this.state, next);
        this.state = result.state;
        this.#effects.push(...result.effects);
        const last = result.effects.at(-1);
        next = last && answer(last, this.set, this.answers);
      }
    }
    return this;
  }

  /** Effects since the last call, of these kinds if any are given. */
  take<K extends Effect['kind']>(...kinds: readonly K[]): Extract<Effect, { kind: K }>[] {
    const effects = this.#effects;
    this.#effects = [];
    const wanted = new Set<string>(kinds);
    return effects.filter((e): e is Extract<Effect, { kind: K }> => wanted.has(e.kind));
  }

  /** The kinds of the effects since the last call, in order. */
  kinds(): string[] {
    const kinds = this.#effects.map((e) => e.kind);
    this.#effects = [];
    return kinds;
  }

  /** Indexes of the validators other than us. */
  others(): number[] {
    const mine = this.state.config.address;
    return [...this.set.validators.keys()].filter((i) => this.set.validators[i]?.address !== mine);
  }

  /** Votes of the first `count` other validators. */
  votes(type: VoteType, round: number, blockId: BlockId, count: number): this {
    for (const index of this.others().slice(0, count)) {
      this.vote(index, type, round, blockId);
    }
    return this;
  }

  /** One validator's vote. */
  vote(index: number, type: VoteType, round: number, blockId: BlockId, peer = 'peer'): this {
    const vote = voteBy(this.set, index, type, this.state.height, round, blockId);
    return this.feed({ kind: 'vote', vote, peer });
  }

  /** The round's proposal and its block. */
  propose(label: string, polRound = -1): this {
    const { height, round } = this.state;
    return this.proposalOnly(label, polRound).feed({
      kind: 'block',
      height,
      blockId: id(label),
      time: BigInt(round),
    });
  }

  /** The round's proposal without its block. */
  proposalOnly(label: string, polRound = -1): this {
    const { height, round } = this.state;
    return this.feed({
      kind: 'proposal',
      proposal: proposalOf(height, round, polRound, id(label)),
    });
  }

  /** The parts of a block arrived. */
  block(label: string): this {
    return this.feed({ kind: 'block', height: this.state.height, blockId: id(label), time: 1n });
  }

  /** A timer of the current round fires. */
  timeout(step: Extract<Input, { kind: 'timeout' }>['timeout']['step']): this {
    const { height, round } = this.state;
    return this.feed({ kind: 'timeout', timeout: { height, round, step } });
  }
}
