/**
 * What commands say, and where: the result on stdout, everything else on stderr.
 *
 * Upholds: `--json` changes the form of the result, never the channel; a mistake of the user ends
 * in one sentence that says what to do, without a stack; a defect of ours shows its stack.
 * Text of others never steers a terminal: a cell or field is one line without control characters;
 * longer text keeps its line breaks and tabs. Content that goes to a pipe or file stays as it is.
 * Exit codes: 0 done, 1 refused, 2 wrong usage, 3 a node stopped because its EVMs differ.
 *
 * @module
 */
import { describe, InvariantViolation, LedgerError } from '../base/errors.ts';
import { errors as usage } from '../ops/usage.ts';

/** Exit codes. */
export const EXIT = { ok: 0, refused: 1, usage: 2, differs: 3 } as const;

// Controls (C0, DEL, C1), line and paragraph separators, and changes of the writing direction.
const STEERING = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

/** Shows control characters as escapes, such as `\x1b`; `lines` keeps line breaks and tabs. */
export function visible(text: string, form: 'line' | 'lines' = 'line'): string {
  return text.replace(STEERING, (char) => {
    if (form === 'lines' && (char === '\n' || char === '\t')) return char;
    const hex = char.charCodeAt(0).toString(16);
    return hex.length > 2 ? `\\u${hex.padStart(4, '0')}` : `\\x${hex.padStart(2, '0')}`;
  });
}

/** Prints a result: `value` as one JSON line, or `text` for people. */
export function printResult(json: boolean, value: unknown, text: () => string): void {
  const result = json ? JSON.stringify(value, plain) : text();
  const out = process.stdout.isTTY === true && !json ? visible(result, 'lines') : result;
  process.stdout.write(out.endsWith('\n') ? out : `${out}\n`);
}

function plain(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}

/** Prints a line for people, on stderr. */
export function note(text: string): void {
  process.stderr.write(`${visible(text, 'lines')}\n`);
}

/** Columns, padded; the first row is the head. */
export function table(cells: readonly (readonly string[])[]): string {
  const rows = cells.map((row) => row.map((cell) => visible(cell)));
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? 0, cell.length);
    });
  }
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd();
  return rows.map(line).join('\n');
}

/** A line of progress that rewrites itself on a terminal and is a line per report elsewhere. */
export type Progress = { update(text: string): void; end(): void };

/** Reports progress on stderr, at most every 100 ms on a terminal and every 2 s elsewhere. */
export function progress(): Progress {
  const terminal = process.stderr.isTTY === true;
  const everyMs = terminal ? 100 : 2_000;
  let last = terminal ? 0 : performance.now();
  let shown = false;
  return {
    update: (text) => {
      const now = performance.now();
      if (now - last < everyMs) return;
      last = now;
      shown = true;
      process.stderr.write(terminal ? `\r\u001b[2K${text}` : `${text}\n`);
    },
    end: () => {
      if (terminal && shown) process.stderr.write('\r\u001b[2K');
    },
  };
}

const SYSTEM: Readonly<Record<string, (path: string) => string>> = {
  EADDRINUSE: (p) =>
    `port ${p} is in use: stop what uses it, or choose another (config.json; devnet: --base-port)`,
  EACCES: (p) => `no permission for ${p}: fix its owner or mode, or choose another with --home`,
  EPERM: (p) => `no permission for ${p}: fix its owner or mode, or choose another with --home`,
  EROFS: (p) => `${p} is on a read-only file system: choose another with --home`,
  ENOSPC: (p) => `the disk is full (${p}): free some space and start again; nothing is lost`,
  EDQUOT: (p) => `the disk quota is used up (${p}): free some space and start again`,
  EFBIG: (p) => `a file may not grow further (${p}): raise the limit (ulimit -f) and start again`,
  EMFILE: () => 'too many open files: raise the limit (ulimit -n 4096) and start again',
  ENOENT: (p) => `${p} does not exist`,
  ENOTDIR: (p) => `${p} is not a folder`,
  EISDIR: (p) => `${p} is a folder, not a file`,
};

type SystemError = Error & {
  readonly code?: unknown;
  readonly path?: unknown;
  readonly port?: unknown;
  readonly address?: unknown;
};

function systemProblem(thrown: unknown): string | undefined {
  for (let at: unknown = thrown, depth = 0; at instanceof Error && depth < 5; depth++) {
    const { code, path, port, address } = at as SystemError;
    const say = typeof code === 'string' ? SYSTEM[code] : undefined;
    if (say !== undefined) {
      const where = port === undefined ? (path ?? 'the home') : `${address ?? ''}:${port}`;
      return say(String(where));
    }
    if (code === 'LEVEL_LOCKED') {
      return 'another process has this home open: stop it first, or choose another with --home';
    }
    at = at.cause;
  }
  return undefined;
}

/** The sentence for a failure; a stack only for a defect of ours. */
export function explain(thrown: unknown): string {
  if (thrown instanceof LedgerError) return thrown.message;
  const system = systemProblem(thrown);
  if (system !== undefined) return system;
  if (thrown instanceof InvariantViolation || thrown instanceof TypeError) {
    return `a defect of this program, please report it: ${thrown.stack ?? thrown.message}`;
  }
  return describe(thrown);
}

/** Prints why a command ended and sets the exit code. */
export function fail(thrown: unknown): void {
  note(`error: ${explain(thrown)}`);
  process.exitCode = LedgerError.is(thrown, usage.Usage) ? EXIT.usage : EXIT.refused;
}
