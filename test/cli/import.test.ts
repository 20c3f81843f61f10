/**
 * `memory import`: what it reads, what it refuses, and that a stop never writes anything twice.
 *
 * @module
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { toHex } from '../../node/src/base/bytes.ts';
import { LedgerError } from '../../node/src/base/errors.ts';
import { sha256 } from '../../node/src/base/hash.ts';
import { MsgPut } from '../../node/src/gen/metatron/memory/v1/tx.ts';
import type { Any } from '../../node/src/ledger/tx/wire.ts';
import { type Committed, errors as chainErrors } from '../../node/src/ops/chain-client.ts';
import { entryFrom, openSource } from '../../node/src/ops/import-source.ts';
import {
  errors,
  type ImportChain,
  type ImportReport,
  importMemories,
} from '../../node/src/ops/memory-import.ts';

/** A chain that takes entries unless their content says no, and may go away before answering. */
class FakeChain implements ImportChain {
  readonly address = 'metatron1test';
  readonly contents: string[] = [];
  readonly #txs: Map<string, readonly Any[]> = new Map();
  readonly #arrived: Set<string> = new Set();
  /** Answers that are lost after the transaction arrived: by number of the delivery. */
  loseAnswer = -1;
  /** What an entry's content must not hold. */
  banned = 'refuse me';
  deliveries = 0;
  #signed = 0;

  sign(messages: readonly Any[]): Uint8Array {
    const tx = new TextEncoder().encode(`tx ${this.#signed++}`);
    this.#txs.set(toHex(tx), messages);
    return tx;
  }

