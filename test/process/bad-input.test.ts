/**
 * Bad input against a devnet of real processes, the short form; `scripts/soak/bad-input.ts` is the
 * long one.
 *
 * @module
 */
import { expect } from 'chai';
import { runBadInput } from '../../scripts/soak/bad-input.ts';

/** Inputs of the short form, a third of each kind. */
const COUNT = 360;

describe('bad input', function () {
  this.timeout(240_000);

  it('is refused with declared codes, and hurts no validator', async () => {
    const report = await runBadInput({ count: COUNT, seed: 7 });
    expect(report.failures, JSON.stringify(report, null, 2)).to.deep.equal([]);
    const { transactions, calls, frames } = report;
    for (const { sent } of [transactions, calls, frames]) expect(sent).to.be.at.least(COUNT / 3);
    // Not one reason for all: the refusals come from every part.
    expect(Object.keys(transactions.refused)).to.include.members(['sdk/2', 'sdk/4', 'memory/1']);
    expect(Object.keys(calls.refused)).to.include.members(['jsonrpc/-32602', 'rest/1']);
    expect(Object.keys(frames.refused)).to.include.members(['codec/1', 'net/1']);
  });
});
