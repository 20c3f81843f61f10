/**
 * Validator sets: CometBFT's proposer orders, priorities, updates; rotation by property.
 *
 * @module
 */
import { expect } from 'chai';
import fc from 'fast-check';
import { compareBytes, toHex, utf8 } from '../../node/src/base/bytes.ts';
import { LedgerError } from '../../node/src/base/errors.ts';
import { MAX_TOTAL_POWER } from '../../node/src/base/limits.ts';
import type { PublicKey } from '../../node/src/types/keys.ts';
import {
  createValidatorSet,
  errors,
  quorum,
  rotate,
  updateValidatorSet,
  type Validator,
  type ValidatorSet,
  type ValidatorUpdate,
  validatorSetFromWire,
  validatorSetToWire,
  validatorsHash,
} from '../../node/src/types/validators.ts';

/** A set of validators known by address only, as CometBFT's tests make them. */
function setOf(entries: readonly (readonly [address: Uint8Array, power: bigint])[]): ValidatorSet {
  const publicKey: PublicKey = { type: 'ed25519', bytes: new Uint8Array(32) };
  const validators: Validator[] = entries
    .map(([address, power]) => ({ address, publicKey, power, priority: 0n }))
    .sort((a, b) => Number(b.power - a.power) || compareBytes(a.address, b.address));
  const totalPower = validators.reduce((sum, v) => sum + v.power, 0n);
  return { validators, proposer: validators[0] as Validator, totalPower };
}

function proposers(start: ValidatorSet, turns: number): Uint8Array[] {
  const out: Uint8Array[] = [];
  let set = start;
  for (let turn = 0; turn < turns; turn++) {
    out.push(set.proposer.address);
    set = rotate(set, 1);
  }
  return out;
}

const addressNumber = (n: number): Uint8Array => new Uint8Array(20).fill(n, 19);
const key = (n: number): PublicKey => ({ type: 'ed25519', bytes: new Uint8Array(32).fill(n) });
const update = (n: number, power: bigint): ValidatorUpdate => ({ publicKey: key(n), power });
const names = (set: ValidatorSet): number[] => set.validators.map((v) => v.publicKey.bytes[0] ?? 0);

function refusal(change: () => unknown): string {
  try {
    change();
  } catch (thrown) {
    if (LedgerError.is(thrown, errors.BadUpdate)) return thrown.params.reason;
    throw thrown;
  }
  return 'accepted';
}

