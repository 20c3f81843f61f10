/**
 * Makes the transactions of a benchmark on every core, before the clock starts.
 *
 * Upholds: the list is in order of index; every frame is a view of its chunk's one buffer, so that
 * a minute's transactions are a few hundred buffers and not a few hundred thousand.
 *
 * @module
 */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { type ErrorSpec, errorSpec, LedgerError } from '../base/errors.ts';
import type { Chunk, ChunkOrder } from './bench-signer.ts';
import type { BenchLoad, BenchTx } from './bench-txs.ts';

/** Why transactions could not be made. */
export const errors: { readonly NotMade: ErrorSpec<{ readonly reason: string }> } = {
  NotMade: errorSpec('bench', 3, 'node', (p) => `a signing thread stopped: ${p.reason}`),
};

/** Transactions that a thread makes at a time. */
const CHUNK = 500;
const MAX_THREADS = 8;

function toTxs(chunk: Chunk): readonly BenchTx[] {
  let start = 0;
  return chunk.txs.map(({ end, ...tx }) => {
    const frame = Buffer.from(chunk.frames, start, end - start);
    start = end;
    return { ...tx, frame };
  });
}

/**
 * All transactions of a load.
 *
 * @throws LedgerError bench/3
 */
export async function prepareTxs(
  load: BenchLoad,
  progress: (text: string) => void,
): Promise<readonly BenchTx[]> {
  const run = Math.trunc(performance.timeOrigin).toString(36);
  const chunks: (readonly BenchTx[])[] = [];
  let next = 0;
  let made = 0;
  const work = (worker: Worker): Promise<void> =>
    new Promise((resolve, reject) => {
      const stop = (reason: string): void => reject(new LedgerError(errors.NotMade, { reason }));
      const order = (): void => {
        const from = next;
        next = Math.min(from + CHUNK, load.count);
        if (from >= load.count) resolve();
        else worker.postMessage({ from, to: next } satisfies ChunkOrder);
      };
      worker.on('message', (chunk: Chunk) => {
        chunks[chunk.from / CHUNK] = toTxs(chunk);
        made += chunk.txs.length;
        progress(`signing: ${made}/${load.count}`);
        order();
      });
      worker.once('error', (error) => stop(error.message));
      worker.once('exit', (code) => stop(`exit code ${code}`));
      order();
    });
  const threads = Math.min(availableParallelism(), MAX_THREADS, Math.ceil(load.count / CHUNK));
  const file = new URL('./bench-signer.ts', import.meta.url);
  const workers = Array.from(
    { length: threads },
    () => new Worker(file, { workerData: { load, run } }),
  );
  try {
    await Promise.all(workers.map(work));
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
  return chunks.flat();
}
