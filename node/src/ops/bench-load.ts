/**
 * The load generator: a process of its own, so that its work is not counted as the validators'.
 *
 * Upholds: transactions are made, connections open, events subscribed to and the nodes warmed up
 * before `sending` is told, which is when the clock starts.
 *
 * @module
 */
import { WebSocket } from 'ws';
import { describe } from '../base/errors.ts';
import { prepareTxs } from './bench-prepare.ts';
import { Load, type LoadReport, type SendSpec } from './bench-sender.ts';
import type { BenchLoad } from './bench-txs.ts';

/** What the load generator is told. */
export type LoadSpec = BenchLoad &
  SendSpec & {
    /** `http://…` of every node's RPC. */
    readonly nodes: readonly string[];
  };

/** Messages from the load generator to its parent. */
export type LoadMessage =
  | { readonly kind: 'progress'; readonly text: string }
  | { readonly kind: 'sending' }
  | { readonly kind: 'done'; readonly report: LoadReport }
  | { readonly kind: 'failed'; readonly reason: string };

function connect(url: string): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const address = `${url.replace(/^http/, 'ws')}/websocket`;
    const socket = new WebSocket(address, { perMessageDeflate: false });
    socket.once('open', () => resolve(socket));
    socket.once('error', reject);
  });
}

function tell(message: LoadMessage): void {
  process.send?.(message);
}

async function main(spec: LoadSpec): Promise<void> {
  const txs = await prepareTxs(spec, (text) => tell({ kind: 'progress', text }));
  const sockets = await Promise.all(spec.nodes.map(connect));
  const load = new Load(spec, txs, sockets);
  await load.subscribe();
  await load.warmUp();
  tell({ kind: 'sending' });
  const report = await load.run();
  for (const socket of sockets) socket.terminate();
  tell({ kind: 'done', report });
}

process.on('disconnect', () => process.exit());
process.once('message', (spec: LoadSpec) => {
  main(spec).catch((thrown: unknown) => tell({ kind: 'failed', reason: describe(thrown) }));
});
