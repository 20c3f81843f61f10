/**
 * A node that cannot start, or cannot go on: one sentence on stderr that says what to do, exit
 * code 1, no stack.
 *
 * @module
 */
import { type ChildProcess, type SpawnOptions, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { call, latestHeight } from '../../node/src/ops/rpc-client.ts';
import { type Finished, launch, metatron, temporaryFolder, until } from './support.ts';

const QUIET = {
  METATRON__LOG__LEVEL: 'silent',
  METATRON__RPC__LISTEN: '127.0.0.1:0',
  METATRON__P2P__LISTEN: '127.0.0.1:0',
  METATRON__EVM__LISTEN: '127.0.0.1:0',
};
const COMMAND: string = fileURLToPath(new URL('../../node/bin/metatron.mjs', import.meta.url));
/** An account of the system without rights, for the tests that root would pass. */
const NOBODY = 65_534;

/** Starts a node that must refuse; one that runs instead is ended, and its code is not 1. */
async function start(home: string, more: Readonly<Record<string, string>> = {}): Promise<Finished> {
  const env = { ...process.env, ...QUIET, ...more };
  const args = [COMMAND, 'start', '--home', home, '--json'];
  const { output, ended } = spawned(process.execPath, args, { env, timeout: 60_000 });
  return { code: await ended, ...output };
}

type Spawned = {
  readonly child: ChildProcess;
  readonly output: { stdout: string; stderr: string };
  readonly ended: Promise<number | null>;
};

/** A command as another account, or under a shell's limits. */
function spawned(command: string, args: readonly string[], options: SpawnOptions = {}): Spawned {
  const env = { ...process.env, ...QUIET };
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env, ...options });
  const output = { stdout: '', stderr: '' };
  child.stdout?.on('data', (data: Buffer) => {
    output.stdout += data.toString();
  });
  child.stderr?.on('data', (data: Buffer) => {
    output.stderr += data.toString();
  });
  const ended = new Promise<number | null>((resolve) => {
    child.once('close', (code) => resolve(code));
  });
  return { child, output, ended };
}

async function startAs(home: string, user: number | undefined): Promise<Finished> {
  const account = user === undefined ? {} : { uid: user, gid: user };
  const args = [COMMAND, 'start', '--home', home, '--json'];
  const { output, ended } = spawned(process.execPath, args, account);
  return { code: await ended, ...output };
}

/** Whether an account can run the program at all. */
function canRun(user: number): boolean {
  const account = { uid: user, gid: user };
  return spawnSync(process.execPath, [COMMAND, '--version'], account).status === 0;
}

/** Starts a node whose files may have so many bytes at most. */
function startLimited(home: string, bytes: number): Spawned {
  const script = `ulimit -f ${Math.floor(bytes / 512)}; exec "$0" "$@"`;
  const node = [process.execPath, COMMAND, 'start', '--home', home, '--json'];
  return spawned('sh', ['-c', script, ...node]);
}

/** One sentence, with what to do in it. */
function expectSentence({ code, stdout, stderr }: Finished, says: RegExp): void {
  expect(code, stderr).to.equal(1);
  expect(stdout).to.equal('');
  expect(stderr).to.match(/^error: [^\n]+\n$/);
  expect(stderr).to.match(says);
  expect(stderr).not.to.match(/\bat .*:\d+:\d+/);
}

