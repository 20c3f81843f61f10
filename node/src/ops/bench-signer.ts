/**
 * The thread that makes transactions of a benchmark, a chunk for each order.
 *
 * Used by: `bench-prepare.ts`.
 *
 * @module
 */
import { parentPort, workerData } from 'node:worker_threads';
import { present } from '../base/errors.ts';
import { type BenchLoad, type BenchTx, txMaker } from './bench-txs.ts';

/** Which transactions to make: from `from` to before `to`. */
export type ChunkOrder = { readonly from: number; readonly to: number };

/** Transactions whose frames lie in one buffer, each up to its `end`. */
export type Chunk = {
  readonly from: number;
  readonly frames: ArrayBuffer;
  readonly txs: readonly (Omit<BenchTx, 'frame'> & { readonly end: number })[];
};

function chunkOf(from: number, made: readonly BenchTx[]): Chunk {
  const frames = new Uint8Array(made.reduce((sum, tx) => sum + tx.frame.length, 0));
  let end = 0;
  const txs = made.map(({ frame, ...tx }) => {
    frames.set(frame, end);
    end += frame.length;
    return { ...tx, end };
  });
  return { from, frames: frames.buffer, txs };
}

const port = present(parentPort, 'parent of the thread');
const { load, run } = workerData as { readonly load: BenchLoad; readonly run: string };
const make = txMaker(load, run);

port.on('message', ({ from, to }: ChunkOrder) => {
  const made = Array.from({ length: to - from }, (_, i) => make(from + i));
  const chunk = chunkOf(from, made);
  port.postMessage(chunk, [chunk.frames]);
});
