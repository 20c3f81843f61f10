/**
 * `metatron bench`: how fast a devnet on this machine is.
 *
 * @module
 */
import { type Command, Option } from 'commander';
import type { BenchResult } from '../ops/bench.ts';
import type { BenchApp } from '../ops/bench-txs.ts';
import { wrongUsage } from '../ops/usage.ts';
import { validatorCount } from './node-commands.ts';
import { jsonOption, wholeNumber } from './options.ts';
import { EXIT, printResult, progress, table } from './output.ts';

type Options = {
  readonly app: BenchApp;
  readonly validators: number;
  readonly rate: number;
  readonly seconds: number;
  readonly warmup?: number;
  readonly size?: number;
  readonly opsPerTx: number;
  readonly home?: string;
  readonly profile?: string;
  readonly compare?: true;
  readonly ethCalls: number;
  readonly secondOpinion: BenchResult['secondOpinion'];
  readonly json?: true;
};

const APPS: readonly BenchApp[] = ['memory', 'kvstore', 'evm-transfer', 'evm-erc20'];

/** Bytes per write if not said: a signed write of 32 bytes is a transaction of 275. */
const SIZE: Readonly<Record<BenchApp, number>> = {
  memory: 32,
  kvstore: 64,
  'evm-transfer': 0,
  'evm-erc20': 0,
};

/** Seconds of warm-up where latency is measured: what has just started compiles its code. */
const WARMUP_SECONDS = 20;

function comparison(other: BenchResult['compare']): [string, string][] {
  if (other === undefined) return [];
  const { tool, version, txPerSecond, committed, sent, blockMs } = other;
  return [
    [`${tool} ${version}, a block every ${blockMs} ms`, `${txPerSecond} transactions per second`],
    ['committed there, of sent', `${committed}, of ${sent}`],
  ];
}

function calls(beside: BenchResult['ethCalls']): [string, string][] {
  if (beside === undefined) return [];
  const { parallel, answered, refused } = beside;
  return [[`endless calls, ${parallel} at a time`, `${answered} stopped, ${refused} turned away`]];
}

async function bench(options: Options): Promise<void> {
  const isEvm = options.app.startsWith('evm-');
  if (options.compare && !isEvm) wrongUsage('--compare is for --app evm-transfer and evm-erc20');
  if (options.ethCalls > 0 && options.app === 'kvstore') {
    wrongUsage('--eth-calls is for the ledger: --app memory, evm-transfer, evm-erc20');
  }
  if (isEvm && options.opsPerTx > 1) wrongUsage('--ops-per-tx is for --app memory');
  if (isEvm && options.size !== undefined) wrongUsage('--size is for --app memory and kvstore');
  const { runBench } = await import('../ops/bench.ts');
  const line = progress();
  const result = await runBench({
    ...options,
    size: options.size ?? SIZE[options.app],
    warmup: options.warmup ?? (options.rate === 0 ? 0 : WARMUP_SECONDS),
    home: options.home,
    profile: options.profile,
    compare: options.compare === true,
    now: BigInt(Date.now()) * 1_000_000n,
    progress: (text) => line.update(text),
  });
  line.end();
  if (result.committed === 0) process.exitCode = EXIT.refused;
  printResult(options.json === true, result, () =>
    table([
      ['transactions per second', String(result.txPerSecond)],
      ['operations per second', String(result.opsPerSecond)],
      ['latency p50, p95, p99 (ms)', Object.values(result.latencyMs).join(', ')],
      ['committed, of sent', `${result.committed}, of ${result.sent}`],
      ['rejected', String(result.rejected)],
      ['blocks', String(result.blocks)],
      ['bytes of a transaction', String(result.txBytes)],
      ['seconds', String(result.seconds)],
      ['processor seconds, validators', String(result.cpuSeconds)],
      ['processor seconds, load', String(result.loadCpuSeconds)],
      ['memory of a validator, peak, at the end (MiB)', `${result.peakRssMiB}, ${result.rssMiB}`],
      ...result.reasons.map((reason) => ['refusal', reason]),
      ...calls(result.ethCalls),
      ...comparison(result.compare),
    ]),
  );
}

/** Adds `bench`. */
export function registerBench(program: Command): void {
  program
    .command('bench')
    .description('measure a devnet of its own on this machine')
    .addOption(new Option('--app <app>', 'what to write').choices(APPS).default('memory'))
    .option('--validators <n>', 'how many', validatorCount, 4)
    .option(
      '--rate <n>',
      'transactions a second; 0: as many as there can be',
      (text: string) => wholeNumber(0, 1_000_000)(text),
      0,
    )
    .option('--seconds <s>', 'how long to send', wholeNumber(1, 3_600), 20)
    .option(
      '--warmup <s>',
      'seconds of moderate load before the clock starts ' +
        `(default: 0, or ${WARMUP_SECONDS} with --rate)`,
      wholeNumber(0, 3_600),
    )
    .option(
      '--size <bytes>',
      'bytes of content per write, or of a kvstore transaction (default: ' +
        `${SIZE.memory}, or ${SIZE.kvstore} for kvstore)`,
      wholeNumber(16, 65_536),
    )
    .option('--ops-per-tx <n>', 'writes per transaction', wholeNumber(1, 500), 1)
    .option('--home <dir>', 'keep the devnet here (default: a temporary folder)')
    .option('--profile <dir>', "write each validator's processor profile here")
    .addOption(
      new Option('--second-opinion <mode>', 'as evm.secondOpinion of a node')
        .choices(['halt', 'report', 'off'])
        .default('halt'),
    )
    .option(
      '--eth-calls <n>',
      'endless calls of the EVM that are kept open meanwhile, spread over the nodes',
      wholeNumber(0, 10_000),
      0,
    )
    .option('--compare', 'give `hardhat node` the same load afterwards; for the EVM')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nA signed single write takes about 245 bytes besides its content: contents of 16 to 54\n' +
        'bytes make transactions of 250 to 300 bytes. ' +
        `The default of ${SIZE.memory} makes 275.\n` +
        '\nExamples:\n  metatron bench --json\n' +
        '  metatron bench --rate 5 --seconds 30    idle latency\n' +
        '  metatron bench --ops-per-tx 50\n  metatron bench --app kvstore --size 250\n' +
        '  metatron bench --app evm-erc20 --compare    tokens, beside hardhat node',
    )
    .action(bench);
}