describe('a node that cannot start', function () {
  this.timeout(180_000);
  const folder = temporaryFolder();
  const used = join(folder.path, 'used');
  let copies = 0;
  after(() => folder.remove());

  before(async () => {
    const made = await metatron(['init', '--home', used, '--app', 'kvstore', '--json']);
    expect(made.code, made.stderr).to.equal(0);
    const running = launch(['start', '--home', used, '--json'], QUIET);
    const { rpc } = JSON.parse(await running.firstLine()) as { rpc: string };
    await until('three blocks', 20_000, async () => (await latestHeight(rpc)) >= 3);
    running.kill('SIGTERM');
    expect(await running.ended).to.equal(0);
  });

  /** A copy of a home that has blocks. */
  function copy(): { readonly home: string; at(...path: string[]): string } {
    const home = join(folder.path, `copy${copies++}`);
    cpSync(used, home, { recursive: true });
    return { home, at: (...path) => join(home, ...path) };
  }

  function portInUse(): Promise<{ readonly port: number; close(): void }> {
    const server = createServer();
    return new Promise((resolve) => {
      server.listen(0, '127.0.0.1', () => {
        const address = server.address();
        const port = typeof address === 'object' && address !== null ? address.port : 0;
        resolve({ port, close: () => void server.close() });
      });
    });
  }

  it('names the port that is in use, of RPC and of peers', async () => {
    const { port, close } = await portInUse();
    const listen = `127.0.0.1:${port}`;
    const rpc = await start(copy().home, { METATRON__RPC__LISTEN: listen });
    expectSentence(rpc, new RegExp(`${listen}.*(in use|EADDRINUSE).*choose another`));
    const p2p = await start(copy().home, { METATRON__P2P__LISTEN: listen });
    expectSentence(p2p, new RegExp(`${port}.*EADDRINUSE.*choose another address in p2p.listen`));
    close();
  });

  it('says how to go on after a halt by the second opinion, with a code of its own', async () => {
    const home = join(folder.path, 'halted');
    const made = await metatron(['init', '--home', home, '--json']);
    expect(made.code, made.stderr).to.equal(0);
    mkdirSync(join(home, 'data'), { recursive: true });
    writeFileSync(join(home, 'data', 'second-opinion.json'), '{}');
    const halted = await start(home);
    expect(halted.code, halted.stderr).to.equal(3);
    expectSentence({ ...halted, code: 1 }, /second-opinion\.json.*evm\.secondOpinion to report/);
  });

  it('names the process that uses the home', async () => {
    const { home } = copy();
    const first = launch(['start', '--home', home, '--json'], QUIET);
    await first.firstLine();
    expectSentence(await start(home), new RegExp(`process ${first.pid} uses this home.*stop it`));
    first.kill('SIGTERM');
    await first.ended;
  });

  it('names the folder where a file stands', async () => {
    const file = copy();
    rmSync(file.at('data', 'db'), { recursive: true });
    writeFileSync(file.at('data', 'db'), 'x');
    expectSentence(await start(file.home), /a file stands where .*db needs a folder; move/);
    const data = copy();
    rmSync(data.at('data'), { recursive: true });
    writeFileSync(data.at('data'), 'x');
    expectSentence(await start(data.home), /data is a file where a folder is needed: move/);
  });

  it('does not go on with a damaged store', async () => {
    const manifest = copy();
    const name = readdirSync(manifest.at('data', 'db')).find((file) => /^MANIFEST/.test(file));
    writeFileSync(manifest.at('data', 'db', name ?? ''), 'U'.repeat(50));
    expectSentence(await start(manifest.home), /db is damaged: .*backup/);
    const current = copy();
    rmSync(current.at('data', 'db', 'CURRENT'));
    expectSentence(await start(current.home), /db is damaged: its file CURRENT is missing.*backup/);
    const log = copy();
    const file = readdirSync(log.at('data', 'db')).find((entry) => entry.endsWith('.log'));
    const bytes = readFileSync(log.at('data', 'db', file ?? ''));
    bytes.fill(0x55, 2_000, 2_008);
    writeFileSync(log.at('data', 'db', file ?? ''), bytes);
    expectSentence(await start(log.home), /db is damaged: .*later writes follow.*backup/);
    const wal = copy();
    writeFileSync(wal.at('data', 'wal'), 'x'.repeat(31));
    expectSentence(await start(wal.home), /write-ahead log .* is damaged .*restore/);
  });

  it('signs nothing without a whole guard', async () => {
    const gone = copy();
    rmSync(gone.at('data', 'signer.guard'));
    expectSentence(await start(gone.home), /signer.guard is missing, .*Put the file back/);
    const damaged = copy();
    writeFileSync(damaged.at('data', 'signer.guard'), 'x'.repeat(8_192));
    expectSentence(await start(damaged.home), /signer.guard is damaged: .*Put back a copy/);
  });

  it('names the file of the configuration that is wrong', async () => {
    const cases: readonly (readonly [file: string, text: string, says: RegExp])[] = [
      ['genesis.json', '{', /genesis.json: .*put a good copy back/],
      ['config.json', '{', /config.json is not JSON/],
      ['config.json', '{"strange":1}', /config.json: .*strange/],
      ['node_key.json', '{}', /node_key.json: .*put a good copy back/],
      ['validator_key.json', '[]', /validator_key.json: .*put a good copy back/],
    ];
    for (const [file, text, says] of cases) {
      const { home, at } = copy();
      writeFileSync(at('config', file), text);
      expectSentence(await start(home), says);
    }
    const other = copy();
    const genesis = readFileSync(other.at('config', 'genesis.json'), 'utf8');
    const renamed = genesis.replace(/("chain_id": ?)"[^"]*"/, '$1"other-1"');
    writeFileSync(other.at('config', 'genesis.json'), renamed);
    expectSentence(await start(other.home), /genesis file is of other-1: put/);
  });

  it('names what it may not read or write', async function () {
    const root = process.getuid?.() === 0;
    // Without an account to change to, root may do everything.
    if (process.platform === 'win32' || (root && !canRun(NOBODY))) this.skip();
    const denied = copy();
    const db = denied.at('data', 'db');
    chmodSync(folder.path, 0o755);
    if (root) {
      giveTo(denied.home, NOBODY);
      giveTo(db, 0);
    } else chmodSync(db, 0o500);
    const result = await startAs(denied.home, root ? NOBODY : undefined);
    expectSentence(result, /no permission .*db .*(let the user|give the user)/);
    chmodSync(db, 0o755);
  });

  it('stops when a file may not grow, and goes on later with all it reported', async () => {
    const { home } = copy();
    const limited = startLimited(home, 200_000);
    await until('it answers', 20_000, () => limited.output.stdout.includes('\n'));
    const { rpc } = JSON.parse(limited.output.stdout) as { rpc: string };
    const stored: string[] = [];
    for (let i = 0; i < 40; i++) {
      const tx = Buffer.from(`key${i}=${String(i).repeat(8_000).slice(0, 15_000)}`);
      const params = { tx: tx.toString('base64') };
      const answer = await call(rpc, 'broadcast_tx_commit', params).catch(() => undefined);
      if (answer === undefined) break;
      stored.push(`key${i}`);
    }
    const code = await limited.ended;
    expect(limited.output.stderr).to.match(/^error: no space left to write .*file size limit.*\n$/);
    expect(limited.output.stderr).not.to.match(/\n./);
    expect(code).to.equal(1);
    const again = launch(['start', '--home', home, '--json'], QUIET);
    const { rpc: later } = JSON.parse(await again.firstLine()) as { rpc: string };
    for (const key of stored) {
      const data = Buffer.from(key).toString('hex');
      const { response } = (await call(later, 'abci_query', { path: '/store', data })) as {
        response: { value: string | null };
      };
      expect(response.value, key).to.be.a('string');
    }
    again.kill('SIGTERM');
    expect(await again.ended).to.equal(0);
  });
});

function giveTo(path: string, user: number): void {
  chownSync(path, user, user);
  for (const entry of readdirSync(path, { withFileTypes: true, recursive: true })) {
    chownSync(join(entry.parentPath, entry.name), user, user);
  }
}