describe('proposer rotation', () => {
  // CometBFT types/validator_set_test.go, TestProposerSelection1.
  it('gives CometBFT its order of 99 turns', () => {
    const set = setOf([
      [utf8('foo'), 1000n],
      [utf8('bar'), 300n],
      [utf8('baz'), 330n],
    ]);
    const order = proposers(rotate(set, 1), 99).map((address) => Buffer.from(address).toString());
    expect(order.join(' ')).to.equal(
      'foo baz foo bar foo foo baz foo bar foo foo baz foo foo bar foo baz foo foo bar' +
        ' foo foo baz foo bar foo foo baz foo bar foo foo baz foo foo bar foo baz foo foo bar' +
        ' foo baz foo foo bar foo baz foo foo bar foo baz foo foo foo baz bar foo foo foo baz' +
        ' foo bar foo foo baz foo bar foo foo baz foo bar foo foo baz foo bar foo foo baz foo' +
        ' foo bar foo baz foo foo bar foo baz foo foo bar foo baz foo foo',
    );
  });

  // TestProposerSelection2.
  it('goes by address among equals, and by power else', () => {
    const order = (powers: readonly bigint[], turns: number): number[] => {
      const set = setOf(powers.map((power, n) => [addressNumber(n), power] as const));
      return proposers(rotate(set, 1), turns).map((address) => address[19] ?? -1);
    };
    const five = Array.from({ length: 15 }, (_, turn) => turn % 3);
    expect(order([100n, 100n, 100n], 15)).to.deep.equal(five);
    expect(order([100n, 100n, 400n], 2)).to.deep.equal([2, 0]);
    expect(order([100n, 100n, 401n], 3)).to.deep.equal([2, 2, 0]);
    const counts = [0, 0, 0];
    for (const n of order([4n, 5n, 3n], 120)) counts[n] = (counts[n] ?? 0) + 1;
    expect(counts).to.deep.equal([40, 50, 30]);
  });

  // TestProposerSelection3.
  it('keeps the order of equals for ever, stored and loaded in between', () => {
    let set = createValidatorSet([1, 2, 3, 4].map((n) => update(n, 1n)));
    const order = proposers(set, 4).map(toHex);
    for (let turn = 0, i = 0; i < 500; i++) {
      expect(toHex(set.proposer.address)).to.equal(order[turn % 4]);
      set = validatorSetFromWire(validatorSetToWire(set));
      const times = 1 + (i % 4);
      set = rotate(set, times);
      turn += times;
    }
  });

  // TestAveragingInIncrementProposerPriorityWithVotingPower.
  it('moves priorities by power, and by the total for the proposer', () => {
    const start = setOf([
      [new Uint8Array([0]), 10n],
      [new Uint8Array([1]), 1n],
      [new Uint8Array([2]), 1n],
    ]);
    const expected: readonly (readonly [times: number, proposer: number, priorities: bigint[]])[] =
      [
        [1, 0, [-2n, 1n, 1n]],
        [2, 0, [-4n, 2n, 2n]],
        [3, 0, [-6n, 3n, 3n]],
        [4, 0, [-8n, 4n, 4n]],
        [5, 1, [2n, -7n, 5n]],
        [6, 0, [0n, -6n, 6n]],
        [7, 0, [-2n, -5n, 7n]],
        [8, 0, [-4n, -4n, 8n]],
        [9, 2, [6n, -3n, -3n]],
        [10, 0, [4n, -2n, -2n]],
        [11, 0, [2n, -1n, -1n]],
      ];
    for (const [times, proposer, priorities] of expected) {
      const set = rotate(start, times);
      expect(set.proposer.address[0], `turn ${times}`).to.equal(proposer);
      expect(
        set.validators.map((v) => v.priority),
        `turn ${times}`,
      ).to.deep.equal(priorities);
    }
  });

  const powers = fc.array(fc.bigInt({ min: 1n, max: 1000n }), { minLength: 1, maxLength: 8 });

  it('is centred, stays within its window, and gives turns in proportion to power', () => {
    fc.assert(
      fc.property(powers, (list) => {
        let set = createValidatorSet(list.map((power, n) => update(n, power)));
        const turns = Number(set.totalPower);
        const counts = new Map<string, number>();
        for (let turn = 0; turn < turns; turn++) {
          const name = toHex(set.proposer.address);
          counts.set(name, (counts.get(name) ?? 0) + 1);
          const priorities = set.validators.map((v) => v.priority);
          const sum = priorities.reduce((a, b) => a + b, 0n);
          const size = BigInt(list.length);
          expect(sum > -size && sum < size, 'centred').to.equal(true);
          const max = priorities.reduce((a, b) => (a > b ? a : b));
          const min = priorities.reduce((a, b) => (a < b ? a : b));
          expect(max - min <= 2n * set.totalPower, 'within the window').to.equal(true);
          set = rotate(set, 1);
        }
        for (const v of set.validators) {
          const got = counts.get(toHex(v.address)) ?? 0;
          expect(Math.abs(got - Number(v.power)), 'in proportion').to.be.at.most(1);
        }
      }),
      { numRuns: 15 },
    );
  });

  it('survives the largest powers', () => {
    const third = MAX_TOTAL_POWER / 3n;
    let set = createValidatorSet([update(1, third), update(2, third), update(3, third)]);
    for (let turn = 0; turn < 9; turn++) set = rotate(set, 1);
    expect(set.validators.every((v) => v.priority <= 2n * set.totalPower)).to.equal(true);
  });
});

