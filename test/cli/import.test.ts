/**
 * `memory import`: what it writes, what it refuses, and that nothing is ever written twice.
 *
 * @module
 */
import {
  appendFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { LedgerError } from '../../node/src/base/errors.ts';
import { errors, ImportRecord } from '../../node/src/ops/import-record.ts';
import { openSource, type Place } from '../../node/src/ops/import-source.ts';
import {
  type ImportChain,
  type ImportReport,
  importMemories,
} from '../../node/src/ops/memory-import.ts';
import { FakeChain } from './fake-chain.ts';

/** A digest as records have it. */
function digest(n: number): string {
  return n.toString().padStart(16, '0');
}

describe('memory import', () => {
  let folder = '';
  let recordFile = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'metatron-import-'));
    recordFile = join(folder, 'records', 'r.log');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function run(
    chain: ImportChain,
    path: string,
    batch = 4,
    progress: (report: ImportReport) => void = () => undefined,
  ): Promise<ImportReport> {
    return importMemories({ source: openSource(path), chain, recordFile, batch, progress });
  }

  function lines(values: readonly unknown[]): string {
    const file = join(folder, 'notes.jsonl');
    const text = values.map((v) => (typeof v === 'string' ? v : JSON.stringify(v)));
    writeFileSync(file, text.join('\n'));
    return file;
  }

  function contents(...texts: readonly string[]): string {
    return lines(texts.map((content) => ({ content })));
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
    const report = await run(chain, contents('a', 'b', 'refuse me', 'c', 'd', 'e', 'f', 'g'), 8);
    expect(chain.contents).to.deep.equal(['a', 'b', 'c', 'd', 'e', 'f', 'g']);
    expect(report.refused).to.have.length(1);
    expect(report.refused[0]?.reason).to.contain('version conflict');
  });

  it('says after each batch how far it came', async () => {
    const seen: number[] = [];
    await run(new FakeChain(), contents('a', 'b', 'c', 'd', 'e'), 2, (r) => seen.push(r.written));
    expect(seen).to.deep.equal([2, 4, 5]);
  });

  it('writes nothing twice, wherever the answer of a batch was lost', async () => {
    const texts = Array.from({ length: 11 }, (_, i) => `note ${i}`);
    for (let lost = 0; lost < 4; lost++) {
      const chain = new FakeChain();
      chain.loseAnswer = lost;
      const file = contents(...texts);
      const gone = await run(chain, file, 3).catch((thrown: unknown) => thrown);
      expect(gone).to.be.instanceOf(RangeError);
      expect(chain.refreshed).to.equal(0);
      const report = await run(chain, file, 3);
      expect(chain.refreshed, 'what arrived took a sequence').to.equal(1);
      expect(chain.contents).to.deep.equal(texts);
      expect(report.unchanged + report.written).to.equal(texts.length);
      rmSync(recordFile);
    }
  });

  it('tries refused entries again, and only those, until they are written', async () => {
    const chain = new FakeChain();
    const texts = ['refuse me 1', 'a', 'refuse me 2', 'b', 'refuse me 3'];
    const file = contents(...texts);
    expect(await run(chain, file)).to.include({ written: 2, unchanged: 0, refusedCount: 3 });
    expect(await run(chain, file)).to.include({ written: 0, unchanged: 2, refusedCount: 3 });
    chain.banned = 'me 2';
    expect(await run(chain, file)).to.include({ written: 2, unchanged: 2, refusedCount: 1 });
    chain.banned = 'nothing';
    chain.loseAnswer = chain.deliveries;
    const lost = await run(chain, file).catch((thrown: unknown) => thrown);
    expect(lost).to.be.instanceOf(RangeError);
    expect(await run(chain, file)).to.include({ written: 0, unchanged: 5, refusedCount: 0 });
    expect(chain.contents.toSorted()).to.deep.equal(texts.toSorted());
  });

  it('takes a refused line that was mended, between written ones and at the end', async () => {
    const chain = new FakeChain();
    const first = lines([{ content: 'a' }, 'not json', { content: 'b' }, { content: 'refuse me' }]);
    expect(await run(chain, first)).to.include({ written: 2, refusedCount: 2 });
    const mended = contents('a', 'c', 'b', 'd');
    expect(await run(chain, mended)).to.include({ written: 2, unchanged: 2, refusedCount: 0 });
    expect(await run(chain, mended)).to.include({ written: 0, unchanged: 4, refusedCount: 0 });
    expect(chain.contents).to.deep.equal(['a', 'b', 'c', 'd']);
  });

  it('stops at 10,000 refusals, and goes on from there once they are mended', async () => {
    const chain = new FakeChain();
    const bad = Array.from({ length: 10_000 }, () => 'not json');
    const stopped = await run(chain, lines([{ content: 'a' }, ...bad, { content: 'b' }]));
    expect(stopped).to.include({ written: 1, refusedCount: 10_000, stopped: true });
    expect(stopped.refused).to.have.length(1_000);
    const mended = contents('a', 'c', 'b');
    expect(await run(chain, mended)).to.include({ written: 2, unchanged: 1, stopped: false });
    expect(chain.contents).to.deep.equal(['a', 'c', 'b']);
  });

  describe('again', () => {
    it('writes of a folder what is new, and what changed as a new version', async () => {
      const chain = new FakeChain();
      const notes = mkdtempSync(join(folder, 'notes-'));
      const note = (name: string, text: string): void => writeFileSync(join(notes, name), text);
      note('b.md', 'b1');
      note('d.md', 'd1');
      expect(await run(chain, notes)).to.include({ written: 2, changed: 0, unchanged: 0 });
      expect(await run(chain, notes)).to.include({ written: 0, unchanged: 2, transactions: 0 });
      note('a.md', 'a1');
      note('c.md', 'c1');
      note('z.md', 'z1');
      note('d.md', 'd2');
      expect(await run(chain, notes)).to.include({ written: 4, changed: 1, unchanged: 1 });
      expect(chain.contents).to.deep.equal(['b1', 'd1', 'a1', 'c1', 'd2', 'z1']);
      note('d.md', 'd1');
      rmSync(join(notes, 'a.md'));
      expect(await run(chain, notes)).to.include({ written: 1, changed: 1, unchanged: 3 });
      expect(chain.heads.get('d.md')).to.equal('d1');
    });

    it('knows an entry of JSON Lines by its key, wherever and however it is written', async () => {
      const chain = new FakeChain();
      const [a, b] = [
        { key: 'a', content: '1' },
        { key: 'b', content: '1', tags: ['t'] },
      ];
      await run(chain, lines([a, b]));
      const moved = lines(['{ "tags": ["t"], "content": "1", "key": "b" }', a]);
      expect(await run(chain, moved)).to.include({ written: 0, unchanged: 2 });
      const changed = lines([
        { ...b, tags: [] },
        { ...a, type: 'chat' },
        { ...a, key: 'c' },
      ]);
      expect(await run(chain, changed)).to.include({ written: 3, changed: 2, unchanged: 0 });
    });

    it('knows entries that share a key by their order, those without by content', async () => {
      const chain = new FakeChain();
      const say = (content: string): object => ({ key: 'chat', content });
      await run(chain, lines([say('1'), { content: 'x' }, say('2'), { content: 'x' }]));
      expect(chain.contents).to.deep.equal(['1', 'x', '2', 'x']);
      const grown = [{ content: 'x' }, say('1'), say('2'), say('1'), { content: 'x' }];
      expect(await run(chain, lines(grown))).to.include({ written: 1, changed: 0, unchanged: 4 });
      const more = [...grown, { content: 'x' }, { content: 'y' }];
      expect(await run(chain, lines(more))).to.include({ written: 2, changed: 0, unchanged: 5 });
    });

    it('ends with what the source says, whatever was edited or got lost', async () => {
      const source = fc.dictionary(
        fc.constantFrom('a', 'b', 'c', 'd', 'e'),
        fc.constantFrom('1', '2'),
      );
      const step = fc.record({ source, loseAfter: fc.integer({ min: -1, max: 3 }) });
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 6 }), async (steps) => {
          rmSync(recordFile, { force: true });
          const chain = new FakeChain();
          let writes = 0;
          for (const { source: keyed, loseAfter } of steps) {
            const wanted = Object.entries(keyed);
            writes += wanted.filter(([key, content]) => chain.heads.get(key) !== content).length;
            chain.loseAnswer = loseAfter < 0 ? -1 : chain.deliveries + loseAfter;
            const file = lines(wanted.map(([key, content]) => ({ key, content })));
            await run(chain, file, 2).catch(() => run(chain, file, 2));
            for (const [key, content] of wanted) expect(chain.heads.get(key)).to.equal(content);
          }
          expect(chain.contents).to.have.length(writes);
        }),
        { numRuns: 60 },
      );
    });
  });

  describe('record', () => {
    it('is read up to the last whole line', async () => {
      const chain = new FakeChain();
      const file = contents('a', 'b');
      await run(chain, file);
      appendFileSync(recordFile, 'sent 00ff');
      expect(await run(chain, file)).to.include({ written: 0, unchanged: 2 });
      expect(readFileSync(recordFile, 'utf8').endsWith('\n')).to.equal(true);
    });

    it('is forgotten if that is asked for', async () => {
      const [chain, file] = [new FakeChain(), contents('a', 'b')];
      await run(chain, file);
      const spec = { source: openSource(file), chain, recordFile, batch: 4, restart: true };
      const report = await importMemories({ ...spec, progress: () => undefined });
      expect(report).to.include({ written: 2, unchanged: 0 });
      expect(chain.contents).to.deep.equal(['a', 'b', 'a', 'b']);
    });

    it('is not guessed at if it is damaged', async () => {
      const file = contents('a', 'b');
      await run(new FakeChain(), file);
      const text = readFileSync(recordFile, 'utf8');
      for (const damaged of [
        'wrote x\n',
        text.replace('sent', 'seny'),
        text.replace(/ \S+\n/, '\n'),
      ]) {
        writeFileSync(recordFile, damaged);
        const thrown = await run(new FakeChain(), file).catch((error: unknown) => error);
        expect(LedgerError.is(thrown, errors.Damaged), String(thrown)).to.equal(true);
      }
    });

    it('is had by one process at a time', async () => {
      const record = new ImportRecord(recordFile);
      const file = contents('a');
      const thrown = await run(new FakeChain(), file).catch((error: unknown) => error);
      expect(LedgerError.is(thrown, errors.Busy), String(thrown)).to.equal(true);
      record.close();
      expect(await run(new FakeChain(), file)).to.include({ written: 1 });
    });

    it('does not grow without end', () => {
      const place = (i: number): Place => ({ identity: digest(i % 10), mark: digest(i) });
      const record = new ImportRecord(recordFile);
      const hash = (i: number): string => i.toString(16).padStart(64, '0');
      const last = 12_000;
      record.close();
      const line = (i: number): string => {
        const { identity, mark } = place(i);
        return `sent ${hash(i)} ${identity} ${mark}\nwritten ${hash(i)}\n`;
      };
      writeFileSync(recordFile, Array.from({ length: last }, (_, i) => line(i)).join(''));
      for (let round = 0; round < 2; round++) {
        const again = new ImportRecord(recordFile);
        for (let i = last - 10; i < last; i++) {
          expect(again.mark(place(i).identity)).to.equal(place(i).mark);
        }
        expect(again.pending).to.deep.equal([]);
        again.close();
        expect(statSync(recordFile).size).to.be.below(1_000);
      }
    });
  });
});
