/**
 * What a second opinion does: planted differences, halting and reporting, being behind, starting
 * anew; and which runs it is not held to.
 *
 * @module
 */
import { expect } from 'chai';
import {
  Opinion,
  type OpinionReport,
} from '../../../../node/src/ledger/evm/second-opinion/opinion.ts';
import type {
  OpinionMode,
  SeenBlock,
  SeenRun,
  Unmirrored,
} from '../../../../node/src/ledger/evm/second-opinion/port.ts';
import type { EvmOutcome } from '../../../../node/src/ledger/evm/types.ts';
import { address } from '../world.ts';
import { RandomChain } from './random-blocks.ts';

type Told = { readonly reports: OpinionReport[]; readonly notes: string[]; failed: unknown };

function opinionOn(
  chain: RandomChain,
  mode: Exclude<OpinionMode, 'off'> = 'halt',
): readonly [Opinion, Told] {
  const told: Told = { reports: [], notes: [], failed: undefined };
  const opinion = new Opinion({
    mode,
    code: chain.code,
    differs: (report) => told.reports.push(report),
    note: (text) => told.notes.push(text),
    failed: (cause) => {
      told.failed = cause;
    },
    processBytes: () => 0,
    monotonicMs: () => performance.now(),
  });
  return [opinion, told];
}

/** A block of three transactions of which the first can be compared. */
async function blockOf(chain: RandomChain): Promise<SeenBlock> {
  for (let i = 0; i < 100; i++) {
    const seen = await chain.block();
    const first = seen.runs.find((run) => isPlain(run));
    if (first !== undefined && seen.runs.every(({ unmirrored }) => unmirrored === undefined)) {
      return seen;
    }
  }
  throw new TypeError('no block of this kind');
}

function isPlain({ outcome, unmirrored }: SeenRun): boolean {
  return unmirrored === undefined && outcome.status === 1 && outcome.logs.length > 0;
}

function planted(seen: SeenBlock, change: (outcome: EvmOutcome) => Partial<EvmOutcome>): SeenBlock {
  const at = seen.runs.findIndex(isPlain);
  const runs = seen.runs.map((run, i) =>
    i === at ? { ...run, outcome: { ...run.outcome, ...change(run.outcome) } } : run,
  );
  return { ...seen, runs };
}

