/**
 * Measures the EVM alone: `npx node scripts/bench-evm.ts [--gas N] [--only TEXT] [--rates] …`.
 *
 * Prints one line of JSON: seconds of CPU for 30M gas of each operation, precompile and known
 * attack, worst first, and of a block full of it; with `--rates` transactions and batched calls per
 * second. State is a map, so that storage does not count; `--cold N` measures blocks full of reads
 * from a database with N slots. Not part of the tests.
 *
 * @module
 */
import { parseArgs } from 'node:util';
import { evmBlockGas } from '../node/src/ledger/gas.ts';
import { cases } from './bench-evm/cases.ts';
import { coldFigures } from './bench-evm/cold.ts';
import { rates } from './bench-evm/rates.ts';
import { secondsFor } from './bench-evm/run.ts';

const { values: options } = parseArgs({
  options: {
    gas: { type: 'string', default: '2000000' },
    only: { type: 'string', default: '' },
    rates: { type: 'boolean', default: false },
    cold: { type: 'string', default: '0' },
  },
});

function perBlock(secondsPer30M: number): number {
  return Number(((secondsPer30M * evmBlockGas(0)) / 3e7).toFixed(2));
}

const chosen = (await cases()).filter(({ name }) => name.includes(options.only));
const seconds: [string, number][] = [];
for (const one of chosen) {
  seconds.push([one.name, await secondsFor(one, BigInt(options.gas))]);
}
seconds.sort(([, a], [, b]) => b - a);
console.log(
  JSON.stringify({
    secondsPer30MGas: Object.fromEntries(seconds),
    secondsPerBlock: Object.fromEntries(seconds.map(([name, s]) => [name, perBlock(s)])),
    ...(options.rates ? await rates() : {}),
    ...(Number(options.cold) > 0 ? { cold: await coldFigures(Number(options.cold)) } : {}),
  }),
);
