/**
 * What a node measures of its own, as the page of metrics shows it.
 *
 * @module
 */
import { join } from 'node:path';
import { expect } from 'chai';
import { SILENT } from '../../node/src/base/logger.ts';
import { Opinion } from '../../node/src/ledger/evm/second-opinion/opinion.ts';
import { CallThreads } from '../../node/src/node-calls.ts';
import { callMeters, opinionMeters } from '../../node/src/node-meters.ts';
import { Turn } from '../../node/src/rpc/eth/turn.ts';
import { Metrics } from '../../node/src/rpc/metrics.ts';
import { RandomChain } from '../ledger/evm/second-opinion/random-blocks.ts';
import { temporaryFolder } from '../process/support.ts';
import { ChainFixture } from '../rpc/chain-fixture.ts';

/** The values of the lines that begin like this, twice read: reading changes nothing. */
async function valuesOf(
  metrics: Metrics,
  prefix: string,
): Promise<Readonly<Record<string, number>>> {
  const read = async (): Promise<Readonly<Record<string, number>>> => {
    const lines = (await metrics.text()).split('\n').filter((line) => line.startsWith(prefix));
    return Object.fromEntries(
      lines.map((line) => {
        const [, name = '', value] = /^(\w+)\{chain_id="fixture-1"\} (.*)$/.exec(line) ?? [];
        return [name.slice(prefix.length), Number(value)];
      }),
    );
  };
  const first = await read();
  expect(await read()).to.deep.equal(first);
  return first;
}

describe('metrics of a node', () => {
  it('show what its second opinion did', async () => {
    const chain = await RandomChain.create(5);
    let now = 0;
    const opinion = new Opinion({
      mode: 'report',
      code: chain.code,
      differs: () => undefined,
      note: () => undefined,
      failed: () => undefined,
      processBytes: () => 0,
      // Two readings for each block.
      monotonicMs: () => (now += 500),
    });
    const metrics = new Metrics(new ChainFixture().ports());
    metrics.show(opinionMeters(opinion));
    const names = ['blocks', 'runs', 'unmirrored_runs', 'dropped_blocks', 'differences', 'seconds'];
    const none = Object.fromEntries(names.map((name) => [name, 0]));
    expect(await valuesOf(metrics, 'metatron_second_opinion_')).to.deep.equal({
      ...none,
      blocks_behind: 0,
      mirrors: 0,
    });
    const [seen, next] = [await chain.block(2), await chain.block(2)];
    const [account] = seen.accounts;
    if (account === undefined) throw new TypeError('the block met an account');
    const other = { ...account.after, nonce: account.after.nonce + 1n };
    const wrong = { ...account, tainted: false, after: other };
    opinion.block({ ...seen, accounts: [wrong, ...seen.accounts.slice(1)] });
    opinion.block(next);
    expect(await valuesOf(metrics, 'metatron_second_opinion_')).to.include({ blocks_behind: 2 });
    await opinion.settled();
    expect(await valuesOf(metrics, 'metatron_second_opinion_')).to.deep.equal({
      blocks: 2,
      runs: seen.runs.length + next.runs.length,
      unmirrored_runs: opinion.counts.unmirrored,
      dropped_blocks: 0,
      differences: 1,
      seconds: 1,
      mirrors: 2,
      blocks_behind: 0,
    });
  });

  it('show calls that wait', async () => {
    const folder = temporaryFolder();
    const limits = { threads: 1, maxWaiting: 4, timeoutMs: 1_000 };
    const calls = new CallThreads(join(folder.path, 'nothing'), limits, SILENT);
    const metrics = new Metrics(new ChainFixture().ports());
    metrics.show(callMeters(calls));
    const request = { height: 1, time: 0n, proposer: new Uint8Array(20), txs: [] } as never;
    const turn = new Turn('', new AbortController().signal, 1_000);
    const answers = [1, 2].map(() => calls.run({ kind: 'replay', request }, turn));
    const values = await valuesOf(metrics, 'metatron_eth_calls_');
    expect(values).to.deep.equal({ running: 0, waiting: 2, timed_out: 0 });
    await Promise.all(answers);
    expect(await valuesOf(metrics, 'metatron_eth_calls_')).to.include({ waiting: 0 });
    await calls.stop();
    folder.remove();
  });
});