describe('second opinion: what it does', () => {
  let chain: RandomChain;
  beforeEach(async () => {
    chain = await RandomChain.create(11);
  });

  async function firstOf(seen: SeenBlock): Promise<OpinionReport['first']> {
    const [opinion, { reports }] = opinionOn(chain);
    opinion.block(seen);
    await opinion.settled();
    expect(reports.length).to.equal(1);
    return (reports[0] as OpinionReport).first;
  }

  it('names height, transaction, field and both values of a planted difference', async () => {
    const seen = await blockOf(chain);
    const { height } = seen.block;
    const run = seen.runs.findIndex(isPlain);
    const gas = await firstOf(planted(seen, ({ gasUsed }) => ({ gasUsed: gasUsed + 1n })));
    expect(gas).to.include({ height, run, field: 'gasUsed' });
    expect(BigInt(gas.ledger) - BigInt(gas.edr)).to.equal(1n);
    expect(gas.transaction).to.equal(
      `0x${Buffer.from(seen.runs[run]?.hash ?? []).toString('hex')}`,
    );
    const status = await firstOf(planted(seen, () => ({ status: 0, error: 'revert', logs: [] })));
    expect(status).to.include({ run, field: 'status', ledger: 'revert', edr: 'success' });
    const logs = await firstOf(planted(seen, () => ({ logs: [] })));
    expect(logs).to.include({ run, field: 'logs', ledger: '[]' });
  });

  it('names the account or slot that differs', async () => {
    const seen = await blockOf(chain);
    const [account, ...others] = seen.accounts;
    if (account === undefined) throw new TypeError('the block met an account');
    const { after } = account;
    const richer = { ...account, after: { ...after, balance: after.balance + 1n } };
    const balance = await firstOf({ ...seen, accounts: [richer, ...others] });
    expect(balance).to.include({ field: 'balance' });
    expect(BigInt(balance.ledger) - BigInt(balance.edr)).to.equal(1n);
    const older = { ...account, after: { ...after, nonce: after.nonce + 1n } };
    expect(await firstOf({ ...seen, accounts: [older, ...others] })).to.include({ field: 'nonce' });
    const [slot, ...rest] = seen.slots;
    if (slot === undefined) throw new TypeError('the block met a slot');
    const other = { ...slot, after: slot.after + 1n };
    const value = await firstOf({ ...seen, slots: [other, ...rest] });
    expect(value).to.include({ field: 'slot' });
    expect(value.where).to.contain(slot.slot);
  });

  it('judges no more after a halt', async () => {
    const [opinion, { reports }] = opinionOn(chain);
    opinion.block(planted(await blockOf(chain), () => ({ gasUsed: 1n })));
    opinion.block(planted(await blockOf(chain), () => ({ gasUsed: 1n })));
    await opinion.settled();
    opinion.block(planted(await blockOf(chain), () => ({ gasUsed: 1n })));
    await opinion.settled();
    await opinion.ready();
    expect(reports.length).to.equal(1);
  });

  it('goes on after a report, and agrees again', async () => {
    const [opinion, { reports, notes }] = opinionOn(chain, 'report');
    for (let i = 0; i < 6; i++) {
      const seen = await blockOf(chain);
      opinion.block(i === 2 ? planted(seen, () => ({ gasUsed: 1n })) : seen);
      await opinion.settled();
    }
    expect(reports.length).to.equal(1);
    expect(notes).to.deep.equal([]);
    expect(opinion.counts.blocks).to.equal(6);
  });

  it('is waited for when it is behind, or lets blocks go and says so', async () => {
    const blocks = [];
    for (let i = 0; i < 24; i++) blocks.push(await chain.block(2));
    const [halting, heard] = opinionOn(chain);
    for (const seen of blocks) {
      await halting.ready();
      halting.block(seen);
    }
    await halting.settled();
    expect(halting.counts.blocks).to.equal(24);
    expect(heard.reports).to.deep.equal([]);
    const [reporting, told] = opinionOn(chain, 'report');
    for (const seen of blocks) {
      await reporting.ready();
      reporting.block(seen);
    }
    await reporting.settled();
    expect(reporting.counts.blocks).to.be.below(24);
    expect(told.notes[0]).to.contain('too far behind');
    expect(told.reports).to.deep.equal([]);
  });

  it('starts anew in the middle of a chain', async () => {
    for (let i = 0; i < 10; i++) await chain.block();
    const [opinion, { reports, notes }] = opinionOn(chain);
    for (let i = 0; i < 10; i++) opinion.block(await chain.block());
    await opinion.settled();
    expect([reports, notes]).to.deep.equal([[], []]);
  });
});

describe('second opinion: what it is not held to', () => {
  const faces = [address('aa01'), address('aa02')] as const;

  /** Runs random blocks in which two addresses are one account. @returns the reasons met */
  async function reasonsOf(seed: number): Promise<readonly (Unmirrored | undefined)[]> {
    const chain = await RandomChain.create(seed, {
      resolve: (_, id) => (Buffer.compare(id, faces[1]) === 0 ? faces[0] : id),
    });
    for (const face of faces) chain.know(face);
    const [opinion, { reports, notes }] = opinionOn(chain);
    const reasons: (Unmirrored | undefined)[] = [];
    for (let i = 0; i < 20; i++) {
      const seen = await chain.block(10);
      reasons.push(...seen.runs.map(({ unmirrored }) => unmirrored));
      opinion.block(seen);
      await opinion.settled();
    }
    expect([reports, notes], `seed ${seed}`).to.deep.equal([[], []]);
    return reasons;
  }

  it('is named with its reason, and nothing else differs', async () => {
    const reasons = new Set([...(await reasonsOf(21)), ...(await reasonsOf(22))]);
    expect([...reasons]).to.include.members(['blockHash', 'twoFaces', 'afterUnmirrored']);
  }).timeout(60_000);
});
