/**
 * Makes the EVM of the ledger; the library behind it is loaded when it is first asked for.
 *
 * @module
 */
import type { EvmEngine, EvmPorts } from './types.ts';

/** An engine over these ports. */
export async function createEngine(ports: EvmPorts): Promise<EvmEngine> {
  const { Machine } = await import('./machine.ts');
  return Machine.create(ports);
}
