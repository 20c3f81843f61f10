/**
 * What `memory import` reads, and what it refuses to take for text.
 *
 * @module
 */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { entryFrom, type Item, openSource } from '../../node/src/ops/import-source.ts';

describe('source of an import', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'metatron-source-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function put(name: string, bytes: string | Uint8Array): string {
    const file = join(folder, name);
    writeFileSync(file, bytes);
    return file;
  }

  async function itemsOf(path: string, source = openSource(path)): Promise<readonly Item[]> {
    const items: Item[] = [];
    for await (const item of source.items()) items.push(item);
    return items;
  }

  /** Key and reason of each item; the key is empty where there is no reason. */
  async function outcomes(path: string): Promise<readonly string[]> {
    return (await itemsOf(path)).map((item) => ('put' in item ? '' : item.refused));
  }

  it('reads a folder in order of paths, which become keys', async () => {
    mkdirSync(join(folder, 'b'));
    put('b/x.md', 'deep');
    put('a.txt', 'first');
    put('picture.png', 'not text');
    symlinkSync(join(folder, 'a.txt'), join(folder, 'link.md'));
    const keys = (await itemsOf(folder)).map((item) => ('put' in item ? item.put.key : ''));
    expect(keys).to.deep.equal(['a.txt', 'b/x.md']);
    expect(openSource(folder)).to.include({ total: 2, leftOut: 2 });
  });

  it('leaves out folders that are symbolic links, and says that it did', async () => {
    const other = mkdtempSync(join(tmpdir(), 'metatron-elsewhere-'));
    writeFileSync(join(other, 'secret.md'), 'not of this folder');
    mkdirSync(join(folder, 'b'));
    put('b/x.md', 'deep');
    symlinkSync('.', join(folder, 'loop'));
    symlinkSync(other, join(folder, 'b', 'elsewhere'));
    symlinkSync(join(folder, 'nowhere'), join(folder, 'dangling'));
    const keys = (await itemsOf(folder)).map((item) => ('put' in item ? item.put.key : ''));
    rmSync(other, { recursive: true });
    expect(keys).to.deep.equal(['b/x.md']);
    expect(openSource(folder)).to.include({ total: 1, leftOut: 3 });
  });

  it('reads the folder that a link names, if that is the source', async () => {
    mkdirSync(join(folder, 'b'));
    put('b/x.md', 'deep');
    symlinkSync(join(folder, 'b'), join(folder, 'link'));
    const keys = (await itemsOf(join(folder, 'link'))).map((item) => 'put' in item && item.put.key);
    expect(keys).to.deep.equal(['x.md']);
  });

  it('refuses files that are not text, with the reason', async () => {
    put('a.md', 'Tür');
    put('b.md', Uint8Array.of(0x54, 0xfc, 0x72));
    put('c.md', 'one\0two');
    put('d.md', Uint8Array.of(0xed, 0xa0, 0x80));
    put('e.md', 'x'.repeat(65_537));
    const reasons = await outcomes(folder);
    expect(reasons[0]).to.equal('');
    expect(reasons[1]).to.match(/not text.*UTF-8/);
    expect(reasons[2]).to.match(/not text.*NUL/);
    expect(reasons[3]).to.match(/not text.*UTF-8/);
    expect(reasons[4]).to.match(/65537 bytes; at most 65536/);
  });

  it('refuses a file that went away, and goes on', async () => {
    const gone = put('a.md', 'x');
    put('b.md', 'y');
    const source = openSource(folder);
    rmSync(gone);
    const items = await itemsOf(folder, source);
    expect(items.map((item) => 'put' in item)).to.deep.equal([false, true]);
  });

  it('refuses lines that are not text, too long, or not JSON, and reads on', async () => {
    const file = put(
      'x.jsonl',
      Buffer.concat([
        Buffer.from('\ufeff{"content":"a"}\r\n\n'),
        Buffer.from([0x22, 0xff, 0x22, 0x0a]),
        Buffer.from(`${'y'.repeat(1_048_577)}\n`),
        Buffer.from('{"content":"\\ud800"}\n[]\n{"content":"b"}'),
      ]),
    );
    const items = await itemsOf(file);
    expect(items.map(({ where }) => Number(where.split(':').at(-1)))).to.deep.equal([
      1, 3, 4, 5, 6, 7,
    ]);
    const reasons = items.map((item) => ('put' in item ? '' : item.refused));
    expect(reasons[0]).to.equal('');
    expect(reasons[1]).to.match(/UTF-8/);
    expect(reasons[2]).to.match(/1048576/);
    expect(reasons[3]).to.match(/surrogate/);
    expect(reasons[4]).to.equal('not a JSON object');
    expect(reasons[5]).to.equal('');
  });

  it('reads lines across the pieces in which a file comes', async () => {
    const texts = Array.from({ length: 40 }, (_, i) => `${i}:${'ä'.repeat(i * 97)}`);
    const file = put('x.jsonl', texts.map((content) => JSON.stringify({ content })).join('\n'));
    const read = (await itemsOf(file)).map((item) =>
      'put' in item ? new TextDecoder().decode(item.put.content) : '',
    );
    expect(read).to.deep.equal(texts);
  });

  it('finds nothing in an empty folder or file', async () => {
    expect(await itemsOf(put('empty.jsonl', '\n \n'))).to.deep.equal([]);
    expect(openSource(folder)).to.include({ total: 0, leftOut: 1 });
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
