/**
 * Planted defects: each is caught by its checker at its seed, which the sound code passes.
 *
 * @module
 */
import { expect } from 'chai';
import { DEFECTS } from './defects.ts';
import { runSeeds } from './run.ts';

const NODES = 4;

describe('simulator: planted defects', function () {
  this.timeout(120_000);

  for (const defect of DEFECTS) {
    it(`${defect.caughtBy} catches: ${defect.name}`, async () => {
      const spec = { seeds: 1, from: defect.seed, nodes: NODES, shorten: false };
      const { violation } = await runSeeds({ ...spec, defect });
      expect(violation?.checker).to.equal(defect.caughtBy);
    });
  }

  for (const seed of new Set(DEFECTS.map((defect) => defect.seed))) {
    it(`the sound code passes seed ${seed}`, async () => {
      const report = await runSeeds({ seeds: 1, from: seed, nodes: NODES });
      expect(report.violation).to.equal(undefined);
      expect(report.heights).to.be.greaterThan(2);
    });
  }
});
