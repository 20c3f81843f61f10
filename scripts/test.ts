/**
 * `npm test`: types, lint, layers, unit tests; one line of totals at the end.
 * `npm test unit` runs the named suites only.
 *
 * @module
 */
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { stripVTControlCharacters } from 'node:util';

type Outcome = { readonly ok: boolean; readonly passed: number; readonly failed: number };

const SUITES: readonly (readonly [name: string, command: string, ...args: string[]])[] = [
  ['types', 'tsc', '--project', '.'],
  ['style', 'biome', 'ci', '--reporter=summary', '.'],
  ['unit', 'mocha', '--parallel', '--jobs', String(availableParallelism()), 'test/**/*.test.ts'],
];

function run(command: string, args: readonly string[]): Promise<Outcome> {
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
      const plain = stripVTControlCharacters(text);
      // The last such line is the suite's own total; Hardhat prints one for each runner before it.
      const count = (word: string): number =>
        Number([...plain.matchAll(new RegExp(`^ *(\\d+) ${word}`, 'gm'))].at(-1)?.[1] ?? 0);
      resolve({ ok: status === 0, passed: count('passing'), failed: count('failing') });
    });
  });
}

let passed = 0;
let failed = 0;
const broken: string[] = [];
const chosen = process.argv.slice(2);
for (const [name, command, ...args] of SUITES) {
  if (chosen.length > 0 && !chosen.includes(name)) continue;
  const start = performance.now();
  console.log(`\n── ${name}`);
  const outcome = await run(command, args);
  passed += outcome.passed;
  // A suite that could not start counts as one failure.
  failed += outcome.ok ? outcome.failed : Math.max(1, outcome.failed);
  if (!outcome.ok) broken.push(name);
  console.log(
    `── ${name}: ${outcome.ok ? 'ok' : 'FAILED'}, ${Math.round(performance.now() - start)} ms`,
  );
}
if (broken.length > 0) console.log(`\nfailed: ${broken.join(', ')}`);
console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = broken.length > 0 ? 1 : 0;
