/**
 * Commands about one node: `init`, `start`, `config`, `unsafe-reset`.
 *
 * Upholds: `start` stops on SIGTERM, on Ctrl-C, and when the process that started it goes away;
 * under a parent it leaves Ctrl-C to the parent. `unsafe-reset` keeps the signer's guard.
 *
 * @module
 */
import type { Command } from 'commander';
import type { RunningNode } from '../node.ts';
import { isHalt } from '../ops/halts.ts';
import { registerInit } from './init.ts';
import { homeOption, jsonOption, NODE_HOME, wholeNumber } from './options.ts';
import { EXIT, explain, note, printResult } from './output.ts';

type StartOptions = { readonly home: string; readonly json?: true };

/** Tells a parent process, if one started us over IPC. */
function tellParent(message: object): void {
  if (process.connected) process.send?.(message);
}

async function start(options: StartOptions): Promise<void> {
  const supervised = process.connected;
  let node: { stop(): Promise<void> } | undefined;
  let stopping = false;
  const stop = (): void => {
    if (stopping) return;
    stopping = true;
    // Whatever hangs, the process ends: what matters is durable already.
    setTimeout(() => process.exit(process.exitCode ?? EXIT.refused), 4_500).unref();
    Promise.resolve(node?.stop()).then(
      () => process.exit(),
      (thrown: unknown) => {
        note(`error: ${explain(thrown)}`);
        process.exit(EXIT.refused);
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', () => {
    if (!supervised) stop();
  });
  if (supervised) process.on('disconnect', stop);
  const failed = (cause: unknown): void => {
    note(`error: ${explain(cause)}`);
    process.exitCode = exitOf(cause);
    stop();
  };
  try {
    const running = await launch(options.home, failed);
    node = running;
    const { rpc, api, evm, p2p } = running;
    const ready = { pid: process.pid, rpc, api, evm, p2p };
    tellParent({ ready });
    if (options.json === true) printResult(true, ready, () => '');
    else note(`rpc ${rpc}\napi ${api}\nevm ${evm}\np2p ${p2p}\nStop it with Ctrl-C.`);
  } catch (thrown) {
    tellParent({ refused: explain(thrown) });
    note(`error: ${explain(thrown)}`);
    process.exit(exitOf(thrown));
  }
}

/** A node whose two EVMs differ has an exit code of its own. */
function exitOf(cause: unknown): number {
  return isHalt(cause) ? EXIT.differs : EXIT.refused;
}

async function launch(home: string, failed: (cause: unknown) => void): Promise<RunningNode> {
  const [{ loadConfig }, { homePaths, readHomeFile }, { startNode }] = await Promise.all([
    import('../config-file.ts'),
    import('../ops/home.ts'),
    import('../node.ts'),
  ]);
  const paths = homePaths(home);
  readHomeFile(paths, paths.config);
  const config = loadConfig(paths.config, process.env);
  return await startNode({ paths, config, failed });
}

type ResetOptions = { readonly home: string; readonly yes?: true; readonly json?: true };

async function reset(options: ResetOptions): Promise<void> {
  const { resetData } = await import('../ops/chain-home.ts');
  if (options.yes !== true) {
    note(`This deletes blocks and state in ${options.home}. Say --yes if you mean it.`);
    process.exitCode = EXIT.usage;
    return;
  }
  const removed = resetData(options.home);
  printResult(options.json === true, { home: options.home, removed }, () =>
    removed.length === 0
      ? 'there was nothing to remove'
      : `removed ${removed.join(', ')}; keys, configuration and the signer's guard are kept`,
  );
}

async function config(options: { readonly home: string; readonly markdown?: true; json?: true }) {
  const { configReference, loadConfig } = await import('../config-file.ts');
  if (options.markdown === true) {
    process.stdout.write(configReference());
    return;
  }
  const { homePaths, readHomeFile } = await import('../ops/home.ts');
  const paths = homePaths(options.home);
  readHomeFile(paths, paths.config);
  const value = loadConfig(paths.config, process.env);
  printResult(options.json === true, value, () => JSON.stringify(value, null, 2));
}

/** Adds `init`, `start`, `config` and `unsafe-reset`. */
export function registerNode(program: Command): void {
  registerInit(program);
  program
    .command('start')
    .description('run one node in the foreground')
    .addOption(homeOption(NODE_HOME, "the node's home"))
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  metatron start --home ./mynode --json')
    .action(start);
  program
    .command('config')
    .description('print the configuration in force')
    .addOption(homeOption(NODE_HOME, "the node's home"))
    .option('--markdown', 'print the reference of all keys instead')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nExamples:\n  METATRON__LOG__LEVEL=debug metatron config --home ./mynode\n' +
        '  metatron config --markdown > docs/config.md',
    )
    .action(config);
  program
    .command('unsafe-reset')
    .description("delete a node's blocks and state; keeps keys and the signer's guard")
    .addOption(homeOption(NODE_HOME, "the node's home"))
    .option('--yes', 'do it')
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  metatron unsafe-reset --home ./mynode --yes')
    .action(reset);
}

/** Bounds of `--validators`. */
export const validatorCount: (text: string) => number = wholeNumber(1, 32);
