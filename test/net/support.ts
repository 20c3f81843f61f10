/**
 * Hosts for the tests of the network: real sockets on free ports, and what they told.
 *
 * Upholds: nothing waits for luck: `until` resolves on the event that makes its condition true.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import type { LogFields, Logger } from '../../node/src/base/logger.ts';
import { sodiumAead } from '../../node/src/crypto/aead.ts';
import { createHost, type Host } from '../../node/src/net/host.ts';
import type { HostOptions } from '../../node/src/net/options.ts';
import type { ChannelId } from '../../node/src/types/messages.ts';

/** A message that arrived. */
export type Arrival = {
  readonly peer: string;
  readonly channel: ChannelId;
  readonly message: Uint8Array;
};

/** A host and what it told. */
export type TestHost = {
  readonly host: Host;
  readonly peers: Set<string>;
  readonly arrivals: Arrival[];
  /** Log lines: the message and the reason field. */
  readonly lines: string[];
  readonly events: string[];
  onArrival: ((arrival: Arrival) => void) | undefined;
  /** Resolves once `condition` holds, looked at on each event of this host. */
  until(condition: () => boolean, what: string, timeoutMs?: number): Promise<void>;
  address(): string;
};

/** A seed that differs by name. */
export function seedOf(name: string): Uint8Array {
  return createHash('sha256').update(name).digest();
}

const running: TestHost[] = [];

/** Makes and starts a host. */
export async function startHost(
  name: string,
  options: Partial<HostOptions> = {},
): Promise<TestHost> {
  const watchers = new Set<() => void>();
  const changed = (): void => {
    for (const watch of [...watchers]) watch();
  };
  const lines: string[] = [];
  const note = (message: string, fields: LogFields = {}): void => {
    lines.push(`${message}: ${fields['reason'] ?? ''}`);
    queueMicrotask(changed);
  };
  const log: Logger = { debug: note, info: note, warn: note, error: note };
  const host = await createHost({
    seed: seedOf(name),
    chainId: 'net-test',
    genesisHash: seedOf('genesis'),
    appVersion: 1,
    softwareVersion: '0.1.0',
    moniker: name,
    listen: '/ip4/127.0.0.1/tcp/0',
    addressScope: 'loopback',
    log,
    aead: sodiumAead,
    ...options,
  });
  const test: TestHost = {
    host,
    peers: new Set(),
    arrivals: [],
    lines,
    events: [],
    onArrival: undefined,
    until: (condition, what, timeoutMs = 8_000) =>
      new Promise((resolve, reject) => {
        const watch = (): void => {
          if (!condition()) return;
          watchers.delete(watch);
          clearTimeout(timer);
          resolve();
        };
        const timer = setTimeout(() => {
          watchers.delete(watch);
          reject(new Error(`${name}: not within ${timeoutMs} ms: ${what}\n${lines.join('\n')}`));
        }, timeoutMs);
        watchers.add(watch);
        watch();
      }),
    address: () => host.listening()[0] ?? '',
  };
  await host.start({
    peerJoined: (peer) => {
      test.peers.add(peer);
      test.events.push(`joined ${peer}`);
      changed();
    },
    peerLeft: (peer) => {
      test.peers.delete(peer);
      test.events.push(`left ${peer}`);
      changed();
    },
    received: (peer, channel, message) => {
      const arrival = { peer, channel, message };
      if (test.onArrival === undefined) test.arrivals.push(arrival);
      else test.onArrival(arrival);
      changed();
    },
  });
  running.push(test);
  return test;
}

/** Stops every host a test started. */
export async function stopAll(): Promise<void> {
  await Promise.all(running.splice(0).map((test) => test.host.stop()));
}

/** Waits until two hosts have each other as peers. */
export async function meet(a: TestHost, b: TestHost): Promise<void> {
  await Promise.all([
    a.until(() => a.peers.has(b.host.id), 'peer joined'),
    b.until(() => b.peers.has(a.host.id), 'peer joined'),
  ]);
}

/** Two hosts, the second of which dialed the first. */
export async function pair(
  first: Partial<HostOptions> = {},
  second: Partial<HostOptions> = {},
): Promise<[TestHost, TestHost]> {
  const a = await startHost('a', first);
  const b = await startHost('b', { persistentPeers: [a.address()], ...second });
  await meet(a, b);
  return [a, b];
}
