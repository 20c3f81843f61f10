/**
 * Files that a user names on the command line.
 *
 * Upholds: one that cannot be read, or is not what the option wants, is wrong usage.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { attempt, LedgerError } from '../base/errors.ts';
import { parseGenesis } from '../types/genesis.ts';
import { wrongUsage } from './usage.ts';

const UNREADABLE: ReadonlyMap<unknown, string> = new Map([
  ['ENOENT', 'does not exist'],
  ['ENOTDIR', 'does not exist'],
  ['EISDIR', 'is a folder, not a file'],
  ['EACCES', 'may not be read by you'],
]);

/** Reads a file that a user named as `what`. @throws LedgerError usage/1 if it cannot be read */
export function named<T>(file: string, what: string, read: (file: string) => T): T {
  try {
    return read(file);
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    const problem = UNREADABLE.get(code);
    if (problem === undefined) throw cause;
    return wrongUsage(`${what}: ${file} ${problem}`, cause);
  }
}

/** Text of a file that a user named as `what`. @throws LedgerError usage/1 if it cannot be read */
export function readNamed(file: string, what: string): string {
  return named(file, what, (path) => readFileSync(path, 'utf8'));
}

/** Text of the genesis that a user named with `--genesis`. @throws LedgerError usage/1 */
export function readNamedGenesis(file: string): string {
  const text = readNamed(file, '--genesis');
  const genesis = attempt(() => parseGenesis(text));
  if (!(genesis instanceof LedgerError)) return text;
  const reason = genesis.message.replace(/^genesis: /, '');
  return wrongUsage(
    `--genesis: ${file} is no genesis document (${reason}); ` +
      "take the chain's genesis.json, in config/ of a node's home",
    genesis,
  );
}
