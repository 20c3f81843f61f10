/**
 * The `metatron` command: what there is, in the order of a newcomer's day.
 *
 * Upholds: starting a command loads only what that command needs, so each action imports its work
 * when it runs. Exit codes and channels are those of output.ts.
 *
 * @module
 */
import { Command, CommanderError } from 'commander';
import { registerBench } from './bench.ts';
import { registerDevnet } from './devnet.ts';
import { registerKeys } from './keys.ts';
import { registerMemory } from './memory.ts';
import { registerNode } from './node-commands.ts';
import { EXIT, fail } from './output.ts';
import { registerQuery } from './query.ts';
import { registerSim } from './sim.ts';
import { registerTx } from './tx.ts';
import { registerVerify } from './verify.ts';

/** The whole command line; exported for the tests of its help. */
export function createProgram(): Command {
  const program = new Command('metatron')
    .description('A BFT ledger node for the shared memory of AI agents')
    .version('0.1.0')
    .exitOverride()
    .showSuggestionAfterError()
    .showHelpAfterError('(add --help for the options and examples)')
    .addHelpText(
      'after',
      '\nStart here:\n  metatron devnet              four validators on this machine\n' +
        '  metatron memory put --help   write a memory\n' +
        '\nExit codes: 0 done, 1 refused, 2 wrong usage. Results on stdout, the rest on stderr.',
    );
  registerDevnet(program);
  registerNode(program);
  registerKeys(program);
  registerMemory(program);
  registerTx(program);
  registerQuery(program);
  registerVerify(program);
  registerBench(program);
  registerSim(program);
  return program;
}

/** Runs one command line. @returns the exit code, if it is decided already */
export async function run(argv: readonly string[]): Promise<void> {
  try {
    await createProgram().parseAsync(argv);
  } catch (thrown) {
    if (thrown instanceof CommanderError) {
      process.exitCode = thrown.exitCode === 0 ? EXIT.ok : EXIT.usage;
    } else {
      fail(thrown);
    }
  }
}

// A reader that went away (`metatron … | head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(EXIT.ok);
});

await run(process.argv);
