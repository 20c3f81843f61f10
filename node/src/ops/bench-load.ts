/**
 * The load generator for the nodes of a benchmark (bench-child.ts).
 *
 * Upholds: transactions are made, connections open, events subscribed to and the nodes warmed up
 * before `sending` is told, which is when the clock starts.
 *
 * @module
 */
import { WebSocket } from 'ws';
import { serveLoad } from './bench-child.ts';
import { prepareTxs } from './bench-prepare.ts';
import { Load, type LoadReport, type SendSpec } from './bench-sender.ts';
import type { BenchLoad } from './bench-txs.ts';

/** What the load generator is told. */
export type LoadSpec = BenchLoad &
  SendSpec & {
    /** `http://…` of every node's RPC. */
    readonly nodes: readonly string[];
  };

function connect(url: string): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const address = `${url.replace(/^http/, 'ws')}/websocket`;
    const socket = new WebSocket(address, { perMessageDeflate: false });
    socket.once('open', () => resolve(socket));
    socket.once('error', reject);
  });
}

serveLoad(async (spec: LoadSpec, { progress, sending }): Promise<LoadReport> => {
  const txs = await prepareTxs(spec, progress);
  const sockets = await Promise.all(spec.nodes.map(connect));
  const load = new Load(spec, txs, sockets);
  await load.subscribe();
  await load.warmUp();
  sending();
  const report = await load.run();
  for (const socket of sockets) socket.terminate();
  return report;
});
