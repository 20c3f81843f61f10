/**
 * Named stories in the simulator.
 *
 * @module
 */
import { expect } from 'chai';
import { Cluster } from './cluster.ts';
import type { Fault, FaultPlan } from './faults.ts';

const QUIET: FaultPlan = { kinds: new Set(), liars: [], damaged: [] };

/** A network whose faults are told step by step. */
function network(plan: FaultPlan = QUIET, seed = 1): Cluster {
  const cluster = new Cluster({ seed, nodes: 4, heights: 0, without: [], plan });
  cluster.start();
  return cluster;
}

/** Runs until somebody stored `height`. */
async function reach(cluster: Cluster, height: number): Promise<void> {
  const reached = await cluster.run(60_000, () => cluster.checkers.height >= height);
  expect(cluster.checkers.violation).to.equal(undefined);
  expect(reached, `height ${height}`).to.equal(true);
}

async function healed(cluster: Cluster): Promise<void> {
  cluster.heal();
  await cluster.mustProgress();
  expect(cluster.checkers.violation).to.equal(undefined);
  for (const node of cluster.nodes) node.die();
}

function lying(...kinds: Fault[]): FaultPlan {
  return { kinds: new Set(kinds), liars: [1], damaged: [] };
}

describe('simulator: scenarios', function () {
  this.timeout(60_000);

  it('four quiet nodes commit what a client sends', async () => {
    const cluster = network();
    await reach(cluster, 2);
    const tx = cluster.submit(2);
    await cluster.run(5_000, () => cluster.checkers.heightOf(tx) !== undefined);
    expect(cluster.checkers.heightOf(tx)).to.not.equal(undefined);
    await healed(cluster);
  });

  it('one node dies and the others go on; it comes back and catches up', async () => {
    const cluster = network();
    await reach(cluster, 2);
    cluster.nodes[0]?.die();
    await reach(cluster, 6);
    await healed(cluster);
  });

  it('a partition 2/2 stops the chain, and healing resumes it', async () => {
    const cluster = network();
    await reach(cluster, 2);
    cluster.net.partition([0, 0, 1, 1], true);
    const before = cluster.checkers.height;
    await cluster.run(10_000);
    expect(cluster.checkers.height).to.be.at.most(before + 1);
    await healed(cluster);
  });

  it('a partition 3/1 stops one node only; later it catches up by blocks', async () => {
    const cluster = network();
    await reach(cluster, 2);
    cluster.net.partition([0, 0, 0, 1], true);
    await reach(cluster, 15);
    expect(cluster.nodes[3]?.disk.height).to.be.at.most(4);
    await healed(cluster);
    expect(cluster.nodes[3]?.disk.height).to.be.at.least(15);
  });

  it('all nodes die at once and go on from their disks', async () => {
    const cluster = network();
    await reach(cluster, 3);
    for (const node of cluster.nodes) node.die();
    await cluster.run(5_000);
    await healed(cluster);
  });

  for (let calls = 1; calls <= 12; calls++) {
    it(`a node dies at its port call ${calls} and signs nothing twice`, async () => {
      const cluster = network(QUIET, 100 + calls);
      await reach(cluster, 1);
      cluster.nodes[1]?.dieAfter(calls);
      cluster.nodes[2]?.dieAfter(2 * calls);
      await cluster.run(4_000);
      await healed(cluster);
    });
  }

  it('a validator whose log is cut off stays silent for that height only', async () => {
    const cluster = network({ kinds: new Set(), liars: [], damaged: [3] });
    await reach(cluster, 2);
    cluster.nodes[3]?.die();
    cluster.nodes[3]?.disk.truncate(cluster.prng);
    await reach(cluster, 6);
    await healed(cluster);
  });

  it('an equivocating validator is found out and loses power', async () => {
    const cluster = network(lying('voteTwice'));
    await reach(cluster, 12);
    const stored = [...(cluster.nodes[0]?.disk.heights.values() ?? [])];
    const evidence = stored.flatMap(({ block }) => block.evidence.evidence);
    expect(evidence.length).to.be.greaterThan(0);
    await healed(cluster);
  });

  it('a proposer that proposes two blocks stops nobody', async () => {
    const cluster = network(lying('doublePropose', 'equivocate'));
    await reach(cluster, 12);
    await healed(cluster);
  });

  it('a validator that withholds its votes stops nobody', async () => {
    const cluster = network(lying('withhold'));
    await reach(cluster, 8);
    await healed(cluster);
  });
});
