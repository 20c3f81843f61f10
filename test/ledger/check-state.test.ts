/**
 * Checks of pending transactions against a model without shortcuts: the committed state on which
 * every transaction that passed before, and is not in a block yet, is run again.
 *
 * @module
 */
import { expect } from 'chai';
import fc from 'fast-check';
import { present } from '../../node/src/base/errors.ts';
import { getAccount } from '../../node/src/ledger/auth/accounts.ts';
import { getBalance } from '../../node/src/ledger/bank/balances.ts';
import type { Ledger } from '../../node/src/ledger/ledger.ts';
import { MemoryStore } from './memory-store.ts';
import { type QuickActor, quickActor, quickLedger, quickTx } from './quick-txs.ts';
import { DENOM } from './world.ts';

const EMPTY = new Uint8Array(0);
const BALANCE = 100n;
const ACTORS = 2;

/** A pending transaction of the model. */
type Pending = { readonly tx: Uint8Array; readonly sequence: number; readonly fee: bigint };

const check = fc.record({
  kind: fc.constant('check' as const),
  from: fc.nat(ACTORS - 1),
  /** Distance from the next sequence. */
  offset: fc.constantFrom(0, 0, 0, 0, 1, -1, -2),
  fee: fc.bigInt({ min: 0n, max: 40n }),
  sent: fc.option(fc.bigInt({ min: 1n, max: 60n }), { nil: undefined }),
});
const block = fc.record({
  kind: fc.constant('block' as const),
  /** How many of each sender's pending transactions it takes. */
  taken: fc.array(fc.nat(3), { minLength: ACTORS, maxLength: ACTORS }),
});
const action = fc.oneof({ weight: 4, arbitrary: check }, { weight: 1, arbitrary: block });
type Check = typeof check extends fc.Arbitrary<infer T> ? T : never;

/** A ledger, what its mempool would hold, and what it must answer. */
class Model {
  readonly store = new MemoryStore();
  readonly actors: readonly QuickActor[] = Array.from({ length: ACTORS }, (_, i) => quickActor(i));
  readonly lanes: Pending[][] = this.actors.map(() => []);
  height = 0;
  #made = 0;

  committed(actor: QuickActor): { sequence: number; balance: bigint } {
    const account = present(getAccount(this.store, actor.id), 'account');
    return { sequence: account.sequence, balance: getBalance(this.store, actor.id, DENOM) };
  }

  /** Whether a transaction must pass, by running all that is pending before it. */
  passes(from: number, sequence: number, fee: bigint): boolean {
    const { sequence: first, balance } = this.committed(present(this.actors[from], 'actor'));
    const lane = present(this.lanes[from], 'lane');
    const next = first + lane.length;
    if (sequence < first || sequence > next) return false;
    const before = lane.filter((pending) => pending.sequence < sequence);
    const promised = before.reduce((sum, pending) => sum + pending.fee, 0n);
    // What is first in a lane has the whole balance.
    return fee === 0n || balance - promised >= fee;
  }

  check(ledger: Ledger, { from, offset, fee, sent }: Check): void {
    const actor = present(this.actors[from], 'actor');
    const to = present(this.actors[(from + 1) % ACTORS], 'actor');
    const lane = present(this.lanes[from], 'lane');
    const sequence = this.committed(actor).sequence + lane.length + offset;
    if (sequence < 0) return;
    const text = `${this.#made++}`;
    const draft = sent === undefined ? {} : { to, amount: sent };
    const tx = quickTx({ from: actor, sequence, fee, text, ...draft });
    const { code } = ledger.checkTx({ tx, kind: 'new' });
    expect(code === 0, `${from}/${sequence} fee ${fee}`).to.equal(this.passes(from, sequence, fee));
    if (code !== 0) return;
    const at = lane.findIndex((pending) => pending.sequence === sequence);
    if (at < 0) lane.push({ tx, sequence, fee });
    // The gas limits are equal, and no fee reaches one coin per gas: the mempool keeps the first.
  }

  /** A block of what a proposer would take of these. */
  async block(ledger: Ledger, taken: readonly number[]): Promise<void> {
    const txs = this.lanes.flatMap((lane, i) => lane.slice(0, taken[i]).map(({ tx }) => tx));
    const round = { round: 0, votes: [] };
    this.height++;
    const of = {
      height: this.height,
      time: BigInt(this.height),
      misbehavior: [],
      nextValidatorsHash: EMPTY,
      proposerAddress: EMPTY,
      hash: EMPTY,
    };
    const request = { ...of, txs, maxTxBytes: 100_000, localLastCommit: round };
    const picked = new Set(await ledger.prepareProposal(request));
    await ledger.finalizeBlock({ ...of, txs: [...picked], decidedLastCommit: round });
    await ledger.commit();
    for (const [i, lane] of this.lanes.entries()) {
      const left = lane.filter(({ tx }) => !picked.has(tx));
      if (lane.splice(0, lane.length, ...left).length > left.length) this.recheck(ledger, i);
    }
  }

  /** What the mempool does with a lane that a block touched: the head, and the rest if it fails. */
  recheck(ledger: Ledger, from: number): void {
    const lane = present(this.lanes[from], 'lane');
    const pending = lane.splice(0);
    const [head, ...rest] = pending;
    if (head === undefined) return;
    const { sequence, balance } = this.committed(present(this.actors[from], 'actor'));
    const passes = head.sequence === sequence && (head.fee === 0n || head.fee <= balance);
    expect(ledger.checkTx({ tx: head.tx, kind: 'recheck' }).code === 0).to.equal(passes);
    if (passes) {
      lane.push(...pending);
      return;
    }
    for (const entry of rest) {
      const expected = this.passes(from, entry.sequence, entry.fee);
      const { code } = ledger.checkTx({ tx: entry.tx, kind: 'recheck' });
      expect(code === 0, 'rest of a lane').to.equal(expected);
      if (expected) lane.push(entry);
    }
  }
}

describe('ledger: checks of pending transactions', () => {
  it('answer as if all that is pending were run again', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 30 }), async (actions) => {
        const model = new Model();
        const ledger = await quickLedger(model.store, model.actors, BALANCE);
        await model.block(ledger, [0, 0]);
        for (const act of actions) {
          if (act.kind === 'check') model.check(ledger, act);
          else await model.block(ledger, act.taken);
        }
      }),
      { numRuns: 150 },
    );
  }).timeout(60_000);

  it('count what is promised, and never over a gap', async () => {
    const store = new MemoryStore();
    const alice = quickActor(0);
    const ledger = await quickLedger(store, [alice], BALANCE);
    const answer = (sequence: number, fee: bigint, text: string): number => {
      const tx = quickTx({ from: alice, sequence, fee, gas: 50_000n, text });
      return ledger.checkTx({ tx, kind: 'new' }).code;
    };
    expect(answer(0, 60n, 'a')).to.equal(0);
    expect(answer(0, 101n, 'b')).to.equal(5);
    expect(answer(1, 40n, 'c')).to.equal(0);
    expect(answer(2, 1n, 'd')).to.equal(5);
    expect(answer(2, 0n, 'e')).to.equal(0);
    expect(answer(4, 0n, 'f')).to.equal(32);
  });
});
