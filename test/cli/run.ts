/**
 * Runs a command in this process, and takes what it says.
 *
 * @module
 */
import { Command, CommanderError } from 'commander';
import { EXIT, fail } from '../../node/src/cli/output.ts';

/** How a command ended. */
export type Done = { readonly code: number; readonly stdout: string; readonly stderr: string };

type Write = typeof process.stdout.write;

/** Takes what is written to a stream until `restore`. */
function take(stream: { write: Write }): { text: string; restore(): void } {
  const { write } = stream;
  const taken = {
    text: '',
    restore: () => {
      stream.write = write;
    },
  };
  stream.write = (chunk: string | Uint8Array): boolean => {
    taken.text += String(chunk);
    return true;
  };
  return taken;
}

/** Runs `metatron ARGS` with the commands that `register` adds. */
export async function runCommand(
  register: (program: Command) => void,
  args: readonly string[],
): Promise<Done> {
  const program = new Command('metatron').exitOverride();
  register(program);
  const [stdout, stderr] = [take(process.stdout), take(process.stderr)];
  const before = process.exitCode;
  process.exitCode = EXIT.ok;
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (thrown) {
    if (thrown instanceof CommanderError) process.exitCode = EXIT.usage;
    else fail(thrown);
  } finally {
    stdout.restore();
    stderr.restore();
  }
  const code = Number(process.exitCode);
  process.exitCode = before;
  return { code, stdout: stdout.text, stderr: stderr.text };
}
