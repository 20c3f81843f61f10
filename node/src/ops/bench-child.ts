/**
 * A load generator as a process of its own, so that its work is not counted as the nodes': how it
 * is started and what it tells.
 *
 * Upholds: a generator that fails, ends early or cannot start is a failure with its reason; it ends
 * with its parent.
 *
 * @module
 */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, type LedgerError } from '../base/errors.ts';

/** Messages from a load generator to its parent. */
type LoadMessage<R> =
  | { readonly kind: 'progress'; readonly text: string }
  | { readonly kind: 'sending' }
  | { readonly kind: 'done'; readonly report: R }
  | { readonly kind: 'failed'; readonly reason: string };

/** Who hears how far a load is. */
export type LoadListener = {
  progress(text: string): void;
  /** All is prepared, and the clock starts. */
  sending(): void;
};

/**
 * Has a generator send a load.
 *
 * @param file - of the generator, from this folder; it calls `serveLoad`
 * @param failed - the refusal for the reason why there is no report
 */
export function runLoad<R>(
  file: string,
  spec: object,
  listener: LoadListener,
  failed: (reason: string) => LedgerError,
): Promise<R> {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(new URL(file, import.meta.url)), {
      serialization: 'advanced',
    });
    const fail = (reason: string): void => {
      child.kill('SIGKILL');
      reject(failed(reason));
    };
    child.on('message', (message: LoadMessage<R>) => {
      if (message.kind === 'progress') listener.progress(message.text);
      else if (message.kind === 'sending') listener.sending();
      else if (message.kind === 'failed') fail(message.reason);
      else {
        resolve(message.report);
        child.disconnect();
      }
    });
    child.once('error', (error) => fail(error.message));
    child.once('exit', (code) => fail(`exit code ${code}`));
    child.send(spec);
  });
}

/** What a generator does when it is started: one load, for the parent that asks for it. */
export function serveLoad<S, R>(run: (spec: S, listener: LoadListener) => Promise<R>): void {
  const tell = (message: LoadMessage<R>): void => {
    process.send?.(message);
  };
  const listener: LoadListener = {
    progress: (text) => tell({ kind: 'progress', text }),
    sending: () => tell({ kind: 'sending' }),
  };
  process.on('disconnect', () => process.exit());
  process.once('message', (spec: S) => {
    run(spec, listener).then(
      (report) => tell({ kind: 'done', report }),
      (thrown: unknown) => tell({ kind: 'failed', reason: describe(thrown) }),
    );
  });
}