  deliver(tx: Uint8Array): Promise<Committed> {
    const puts = (this.#txs.get(toHex(tx)) ?? []).map((any) => MsgPut.decode(any.value));
    const texts = puts.map((put) => new TextDecoder().decode(put.content));
    if (texts.some((text) => text.includes(this.banned))) {
      const params = { codespace: 'memory', code: 2, log: 'version conflict' };
      return Promise.reject(new LedgerError(chainErrors.TxRefused, params));
    }
    this.contents.push(...texts);
    this.#arrived.add(toHex(sha256(tx)));
    if (this.deliveries++ === this.loseAnswer) return Promise.reject(new RangeError('gone'));
    const hash = toHex(sha256(tx));
    return Promise.resolve({ hash, height: 7, code: 0, gasUsed: 1, data: new Uint8Array() });
  }

  contains(hash: Uint8Array): Promise<boolean> {
    return Promise.resolve(this.#arrived.has(toHex(hash)));
  }

  refresh(): Promise<void> {
    return Promise.resolve();
  }
}

describe('memory import', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'metatron-import-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function run(chain: ImportChain, path: string, batch = 4): Promise<ImportReport> {
    return importMemories({
      source: openSource(path),
      chain,
      progressFile: join(folder, 'progress', 'p.json'),
      batch,
      progress: () => undefined,
    });
  }

  function lines(values: readonly unknown[]): string {
    const file = join(folder, 'notes.jsonl');
    writeFileSync(
      file,
      values.map((v) => (typeof v === 'string' ? v : JSON.stringify(v))).join('\n'),
    );
    return file;
  }

  it('writes a file in batches and reports each refusal with its place', async () => {
    const chain = new FakeChain();
    const file = lines([
      { content: 'a' },
      'not json',
      { content: 'b', key: 'k', tags: ['x'] },
      { content: '' },
      { content: 'c', colour: 'red' },
      { content: 'd', type: 'chat' },
      { content: 'x'.repeat(65_537) },
      { content: 'e' },
      { content: 'f' },
    ]);
    const report = await run(chain, file, 2);
    expect(chain.contents).to.deep.equal(['a', 'b', 'd', 'e', 'f']);
    expect(report).to.include({ written: 5, transactions: 3, refusedCount: 4, height: 7 });
    expect(report.refused.map((r) => r.where)).to.deep.equal(
      [2, 4, 5, 7].map((line) => `${file}:${line}`),
    );
    expect(report.refused[2]?.reason).to.contain('colour');
  });

  it('halves a refused batch until the refused entry stands alone', async () => {
    const chain = new FakeChain();
    const contents = ['a', 'b', 'refuse me', 'c', 'd', 'e', 'f', 'g'];
    const report = await run(chain, lines(contents.map((content) => ({ content }))), 8);
    expect(chain.contents).to.deep.equal(['a', 'b', 'c', 'd', 'e', 'f', 'g']);
    expect(report.refused).to.have.length(1);
    expect(report.refused[0]?.reason).to.contain('version conflict');
  });

  it('writes nothing twice, wherever the answer of a batch was lost', async () => {
    const contents = Array.from({ length: 11 }, (_, i) => `note ${i}`);
    for (let lost = 0; lost < 4; lost++) {
      const chain = new FakeChain();
      chain.loseAnswer = lost;
      const file = lines(contents.map((content) => ({ content })));
      let stopped = false;
      await run(chain, file, 3).catch(() => {
        stopped = true;
      });
      expect(stopped).to.equal(true);
      const report = await run(chain, file, 3);
      expect(chain.contents).to.deep.equal(contents);
      expect(report.before + report.written).to.equal(contents.length);
      rmSync(join(folder, 'progress'), { recursive: true });
    }
  });

  it('tries refused entries again, and only those, until they are written', async () => {
    const chain = new FakeChain();
    const contents = ['refuse me 1', 'a', 'refuse me 2', 'b', 'refuse me 3'];
    const file = lines(contents.map((content) => ({ content })));
    expect(await run(chain, file)).to.include({ written: 2, before: 0, refusedCount: 3 });
    expect(await run(chain, file)).to.include({ written: 0, before: 2, refusedCount: 3 });
    chain.banned = 'me 2';
    expect(await run(chain, file)).to.include({ written: 2, before: 2, refusedCount: 1 });
    chain.banned = 'nothing';
    chain.loseAnswer = chain.deliveries;
    const lost = await run(chain, file).catch((thrown: unknown) => thrown);
    expect(lost).to.be.instanceOf(RangeError);
    expect(await run(chain, file)).to.include({ written: 0, before: 5, refusedCount: 0 });
    expect(chain.contents.toSorted()).to.deep.equal(contents.toSorted());
  });

  it('takes a refused line that was mended, between written ones and at the end', async () => {
    const chain = new FakeChain();
    const first = lines([{ content: 'a' }, 'not json', { content: 'b' }, { content: 'refuse me' }]);
    expect(await run(chain, first)).to.include({ written: 2, refusedCount: 2 });
    const mended = lines(['a', 'c', 'b', 'd'].map((content) => ({ content })));
    expect(await run(chain, mended)).to.include({ written: 2, before: 2, refusedCount: 0 });
    expect(await run(chain, mended)).to.include({ written: 0, before: 4, refusedCount: 0 });
    expect(chain.contents).to.deep.equal(['a', 'b', 'c', 'd']);
  });

  it('stops at 10,000 refusals, and goes on from there once they are mended', async () => {
    const chain = new FakeChain();
    const bad = Array.from({ length: 10_000 }, () => 'not json');
    const stopped = await run(chain, lines([{ content: 'a' }, ...bad, { content: 'b' }]));
    expect(stopped).to.include({ written: 1, refusedCount: 10_000, stopped: true });
    expect(stopped.refused).to.have.length(1_000);
    const mended = lines([{ content: 'a' }, { content: 'c' }, { content: 'b' }]);
    expect(await run(chain, mended)).to.include({ written: 2, before: 1, stopped: false });
    expect(chain.contents).to.deep.equal(['a', 'c', 'b']);
  });

  it('counts entries that changed since they were written', async () => {
    const chain = new FakeChain();
    const of = (...contents: string[]) => lines(contents.map((content) => ({ content })));
    expect(await run(chain, of('a', 'refuse me', 'b', 'c', 'd'), 2)).to.include({ changed: 0 });
    const again = { written: 1, before: 4, changed: 2 };
    expect(await run(chain, of('A', 'x', 'b', 'C', 'd'))).to.include(again);
    expect(await run(chain, of('a', 'x', 'b', 'c', 'd'))).to.include({ before: 5, changed: 0 });
    expect(await run(chain, of('a', 'y', 'b', 'c', 'd'))).to.include({ before: 5, changed: 1 });
    expect(chain.contents).to.deep.equal(['a', 'b', 'c', 'd', 'x']);
  });

  it('notices that the source is another one', async () => {
    await run(new FakeChain(), lines([{ content: 'a' }, { content: 'b' }]));
    try {
      await run(new FakeChain(), lines([{ content: 'a' }, { content: 'changed' }]));
      expect.fail('it was accepted');
    } catch (thrown) {
      expect(LedgerError.is(thrown, errors.SourceChanged), String(thrown)).to.equal(true);
    }
  });

  it('reads a folder in order of paths, which become keys', async () => {
    const notes = join(folder, 'notes');
    mkdirSync(join(notes, 'b'), { recursive: true });
    writeFileSync(join(notes, 'b', 'x.md'), 'deep');
    writeFileSync(join(notes, 'a.txt'), 'first');
    writeFileSync(join(notes, 'picture.png'), 'not text');
    const keys: string[] = [];
    for await (const item of openSource(notes).items()) {
      if ('put' in item.result) keys.push(item.result.put.key ?? '');
    }
    expect(keys).to.deep.equal(['a.txt', 'b/x.md']);
  });

  it('takes an expected version, also none', () => {
    expect(entryFrom({ content: 'a', expectedVersion: 0 })).to.have.nested.property(
      'put.expectedVersion',
      0n,
    );
    expect(entryFrom({ content: 'a', expectedVersion: -1 })).to.have.property('refused');
    expect(entryFrom({ content: 'a', tags: ['t', 't'] })).to.have.property('refused');
  });
});
