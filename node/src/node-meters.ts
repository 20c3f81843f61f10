/**
 * What a node measures of its own beside CometBFT's metrics: its second opinion and the threads for
 * calls, under the prefix `metatron`.
 *
 * @module
 */
import type { Opinion } from './ledger/evm/second-opinion/opinion.ts';
import type { CallThreads } from './node-calls.ts';
import type { Meter } from './rpc/metrics.ts';

/** The numbers of a second opinion. */
export function opinionMeters(opinion: Opinion): readonly Meter[] {
  const meter = (kind: Meter['kind'], name: string, help: string, read: () => number): Meter => {
    return { kind, name: `metatron_second_opinion_${name}`, help, read };
  };
  const { counts } = opinion;
  return [
    meter('gauge', 'blocks_behind', 'Blocks that wait to be compared.', () => opinion.behind),
    meter(
      'counter',
      'blocks',
      "Blocks compared; the ledger's own calls of a height are one by themselves.",
      () => counts.blocks,
    ),
    meter('counter', 'runs', 'Runs of compared blocks.', () => counts.runs),
    meter(
      'counter',
      'unmirrored_runs',
      'Runs of compared blocks that the second EVM cannot follow.',
      () => counts.unmirrored,
    ),
    meter(
      'counter',
      'dropped_blocks',
      'Blocks that were not compared, being too far behind.',
      () => counts.dropped,
    ),
    meter('counter', 'differences', 'Blocks on which the EVMs differ.', () => counts.differences),
    meter('counter', 'seconds', 'Seconds spent comparing.', () => counts.seconds),
    meter('counter', 'mirrors', 'Chains of the second EVM begun.', () => counts.mirrors),
  ];
}

/** The numbers of the threads that run calls. */
export function callMeters(calls: CallThreads): readonly Meter[] {
  const meter = (kind: Meter['kind'], name: string, help: string, read: () => number): Meter => {
    return { kind, name: `metatron_eth_calls_${name}`, help, read };
  };
  return [
    meter('gauge', 'running', 'Calls that threads run.', () => calls.running),
    meter('gauge', 'waiting', 'Calls that wait for a thread.', () => calls.waiting),
    meter('counter', 'timed_out', 'Calls ended by evm.callTimeoutMs.', () => calls.timedOut),
  ];
}
