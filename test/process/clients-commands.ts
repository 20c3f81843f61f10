/**
 * `metatron memory` and `metatron verify` as scripts use them: exit codes and JSON.
 *
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { encodeBech32 } from '../../node/src/base/bech32.ts';
import { present } from '../../node/src/base/errors.ts';
import type { ClientNet } from './clients-net.ts';
import { type Finished, metatron } from './support.ts';

const NOBODY = encodeBech32('metatron', new Uint8Array(20).fill(7));
const OTHER_CHAIN = encodeBech32('cosmos', new Uint8Array(20).fill(7));

type Json = Readonly<Record<string, unknown>>;

function json(done: Finished): Json {
  expect(done.code, done.stderr).to.equal(0);
  expect(done.stdout.trimEnd().split('\n')).to.have.length(1);
  return JSON.parse(done.stdout) as Json;
}

/** The commands, in the order of a user's day. */
export function commandTests(net: ClientNet): void {
  const at = (): readonly string[] => ['--node', net.rpc(1)];
  const as = (name: string): readonly string[] => [
    ...at(),
    '--from',
    name,
    '--devnet-home',
    net.home,
  ];
  const genesis = (): readonly string[] => [
    '--genesis',
    join(net.home, 'node0', 'config', 'genesis.json'),
  ];
  const file = (name: string): string => join(net.folder.path, name);
  const verify = (name: string): Promise<Finished> =>
    metatron(['verify', file(name), '--json', ...genesis()]);

  it('puts, gets, and shows the history of a key', async () => {
    const owner = net.account('dave').address;
    const put = async (text: string): Promise<Json> =>
      json(
        await metatron([
          'memory',
          'put',
          text,
          '--key',
          'cli',
          '--tag',
          't',
          '--json',
          ...as('dave'),
        ]),
      );
    const [first, second] = [await put('v1'), await put('v2')];
    for (const written of [first, second]) {
      expect(written).to.include.all.keys('id', 'index', 'version', 'hash', 'height');
    }
    expect(second).to.include({ version: 2 });
    const read = ['--owner', owner, '--json', ...at()];
    const got = json(await metatron(['memory', 'get', 'cli', ...read]));
    expect(got).to.have.all.keys('entries', 'height');
    const [entry] = got['entries'] as readonly Json[];
    expect(entry).to.include({ id: second['id'], content: 'v2', key: 'cli', author: owner });
    const history = json(await metatron(['memory', 'history', 'cli', ...read]));
    expect(history).to.include({ total: 2 });
    const versions = (history['entries'] as readonly Json[]).map(({ version }) => version);
    expect(versions).to.deep.equal([1, 2]);
    const page = ['memory', 'history', 'cli', '--limit', '1', '--owner', owner, ...at()];
    const start = json(await metatron([...page, '--json']))['next'];
    expect((await metatron(page)).stderr).to.contain(`1 of 2; more with --start ${String(start)}`);
    const none = await metatron(['memory', 'get', 'nothing', ...read]);
    expect([none.code, none.stdout]).to.deep.equal([1, '']);
    expect((await metatron(['memory', 'put', '--no-such-option'])).code).to.equal(2);
    const gas = await metatron(['memory', 'put', 'x', '--gas', 'abc', ...as('dave')]);
    expect(gas.code).to.equal(2);
    expect(gas.stderr).to.contain('a whole number from 1');
  });

  it('shows a key and tags on one line each, and gives a pipe the content unchanged', async () => {
    const [key, tag, text] = ['k\u001b[2J\nid  forged', 't\u001b[1A', 'one\u001b[2J\ntwo'];
    await metatron(['memory', 'put', text, '--key', key, '--tag', tag, ...as('dave')]);
    const owner = net.account('dave').address;
    const { stdout } = await metatron(['memory', 'get', key, '--owner', owner, ...at()]);
    expect(stdout).to.contain('\nkey      k\\x1b[2J\\x0aid  forged, version 1\n');
    expect(stdout).to.contain('\ntags     t\\x1b[1A\n');
    expect(stdout.endsWith(`\n\n${text}\n`)).to.equal(true);
  });

  it('indents what a list shows, so that content cannot pass for the next entry', async () => {
    const owner = net.account('dave').address;
    const forged = `one\n\nid       ${'3f'.repeat(32)}`;
    const put = await metatron(['memory', 'put', forged, '--key', 'forged', ...as('dave')]);
    expect(put.code, put.stderr).to.equal(0);
    const { stdout } = await metatron(['memory', 'history', 'forged', '--owner', owner, ...at()]);
    expect(stdout.match(/^id /gm)).to.have.length(1);
    expect(stdout).to.contain(`\n    one\n    \n    id       ${'3f'.repeat(32)}\n`);
  });

  it('says in a sentence what is not there', async () => {
    const owner = net.account('dave').address;
    const silent = encodeBech32('metatron', new Uint8Array(20).fill(9));
    const told = async (...args: readonly string[]): Promise<string> => {
      const { code, stdout, stderr } = await metatron(['memory', ...args, ...at()]);
      expect([code, stdout], stderr).to.deep.equal([1, '']);
      expect(stderr).not.to.match(/abci_query|Query|\(memory|malformed/);
      return stderr;
    };
    expect(await told('get', 'never', '--owner', owner)).to.match(/nothing under the key "never"/);
    expect(await told('get', '--id', '00'.repeat(32))).to.match(/there is no entry 00/);
    expect(await told('proof', '00'.repeat(32))).to.match(/there is no entry 00/);
    expect(await told('list', '--owner', silent)).to.contain(`${silent} wrote nothing`);
    expect(await told('proof', '--listing', silent)).to.contain(`${silent} wrote nothing`);
    expect(await told('proof', '--owner', silent, '--since', '1')).to.contain('wrote nothing');
    const early = await told('proof', '--owner', owner, '--since', '1');
    expect(early).to.match(/had not written anything.*first entry is of height \d+: take --since/);
    expect(await told('proof', '--owner', owner, '--since', '99999999')).to.match(
      /the chain is at height \d+/,
    );
    expect(await told('get', 'cli', '--owner', owner, '--height', '99999999')).to.match(/height/);
    const other = encodeBech32('cosmos', new Uint8Array(20).fill(9));
    expect(await told('list', '--owner', other)).to.match(/expected metatron, got cosmos/);
  });

  it('imports JSON lines and lists what it refused', async () => {
    const path = file('notes.jsonl');
    const lines = [{ content: 'a', key: 'i/1' }, { content: '' }, { content: 'b', tags: ['x'] }];
    writeFileSync(path, `${lines.map((line) => JSON.stringify(line)).join('\n')}\nnot json\n`);
    const args = ['memory', 'import', path, '--json', ...as('dave')];
    const done = await metatron(args, { HOME: net.folder.path });
    expect(done.code).to.equal(1);
    const report = JSON.parse(done.stdout) as Json;
    expect(report).to.include({ written: 2, refusedCount: 2, unchanged: 0, transactions: 1 });
    expect((report['refused'] as readonly Json[])[0]).to.have.all.keys('where', 'reason');
  });

  it('writes every form of proof, which verify checks offline', async () => {
    const owner = net.account('dave').address;
    const prove = async (name: string, args: readonly string[]): Promise<Json> => {
      const done = await metatron(['memory', 'proof', ...args, '--out', file(name), ...at()]);
      expect(done.code, done.stderr).to.equal(0);
      return json(await verify(name));
    };
    const head = await prove('head', ['--owner', owner, '--key', 'cli']);
    expect(head).to.include({ valid: true });
    const [entry] = head['entries'] as readonly Json[];
    expect(entry).to.include({ content: 'v2', key: 'cli' });
    expect(entry).to.include.all.keys('id', 'author', 'index', 'height', 'provenHeight');
    const { id = '', height } = present(entry, 'entry');
    expect(await prove('entry', [String(id)])).to.deep.include({ valid: true });
    const absent = await prove('absent', ['--owner', owner, '--key', 'never']);
    expect(absent['absent']).to.include({ key: 'never' });
    const growth = await prove('growth', ['--owner', owner, '--since', String(height)]);
    expect(growth['growth']).to.have.all.keys('space', 'owner', 'from', 'to');
    const listing = await prove('listing', ['--listing', owner]);
    expect((listing['entries'] as readonly Json[]).length).to.be.at.least(4);
    const api = present(net.devnet.summary.nodes[2], 'node 2').api;
    const served = await (await fetch(`${api}/v1/memories/${String(id)}/proof`)).text();
    writeFileSync(file('served'), served);
    expect(json(await verify('served'))).to.include({ valid: true });
  });

  it('fails with exit code 1 when a proof does not hold, or trust is missing', async () => {
    const text = readFileSync(file('entry'), 'utf8');
    const forged = text.replace(/"content":"./, (start) => `${start.slice(0, -1)}_`);
    writeFileSync(file('forged'), forged);
    const refused = await verify('forged');
    expect(refused.code).to.equal(1);
    expect(refused.stderr).to.match(/the proof/);
    const verdict = JSON.parse(refused.stdout) as Json;
    expect(verdict).to.have.all.keys('valid', 'reason').and.include({ valid: false });
    expect(verdict['reason']).to.match(/^the proof/);
    const untrusted = await metatron(['verify', file('entry'), '--json']);
    expect([untrusted.code, untrusted.stdout]).to.deep.equal([2, '']);
    expect(untrusted.stderr).to.match(/say what to trust/);
    const other = ['--chain-id', net.chainId, '--validators-hash', '00'.repeat(32)];
    const strangers = await metatron(['verify', file('entry'), ...other]);
    expect(strangers.code).to.equal(1);
    expect(strangers.stderr).to.match(/other validators/);
  });

  it('says what a node does not have, and what can never be asked, in sentences', async () => {
    const hash = '0'.repeat(64);
    const table: readonly (readonly [args: readonly string[], code: number, says: RegExp])[] = [
      [['block', '99999999'], 1, /there is no block 99999999 yet: the newest .* is \d+/],
      [['tx', hash], 1, /no transaction 0{64} in a block of this node.*--node/],
      [['tx', '000'], 2, /"000" is no hash of a transaction, which has 64 hex digits/],
      [['account', 'foo'], 2, /"foo" is no address; one looks like metatron1/],
      [['balance', 'foo'], 2, /"foo" is no address/],
      [['account', OTHER_CHAIN], 2, /addresses of this chain begin with metatron1/],
      [['account', NOBODY], 1, /is not on this chain: send it something first/],
      [['abci', '/store/key', 'zz'], 2, /data is hex/],
      [['rpc', 'block', '{'], 2, /params are no JSON/],
      [['rpc', 'block', '7'], 2, /params are a JSON object/],
    ];
    for (const [args, code, says] of table) {
      const done = await metatron(['query', ...args, '--json', ...at()]);
      expect([done.code, done.stdout], args.join(' ')).to.deep.equal([code, '']);
      expect(done.stderr)
        .to.match(says)
        .and.not.match(/code = |\(code/);
    }
  });

  it('prints an answer of the application that carries a code, and exits 1', async () => {
    const done = await metatron(['query', 'abci', '/foo', '--json', ...at()]);
    expect(done.code).to.equal(1);
    expect(JSON.parse(done.stdout)).to.have.nested.property('response.code', 6);
  });
}
