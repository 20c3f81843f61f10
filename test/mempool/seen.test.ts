/**
 * The mempool's memory of what was seen: its bound, and what it never forgets.
 *
 * @module
 */
import { expect } from 'chai';
import fc from 'fast-check';
import { Seen } from '../../node/src/mempool/seen.ts';

const KEYS = Array.from({ length: 40 }, (_, i) => `key ${i}`);

function remembered(seen: Seen): string[] {
  return KEYS.filter((key) => seen.has(key));
}

describe('mempool: what was seen', () => {
  it('remembers the newest half for certain and never more than its bound', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 12 }),
        fc.array(fc.constantFrom(...KEYS), { maxLength: 200 }),
        (half, added) => {
          const seen = new Seen(2 * half);
          for (const [i, key] of added.entries()) {
            seen.add(key);
            const newest = [...new Set(added.slice(0, i + 1).reverse())].slice(0, half);
            expect(newest.every((one) => seen.has(one))).to.equal(true);
            expect(remembered(seen).length).to.be.at.most(2 * half);
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it('forgets what it is told to, in both generations', () => {
    const seen = new Seen(4);
    for (const key of ['a', 'b', 'c']) seen.add(key);
    seen.delete('a');
    seen.delete('c');
    expect(['a', 'b', 'c'].map((key) => seen.has(key))).to.deep.equal([false, true, false]);
    seen.clear();
    expect(seen.has('b')).to.equal(false);
  });
});
