/**
 * Properties of the core: several cores under random schedules, and one under arbitrary inputs.
 *
 * @module
 */
import { expect } from 'chai';
import fc from 'fast-check';
import { step } from '../../node/consensus/core.ts';
import { initialState, type State } from '../../node/consensus/state.ts';
import type { Effect, Input } from '../../node/consensus/types.ts';
import { decodeInput, encodeInput } from '../../node/consensus/wal.ts';
import { VOTE_TYPE } from '../../node/src/types/vote.ts';
import { anyInput } from './any-input.ts';
import { deepFreeze } from './freeze.ts';
import { Network, type StepFunction } from './network.ts';
import { answer, TIMEOUTS, validatorSet } from './world.ts';

/** One thing that happens while the network is not synchronous. */
const event = fc.record({
  kind: fc.nat(9),
  a: fc.nat(1_000),
  b: fc.nat(6),
  round: fc.nat(2),
  label: fc.nat(8),
});

const schedule = fc.array(event, { maxLength: 120, size: 'max' });

const sizes = fc.constantFrom(
  { powers: [10n, 10n, 10n, 10n], liars: [0] },
  { powers: [10n, 10n, 10n, 10n], liars: [] },
  { powers: [10n, 10n, 10n, 10n, 10n, 10n, 10n], liars: [1, 4] },
);

type Event = { kind: number; a: number; b: number; round: number; label: number };
type Size = { powers: readonly bigint[]; liars: readonly number[] };

function play(network: Network, events: readonly Event[], size: Size): void {
  const honest = [...network.nodes.keys()];
  for (const { kind, a, b, round, label } of events) {
    const to = honest[b % honest.length] ?? 0;
    if (kind <= 4) network.deliver(a, false);
    else if (kind === 5) network.deliver(a, true);
    else if (kind === 6) network.fire(to);
    else network.lie(size.liars[a % Math.max(1, size.liars.length)] ?? -1, to, a, round, label);
  }
}

function run(events: readonly Event[], size: Size, by: StepFunction = step): Network {
  const network = new Network(size.powers, size.liars, 2, by);
  play(network, events, size);
  return network;
}

const CONFIG = {
  chainId: 'test',
  address: validatorSet([10n, 20n, 30n, 40n]).validators[1]?.address,
  timeouts: TIMEOUTS,
};

function fold(
  inputs: readonly Input[],
  by: StepFunction = step,
): { state: State; effects: Effect[] } {
  let state = initialState(CONFIG);
  const effects: Effect[] = [];
  for (const input of inputs) {
    const result = by(state, input);
    state = result.state;
    effects.push(...result.effects);
  }
  return { state, effects };
}

/** Inputs that answer every question, with arbitrary inputs between them. */
function conversation(noise: readonly Input[]): Input[] {
  const set = validatorSet([10n, 20n, 30n, 40n]);
  const first: Input = {
    kind: 'newHeight',
    height: 1,
    validators: set,
    last: undefined,
    proofBlock: true,
  };
  const inputs: Input[] = [];
  let state = initialState(CONFIG);
  for (const input of [first, ...noise]) {
    let next: Input | undefined = input;
    while (next !== undefined) {
      inputs.push(next);
      const result = step(state, next);
      state = result.state;
      const last = result.effects.at(-1);
      const build = (): string => 'A';
      next = last && answer(last, set, { build, valid: () => true, sign: true });
    }
  }
  return inputs;
}

/** Whether an effect asks for a signature that a lock may bind. */
function mayRestOnLock(effect: Effect): boolean {
  if (effect.kind === 'signProposal') return effect.round > 0;
  if (effect.kind !== 'signVote') return false;
  return effect.vote.round > 0 || effect.vote.type === VOTE_TYPE.precommit;
}

describe('core under random schedules', () => {
  it('agrees, is valid, keeps locks, never votes twice, and ends when messages arrive', () => {
    fc.assert(
      fc.property(schedule, sizes, (events, size) => {
        const network = run(events, size);
        expect(network.violations()).to.deep.equal([]);
        const done = network.settle(400);
        expect(network.violations()).to.deep.equal([]);
        expect(done, 'every honest node decides').to.equal(true);
      }),
      { numRuns: 150 },
    );
  });

  it('gives the same from a fold over the log as from the run', () => {
    fc.assert(
      fc.property(schedule, sizes, (events, size) => {
        const network = run(events, size);
        for (const node of network.nodes.values()) {
          const { config } = node.state;
          let state = initialState(config);
          for (const input of node.inputs) {
            state = step(state, decodeInput(encodeInput(input))).state;
          }
          expect(state).to.deep.equal(node.state);
        }
      }),
      { numRuns: 20 },
    );
  });

  it('changes no state that it is given', () => {
    const frozen: StepFunction = (state, input) => {
      const result = step(deepFreeze(state), deepFreeze(input));
      deepFreeze(result.effects);
      return result;
    };
    fc.assert(
      fc.property(schedule, sizes, (events, size) => {
        run(events, size, frozen).settle(20);
      }),
      { numRuns: 10 },
    );
  });
});

describe('core under arbitrary inputs', () => {
  const noise = fc.array(anyInput, { maxLength: 60, size: 'max' });

  it('never throws, and answers an input that changes nothing with the same state', () => {
    fc.assert(
      fc.property(noise, (inputs) => {
        let state = initialState(CONFIG);
        for (const input of conversation(inputs)) {
          const result = step(state, input);
          const quiet = result.effects.every((e) => e.kind === 'blame');
          if (result.state === state) expect(quiet).to.equal(true);
          state = result.state;
          const unknown = { kind: 'unheard of' } as unknown as Input;
          expect(step(state, unknown)).to.deep.equal({ state, effects: [] });
        }
      }),
      { numRuns: 200 },
    );
  });

  it('never throws even if questions stay unanswered', () => {
    fc.assert(
      fc.property(noise, (inputs) => void fold(inputs)),
      { numRuns: 200 },
    );
  });

  it('is deterministic', () => {
    fc.assert(
      fc.property(noise, (inputs) => {
        const all = conversation(inputs);
        expect(fold(all)).to.deep.equal(fold(all));
      }),
      { numRuns: 50 },
    );
  });

  it('persists before it signs what may rest on a lock, and signs before it sends', () => {
    fc.assert(
      fc.property(noise, (inputs) => {
        const { effects } = fold(conversation(inputs));
        const kinds = effects.map((e) => e.kind);
        for (const [i, effect] of effects.entries()) {
          if (mayRestOnLock(effect)) expect(kinds[i - 1]).to.equal('persist');
        }
        const count = (kind: string): number => kinds.filter((k) => k === kind).length;
        expect(count('sendVote') <= count('signVote')).to.equal(true);
        expect(count('sendProposal') <= count('signProposal')).to.equal(true);
      }),
      { numRuns: 100 },
    );
  });
});
