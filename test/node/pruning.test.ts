/**
 * Which heights are forgotten: by age of evidence for blocks, by heights and hours for state.
 *
 * @module
 */
import { expect } from 'chai';
import { present } from '../../node/src/base/errors.ts';
import { parseConfig } from '../../node/src/config.ts';
import { createPruner } from '../../node/src/node-pruning.ts';
import type { ChainEvent } from '../../node/src/types/chain-events.ts';
import type { BlockMeta } from '../../node/src/types/chain-state.ts';
import { DEFAULT_PARAMS } from '../../node/src/types/params.ts';

const SECOND = 1_000_000_000n;

/** A chain with a block every `seconds`, of which only what pruning reads exists. */
function chainOf(seconds: bigint, tip: number) {
  const pruned: { blocks: number[]; states: number[]; index: (readonly [number, number])[] } = {
    blocks: [],
    states: [],
    index: [],
  };
  const timeOf = (height: number): bigint => BigInt(height) * seconds * SECOND;
  const meta = (height: number): BlockMeta | undefined =>
    height < 1 || height > tip ? undefined : ({ header: { time: timeOf(height) } } as BlockMeta);
  const chain = {
    base: 1,
    meta,
    prune: (height: number) => {
      pruned.blocks.push(height);
      return Promise.resolve();
    },
  };
  const index = {
    prune: (from: number, to: number) => {
      expect(pruned.blocks).to.deep.equal([]);
      pruned.index.push([from, to]);
      return Promise.resolve();
    },
  };
  const state = {
    base: 1,
    prune: (height: number) => {
      pruned.states.push(height);
      state.base = height;
      return Promise.resolve();
    },
  };
  const event = {
    kind: 'committed',
    height: { state: { lastHeight: tip, lastTime: timeOf(tip), params: DEFAULT_PARAMS } },
  } as ChainEvent;
  return { chain, index, state, event, pruned };
}

async function run(seconds: bigint, tip: number, storage: object, events = 1) {
  const { chain, index, state, event, pruned } = chainOf(seconds, tip);
  const failures: unknown[] = [];
  const config = parseConfig({ storage }).storage;
  const prune = createPruner({ chain, index, state }, config, (cause) => failures.push(cause));
  for (let i = 0; i < events; i++) {
    prune(event);
    await new Promise(setImmediate);
  }
  expect(failures).to.deep.equal([]);
  return pruned;
}

describe('pruning', () => {
  it('keeps a day of state, however many heights that are', async () => {
    const pruned = await run(60n, 3_000, { keepStates: 100, keepStateHours: 24 }, 9);
    // 1,440 heights of a minute each are one day.
    expect(present(pruned.states.at(-1), 'a pruning')).to.equal(3_000 - 1_440);
  });

  it('keeps the least number of heights, however old they are', async () => {
    const pruned = await run(86_400n, 200, { keepStates: 150, keepStateHours: 24 });
    expect(pruned.states).to.deep.equal([50]);
  });

  it('forgets a bounded number of heights at a time', async () => {
    const pruned = await run(3_600n, 10_000, { keepStates: 100, keepStateHours: 24 });
    expect(pruned.states).to.deep.equal([1_001]);
  });

  it('keeps blocks for as long as evidence about them counts', async () => {
    const young = await run(1n, 150_000, { keepBlocks: 10 });
    expect(young.blocks, 'older than the age in blocks, younger than in time').to.deep.equal([]);
    const old = await run(2n, 150_000, { keepBlocks: 10 });
    expect(old.blocks).to.deep.equal([50_001]);
    expect(old.index, 'their index entries go first').to.deep.equal([[1, 50_001]]);
  });

  it('forgets nothing by default but state, and nothing at all in an archive', async () => {
    expect((await run(3_600n, 100_200, {})).blocks).to.deep.equal([]);
    const archive = await run(3_600n, 200, { archive: true, keepStates: 2 });
    expect(archive).to.deep.equal({ blocks: [], states: [], index: [] });
  });
});
