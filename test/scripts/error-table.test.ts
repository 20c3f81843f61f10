/**
 * The table of errors: shared and impossible codes are found; the page names every refusal.
 *
 * @module
 */
import { expect } from 'chai';
import { errorSpec } from '../../node/src/base/errors.ts';
import { type Entry, faults, page } from '../../scripts/error-table.ts';

const entry = (name: string, space: string, code: number): Entry => {
  const spec = errorSpec<{ readonly size: number }>(
    space,
    code,
    'peer',
    (p) => `has ${p.size} | b`,
  );
  return { name, path: `node/${name}.ts`, spec: spec as unknown as Entry['spec'] };
};

describe('the table of errors', () => {
  it('finds codes that are shared or below 1', () => {
    expect(faults([entry('A', 'x', 1), entry('B', 'x', 2), entry('C', 'y', 1)])).to.have.length(0);
    const shared = faults([entry('A', 'x', 1), entry('B', 'x', 1)]);
    expect(shared).to.deep.equal(['x/1: A (node/A.ts) and B (node/B.ts)']);
    expect(faults([entry('A', 'x', 0)])).to.deep.equal(['x/0 (A, node/A.ts): no such code']);
    expect(faults([entry('A', 'jsonrpc', -32_700)])).to.deep.equal([]);
    expect(faults([entry('A', 'jsonrpc', 1)])).to.have.length(1);
  });

  it('prints each refusal with its parameters by name', () => {
    const text = page([entry('A', 'x', 1), entry('B', 'y', 7)]);
    expect(text).to.include('## x\n');
    expect(text).to.include('| 7 | B | peer | has {size} \\| b | `node/B.ts` |');
  });

  it('prints a refusal whose message needs real parameters', () => {
    const spec = errorSpec<{ readonly list: string[] }>('x', 1, 'node', (p) => p.list.join(' '));
    const text = page([{ name: 'A', path: 'node/a.ts', spec: spec as unknown as Entry['spec'] }]);
    expect(text).to.include('| 1 | A | node |  | `node/a.ts` |');
  });
});
