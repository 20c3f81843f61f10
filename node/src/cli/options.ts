/**
 * Options that commands share, and the readers of their values.
 *
 * Upholds: a value out of bounds is wrong usage (exit code 2), named with its bounds.
 *
 * @module
 */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { InvalidArgumentError, Option } from 'commander';
import { checkAddress } from '../ops/usage.ts';

/** Reads a whole number within bounds. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max) {
      throw new InvalidArgumentError(`a whole number from ${min} to ${max}, please`);
    }
    return value;
  };
}

/** Collects the values of an option that may be repeated. */
export function repeated(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

/** Reads an account's address, bech32 or 0x; `option` names it in the refusal. */
export function addressOf(option: string): (text: string) => string {
  return (text) => checkAddress(text, option);
}

/** Reads whose space is meant, an account's address, or the id of a space; `option` names it. */
export function ownerOf(option: string): (text: string) => string {
  return (text) =>
    /^[0-9a-fA-F]{64}$/.test(text) ? text.toLowerCase() : checkAddress(text, option);
}

/** Reads an entry's id. */
export function entryIdOf(text: string): string {
  if (/^[0-9a-fA-F]{64}$/.test(text)) return text;
  throw new InvalidArgumentError('an id has 64 hex digits, as "metatron memory put" prints it');
}

/** Reads a space's id. */
export function spaceIdOf(text: string): string {
  if (/^[0-9a-fA-F]{64}$/.test(text)) return text.toLowerCase();
  throw new InvalidArgumentError('a space has an id of 64 hex digits');
}

/** Where everything of this user lies: `~/.metatron`. */
export const BASE_FOLDER: string = join(homedir(), '.metatron');
/** The home of a single node. */
export const NODE_HOME: string = join(BASE_FOLDER, 'node');
/** The home of a devnet: one folder per validator. */
export const DEVNET_HOME: string = join(BASE_FOLDER, 'devnet');
/** The keystore. */
export const KEYS_FOLDER: string = join(BASE_FOLDER, 'keys');

/** Shortens the user's folder for help texts, which must not depend on the machine. */
export function shown(path: string): string {
  return path.startsWith(homedir()) ? `~${path.slice(homedir().length)}` : path;
}

/** `--home`, with its default shown independent of the machine. */
export function homeOption(initial: string, what: string): Option {
  return new Option('--home <dir>', what).default(initial, shown(initial));
}

/** `--json`. */
export function jsonOption(): Option {
  return new Option('--json', 'print the result as one JSON line');
}

/** `--abi`, to tell a contract's errors in words. */
export function abiOption(): Option {
  return new Option(
    '--abi <file>',
    "a contract's ABI or artifact, or a folder of them: tells its errors in words; may be repeated",
  )
    .argParser(repeated)
    .default([], 'none');
}

/** `--keys`, the keystore's folder. */
export function keysOption(): Option {
  return new Option('--keys <dir>', 'folder of the keystore').default(
    KEYS_FOLDER,
    shown(KEYS_FOLDER),
  );
}

/** `--node`, the RPC address that clients of a chain use. */
export function nodeOption(): Option {
  return new Option('--node <url>', 'RPC of a node')
    .env('METATRON_NODE')
    .default('http://127.0.0.1:26657');
}
