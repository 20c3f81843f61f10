/**
 * The ledger as a newcomer meets it: README's program and the commands, on a real devnet.
 *
 * @module
 */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { type Devnet, type Finished, metatron, startDevnet, temporaryFolder } from './support.ts';

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
  this.timeout(60_000);
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
    expect(result.stdout).to.match(/read: the door code is 7\nproven at height \d+/);
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

  it('imports a folder, goes on where it stopped, and says what it refused', async () => {
    const notes = join(folder.path, 'notes');
    mkdirSync(join(notes, 'deep'), { recursive: true });
    for (let i = 0; i < 12; i++) writeFileSync(join(notes, `n${i}.md`), `note ${i}`);
    writeFileSync(join(notes, 'deep', 'x.txt'), 'deep note');
    writeFileSync(join(notes, 'empty.md'), '');
    const args = ['memory', 'import', notes, '--batch', '5', '--json', ...signing()];
    const env = { HOME: folder.path };
    const first = await metatron(args, env);
    expect(JSON.parse(first.stdout)).to.include({ written: 13, before: 0, refusedCount: 1 });
    expect(first.stdout).to.contain('content is empty');
    expect(first.code).to.equal(1);
    const second = await metatron(args, env);
    expect(JSON.parse(second.stdout)).to.include({ written: 0, before: 13, transactions: 0 });
  });
});
