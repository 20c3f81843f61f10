/**
 * `metatron memory import`: writes a folder or a JSON Lines file into the ledger.
 *
 * Upholds: however it ends, it says how far it came and how to go on. SIGINT and SIGTERM end it at
 * once, with exit code 130 or 143; the next run asks the chain about a batch that was under way.
 *
 * @module
 */
import { constants } from 'node:os';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { Source } from '../ops/import-source.ts';
import type { ImportReport } from '../ops/memory-import.ts';
import { jsonOption, wholeNumber } from './options.ts';
import { EXIT, note, printResult, progress } from './output.ts';
import { openSigner, type SignOptions, withSigner } from './signer.ts';

type ImportOptions = SignOptions & {
  readonly batch: number;
  readonly restart?: true;
  readonly json?: true;
};

/** What ends an import before its end. */
const SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM'];

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

/** How far an import came that did not reach the end. */
function noteEnd(how: string, report: ImportReport, { total }: Source): void {
  const of = total === undefined ? '' : ` of ${total}`;
  note(
    `${how} after ${doneOf(report)}${of} entries (${report.written} written, ` +
      `${report.unchanged} unchanged, ${report.refusedCount} refused): run the same command ` +
      'again to go on; nothing is written twice',
  );
}

function notesOn(path: string, report: ImportReport, { isFile, leftOut }: Source): void {
  const done = doneOf(report);
  if (done === 0) note(`nothing to import in ${path}`);
  if (leftOut > 0) {
    const others = leftOut === 1 ? '1 file was' : `${leftOut} files were`;
    note(`${others} left out: read are plain files that end in .txt, .text, .md or .markdown`);
  }
  if (isFile && done > 0 && done === report.refusedCount) {
    note(`${path} was read as JSON Lines; "metatron memory put --file" writes a text file`);
  }
  if (report.stopped) note('stopped: too much is refused; put it right and run it again');
}

async function importFrom(path: string, options: ImportOptions): Promise<void> {
  const [{ importMemories }, { openSource }, chain, reading] = await Promise.all([
    import('../ops/memory-import.ts'),
    import('../ops/import-source.ts'),
    import('../ops/chain-client.ts'),
    import('../ops/memory-read.ts'),
  ]);
  const source = openSource(path);
  const json = options.json === true;
  const line = progress();
  const startedAt = performance.now();
  let sofar = NOTHING;
  const stop = (signal: NodeJS.Signals): never => {
    line.end();
    print(json, { ...sofar, stopped: true });
    noteEnd('interrupted', sofar, source);
    // As shells count it.
    process.exit(128 + constants.signals[signal]);
  };
  // Not `once`: a terminal and the process that started this one may both send the signal.
  for (const signal of SIGNALS) process.on(signal, stop);
  const { address, chainId, sign, refresh, send } = await openSigner(options);
  const recordFile = reading.recordFile(chainId, address, resolve(path));
  const run = importMemories({
    source,
    recordFile,
    restart: options.restart,
    batch: options.batch,
    chain: {
      address,
      sign,
      refresh,
      deliver: send,
      contains: (hash) => chain.contains(options.node, hash, 5_000),
    },
    progress: (now) => {
      sofar = now;
      line.update(bar(doneOf(now), source.total, startedAt));
    },
  });
  const report = await run
    .finally(() => line.end())
    .catch((thrown: unknown) => {
      if (doneOf(sofar) > 0) noteEnd('failed', sofar, source);
      throw thrown;
    });
  for (const signal of SIGNALS) process.off(signal, stop);
  print(json, report);
  notesOn(path, report, source);
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
        'that share a key by their order; those without by what they say. What was written is\n' +
        'remembered in ~/.metatron/imports, for each account, chain and path.\n\n' +
        'Exit codes: 0 all is written, or there is nothing to write; 1 something was refused;\n' +
        '130 or 143 ended by Ctrl-C or SIGTERM.',
    )
    .action(importFrom);
}
