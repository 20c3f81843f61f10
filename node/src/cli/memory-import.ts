/**
 * `metatron memory import`: writes a folder or a JSON Lines file into the ledger.
 *
 * Upholds: however it ends, it says how far it came and how to go on. SIGINT and SIGTERM end it at
 * once, with exit code 130 or 143; the next run asks the chain about a batch that was under way.
 *
 * @module
 */
import type { Command } from 'commander';
import type { ImportReport } from '../ops/memory-import.ts';
import { jsonOption, wholeNumber } from './options.ts';
import { EXIT, note, printResult, progress } from './output.ts';
import { openSigner, type SignOptions, withSigner } from './signer.ts';

type ImportOptions = SignOptions & {
  readonly batch: number;
  readonly restart?: true;
  readonly json?: true;
};

/** Exit codes as shells count them: 128 and the signal's number. */
const INTERRUPTED = { SIGINT: 130, SIGTERM: 143 } as const;
type Signal = keyof typeof INTERRUPTED;

const NOTHING: ImportReport = {
  written: 0,
  changed: 0,
  unchanged: 0,
  refusedCount: 0,
  refused: [],
  stopped: false,
  transactions: 0,
  height: 0,
};

function doneOf({ written, unchanged, refusedCount }: ImportReport): number {
  return written + unchanged + refusedCount;
}

function bar(done: number, total: number | undefined, startedAt: number): string {
  const perSecond = Math.round((1_000 * done) / Math.max(1, performance.now() - startedAt));
  if (total === undefined) return `${done} entries, ${perSecond}/s`;
  const filled = total === 0 ? 30 : Math.floor((30 * done) / total);
  return `[${'#'.repeat(filled)}${'.'.repeat(30 - filled)}] ${done}/${total}, ${perSecond}/s`;
}

function print(json: boolean, report: ImportReport): void {
  const versions = report.changed === 0 ? '' : `, ${report.changed} of them new versions`;
  printResult(json, report, () =>
    [
      `written    ${report.written} in ${report.transactions} transactions${versions}`,
      `unchanged  ${report.unchanged}`,
      `refused    ${report.refusedCount}`,
      ...report.refused.map(({ where, reason }) => `  ${where}: ${reason}`),
    ].join('\n'),
  );
  if (report.refusedCount > report.refused.length) note('(the first 1,000 refusals are listed)');
}

/** Ends the process in the middle of the import. */
function interrupted(
  signal: Signal,
  json: boolean,
  report: ImportReport,
  total: number | undefined,
): never {
  print(json, { ...report, stopped: true });
  const of = total === undefined ? '' : ` of ${total}`;
  note(
    `interrupted after ${doneOf(report)}${of} entries (${report.written} written, ` +
      `${report.unchanged} unchanged, ${report.refusedCount} refused): run the same command ` +
      'again to go on; nothing is written twice',
  );
  process.exit(INTERRUPTED[signal]);
}

function notesOn(path: string, report: ImportReport, leftOut: number): void {
  const others = `${leftOut} ${leftOut === 1 ? 'file was' : 'files were'} left out`;
  const endings = 'neither .txt, .text, .md nor .markdown';
  if (doneOf(report) === 0) {
    note(`nothing to import in ${path}${leftOut === 0 ? '' : ` (${others}: ${endings})`}`);
  } else if (leftOut > 0) {
    note(`${others}: ${endings}`);
  }
  if (report.stopped) note('stopped: too much is refused; put it right and run it again');
}

async function importFrom(path: string, options: ImportOptions): Promise<void> {
  const [{ importMemories }, { openSource }, chain, reading, { rmSync }, { resolve }] =
    await Promise.all([
      import('../ops/memory-import.ts'),
      import('../ops/import-source.ts'),
      import('../ops/chain-client.ts'),
      import('../ops/memory-read.ts'),
      import('node:fs'),
      import('node:path'),
    ]);
  const source = openSource(path);
  const { address, chainId, sign, refresh } = await openSigner(options);
  const recordFile = reading.recordFile(chainId, address, resolve(path));
  if (options.restart === true) rmSync(recordFile, { force: true });
  const json = options.json === true;
  const line = progress();
  const startedAt = performance.now();
  let sofar = NOTHING;
  const end = (signal: Signal) => (): void => {
    line.end();
    interrupted(signal, json, sofar, source.total);
  };
  process.once('SIGINT', end('SIGINT')).once('SIGTERM', end('SIGTERM'));
  const report = await importMemories({
    source,
    recordFile,
    batch: options.batch,
    chain: {
      address,
      sign,
      refresh,
      deliver: (tx) => chain.deliver(options.node, tx),
      contains: (hash) => chain.contains(options.node, hash, 5_000),
    },
    progress: (now) => {
      sofar = now;
      line.update(bar(doneOf(now), source.total, startedAt));
    },
  });
  line.end();
  print(json, report);
  notesOn(path, report, source.leftOut);
  if (report.refusedCount > 0) process.exitCode = EXIT.refused;
}

/** Adds `memory import`. */
export function registerImport(memory: Command): void {
  const command = memory
    .command('import <path>')
    .description('write a JSON Lines file, or a folder of text and Markdown');
  withSigner(command)
    .option('--batch <n>', 'entries per transaction', wholeNumber(1, 500), 50)
    .option('--restart', 'forget what was written before, and write everything again')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nA line of a JSON Lines file:\n' +
        '  {"content":"…","key":"…","type":"text","tags":["…"],"expectedVersion":0}\n' +
        'Only content is needed. Files of a folder get their path as key.\n\n' +
        'Run it again to go on where it stopped, to try again what was refused, and to write\n' +
        'what is new: an entry that was written is left alone while it says the same, and\n' +
        'becomes a new version when it says something else. Entries are known by key; those\n' +
        'that share a key by their order; those without by what they say.\n\n' +
        'Exit codes: 0 all is written, or there is nothing to write; 1 something was refused;\n' +
        '130 or 143 ended by Ctrl-C or SIGTERM.',
    )
    .action(importFrom);
}
