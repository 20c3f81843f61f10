/**
 * An engine whose runs wait for one another: a query that runs code may come while a block runs.
 *
 * Upholds: runs begin in the order in which they were asked for, each when the one before has
 * ended, whichever way; a run that fails fails for its caller alone.
 *
 * @module
 */
import type { EvmEngine } from '../evm/types.ts';

/** The engine, one run at a time. */
export function exclusive(engine: EvmEngine): EvmEngine {
  let last: Promise<unknown> = Promise.resolve();
  const alone = <T>(run: () => Promise<T>): Promise<T> => {
    const next = last.then(run, run);
    last = next;
    return next;
  };
  return {
    execute: (...args) => alone(() => engine.execute(...args)),
    call: (...args) => alone(() => engine.call(...args)),
    createAt: (...args) => alone(() => engine.createAt(...args)),
  };
}
