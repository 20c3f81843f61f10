/**
 * Peers that are slow, as on a machine with much else to do: they meet all the same.
 *
 * @module
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { expect } from 'chai';
import { dialsFirst } from '../../node/src/net/peers.ts';
import { meet, startHost, stopAll, type TestHost } from './support.ts';

/** Milliseconds that every piece of data is late: the exchange takes about 8 s with it. */
const LATE_MS = 700;

/** A way to a host that hands data on late, or takes it and never hands it on. */
class Link {
  readonly #server: Server;
  readonly #sockets: Set<Socket> = new Set();
  /** Resolves once somebody has connected. */
  readonly used: Promise<unknown>;

  constructor(server: Server) {
    this.#server = server;
    this.used = once(server, 'connection');
  }

  static async open(lateMs: number | undefined, to: () => TestHost | undefined): Promise<Link> {
    const server = createServer();
    const link = new Link(server);
    server.on('connection', (socket) => {
      link.#keep(socket);
      const target = to();
      if (lateMs === undefined || target === undefined) return;
      const onward = connect(portOf(target.address()), '127.0.0.1');
      link.#keep(onward);
      for (const [from, other] of [
        [socket, onward],
        [onward, socket],
      ] as const) {
        from.on('data', (data) => setTimeout(() => other.write(data), lateMs));
        from.on('close', () => other.destroy());
      }
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return link;
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => {});
  }

  /** The address of a host, by this way. */
  address(id: string): string {
    const { port } = this.#server.address() as AddressInfo;
    return `/ip4/127.0.0.1/tcp/${port}/p2p/${id}`;
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}

function portOf(address: string): number {
  return Number(/tcp\/(\d+)/.exec(address)?.[1]);
}

describe('net: slow peers', () => {
  const links: Link[] = [];
  afterEach(async () => {
    for (const link of links.splice(0)) link.close();
    await stopAll();
  });

  async function way(lateMs: number | undefined, to: () => TestHost | undefined): Promise<Link> {
    const link = await Link.open(lateMs, to);
    links.push(link);
    return link;
  }

  it('meet although every message is late, at the first try', async () => {
    const a = await startHost('a');
    const link = await way(LATE_MS, () => a);
    const b = await startHost('b', { persistentPeers: [link.address(a.host.id)] });
    await Promise.all([
      a.until(() => a.peers.has(b.host.id), 'peer joined', 18_000),
      b.until(() => b.peers.has(a.host.id), 'peer joined', 18_000),
    ]);
    expect(b.host.status().failedDials).to.equal(0);
    expect(b.lines.filter((line) => line.startsWith('peer left'))).to.deep.equal([]);
  }).timeout(20_000);

  it('let in a peer that dials while their own dial of it hangs', async () => {
    const hosts = [await startHost('a'), await startHost('b')] as const;
    const [x, y] = hosts;
    const [first, second] = dialsFirst(x.host.id, y.host.id) ? [x, y] : [y, x];
    const nowhere = await way(undefined, () => undefined);
    first.host.addAddress(nowhere.address(second.host.id));
    await nowhere.used;
    second.host.addAddress(first.address());
    await meet(first, second);
    const refused = hosts.flatMap(({ lines }) => lines.filter((line) => /duplicate/.test(line)));
    expect(refused).to.deep.equal([]);
  });

  it('are no way to take up all sockets: so many of one IP may be under way', async () => {
    const a = await startHost('a', { limits: { perIpPending: 2 } });
    const silent = Array.from({ length: 3 }, () => connect(portOf(a.address()), '127.0.0.1'));
    const ends = silent.map((socket) => {
      socket.on('error', () => {});
      socket.resume();
      return new Promise((resolve) => socket.on('close', resolve));
    });
    await Promise.race(ends);
    expect(silent.filter((socket) => socket.closed)).to.have.length(1);
    for (const socket of silent) socket.destroy();
    const b = await startHost('b', { persistentPeers: [a.address()] });
    await meet(a, b);
  });
});
