/**
 * `metatron memory` without a chain: wrong usage, sentences for refusals, the form of a list.
 *
 * @module
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Command, CommanderError } from 'commander';
import fc from 'fast-check';
import { encodeBech32 } from '../../node/src/base/bech32.ts';
import { toBase64 } from '../../node/src/base/bytes.ts';
import { LedgerError } from '../../node/src/base/errors.ts';
import { registerMemory } from '../../node/src/cli/memory.ts';
import { explain } from '../../node/src/cli/output.ts';
import { MemoryClient } from '../../node/src/client/memory-client.ts';
import { type EntryJson, entryText, reading } from '../../node/src/ops/memory-read.ts';
import { errors as usage } from '../../node/src/ops/usage.ts';

const OWNER = encodeBech32('metatron', new Uint8Array(20).fill(7));
const ID = '3f'.repeat(32);
/** Nothing listens there: what gets so far was taken as right usage. */
const NOWHERE = ['--node', 'http://127.0.0.1:1'];

/** What `metatron memory ARGS` says as wrong usage. */
async function wrong(...args: readonly string[]): Promise<string> {
  let said = '';
  const write = (text: string): void => {
    said += text;
  };
  const program = new Command('metatron').exitOverride();
  program.configureOutput({ writeOut: write, writeErr: write });
  registerMemory(program);
  try {
    await program.parseAsync(['memory', ...args], { from: 'user' });
  } catch (thrown) {
    if (thrown instanceof CommanderError) return said;
    if (LedgerError.is(thrown, usage.Usage)) return thrown.message;
    return `not wrong usage: ${String(thrown)}`;
  }
  return 'not wrong usage';
}

describe('wrong usage of memory', () => {
  const from = ['--from', 'alice', ...NOWHERE];

  it('put: says how to give the content', async () => {
    const none = await wrong('put', ...from);
    expect(none).to.match(/^give the content.*memory put "some text".*--file FILE/);
    expect(await wrong('put', 'x', '--file', 'y', ...from)).to.match(/not both/);
    expect(await wrong('put', '', ...from)).to.equal('content is empty');
    expect(await wrong('put', 'x'.repeat(65_537), ...from)).to.match(/at most 65536/);
    expect(await wrong('put', 'x', '--tag', '', ...from)).to.match(/a tag has not 1 to 64 bytes/);
    expect(await wrong('put', 'x', '--expect', '1', ...from)).to.match(/--key/);
    expect(await wrong('put', 'x', '--expect', 'one', '--key', 'k', ...from)).to.match(/whole/);
    expect(await wrong('put', 'x', '--type', 'poem', ...from)).to.match(/Allowed choices/);
    expect(await wrong('put', 'x', ...NOWHERE)).to.match(/--from/);
  });

  it('put: refuses a file that is not text', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'metatron-put-'));
    const file = join(folder, 'picture');
    writeFileSync(file, Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0xff));
    expect(await wrong('put', '--file', file, ...from)).to.match(/picture is not text.*UTF-8/);
    expect(await wrong('put', '--file', folder, ...from)).to.match(/^--file: .* is a folder/);
    rmSync(folder, { recursive: true });
    expect(await wrong('put', '--file', file, ...from)).to.match(/^--file: .* does not exist/);
  });

  it('get, history, list: names what is missing, what an owner and an id look like', async () => {
    for (const args of [
      [],
      ['door'],
      ['--owner', OWNER],
      ['door', '--id', ID],
      ['--owner', OWNER, '--id', ID],
    ]) {
      expect(await wrong('get', ...args, ...NOWHERE)).to.match(/a key and its --owner.*--id/);
    }
    for (const name of ['get door', 'history door', 'list', 'proof --key k', 'proof --since 1']) {
      const said = await wrong(...name.split(' '), '--owner', 'foo', ...NOWHERE);
      expect(said).to.match(/--owner: "foo" is no address.*metatron1…/);
    }
    expect(await wrong('get', '--id', 'foo', ...NOWHERE)).to.match(/an id has 64 hex digits/);
    expect(await wrong('history', 'door', ...NOWHERE)).to.match(/--owner/);
    expect(await wrong('history', '--owner', OWNER, ...NOWHERE)).to.match(/missing.*'key'/);
    expect(await wrong('list', ...NOWHERE)).to.match(/--owner/);
    expect(await wrong('list', '--owner', OWNER, '--limit', '0', ...NOWHERE)).to.match(/1 to 1000/);
  });

  it('proof: wants one thing to prove', async () => {
    for (const args of [
      [],
      ['--owner', OWNER],
      ['--key', 'k'],
      [ID, '--listing', OWNER],
      [ID, '--key', 'k'],
      ['--owner', OWNER, '--key', 'k', '--since', '1'],
      ['--listing', OWNER, '--since', '1'],
    ]) {
      expect(await wrong('proof', ...args, ...NOWHERE), args.join(' ')).to.match(/one of/);
    }
    expect(await wrong('proof', 'foo', ...NOWHERE)).to.match(/an id has 64 hex digits/);
    expect(await wrong('proof', '--listing', 'foo', ...NOWHERE)).to.match(
      /--listing: "foo" is no address/,
    );
    expect(await wrong('proof', '--owner', OWNER, '--since', '0', ...NOWHERE)).to.match(
      /from 1 to/,
    );
  });

  it('space update: wants something to change, and not two things at once', async () => {
    const update = (...args: readonly string[]) => wrong('space', 'update', ID, ...args, ...from);
    expect(await update()).to.match(/^say what to change: .*the rest stays as it is$/);
    expect(await update('--sealed', '--public')).to.match(/cannot be used with/);
    expect(await update('--max-bytes', 'much')).to.match(/a whole number/);
    for (const args of [['--public'], ['--no-policy'], ['--max-bytes', '0']]) {
      expect(await update(...args)).to.match(/^not wrong usage: .*cannot reach/);
    }
  });

  it('import: wants a path and a sound batch', async () => {
    expect(await wrong('import', ...from)).to.match(/missing.*'path'/);
    expect(await wrong('import', '/nope', ...from)).to.equal('the source: /nope does not exist');
    expect(await wrong('import', '.', '--batch', '0', ...from)).to.match(/from 1 to 500/);
  });

  it('takes right usage', async () => {
    for (const args of [
      ['put', 'x', '--expect', '0', '--key', 'k', '--from', 'alice'],
      ['get', 'door', '--owner', OWNER],
      ['get', '--id', ID],
      ['list', '--owner', OWNER],
      ['proof', ID],
      ['list', '--owner', ID],
      ['proof', '--owner', OWNER, '--key', ''],
      ['proof', '--owner', ID, '--key', 'k'],
      ['proof', '--owner', ID, '--since', '1'],
      ['proof', '--listing', ID],
    ]) {
      expect(await wrong(...args, ...NOWHERE)).to.match(/^not wrong usage: .*cannot reach/);
    }
  });

  it('proof: says before it asks that a folder is not there', async () => {
    const said = await wrong('proof', ID, '--out', '/nope/x', ...NOWHERE);
    expect(said).to.contain('cannot write /nope/x: there is no folder /nope');
  });
});

