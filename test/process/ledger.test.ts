/**
 * The ledger as a newcomer meets it: README's program and the commands, on a real devnet.
 *
 * @module
 */
import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import {
  type Devnet,
  type Finished,
  launch,
  metatron,
  startDevnet,
  temporaryFolder,
  until,
} from './support.ts';

const EXAMPLE: string = fileURLToPath(new URL('../../scripts/examples/memory.ts', import.meta.url));
const README: string = fileURLToPath(new URL('../../README.md', import.meta.url));

function run(file: string, args: readonly string[]): Promise<Finished> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [file, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
}

describe('ledger of real processes', function () {
  this.timeout(240_000);
  const folder = temporaryFolder();
  const home = join(folder.path, 'net');
  let devnet: Devnet | undefined;
  let common: readonly string[] = [];
  let owner = '';

  before(async () => {
    devnet = await startDevnet(home);
    const { rpc, accounts } = devnet.summary;
    owner = accounts[0]?.address ?? '';
    common = ['--node', rpc];
  });
  after(async () => {
    await devnet?.stop();
    folder.remove();
  });

  const signing = (): readonly string[] => [...common, '--from', 'alice', '--devnet-home', home];

  it('runs the program of the README as printed', async () => {
    const source = readFileSync(EXAMPLE, 'utf8');
    expect(readFileSync(README, 'utf8')).to.contain(source.trimEnd());
    const { rpc, accounts } = devnet?.summary ?? { rpc: '', accounts: [] };
    const result = await run(EXAMPLE, [rpc, accounts[1]?.mnemonic ?? '']);
    expect(result.stderr).to.equal('');
    expect(result.stdout).to.match(/read: the door code is 7\nproven at height \d+ by metatron1/);
    expect(result.code).to.equal(0);
  });

  it('writes, reads, proves and verifies by commands', async () => {
    const put = await metatron(['memory', 'put', 'one', '--key', 'k', '--json', ...signing()]);
    expect(put.code, put.stderr).to.equal(0);
    const { id } = JSON.parse(put.stdout) as { id: string };
    const get = await metatron(['memory', 'get', 'k', '--owner', owner, '--json', ...common]);
    expect(JSON.parse(get.stdout).entries[0]).to.include({ id, content: 'one', version: 1 });
    const file = join(folder.path, 'k.proof');
    const proof = await metatron(['memory', 'proof', id, '--out', file, ...common]);
    expect(proof.code, proof.stderr).to.equal(0);
    const genesis = join(home, 'node0', 'config', 'genesis.json');
    const verify = await metatron(['verify', file, '--genesis', genesis]);
    expect(verify.stdout).to.contain('the proof holds');
    const text = readFileSync(file, 'utf8');
    const at = text.indexOf('"content":"') + 11;
    const forged = `${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`;
    writeFileSync(file, forged);
    const refused = await metatron(['verify', file, '--genesis', genesis]);
    expect(refused.code).to.equal(1);
    expect(refused.stderr).to.contain('the proof');
  });

  it('tells the loser of a race its reason, and changes nothing', async () => {
    const args = ['memory', 'put', 'two', '--key', 'k', '--expect', '0'];
    const put = await metatron([...args, ...signing()]);
    expect(put.code).to.equal(1);
    expect(put.stderr).to.contain('expected version 0, current version 1');
  });

  it('imports a folder, and of it again what is new or changed; says what it refused', async () => {
    const notes = join(folder.path, 'notes');
    mkdirSync(join(notes, 'deep'), { recursive: true });
    for (let i = 0; i < 12; i++) writeFileSync(join(notes, `n${i}.md`), `note ${i}`);
    writeFileSync(join(notes, 'deep', 'x.txt'), 'deep note');
    writeFileSync(join(notes, 'empty.md'), '');
    const args = ['memory', 'import', notes, '--batch', '5', '--json', ...signing()];
    const env = { HOME: folder.path };
    const first = await metatron(args, env);
    expect(JSON.parse(first.stdout)).to.include({ written: 13, unchanged: 0, refusedCount: 1 });
    expect(first.stdout).to.contain('content is empty');
    expect(first.code).to.equal(1);
    const second = await metatron(args, env);
    expect(JSON.parse(second.stdout)).to.include({ written: 0, unchanged: 13, transactions: 0 });
    writeFileSync(join(notes, 'a.md'), 'a new note');
    writeFileSync(join(notes, 'n3.md'), 'another note 3');
    rmSync(join(notes, 'empty.md'));
    const third = await metatron(args, env);
    expect(JSON.parse(third.stdout)).to.include({ written: 2, changed: 1, unchanged: 12 });
    expect(third.code, third.stderr).to.equal(0);
    const read = ['memory', 'get', 'n3.md', '--owner', owner, '--json', ...common];
    const [head] = JSON.parse((await metatron(read)).stdout).entries;
    expect(head).to.include({ version: 2, content: 'another note 3' });
  });

  it('says how far an import came when it is interrupted, and goes on after', async () => {
    const notes = join(folder.path, 'many.jsonl');
    const total = 1_000;
    const line = (_: unknown, i: number): string => JSON.stringify({ content: `note ${i}` });
    writeFileSync(notes, Array.from({ length: total }, line).join('\n'));
    const args = ['memory', 'import', notes, '--json', ...signing()];
    const records = join(folder.path, 'interrupted');
    const env = { HOME: records };
    const imports = join(records, '.metatron', 'imports');
    const batches = (): number =>
      existsSync(imports)
        ? readdirSync(imports)
            .filter((name) => name.endsWith('.log'))
            .map((name) => readFileSync(join(imports, name), 'utf8').match(/^written /gm) ?? [])
            .reduce((sum, { length }) => sum + length, 0)
        : 0;
    let written = 0;
    for (const [signal, code] of [
      ['SIGINT', 130],
      ['SIGTERM', 143],
    ] as const) {
      const before = batches();
      const running = launch([...args, '--batch', '1'], env);
      await until('two batches are written', 20_000, () => batches() >= before + 2);
      running.kill(signal);
      running.kill(signal);
      expect(await running.ended, running.output.stderr).to.equal(code);
      const report = JSON.parse(running.output.stdout) as { written: number; unchanged: number };
      expect(report).to.include({ stopped: true, refusedCount: 0 });
      const done = report.written + report.unchanged;
      expect(done).to.be.within(1, total - 1);
      expect(running.output.stderr).to.contain(`interrupted after ${done} entries`);
      expect(running.output.stderr).to.contain('run the same command again to go on');
      written += report.written;
    }
    const rest = await metatron(args, env);
    expect(rest.code, rest.stderr).to.equal(0);
    const report = JSON.parse(rest.stdout) as { written: number; unchanged: number };
    expect(report.written + report.unchanged).to.equal(total);
    expect(report.unchanged).to.be.within(written, written + 2);
  });

  it('says that there is nothing to import', async () => {
    const empty = join(folder.path, 'empty');
    mkdirSync(empty);
    writeFileSync(join(empty, 'picture.png'), 'x');
    const done = await metatron(['memory', 'import', empty, ...signing()], { HOME: folder.path });
    expect(done.code).to.equal(0);
    expect(done.stderr).to.match(/nothing to import in .*empty\n1 file was left out/);
  });

  it('says that a new key stands before an account of the devnet', async () => {
    const user = join(folder.path, 'user');
    mkdirSync(join(user, '.metatron'), { recursive: true });
    symlinkSync(home, join(user, '.metatron', 'devnet'));
    const env = { HOME: user, METATRON_PASSPHRASE: 'a passphrase' };
    const add = await metatron(['keys', 'add', 'alice', '--json'], env);
    expect(add.code, add.stderr).to.equal(0);
    expect(add.stderr).to.contain('has another account alice, metatron1');
    const { address } = JSON.parse(add.stdout) as { address: string };
    const put = await metatron(['memory', 'put', 'x', '--from', 'alice', ...common], env);
    expect(put.stderr).to.contain(`signing as alice of the keystore, ${address}`);
    const other = await metatron(['keys', 'add', 'nobody', '--json'], env);
    expect(other.stderr).to.equal('');
  });

  it('says how the program of the README is used', async () => {
    for (const args of [[], ['http://127.0.0.1:26657']]) {
      const result = await run(EXAMPLE, args);
      expect([result.code, result.stdout]).to.deep.equal([2, '']);
      expect(result.stderr).to.match(/^usage: .*memory\.ts RPC "MNEMONIC"\n/);
      expect(result.stderr).not.to.match(/\n\s+at /);
    }
  });
});
