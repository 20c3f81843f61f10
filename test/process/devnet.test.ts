/**
 * A devnet of real processes: ready, used, hurt, stopped and started again.
 *
 * @module
 */
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import { latestHeight } from '../../node/src/ops/rpc-client.ts';
import {
  appHash,
  type Devnet,
  isAlive,
  launch,
  metatron,
  reaches,
  startDevnet,
  temporaryFolder,
  until,
} from './support.ts';

describe('devnet of real processes', function () {
  this.timeout(240_000);
  const folder = temporaryFolder();
  let devnet: Devnet | undefined;

  after(async () => {
    await devnet?.stop();
    folder.remove();
  });

  async function running(): Promise<Devnet> {
    devnet ??= await startDevnet(folder.path, ['--app', 'kvstore', '--chain-id', 'test-chain-1']);
    return devnet;
  }
  const rpcOf = (net: Devnet, index: number): string => net.summary.nodes[index]?.rpc ?? '';
  const pidOf = (net: Devnet, index: number): number => net.summary.nodes[index]?.pid ?? 0;

  it('prints one line when every validator has committed block 1', async () => {
    const { summary, running: process } = await running();
    expect(summary.chainId).to.equal('test-chain-1');
    expect(summary.nodes).to.have.length(4);
    expect(process.output.stdout.trimEnd().split('\n')).to.have.length(1);
    for (const node of summary.nodes) expect(await latestHeight(node.rpc)).to.be.at.least(1);
  });

  it('commits a transaction that any node then answers for', async () => {
    const net = await running();
    const args = ['tx', 'broadcast', '--encoding', 'text', 'name=satoshi', '--json'];
    const sent = await metatron([...args, '--node', rpcOf(net, 1)]);
    expect(sent.code, sent.stderr).to.equal(0);
    const { hash, height } = JSON.parse(sent.stdout) as { hash: string; height: number };
    await reaches(rpcOf(net, 2), height);
    const found = await metatron(['query', 'tx', hash, '--node', rpcOf(net, 2), '--json']);
    expect(found.code, found.stderr).to.equal(0);
    expect(JSON.parse(found.stdout)).to.include({ height: String(height) });
  });

  it('refuses a second devnet in the same home', async () => {
    await running();
    const second = await metatron(['devnet', '--home', folder.path, '--json']);
    expect(second.code).to.equal(1);
    expect(second.stdout).to.equal('');
    expect(second.stderr).to.match(/process \d+ uses this home .*stop it first/);
  });

  it('goes on without a validator that was killed, and does not restart it', async () => {
    const net = await running();
    process.kill(pidOf(net, 3), 'SIGKILL');
    await until('the death is noticed', 5_000, () => /node3 ended/.test(net.running.output.stderr));
    const height = await latestHeight(rpcOf(net, 0));
    await reaches(rpcOf(net, 0), height + 3);
    expect(isAlive(pidOf(net, 3))).to.equal(false);
  });

  it('stops within 5 s and goes on from where it was', async () => {
    const net = await running();
    const height = await latestHeight(rpcOf(net, 0));
    const hash = await appHash(rpcOf(net, 0), height);
    expect(await net.stop()).to.be.lessThan(5_000);
    for (const node of net.summary.nodes) expect(isAlive(node.pid)).to.equal(false);
    devnet = await startDevnet(folder.path);
    expect(devnet.summary.chainId).to.equal('test-chain-1');
    for (const [i] of devnet.summary.nodes.entries()) {
      await reaches(rpcOf(devnet, i), height + 2);
      expect(await appHash(rpcOf(devnet, i), height)).to.equal(hash);
    }
  });

  it('leaves no validator behind when it is killed itself', async () => {
    const net = await running();
    devnet = undefined;
    net.running.kill('SIGKILL');
    await until('all validators are gone', 6_000, () =>
      net.summary.nodes.every((node) => !isAlive(node.pid)),
    );
  });
});