describe('refused reads', () => {
  /** What is said when the ledger answers a read with this code. */
  async function said(code: number, height = 0): Promise<string> {
    const response = { code, codespace: 'memory', log: 'raw', value: '', height: '1' };
    const client = new MemoryClient(async () => await Promise.resolve({ response }));
    const asked = { owner: OWNER, key: 'a\n"b', id: ID, height };
    const thrown = await reading(asked, client.get(ID)).catch((error: unknown) => error);
    return explain(thrown);
  }

  it('are sentences without codes', async () => {
    expect(await said(4)).to.equal(`there is no entry ${ID}`);
    expect(await said(5, 9)).to.equal(`${OWNER} wrote nothing at height 9`);
    expect(await said(6)).to.match(/^metatron1\w+ has nothing under the key "a\\n\\"b"; /);
    expect(await said(99)).to.equal('the node refuses the query: raw');
  });
});

describe('a list of memories', () => {
  const entry = (content: string): EntryJson => ({
    id: ID,
    index: 0,
    key: 'k',
    version: 1,
    author: OWNER,
    type: 'text',
    tags: ['t'],
    height: 7,
    contentHash: '',
    content,
    contentBase64: undefined,
  });

  it('indents content, so that no line of it passes for an entry', () => {
    const forged = `one\n\n${entryText(entry('two'), '')}\r\nid       3f`;
    const lines = entryText(entry(forged), '    ').split(/[\r\n]/);
    expect(lines.filter((line) => line.startsWith('id '))).to.have.length(1);
    const content = fc.string({ unit: fc.constantFrom('i', 'd', ' ', '\n', '\r', '\u2028') });
    fc.assert(
      fc.property(content, (text) => {
        const [, ...after] = entryText(entry(text), '    ').split('\n\n');
        for (const line of after.join('\n\n').split(/\r\n|[\n\r\u2028]/)) {
          expect(line.startsWith('    ')).to.equal(true);
        }
      }),
    );
  });

  it('leaves a single content as it is where no margin is asked for', () => {
    expect(entryText(entry('one\n\ntwo\n'), '').endsWith('\n\none\n\ntwo\n')).to.equal(true);
    const binary = {
      ...entry(''),
      content: undefined,
      contentBase64: toBase64(Uint8Array.of(255)),
    };
    expect(entryText(binary, '').endsWith('(base64) /w==')).to.equal(true);
  });
});
