/**
 * Executing a block before it is decided changes nothing: results and state are those of a node
 * that only ever saw the decided block.
 *
 * @module
 */
import { expect } from 'chai';
import fc from 'fast-check';
import { toHex } from '../../node/src/base/bytes.ts';
import { present } from '../../node/src/base/errors.ts';
import type { Ledger } from '../../node/src/ledger/ledger.ts';
import type { FinalizeBlockResponse } from '../../node/src/types/results.ts';
import { MemoryStore } from './memory-store.ts';
import { type QuickActor, quickActor, quickLedger, quickTx } from './quick-txs.ts';

const EMPTY = new Uint8Array(0);
const BALANCE = 100n;
const ROUND = { round: 0, votes: [] };
const actors: readonly QuickActor[] = [0, 1, 2].map(quickActor);

const step = fc.record({
  from: fc.nat(2),
  to: fc.option(fc.nat(2), { nil: undefined }),
  sequence: fc.nat(4),
  fee: fc.bigInt({ min: 0n, max: 60n }),
  amount: fc.bigInt({ min: 1n, max: 90n }),
  text: fc.constantFrom('a', 'b'),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** What a node does with a list of transactions before a block is decided. */
const trial = fc.record({
  kind: fc.constantFrom('expect', 'check', 'prepare', 'process', 'finalize' as const),
  /** Which of the height's lists it is about, and how late. */
  list: fc.constantFrom(0, 0, 1, 2),
  late: fc.nat(1),
  copied: fc.boolean(),
});
type Trial = typeof trial extends fc.Arbitrary<infer T> ? T : never;

const height = fc.record({
  lists: fc.array(fc.array(step, { maxLength: 5 }), { minLength: 3, maxLength: 3 }),
  trials: fc.array(trial, { maxLength: 6 }),
});

function txOf(s: Step): Uint8Array {
  const from = present(actors[s.from], 'actor');
  const to = s.to === undefined ? undefined : present(actors[s.to], 'actor');
  return quickTx({ ...s, from, ...(to && { to }) } as Parameters<typeof quickTx>[0]);
}

function contextAt(at: number, late: number) {
  return {
    height: at,
    time: BigInt(at) * 1_000n + BigInt(late),
    misbehavior: [],
    nextValidatorsHash: EMPTY,
    proposerAddress: EMPTY,
    hash: EMPTY,
  };
}

type Lists = readonly (readonly Uint8Array[])[];

async function tryOut(ledger: Ledger, at: number, lists: Lists, t: Trial): Promise<void> {
  const own = present(lists[t.list], 'list');
  const txs = t.copied ? own.map((tx) => tx.slice()) : own;
  const of = contextAt(at, t.late);
  if (t.kind === 'check') for (const tx of txs) ledger.checkTx({ tx, kind: 'new' });
  else if (t.kind === 'expect') ledger.expectTxs(txs);
  else if (t.kind === 'finalize') {
    await ledger.finalizeBlock({ ...of, txs, decidedLastCommit: ROUND });
  } else if (t.kind === 'process') {
    await ledger.processProposal({ ...of, txs, proposedLastCommit: ROUND });
  } else {
    const request = { ...of, txs, maxTxBytes: 100_000, localLastCommit: ROUND };
    const picked = await ledger.prepareProposal(request);
    const proposedLastCommit = ROUND;
    expect(await ledger.processProposal({ ...of, txs: picked, proposedLastCommit })).to.equal(true);
  }
}

const shown = (response: FinalizeBlockResponse): string =>
  JSON.stringify(response, (_, value) =>
    value instanceof Uint8Array ? toHex(value) : typeof value === 'bigint' ? `${value}n` : value,
  );

describe('ledger: attempts before a decision', () => {
  it('give the same results and state as no attempts', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(height, { minLength: 1, maxLength: 3 }), async (heights) => {
        const [busyStore, plainStore] = [new MemoryStore(), new MemoryStore()];
        const busy = await quickLedger(busyStore, actors, BALANCE);
        const plain = await quickLedger(plainStore, actors, BALANCE);
        for (const [i, { lists: steps, trials }] of heights.entries()) {
          const lists = steps.map((list) => list.map(txOf));
          const decided = present(lists[0], 'list');
          for (const t of trials) await tryOut(busy, i + 1, lists, t);
          const request = { ...contextAt(i + 1, 0), txs: decided, decidedLastCommit: ROUND };
          const expected = await plain.finalizeBlock(request);
          expect(shown(await busy.finalizeBlock(request))).to.equal(shown(expected));
          await Promise.all([busy.commit(), plain.commit()]);
          expect(busyStore.dump()).to.equal(plainStore.dump());
        }
      }),
      { numRuns: 30 },
    );
  }).timeout(60_000);

  it('show nothing before the decision, and are used only for the block they were of', async () => {
    const store = new MemoryStore();
    const ledger = await quickLedger(store, actors, BALANCE);
    const [alice, bob] = actors as [QuickActor, QuickActor];
    const tx = quickTx({ from: alice, to: bob, amount: 40n, sequence: 0 });
    const before = store.dump();
    const request = { ...contextAt(1, 0), txs: [tx] };
    expect(await ledger.processProposal({ ...request, proposedLastCommit: ROUND })).to.equal(true);
    expect(store.dump()).to.equal(before);
    // The payer of a fee may get the coins in the same block.
    const paid = quickTx({ from: bob, sequence: 0, fee: 120n });
    expect(
      await ledger.processProposal({ ...request, txs: [tx, paid], proposedLastCommit: ROUND }),
    ).to.equal(true);
    expect(
      await ledger.processProposal({ ...request, txs: [paid, tx], proposedLastCommit: ROUND }),
    ).to.equal(false);
    const { txResults } = await ledger.finalizeBlock({ ...request, decidedLastCommit: ROUND });
    expect(txResults.map(({ code }) => code)).to.deep.equal([0]);
  });

  it('check an expected signature once, and refuse a wrong one as ever', async () => {
    const [alice, bob] = actors as [QuickActor, QuickActor];
    let checks = 0;
    const verify = (key: Uint8Array): boolean => ++checks > 0 && key[8] !== bob.publicKey[8];
    const ledger = await quickLedger(new MemoryStore(), actors, BALANCE, verify);
    const good = quickTx({ from: alice, sequence: 0 });
    const wrong = quickTx({ from: bob, sequence: 0 });
    ledger.expectTxs([good, wrong, Uint8Array.of(1, 2, 3)]);
    expect(checks).to.equal(2);
    expect((await ledger.checkTx({ tx: good.slice(), kind: 'new' })).code).to.equal(0);
    expect(checks).to.equal(2);
    expect((await ledger.checkTx({ tx: wrong, kind: 'new' })).code).to.equal(4);
  });

  it('are made anew when the same height is proposed again with another time', async () => {
    const put = quickTx({ from: actors[0] as QuickActor, sequence: 0 });
    const dumps = await Promise.all(
      [undefined, 0, 1].map(async (late) => {
        const store = new MemoryStore();
        const ledger = await quickLedger(store, actors, BALANCE);
        if (late !== undefined) {
          const of = { ...contextAt(1, late), txs: [put] };
          await ledger.processProposal({ ...of, proposedLastCommit: ROUND });
        }
        const request = { ...contextAt(1, 0), txs: [put], decidedLastCommit: ROUND };
        await ledger.finalizeBlock(request);
        await ledger.commit();
        return store.dump();
      }),
    );
    expect(dumps[1]).to.equal(dumps[0]);
    expect(dumps[2]).to.equal(dumps[0]);
  });
});
