/**
 * `metatron memory`: write, read and prove memories.
 *
 * Upholds: a write is reported when it is in a block, with its entry id; what is read comes with
 * the height it was read at.
 *
 * @module
 */
import { type Command, Option } from 'commander';
import type { Memory, MemoryPage } from '../client/memory-client.ts';
import type { ProofBundle } from '../types/bundles.ts';
import { jsonOption, nodeOption, wholeNumber } from './options.ts';
import { EXIT, note, printResult, progress, visible } from './output.ts';
import { openSigner, type SignOptions, withSigner } from './signer.ts';
import { printCommitted } from './tx.ts';

type PutOptions = SignOptions & {
  readonly key: string;
  readonly type: string;
  readonly tag: readonly string[];
  readonly file?: string;
  readonly expect?: number;
  readonly json?: true;
};

async function put(content: string | undefined, options: PutOptions): Promise<void> {
  const [{ readFileSync }, { entryFrom }, { putMessage }, reading] = await Promise.all([
    import('node:fs'),
    import('../ops/import-source.ts'),
    import('../ops/transaction.ts'),
    import('../ops/memory-read.ts'),
  ]);
  const text = options.file === undefined ? content : readFileSync(options.file, 'utf8');
  const entry = entryFrom({
    content: text,
    key: options.key,
    type: options.type,
    tags: options.tag,
    expectedVersion: options.expect,
  });
  if ('refused' in entry) return reading.refuseEntry(entry.refused);
  const signer = await openSigner(options);
  const done = await signer.deliver([putMessage(signer.address, entry.put)]);
  const [written] = reading.putResponses(done.data);
  printCommitted(options.json === true, done, written);
}

type ReadOptions = {
  readonly node: string;
  readonly owner?: string;
  readonly id?: string;
  readonly height: number;
  readonly limit: number;
  readonly start: number;
  readonly json?: true;
};

async function printEntries(
  options: ReadOptions,
  memories: readonly Memory[],
  more: object,
): Promise<void> {
  const { entryJson, entryText } = await import('../ops/memory-read.ts');
  const values = memories.map(entryJson);
  printResult(options.json === true, { entries: values, ...more }, () =>
    values.length === 0
      ? 'nothing'
      : values
          .map((entry) => ({
            ...entry,
            key: visible(entry.key),
            tags: entry.tags.map((tag) => visible(tag)),
          }))
          .map(entryText)
          .join('\n\n'),
  );
}

async function printPage(options: ReadOptions, page: MemoryPage): Promise<void> {
  const { memories, total, next, readAt: height } = page;
  await printEntries(options, memories, { total, next, height });
  if (next === undefined || options.json === true) return;
  note(`${memories.length} of ${total}; more with --start ${next}`);
}

async function get(key: string | undefined, options: ReadOptions): Promise<void> {
  const { memoryClient, named } = await import('../ops/memory-read.ts');
  const { node, owner, id, height } = options;
  const client = memoryClient(node);
  const found =
    id === undefined
      ? await client.head(...named(owner, key), height)
      : await client.get(id, height);
  await printEntries(options, [found], { height: found.readAt });
}

async function history(key: string, options: ReadOptions): Promise<void> {
  const { memoryClient, named } = await import('../ops/memory-read.ts');
  const client = memoryClient(options.node);
  await printPage(options, await client.history(...named(options.owner, key), options));
}

async function list(options: ReadOptions): Promise<void> {
  const { memoryClient, named } = await import('../ops/memory-read.ts');
  const [owner] = named(options.owner, '');
  await printPage(options, await memoryClient(options.node).list(owner, options));
}

type ImportOptions = SignOptions & {
  readonly batch: number;
  readonly restart?: true;
  readonly json?: true;
};

function bar(done: number, total: number | undefined, startedAt: number): string {
  const perSecond = Math.round((1_000 * done) / Math.max(1, performance.now() - startedAt));
  if (total === undefined) return `${done} entries, ${perSecond}/s`;
  const filled = total === 0 ? 30 : Math.floor((30 * done) / total);
  return `[${'#'.repeat(filled)}${'.'.repeat(30 - filled)}] ${done}/${total}, ${perSecond}/s`;
}

async function importFrom(path: string, options: ImportOptions): Promise<void> {
  const [{ importMemories }, { openSource }, chain, { progressFile }, { rmSync }, { resolve }] =
    await Promise.all([
      import('../ops/memory-import.ts'),
      import('../ops/import-source.ts'),
      import('../ops/chain-client.ts'),
      import('../ops/memory-read.ts'),
      import('node:fs'),
      import('node:path'),
    ]);
  const source = openSource(path);
  const signer = await openSigner(options);
  const file = progressFile(signer.chainId, signer.address, resolve(path));
  if (options.restart === true) rmSync(file, { force: true });
  const line = progress();
  const startedAt = performance.now();
  const { address, sign, refresh } = signer;
  const report = await importMemories({
    source,
    progressFile: file,
    batch: options.batch,
    chain: {
      address,
      sign,
      refresh,
      deliver: (tx) => chain.deliver(options.node, tx),
      contains: (hash) => chain.contains(options.node, hash, 5_000),
    },
    progress: (done, total) => line.update(bar(done, total, startedAt)),
  });
  line.end();
  if (report.refusedCount > 0) process.exitCode = EXIT.refused;
  printResult(options.json === true, report, () =>
    [
      `written   ${report.written} in ${report.transactions} transactions`,
      `before    ${report.before}`,
      `refused   ${report.refusedCount}`,
      ...report.refused.map(({ where, reason }) => `  ${where}: ${reason}`),
    ].join('\n'),
  );
  if (report.refusedCount > report.refused.length) note('(the first 1,000 refusals are listed)');
  if (report.changed > 0) {
    note(`${report.changed} changed since they were written; --restart writes all again`);
  }
  if (report.stopped) note('stopped: too much is refused; put it right and run it again');
}

