/**
 * `npm test`: every suite in turn, one line of totals at the end.
 * `npm test unit process` runs the named suites only.
 *
 * Upholds: the last line is `N passed, M failed`, and the exit code is 1 if anything failed; a
 * suite that cannot start counts as one failure. A suite without tests of its own (types, pure,
 * style, layers, tables) counts as one.
 *
 * @module
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { stripVTControlCharacters } from 'node:util';

type Tally = { readonly passed: number; readonly failed: number };

type Suite = {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Counts what the suite's output tells; absent: the suite is one test. */
  readonly tally?: (output: string) => Tally;
};

function mochaTally(output: string): Tally {
  const count = (word: string): number =>
    Number([...output.matchAll(new RegExp(`^ *(\\d+) ${word}`, 'gm'))].at(-1)?.[1] ?? 0);
  return { passed: count('passing'), failed: count('failing') };
}

function simTally(output: string): Tally {
  const seeds = Number(/"seeds":(\d+)/.exec(output)?.[1] ?? 0);
  const violations = Number(/"violations":(\d+)/.exec(output)?.[1] ?? 0);
  return { passed: seeds - violations, failed: violations };
}

const JOBS = String(availableParallelism());
const METATRON = 'node/bin/metatron.mjs';

const SUITES: readonly Suite[] = [
  { name: 'types', command: 'tsc', args: ['--project', '.'] },
  { name: 'pure', command: 'tsc', args: ['--project', 'tsconfig.pure.json'] },
  { name: 'style', command: 'biome', args: ['ci', '--reporter=summary', '.'] },
  { name: 'layers', command: 'node', args: ['scripts/tidy.ts'] },
  { name: 'tables', command: 'node', args: ['scripts/error-table.ts', '--check'] },
  {
    name: 'solidity',
    command: 'solhint',
    args: ['--disc', '--max-warnings', '0', 'contracts/**/*.sol'],
  },
  { name: 'contracts', command: 'hardhat', args: ['test', 'solidity'], tally: mochaTally },
  {
    name: 'unit',
    command: 'mocha',
    args: ['--parallel', '--jobs', JOBS, '--ignore', 'test/process/**', 'test/**/*.test.ts'],
    tally: mochaTally,
  },
  {
    name: 'sim',
    command: 'node',
    args: [METATRON, 'sim', '--seeds', '200', '--json'],
    tally: simTally,
  },
  { name: 'process', command: 'mocha', args: ['test/process/**/*.test.ts'], tally: mochaTally },
];

type Outcome = Tally & { readonly ok: boolean };

function run({ command, args, tally }: Suite): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    // Through a pipe and with this set, Hardhat neither fetches its banner nor reports usage.
    const env = { ...process.env, HARDHAT_DISABLE_TELEMETRY: 'true' };
    const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      process.stdout.write(chunk);
    });
    child.once('error', reject);
    child.once('close', (status) => {
      const ok = status === 0;
      const told = tally?.(stripVTControlCharacters(text)) ?? { passed: ok ? 1 : 0, failed: 0 };
      resolve({ ok, passed: told.passed, failed: ok ? told.failed : Math.max(1, told.failed) });
    });
  });
}

const chosen = process.argv.slice(2);
const strangers = chosen.filter((name) => !SUITES.some((suite) => suite.name === name));
if (strangers.length > 0) {
  console.error(
    `no suite ${strangers.join(', ')}; there are: ${SUITES.map((s) => s.name).join(' ')}`,
  );
  process.exit(2);
}
if (!existsSync('node_modules')) {
  console.error('run "npm ci" first');
  process.exit(2);
}

let passed = 0;
let failed = 0;
const broken: string[] = [];
for (const suite of SUITES) {
  if (chosen.length > 0 && !chosen.includes(suite.name)) continue;
  const start = performance.now();
  console.log(`\n── ${suite.name}`);
  const outcome = await run(suite);
  passed += outcome.passed;
  failed += outcome.failed;
  if (!outcome.ok) broken.push(suite.name);
  const seconds = ((performance.now() - start) / 1_000).toFixed(1);
  console.log(`── ${suite.name}: ${outcome.ok ? 'ok' : 'FAILED'}, ${seconds} s`);
}
if (broken.length > 0) console.log(`\nfailed: ${broken.join(', ')}`);
console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = broken.length > 0 ? 1 : 0;