describe('a chain of one', function () {
  this.timeout(240_000);
  const folder = temporaryFolder();
  after(() => folder.remove());

  it('starts from `init` alone, makes blocks, and goes on after a stop', async () => {
    const home = join(folder.path, 'node');
    expect((await metatron(['init', '--home', home])).code).to.equal(0);
    const env = {
      METATRON__LOG__LEVEL: 'warn',
      METATRON__RPC__LISTEN: '127.0.0.1:0',
      METATRON__P2P__LISTEN: '127.0.0.1:0',
      METATRON__EVM__LISTEN: '127.0.0.1:0',
    };
    for (const height of [2, 4]) {
      const node = launch(['start', '--home', home, '--json'], env);
      const { pid, rpc } = JSON.parse(await node.firstLine()) as { pid: number; rpc: string };
      expect(pid).to.equal(node.pid);
      await reaches(rpc, height);
      node.kill('SIGTERM');
      expect(await node.ended, node.output.stderr).to.equal(0);
    }
  });

  it('takes a memory by the commands that `init` names', async () => {
    const [home, keys] = [join(folder.path, 'funded'), join(folder.path, 'keys')];
    const env = {
      METATRON_PASSPHRASE: 'a passphrase of the test',
      METATRON__LOG__LEVEL: 'warn',
      METATRON__RPC__LISTEN: '127.0.0.1:0',
      METATRON__P2P__LISTEN: '127.0.0.1:0',
      METATRON__EVM__LISTEN: '127.0.0.1:0',
    };
    expect((await metatron(['keys', 'add', 'alice', '--keys', keys], env)).code).to.equal(0);
    const made = await metatron(['init', '--home', home, '--keys', keys, '--account', 'alice']);
    const fee = /--from alice --fee (\S+)/.exec(made.stdout)?.[1] ?? '';
    const node = launch(['start', '--home', home, '--json'], env);
    const { rpc } = JSON.parse(await node.firstLine()) as { rpc: string };
    await reaches(rpc, 1);
    const put = ['memory', 'put', 'hello', '--from', 'alice', '--keys', keys, '--node', rpc];
    const free = await metatron([...put, '--json'], env);
    expect(free.code).to.equal(1);
    expect(free.stderr).to.match(/insufficient fees.*required: \d+aphi/);
    const paid = await metatron([...put, '--fee', fee, '--json'], env);
    expect(paid.code, paid.stderr).to.equal(0);
    node.kill('SIGTERM');
    expect(await node.ended, node.output.stderr).to.equal(0);
  });
});

describe('what users get wrong', function () {
  this.timeout(240_000);
  const folder = temporaryFolder();
  after(() => folder.remove());

  it('names a port that is in use, and the way out', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const args = ['devnet', '--home', folder.path, '--base-port', String(port - 6), '--json'];
    const result = await metatron(args);
    server.close();
    expect(result.code).to.equal(1);
    expect(result.stdout).to.equal('');
    expect(result.stderr).to.match(new RegExp(`port ${port} is in use.*--base-port`));
    expect(result.stderr).not.to.match(/\n\s+at /);
  });

  it('says what to do when no node answers, no home is there, or an option is wrong', async () => {
    const query = await metatron(['query', 'status', '--node', 'http://127.0.0.1:9']);
    expect(query.code).to.equal(1);
    expect(query.stderr).to.match(/cannot reach .*metatron devnet.*--node/);
    const start = await metatron(['start', '--home', `${folder.path}/none`]);
    expect(start.code).to.equal(1);
    expect(start.stderr).to.match(/metatron init/);
    const usage = await metatron(['devnet', '--validators', 'many']);
    expect(usage.code).to.equal(2);
    expect(usage.stderr).to.match(/a whole number from 1 to/);
    const unknown = await metatron(['devnett']);
    expect(unknown.code).to.equal(2);
    expect(unknown.stderr).to.match(/Did you mean devnet/);
  });
});
