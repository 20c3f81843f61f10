/**
 * Transactions and rule calls per second of the EVM benchmark.
 *
 * @module
 */

/** Figures by name. */
export function rates(): Promise<object> {
  return Promise.resolve({});
}
