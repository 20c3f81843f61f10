/**
 * Refusals of the rules: every custom error has a code, and is shown with its arguments.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { type ErrorFragment, Interface, type ParamType } from 'ethers';
import { fromHex } from '../../../node/src/base/bytes.ts';
import { present } from '../../../node/src/base/errors.ts';
import { abi as rulesAbi } from '../../../node/src/gen/contracts/memory-rules.ts';
import { abi as policyAbi } from '../../../node/src/gen/contracts/min-reputation-policy.ts';
import { describeRevert, errors, refusalOf } from '../../../node/src/ledger/rules/errors.ts';
import { GRANTS_SLOT, SPACES_SLOT } from '../../../node/src/ledger/rules/state.ts';

const bytesOf = (hex: string): Uint8Array => present(fromHex(hex.slice(2)), 'hex');
const rules = new Interface(rulesAbi);

/** A value of a type, as ethers takes it, and as a refusal shows it. */
function sample({ type }: ParamType): readonly [value: unknown, shown: string] {
  if (type === 'bytes32') return [`0x${'ab'.repeat(32)}`, `0x${'ab'.repeat(32)}`];
  if (type === 'address') return [`0x${'12'.repeat(20)}`, `0x${'12'.repeat(20)}`];
  if (type === 'bool') return [true, 'true'];
  if (type === 'bytes') return ['0x01020304ff', '0x01020304ff'];
  return [77, '77'];
}

/** What only a defect of the ledger's own call leads to. */
const DEFECTS = ['NotLedger', 'GasTooLow', 'MalformedBatch', 'FrameRefused', 'InvalidKey'];

describe('ledger: refusals of the rules', () => {
  const fragments: ErrorFragment[] = [];
  rules.forEachError((fragment) => fragments.push(fragment));
  const own = fragments.filter(({ name }) => name.startsWith('MemoryRules'));

  it('have a code of their own for each custom error', () => {
    const names = own.map(({ name }) => name.slice('MemoryRules'.length));
    const declared = Object.keys(errors).filter((name) => name !== 'Refused');
    expect(names.filter((name) => !DEFECTS.includes(name)).sort()).to.deep.equal(declared.sort());
  });

  it('show the error with its arguments', () => {
    for (const fragment of own) {
      const samples = fragment.inputs.map(sample);
      const data = rules.encodeErrorResult(
        fragment,
        samples.map(([value]) => value),
      );
      const call = `${fragment.name}(${samples.map(([, shown]) => shown).join(', ')})`;
      const refusal = refusalOf(bytesOf(data));
      expect(refusal.message.endsWith(`: ${call}`), refusal.message).to.equal(true);
      expect(refusal.space).to.equal('memory');
    }
  });

  it('name rights, and show what are none as the number', () => {
    const [space, author] = [`0x${'ab'.repeat(32)}`, `0x${'12'.repeat(20)}`];
    const shown = (needed: number, held: number): string =>
      describeRevert(
        bytesOf(rules.encodeErrorResult('MemoryRulesNotGranted', [space, author, needed, held])),
      );
    const both = `MemoryRulesNotGranted(${space}, ${author}, `;
    expect(shown(2, 0)).to.equal(`${both}needed=write, held=none)`);
    expect(shown(8, 7)).to.equal(`${both}needed=admin, held=read+write+curate)`);
    expect(shown(16, 1)).to.equal(`${both}16, held=read)`);
  });

  it("show a policy's error inside, if it is known or a text", () => {
    const space = `0x${'ab'.repeat(32)}`;
    const policy = `0x${'12'.repeat(20)}`;
    const inside = (data: string): string =>
      describeRevert(
        bytesOf(rules.encodeErrorResult('MemoryRulesPolicyRefused', [space, policy, data])),
      );
    const text = new Interface(['error Error(string)']).encodeErrorResult('Error', ['not "now"']);
    expect(inside(text)).to.contain('Error("not \\"now\\"")');
    const known = new Interface(policyAbi).encodeErrorResult('PolicyNotConfigured', [space]);
    expect(inside(known)).to.contain(`PolicyNotConfigured(${space})`);
    expect(inside('0x')).to.equal(`MemoryRulesPolicyRefused(${space}, ${policy}, 0x)`);
  });

  it('show data that are not of the form as they are, whatever they are', () => {
    for (const fragment of own) {
      const selector = fragment.selector.slice(2);
      for (const rest of ['', '00', 'ff'.repeat(31), 'ff'.repeat(32), 'ff'.repeat(97)]) {
        const shown = describeRevert(bytesOf(`0x${selector}${rest}`));
        expect(shown).to.match(/^(0x|MemoryRules)/);
      }
    }
    expect(describeRevert(new Uint8Array(0))).to.equal('0x');
    expect(refusalOf(new Uint8Array(3)).code).to.equal(errors.Refused.code);
  });

  it('rest on the slots that the compiler gave the contract', () => {
    const layout = readFileSync('contracts/storage-layout.txt', 'utf8');
    const part = layout.slice(layout.indexOf('\nMemoryRules\n')).split('\n\n')[0] ?? '';
    expect(part).to.contain(`  ${SPACES_SLOT}+0 _spaces: mapping(bytes32`);
    expect(part).to.contain(`  ${GRANTS_SLOT}+0 _grants: mapping(bytes32`);
  });
});
