/**
 * `metatron memory`: write, read and prove memories.
 *
 * Upholds: a write is reported when it is in a block, with its entry id; what is read comes with
 * the height it was read at. In a list, and on a terminal, content is indented: no line of it can
 * pass for another entry.
 * Absent here: `import` and `proof`, in files of their own.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { fromHex } from '../base/bytes.ts';
import type { Memory, MemoryPage } from '../client/memory-client.ts';
import type { PutContent } from '../ops/transaction.ts';
import { wrongUsage } from '../ops/usage.ts';
import { registerImport } from './memory-import.ts';
import { registerProof } from './memory-proof.ts';
import { registerSpace } from './memory-space.ts';
import {
  entryIdOf,
  jsonOption,
  nodeOption,
  ownerOf,
  repeated,
  spaceIdOf,
  wholeNumber,
} from './options.ts';
import { note, printResult, visible } from './output.ts';
import { openSigner, type SignOptions, withSigner } from './signer.ts';
import { printCommitted } from './tx.ts';

type PutOptions = SignOptions & {
  readonly key: string;
  readonly type: string;
  readonly tag: readonly string[];
  readonly file?: string;
  readonly expect?: number;
  readonly space?: string;
  readonly json?: true;
};

/** The content that the arguments name. @throws LedgerError usage/1 */
async function contentOf(content: string | undefined, file: string | undefined): Promise<string> {
  const [{ textOf }, { named }] = await Promise.all([
    import('../ops/import-source.ts'),
    import('../ops/named-file.ts'),
  ]);
  if (content !== undefined && file !== undefined)
    wrongUsage('give the content or --file, not both');
  if (content !== undefined) return content;
  if (file === undefined) {
    return wrongUsage(
      'give the content, as in: metatron memory put "some text", or by --file FILE',
    );
  }
  const read = textOf(named(file, '--file', (path) => readFileSync(path)));
  return 'text' in read ? read.text : wrongUsage(`${file} is ${read.refused}`);
}

/** The gas limit for a space with a policy; none of its own if the usual one will do. */
async function policyGas(
  { node, space }: PutOptions,
  content: PutContent,
): Promise<number | undefined> {
  if (space === undefined) return undefined;
  const [{ memoryClient, reading }, { gasLimitFor, POLICY_GAS, putMessage }] = await Promise.all([
    import('../ops/memory-read.ts'),
    import('../ops/transaction.ts'),
  ]);
  const rules = await reading({ owner: space }, memoryClient(node).space(space));
  return rules.policy === ''
    ? undefined
    : Number(gasLimitFor([putMessage('', content)])) + POLICY_GAS;
}

async function put(content: string | undefined, options: PutOptions): Promise<void> {
  const [{ entryFrom }, { putMessage }, { putResponses }] = await Promise.all([
    import('../ops/import-source.ts'),
    import('../ops/transaction.ts'),
    import('../ops/memory-read.ts'),
  ]);
  const entry = entryFrom({
    content: await contentOf(content, options.file),
    key: options.key,
    type: options.type,
    tags: options.tag,
    expectedVersion: options.expect,
  });
  if ('refused' in entry) return wrongUsage(entry.refused);
  if (options.expect !== undefined && options.key === '') wrongUsage('--expect needs a --key');
  const space = options.space === undefined ? undefined : fromHex(options.space);
  const gas = options.gas ?? (await policyGas(options, { ...entry.put, space }));
  const signer = await openSigner({ ...options, ...(gas !== undefined && { gas }) });
  const done = await signer.deliver([putMessage(signer.address, { ...entry.put, space })]);
  const [written] = putResponses(done.data);
  printCommitted(options.json === true, done, written);
}

type ReadOptions = { readonly node: string; readonly height: number; readonly json?: true };
type OwnerOptions = ReadOptions & { readonly owner: string };
type PageOptions = OwnerOptions & { readonly limit: number; readonly start: number };
type GetOptions = ReadOptions & { readonly owner?: string; readonly id?: string };

const MARGIN = '    ';

async function printEntries(
  json: boolean,
  memories: readonly Memory[],
  more: object,
  margin: string,
): Promise<void> {
  const { entryJson, entryText } = await import('../ops/memory-read.ts');
  const entries = memories.map(entryJson);
  printResult(json, { entries, ...more }, () =>
    entries.length === 0
      ? 'nothing'
      : entries
          .map((entry) => ({
            ...entry,
            key: visible(entry.key),
            tags: entry.tags.map((tag) => visible(tag)),
          }))
          .map((entry) => entryText(entry, margin))
          .join('\n\n'),
  );
}

async function printPage(options: PageOptions, page: MemoryPage): Promise<void> {
  const { memories, total, next, readAt: height } = page;
  const json = options.json === true;
  await printEntries(json, memories, { total, next, height }, MARGIN);
  if (next === undefined || json) return;
  note(`${memories.length} of ${total}; more with --start ${next}`);
}

async function get(key: string | undefined, options: GetOptions): Promise<void> {
  const { memoryClient, reading } = await import('../ops/memory-read.ts');
  const { node, owner, id, height } = options;
  const client = memoryClient(node);
  const read = (): Promise<Memory> => {
    if (id !== undefined && key === undefined && owner === undefined) return client.get(id, height);
    if (id === undefined && key !== undefined && owner !== undefined) {
      return client.head(owner, key, height);
    }
    return wrongUsage('name a key and its --owner, or else an entry by --id');
  };
  const found = await reading({ owner, key, id, height }, read());
  const margin = process.stdout.isTTY === true ? MARGIN : '';
  await printEntries(options.json === true, [found], { height: found.readAt }, margin);
}

async function history(key: string, options: PageOptions): Promise<void> {
  const { memoryClient, reading } = await import('../ops/memory-read.ts');
  const { node, owner, height } = options;
  const pages = memoryClient(node).history(owner, key, options);
  await printPage(options, await reading({ owner, key, height }, pages));
}

async function list(options: PageOptions): Promise<void> {
  const { memoryClient, reading } = await import('../ops/memory-read.ts');
  const { node, owner, height } = options;
  const pages = memoryClient(node).list(owner, options);
  await printPage(options, await reading({ owner, height }, pages));
}

function reader(command: Command): Command {
  return command
    .addOption(nodeOption())
    .option('--height <height>', 'height to read; 0 is the newest', wholeNumber(0, 2 ** 53 - 1), 0)
    .addOption(jsonOption());
}

function paged(command: Command): Command {
  return reader(command)
    .requiredOption(
      '--owner <address>',
      'whose space to read, or the id of a space',
      ownerOf('--owner'),
    )
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
    .option('--tag <tag>', 'a tag; may be repeated', repeated, [])
    .option('--file <file>', 'take the content from a text file')
    .option('--space <id>', 'write into this space instead', spaceIdOf)
    .option(
      '--expect <version>',
      'write only if this is the current version of the key; 0: only if there is none',
      wholeNumber(0, 2 ** 53 - 1),
    )
    .addOption(jsonOption())
    .action(put);
  reader(memory.command('get [key]').description('the newest entry of a key, or one by --id'))
    .option('--owner <address>', 'whose key, or the id of a space', ownerOf('--owner'))
    .option('--id <id>', 'id of an entry, in hex', entryIdOf)
    .action(get);
  paged(memory.command('history <key>').description('all versions of a key, oldest first')).action(
    history,
  );
  paged(memory.command('list').description("the entries of an owner's space, in order")).action(
    list,
  );
  registerSpace(memory);
  registerImport(memory);
  registerProof(memory);
}