describe('validator updates', () => {
  const pair = createValidatorSet([update(1, 10n), update(2, 10n)]);

  // CometBFT types/validator_set_test.go, TestValSetUpdatesBasicTestsExecute.
  it('keep the order by power, then address', () => {
    expect(updateValidatorSet(pair, [])).to.equal(pair);
    const changed = updateValidatorSet(pair, [update(2, 22n), update(1, 11n)]);
    expect(names(changed)).to.deep.equal([2, 1]);
    const added = updateValidatorSet(pair, [update(4, 40n), update(3, 30n)]);
    expect(names(added).slice(0, 2)).to.deep.equal([4, 3]);
    const three = createValidatorSet([update(3, 30n), update(2, 20n), update(1, 10n)]);
    expect(names(updateValidatorSet(three, [update(2, 0n)]))).to.deep.equal([3, 1]);
  });

  // TestValSetUpdatesDuplicateEntries, …Overflows, …OtherErrors.
  it('refuse what CometBFT refuses', () => {
    const huge = createValidatorSet([update(1, MAX_TOTAL_POWER - 1n)]);
    const bad: readonly (readonly [ValidatorSet, ValidatorUpdate[], RegExp])[] = [
      [pair, [update(1, 11n), update(1, 22n)], /twice/],
      [pair, [update(1, 0n), update(2, 20n), update(1, 30n)], /twice/],
      [pair, [update(1, -123n)], /negative/],
      [pair, [update(3, 0n)], /not in the set/],
      [pair, [update(1, 0n), update(2, 0n)], /nobody/],
      [pair, [update(1, (1n << 63n) - 1n)], /too much/],
      [huge, [update(2, 5n)], /over the limit/],
    ];
    for (const [set, updates, reason] of bad) {
      expect(refusal(() => updateValidatorSet(set, updates))).to.match(reason);
    }
    expect(refusal(() => createValidatorSet([update(1, 0n)]))).to.match(/not in the set/);
    expect(refusal(() => createValidatorSet([]))).to.match(/nobody/);
  });

  it('give a newcomer a low priority and the others theirs', () => {
    const added = updateValidatorSet(pair, [update(3, 10n)]);
    const newcomer = added.validators.find((v) => v.publicKey.bytes[0] === 3);
    const lowest = added.validators.every((v) => v.priority >= (newcomer?.priority ?? 0n));
    expect(lowest).to.equal(true);
  });

  it('do not depend on the order of the updates', () => {
    const updates = [update(2, 7n), update(3, 9n), update(4, 9n), update(5, 1n)];
    const expected = updateValidatorSet(pair, updates);
    fc.assert(
      fc.property(fc.shuffledSubarray(updates, { minLength: updates.length }), (shuffled) => {
        expect(updateValidatorSet(pair, shuffled)).to.deep.equal(expected);
      }),
    );
  });

  it('leave the hash to keys and powers', () => {
    expect(validatorsHash(rotate(pair, 5))).to.deep.equal(validatorsHash(pair));
    const changed = updateValidatorSet(pair, [update(1, 11n)]);
    expect(validatorsHash(changed)).to.not.deep.equal(validatorsHash(pair));
  });

  it('need more than two thirds for a quorum', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: MAX_TOTAL_POWER }), (total) => {
        expect(quorum(total) * 3n > total * 2n).to.equal(true);
        expect((quorum(total) - 1n) * 3n <= total * 2n).to.equal(true);
      }),
    );
  });

  it('refuse a stored set whose addresses are not those of the keys', () => {
    const wire = validatorSetToWire(pair);
    const lie = wire.validators.map((v) => ({ ...v, address: addressNumber(1) }));
    expect(refusal(() => validatorSetFromWire({ ...wire, validators: lie }))).to.match(/twice/);
    const stranger = { ...pair.proposer, address: addressNumber(9) };
    expect(refusal(() => validatorSetFromWire({ ...wire, proposer: stranger }))).to.match(
      /not in the set/,
    );
  });
});
