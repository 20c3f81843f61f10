/**
 * Measures the EVM alone: `npx node scripts/bench-evm.ts [--gas N] [--only TEXT] [--rates]`.
 *
 * Prints one line of JSON: seconds of CPU for 30M gas of each operation, precompile and known
 * attack, worst first; with `--rates` transactions and batched calls per second. State is a map, so
 * that storage does not count. Not part of the tests.
 *
 * @module
 */
import { parseArgs } from 'node:util';
import { cases } from './bench-evm/cases.ts';
import { rates } from './bench-evm/rates.ts';
import { secondsFor } from './bench-evm/run.ts';

const { values: options } = parseArgs({
  options: {
    gas: { type: 'string', default: '2000000' },
    only: { type: 'string', default: '' },
    rates: { type: 'boolean', default: false },
  },
});

const chosen = (await cases()).filter(({ name }) => name.includes(options.only));
const seconds: [string, number][] = [];
for (const one of chosen) {
  seconds.push([one.name, await secondsFor(one, BigInt(options.gas))]);
}
seconds.sort(([, a], [, b]) => b - a);
console.log(
  JSON.stringify({
    secondsPer30MGas: Object.fromEntries(seconds),
    ...(options.rates ? await rates() : {}),
  }),
);
