/**
 * Two processes: messages there and back, a killed process, its return.
 *
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { expect } from 'chai';
import { u64be } from '../../node/src/base/bytes.ts';
import { CHANNEL } from '../../node/src/types/messages.ts';
import { startHost, stopAll } from './support.ts';

const CHILD = new URL('./child.ts', import.meta.url).pathname;

async function startChild(...args: string[]): Promise<[ChildProcess, string]> {
  const child = spawn(process.execPath, [CHILD, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout });
  const [address] = (await once(lines, 'line')) as [string];
  return [child, address];
}

describe('net: two processes', () => {
  let child: ChildProcess | undefined;
  afterEach(async () => {
    child?.kill('SIGKILL');
    await stopAll();
  });

  it('exchanges messages, survives a kill, and meets the process that comes back', async () => {
    const [first, address] = await startChild();
    child = first;
    const limits = { backoffBaseMs: 20, backoffMaxMs: 100 };
    const a = await startHost('a', { persistentPeers: [address], limits });
    await a.until(() => a.peers.size === 1, 'child joined');
    const [peer = ''] = a.peers;
    const votes = Array.from({ length: 1_000 }, (_, i) => u64be(i));
    for (const vote of votes) expect(a.host.send(peer, CHANNEL.vote, vote)).to.equal(true);
    await a.until(() => a.arrivals.length === votes.length, 'echo');
    expect(a.arrivals.map((arrival) => arrival.message)).to.deep.equal(votes);

    first.kill('SIGKILL');
    await a.until(() => a.peers.size === 0, 'killed child left');
    [child] = await startChild(address.replace(/\/p2p.*/, ''));
    await a.until(() => a.peers.has(peer), 'child joined again');
    a.arrivals.length = 0;
    expect(a.host.send(peer, CHANNEL.vote, u64be(7))).to.equal(true);
    await a.until(() => a.arrivals.length === 1, 'echo after the return');

    const ended = once(child, 'exit');
    child.stdin?.end();
    expect(await ended).to.deep.equal([0, null]);
    await a.until(() => a.peers.size === 0, 'child stopped');
    expect(a.lines.some((line) => line.includes('peer said: node is stopping'))).to.equal(true);
  });
});
