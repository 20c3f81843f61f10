/**
 * Secrets from the person at the terminal, or from the environment of a script.
 *
 * Upholds: what is typed is not shown; a passphrase is never an argument, which other processes
 * could read. METATRON_PASSPHRASE serves scripts.
 *
 * @module
 */
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { type ErrorSpec, errorSpec, LedgerError } from '../base/errors.ts';

/** Refusals. */
export const errors: {
  readonly NoTerminal: ErrorSpec<{ readonly what: string; readonly variable: string }>;
  readonly Mismatch: ErrorSpec<object>;
} = {
  NoTerminal: errorSpec(
    'passphrase',
    1,
    'client',
    (p) => `no terminal to ask for the ${p.what}: set ${p.variable}`,
  ),
  Mismatch: errorSpec('passphrase', 2, 'client', () => 'the two passphrases differ'),
};

async function askHidden(question: string): Promise<string> {
  process.stderr.write(question);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const reader = createInterface({ input: process.stdin, output: silent, terminal: true });
  try {
    return await reader.question('');
  } finally {
    reader.close();
    process.stderr.write('\n');
  }
}

/** A secret from `variable` or the terminal. @throws LedgerError passphrase/1 */
export async function secret(what: string, variable: string): Promise<string> {
  const given = process.env[variable];
  if (given !== undefined) return given;
  if (process.stdin.isTTY !== true) throw new LedgerError(errors.NoTerminal, { what, variable });
  return await askHidden(`${what}: `);
}

/** The passphrase of an existing key. @throws LedgerError passphrase/1 */
export function askPassphrase(): Promise<string> {
  return secret('passphrase', 'METATRON_PASSPHRASE');
}

/** A passphrase for a new key, asked twice. @throws LedgerError passphrase/1 or /2 */
export async function newPassphrase(): Promise<string> {
  const first = await askPassphrase();
  if (process.env['METATRON_PASSPHRASE'] !== undefined) return first;
  if ((await askHidden('again: ')) !== first) throw new LedgerError(errors.Mismatch, {});
  return first;
}
