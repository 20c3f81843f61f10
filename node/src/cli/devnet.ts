/**
 * `metatron devnet`: a chain of several validators on this machine.
 *
 * Upholds: with `--json` exactly one line on stdout, when every validator has committed block 1.
 *
 * @module
 */
import { join, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import type { DevnetSummary } from '../ops/devnet.ts';
import { validatorCount } from './node-commands.ts';
import { DEVNET_HOME, homeOption, jsonOption, wholeNumber } from './options.ts';
import { note, printResult, progress, table } from './output.ts';

type DevnetOptions = {
  readonly home: string;
  readonly validators?: number;
  readonly basePort?: number;
  readonly app?: 'ledger' | 'kvstore';
  readonly chainId?: string;
  readonly genesis?: string;
  readonly fresh?: true;
  readonly json?: true;
};

function picture(summary: DevnetSummary): string {
  const nodes = summary.nodes.map((n) => [n.moniker, String(n.pid), n.rpc, n.evm, n.p2p]);
  const accounts = summary.accounts.map((a) => [a.name, a.address, a.evmAddress]);
  const lines = [
    `chain ${summary.chainId} in ${summary.home}`,
    '',
    table([['node', 'pid', 'rpc, api', 'evm', 'p2p'], ...nodes]),
  ];
  if (accounts.length > 0) {
    lines.push('', table([['account', 'address', 'evm address'], ...accounts]));
    lines.push(`mnemonics and private keys (hex without 0x): ${summary.home}/devnet.json`);
  }
  return lines.join('\n');
}

async function devnet(options: DevnetOptions): Promise<void> {
  const [{ prepareDevnet }, { runDevnet }, { FileLock }, { makeFolder }, { readNamedGenesis }] =
    await Promise.all([
      import('../ops/devnet-plan.ts'),
      import('../ops/devnet.ts'),
      import('../../state/lock-file.ts'),
      import('../ops/home.ts'),
      import('../ops/named-file.ts'),
    ]);
  const genesis = options.genesis === undefined ? undefined : readNamedGenesis(options.genesis);
  const home = resolve(options.home);
  makeFolder(home);
  const lock = FileLock.acquire(join(home, 'devnet.lock'));
  process.once('exit', () => lock.release());
  const abort = new AbortController();
  const asked = new Promise<void>((done) => {
    abort.signal.addEventListener('abort', () => done());
  });
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => abort.abort());
  }
  const plan = await prepareDevnet({
    home,
    validators: options.validators,
    basePort: options.basePort,
    app: options.app,
    chainId: options.chainId,
    genesis,
    fresh: options.fresh === true,
    now: BigInt(Date.now()) * 1_000_000n,
    overrides: {},
  });
  const line = progress();
  const events = {
    died: (moniker: string, how: string, log: string) =>
      note(`${moniker} ended (${how}); the others go on; log: ${log}`),
    progress: (text: string) => line.update(text),
  };
  const running = await runDevnet(plan, events, abort.signal).catch((thrown: unknown) => {
    if (abort.signal.aborted) return undefined;
    throw thrown;
  });
  line.end();
  if (running === undefined) return;
  printResult(options.json === true, running.summary, () => picture(running.summary));
  if (options.json !== true) note('\nStop it with Ctrl-C.');
  await Promise.race([asked, running.ended]);
  await running.stop();
}

/** Adds `devnet`. */
export function registerDevnet(program: Command): void {
  program
    .command('devnet')
    .description('run a chain of several validators on this machine')
    .option('--validators <n>', 'how many (default: 4, or as the home has)', validatorCount)
    .addOption(homeOption(DEVNET_HOME, 'folder of the devnet; made if it is not there'))
    .option(
      '--base-port <port>',
      'node 0 listens on port+6 (p2p), +7 (rpc, api) and +8 (evm), node 1 on +16 …; 0 takes free ' +
        'ports (default: 26650, or as the home has)',
      wholeNumber(0, 65_000),
    )
    .addOption(
      new Option('--app <app>', 'the application (default: ledger, or as the home has)').choices([
        'ledger',
        'kvstore',
      ]),
    )
    .option('--chain-id <id>', 'id of a new chain (default: metatron-devnet- and 8 random digits)')
    .option('--genesis <file>', 'take parameters and state of a new chain from this genesis')
    .option('--fresh', 'forget the chain in this home: new validator keys and chain id; same ports')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nExamples:\n  metatron devnet\n  metatron devnet --home ./net --base-port 0 --json\n' +
        '  metatron devnet --app kvstore --validators 7 --fresh',
    )
    .action(devnet);
}
