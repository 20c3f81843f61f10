/**
 * `metatron sim`: the real engine in a simulated network, from seeds.
 *
 * Upholds: a violation ends with its seed, the shortest story that shows it, and exit code 1.
 *
 * @module
 */
import type { Command } from 'commander';
import { jsonOption, wholeNumber } from './options.ts';
import { EXIT, printResult, progress } from './output.ts';

type Options = {
  readonly seeds: number;
  readonly from: number;
  readonly nodes?: number;
  readonly json?: true;
};

type Violation = { readonly seed: number; readonly story: unknown };
type Report = {
  readonly seeds: number;
  readonly heights: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly violations: number;
  readonly violation?: Violation;
};
type Simulator = {
  runSeeds(spec: {
    readonly seeds: number;
    readonly from: number;
    readonly nodes: number | undefined;
    readonly progress: (done: number) => void;
  }): Promise<Report>;
};

async function sim(options: Options): Promise<void> {
  const file = new URL('../../../test/sim/run.ts', import.meta.url).href;
  const { runSeeds } = (await import(file)) as Simulator;
  const line = progress();
  const report = await runSeeds({
    seeds: options.seeds,
    from: options.from,
    nodes: options.nodes,
    progress: (done) => line.update(`seed ${done} of ${options.seeds}`),
  });
  line.end();
  if (report.violations > 0) process.exitCode = EXIT.refused;
  printResult(options.json === true, report, () => JSON.stringify(report, null, 2));
}

/** Adds `sim`. */
export function registerSim(program: Command): void {
  program
    .command('sim')
    .description('run the engine in a simulated network with faults')
    .option('--seeds <n>', 'how many seeds', wholeNumber(1, 10_000_000), 200)
    .option('--from <seed>', 'first seed', wholeNumber(0, 2 ** 31), 1)
    .option('--nodes <n>', 'nodes per network (default: the seed decides)', wholeNumber(1, 16))
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nExamples:\n  metatron sim --seeds 2000 --json\n  metatron sim --seeds 1 --from 1234',
    )
    .action(sim);
}
