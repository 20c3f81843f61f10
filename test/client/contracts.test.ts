/**
 * Refusals of contracts in words, as a program meets them.
 *
 * @module
 */
import { expect } from 'chai';
import { Interface } from 'ethers';
import { contracts, explained, refusalOf, refusalText } from '../../node/src/client/contracts.ts';

const rules = new Interface(contracts.MemoryRules.abi);
const own = new Interface(['error EditorialNotEditor(address author)', 'error Closed()']);
const SPACE = `0x${'5a'.repeat(32)}`;
const POLICY = `0x${'11'.repeat(20)}`;
const AUTHOR = `0x${'22'.repeat(20)}`;
const inner = own.encodeErrorResult('EditorialNotEditor', [AUTHOR]);
const outer = rules.encodeErrorResult('MemoryRulesPolicyRefused', [SPACE, POLICY, inner]);
const abis = [own.formatJson()];

describe('refusals of contracts', () => {
  it('are told with what a policy refused, if its ABI is given', () => {
    const refusal = refusalOf(outer, abis);
    expect(refusal?.args).to.deep.equal({ space: SPACE, policy: POLICY, reason: inner });
    expect(refusal?.reason?.args).to.deep.equal({ author: AUTHOR });
    expect(refusal && refusalText(refusal)).to.equal(
      `MemoryRulesPolicyRefused: EditorialNotEditor(${AUTHOR})`,
    );
    expect(refusalOf(outer)?.reason).to.equal(undefined);
  });

  it('name rights', () => {
    const data = rules.encodeErrorResult('MemoryRulesNotGranted', [SPACE, AUTHOR, 2, 0]);
    const refusal = refusalOf(data);
    expect(refusal && refusalText(refusal)).to.equal(
      `MemoryRulesNotGranted(${SPACE}, ${AUTHOR}, needed=write, held=none)`,
    );
  });

  it('are nothing if no ABI knows them, or they are cut short', () => {
    expect(refusalOf(inner)).to.equal(undefined);
    expect(refusalOf(inner.slice(0, -2), abis)).to.equal(undefined);
    expect(refusalOf('0x')).to.equal(undefined);
  });

  it('are found in a log; addresses and ids stay as they are', () => {
    const log = `the policy refused: MemoryRulesPolicyRefused(${SPACE}, ${POLICY}, ${inner})`;
    expect(explained(log, abis)).to.equal(
      `the policy refused: MemoryRulesPolicyRefused(${SPACE}, ${POLICY}, ` +
        `EditorialNotEditor(${AUTHOR}))`,
    );
    expect(explained(own.encodeErrorResult('Closed', []), abis)).to.equal('Closed()');
    expect(explained(log, [])).to.equal(log);
  });
});