type ProofOptions = {
  readonly node: string;
  readonly out?: string;
  readonly listing?: string;
  readonly owner?: string;
  readonly key?: string;
  readonly since?: number;
};

async function proof(id: string | undefined, options: ProofOptions): Promise<void> {
  const [{ writeFileSync }, reading] = await Promise.all([
    import('node:fs'),
    import('../ops/memory-read.ts'),
  ]);
  const client = reading.memoryClient(options.node);
  const { listing, owner, key, since, out } = options;
  const chosen = (): Promise<ProofBundle> => {
    if (listing !== undefined) return client.listingProof(listing);
    if (owner !== undefined && key !== undefined) return client.headProof(owner, key);
    if (owner !== undefined && since !== undefined) return client.consistencyProof(owner, since);
    return id === undefined ? reading.refuseEntry('name an id') : client.proof(id);
  };
  const bundle = await chosen();
  const text = `${JSON.stringify(bundle)}\n`;
  if (out === undefined) {
    process.stdout.write(text);
    return;
  }
  writeFileSync(out, text);
  note(`wrote ${out}; check it anywhere with: metatron verify ${out} --genesis GENESIS`);
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

function reader(command: Command): Command {
  return command
    .addOption(nodeOption())
    .option('--owner <address>', 'whose space to read')
    .option('--height <height>', 'height to read; 0 is the newest', wholeNumber(0, 2 ** 53 - 1), 0)
    .addOption(jsonOption());
}

function paged(command: Command): Command {
  return reader(command)
    .option('--start <position>', 'first position', wholeNumber(0, 2 ** 53 - 1), 0)
    .option('--limit <n>', 'most entries', wholeNumber(1, 1_000), 100);
}

/** Adds `memory` and its subcommands. */
export function registerMemory(program: Command): void {
  const memory = program
    .command('memory')
    .description('write, read, import and prove memories')
    .addHelpText(
      'after',
      '\nExamples:\n  metatron memory put "the door code is 7" --from alice --key door\n' +
        '  metatron memory get door --owner metatron1…\n' +
        '  metatron memory import notes/ --from alice\n' +
        '  metatron memory proof 3f…09 --out door.proof\n' +
        '  metatron verify door.proof --genesis genesis.json',
    );
  withSigner(memory.command('put [content]').description('write an entry into your space'))
    .option('--key <key>', 'name under which later versions replace this one', '')
    .addOption(
      new Option('--type <type>', 'what the entry is for')
        .choices(['text', 'chat', 'field_state', 'consciousness_state', 'rag_context', 'custom'])
        .default('text'),
    )
    .option('--tag <tag>', 'a tag; may be repeated', collect, [])
    .option('--file <file>', 'take the content from a file')
    .option(
      '--expect <version>',
      'write only if this is the current version of the key; 0: only if there is none',
      wholeNumber(0, 2 ** 53 - 1),
    )
    .addOption(jsonOption())
    .action(put);
  reader(memory.command('get [key]').description('the newest entry of a key, or one by --id'))
    .option('--id <id>', 'id of an entry, in hex')
    .action(get);
  paged(memory.command('history <key>').description('all versions of a key, oldest first')).action(
    history,
  );
  paged(memory.command('list').description("the entries of an owner's space, in order")).action(
    list,
  );
  withSigner(
    memory
      .command('import <path>')
      .description('write a JSON Lines file, or a folder of text and Markdown'),
  )
    .option('--batch <n>', 'entries per transaction', wholeNumber(1, 500), 50)
    .option('--restart', 'forget how far an earlier run came')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nA line of a JSON Lines file:\n' +
        '  {"content":"…","key":"…","type":"text","tags":["…"],"expectedVersion":0}\n' +
        'Only content is needed. Files of a folder get their path as key. Run it again to go on\n' +
        'where it stopped and to try again what was refused; exit code 1 says that something was.',
    )
    .action(importFrom);
  memory
    .command('proof [id]')
    .description('everything that proves an entry, as JSON for "metatron verify"')
    .option('--listing <owner>', "prove all entries of an owner's space instead: none is left out")
    .option('--owner <address>', 'with --key or --since: whose space')
    .option('--key <key>', "prove the key's newest entry instead, or that it has none")
    .option(
      '--since <height>',
      'prove instead that nothing was changed or removed since then',
      wholeNumber(1, 2 ** 53 - 1),
    )
    .option('--out <file>', 'write it to a file')
    .addOption(nodeOption())
    .action(proof);
}
