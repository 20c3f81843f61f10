/**
 * The proposer's limit: it finds the size that fits its time, whatever a byte costs.
 *
 * @module
 */
import { expect } from 'chai';
import fc from 'fast-check';
import { Pace } from '../../node/src/engine/pace.ts';

const MAX = 2_097_152;

/** Blocks of a network that needs `fixedMs` a block and `msPerKib`, all of them full. */
function settle(pace: Pace, fixedMs: number, msPerKib: number, blocks: number): number {
  let took = 0;
  for (let n = 0; n < blocks; n++) {
    const { bytes } = pace;
    took = fixedMs + (bytes / 1_024) * msPerKib;
    pace.proposed(`${n}`, bytes, n * 10_000);
    pace.committed(`${n}`, n * 10_000 + took);
  }
  return took;
}

describe('engine: pace of proposals', () => {
  it('finds blocks that take about the target, from above and from below', () => {
    for (const msPerKib of [0.3, 1, 2, 3.5]) {
      const took = settle(new Pace(MAX), 20, msPerKib, 60);
      expect(took, `${msPerKib} ms/KiB`).to.be.within(340, 510);
    }
  });

  it('stays between its bounds however slow or quick blocks are', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 20_000 }), { maxLength: 80 }), (times) => {
        const pace = new Pace(MAX);
        for (const [n, tookMs] of times.entries()) {
          pace.proposed(`${n}`, pace.bytes, 0);
          pace.committed(`${n}`, tookMs);
          expect(pace.bytes).to.be.within(131_072, MAX);
        }
      }),
    );
    const small = new Pace(4_096);
    expect(settle(small, 5_000, 0, 3)).to.equal(5_000);
    expect(small.bytes).to.equal(4_096);
  });

  it('learns nothing from blocks of others, nor from quick ones that were not full', () => {
    const pace = new Pace(MAX);
    const { bytes } = pace;
    pace.proposed('ours', bytes, 0);
    pace.committed('theirs', 9_000);
    pace.committed('ours', 9_000);
    pace.proposed('small', 100, 0);
    pace.committed('small', 10);
    expect(pace.bytes).to.equal(bytes);
  });
});
