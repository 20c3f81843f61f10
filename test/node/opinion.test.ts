/**
 * What a node does about its second opinion: report, halt, and how it goes on.
 *
 * @module
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { LedgerError } from '../../node/src/base/errors.ts';
import { SILENT } from '../../node/src/base/logger.ts';
import type { Opinion } from '../../node/src/ledger/evm/second-opinion/opinion.ts';
import type { OpinionMode, SeenBlock } from '../../node/src/ledger/evm/second-opinion/port.ts';
import { createOpinion, REPORT_FILE } from '../../node/src/node-opinion.ts';
import { errors, isHalt } from '../../node/src/ops/halts.ts';
import { RandomChain } from '../ledger/evm/second-opinion/random-blocks.ts';

describe('second opinion of a node', () => {
  let data: string;
  let failures: unknown[];
  let chain: RandomChain;

  beforeEach(async () => {
    data = mkdtempSync(join(tmpdir(), 'opinion-'));
    failures = [];
    chain = await RandomChain.create(3);
  });
  afterEach(() => rmSync(data, { recursive: true }));

  function create(mode: OpinionMode): Promise<Opinion | undefined> {
    const store = { row: (key: Uint8Array) => chain.world.state.row(key) };
    const failed = (cause: unknown): void => {
      failures.push(cause);
    };
    return createOpinion({ mode, data, store, logger: SILENT, failed });
  }

  /** A block whose first run is said to have used one more gas than it did. */
  async function wrongBlock(): Promise<SeenBlock> {
    const seen = await chain.block(1);
    const [run, ...runs] = seen.runs;
    if (run === undefined || run.unmirrored !== undefined) return wrongBlock();
    const outcome = { ...run.outcome, gasUsed: run.outcome.gasUsed + 1n };
    return { ...seen, runs: [{ ...run, outcome }, ...runs] };
  }

  async function judge(mode: OpinionMode): Promise<SeenBlock> {
    const seen = await wrongBlock();
    const opinion = await create(mode);
    opinion?.block(seen);
    await opinion?.settled();
    return seen;
  }

  function report(): Readonly<Record<string, unknown>> {
    return JSON.parse(readFileSync(join(data, REPORT_FILE), 'utf8'));
  }

  it('halts the node with a report, and does not let it start as if nothing had been', async () => {
    const { block } = await judge('halt');
    const [failure] = failures;
    expect(failures.length).to.equal(1);
    expect(LedgerError.is(failure, errors.EnginesDiffer)).to.equal(true);
    expect(isHalt(failure)).to.equal(true);
    const { message } = failure as Error;
    expect(message).to.contain(`height ${block.height}`).and.contain('gasUsed');
    expect(message).to.contain(join(data, REPORT_FILE)).and.contain('evm.secondOpinion');
    const written = report();
    expect(written).to.include.keys('height', 'first', 'differences', 'unmirrored', 'howToGoOn');
    expect(written['first']).to.include({ height: block.height, run: 0, field: 'gasUsed' });
    const refused = await create('halt').catch((thrown: unknown) => thrown);
    expect(LedgerError.is(refused, errors.OpinionPending)).to.equal(true);
    expect(isHalt(refused)).to.equal(true);
    expect(await create('report')).to.not.equal(undefined);
    expect(await create('off')).to.equal(undefined);
  });

  it('reports and goes on', async () => {
    const { block } = await judge('report');
    expect(failures).to.deep.equal([]);
    expect(report()['height']).to.equal(block.height);
  });

  it('asks nobody if it is off', async () => {
    expect(await create('off')).to.equal(undefined);
  });
});
