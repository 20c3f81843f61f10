/**
 * `metatron memory space`: spaces that several write to, and who may do what in them.
 *
 * Upholds: a change is reported when it is in a block; `update` keeps what it is not told to
 * change, as it stands when the command reads the space; what is shown is what the rules contract
 * holds, with the height it was read at.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { decodeBech32 } from '../base/bech32.ts';
import { EMPTY, fromHex, toHex } from '../base/bytes.ts';
import { present } from '../base/errors.ts';
import type { Any } from '../ledger/tx/wire.ts';
import type { Terms } from '../ops/space-messages.ts';
import { wrongUsage } from '../ops/usage.ts';
import { RIGHTS, rightsNames } from '../types/memory.ts';
import { addressOf, jsonOption, nodeOption, ownerOf, spaceIdOf, wholeNumber } from './options.ts';
import { printResult } from './output.ts';
import { type OpenSigner, openSigner, type SignOptions, withSigner } from './signer.ts';
import { printCommitted } from './tx.ts';

const MAX_NUMBER = 2 ** 53 - 1;
const DEFAULT_ENTRIES = 100_000;
const DEFAULT_BYTES = 1_073_741_824;
const ADDRESS_BYTES = 20;
/** Values of SpaceMode; its codec is loaded only when something is sent. */
const [PUBLIC, SEALED] = [0, 1] as const;

type Right = keyof typeof RIGHTS;

/** Reads an address with 0x. */
function contractOf(text: string): Uint8Array {
  const bytes = text.startsWith('0x') ? fromHex(text.slice(2)) : undefined;
  if (bytes?.length === ADDRESS_BYTES) return bytes;
  throw new InvalidArgumentError('a contract has an address of 0x and 40 hex digits');
}

function rightsOf(text: string): number {
  const names = text.split(',').map((name) => name.trim());
  return names.reduce((sum, name) => {
    if (!Object.hasOwn(RIGHTS, name)) {
      throw new InvalidArgumentError(`rights are ${Object.keys(RIGHTS).join(', ')}`);
    }
    return sum | RIGHTS[name as Right];
  }, 0);
}

/** Reads a time: RFC 3339, or seconds since 1970. */
function secondsOf(text: string): bigint {
  if (/^\d{1,15}$/.test(text)) return BigInt(text);
  const millis = Date.parse(text);
  if (Number.isNaN(millis)) {
    throw new InvalidArgumentError('a time is 2030-01-31T12:00:00Z, or seconds since 1970');
  }
  return BigInt(Math.floor(millis / 1_000));
}

type ChangeOptions = SignOptions & { readonly json?: true };
type TermsOptions = ChangeOptions & {
  readonly sealed?: true;
  readonly policy?: Uint8Array;
  readonly maxEntries?: number;
  readonly maxBytes?: number;
};
type UpdateOptions = Omit<TermsOptions, 'policy'> & {
  readonly public?: true;
  /** `false`: none from now on. */
  readonly policy?: Uint8Array | false;
};

type Messages = typeof import('../ops/space-messages.ts');

/** Refuses a policy that is no contract. @throws LedgerError memory-client/10 */
async function checkPolicy(node: string, policy: Uint8Array | false | undefined): Promise<void> {
  if (policy === undefined || policy === false) return;
  const messages: Messages = await import('../ops/space-messages.ts');
  await messages.checkPolicy(node, policy);
}

/** Signs and sends messages, and prints that they are in a block. */
async function change(
  options: ChangeOptions,
  make: (messages: Messages, author: string) => Any | Promise<readonly Any[]>,
  more: (data: Uint8Array) => object | Promise<object> = () => ({}),
): Promise<void> {
  const messages = await import('../ops/space-messages.ts');
  const signer: OpenSigner = await openSigner(options);
  const made = await make(messages, signer.address);
  const done = await signer.deliver('typeUrl' in made ? [made] : made);
  printCommitted(options.json === true, done, await more(done.data));
}

async function createdSpace(data: Uint8Array): Promise<object> {
  const [{ txMsgDataCodec }, { MsgCreateSpaceResponse }] = await Promise.all([
    import('../ledger/tx/wire.ts'),
    import('../gen/metatron/memory/v1/tx.ts'),
  ]);
  const [answer] = txMsgDataCodec.decode(data).msgResponses;
  const { space } = MsgCreateSpaceResponse.decode(present(answer, 'answer of a message').value);
  return { space: toHex(space) };
}

async function create(options: TermsOptions): Promise<void> {
  const salt = new Uint8Array(randomBytes(32));
  const { sealed, policy = EMPTY } = options;
  const { maxEntries = DEFAULT_ENTRIES, maxBytes = DEFAULT_BYTES } = options;
  const quotas = { maxEntries: BigInt(maxEntries), maxBytes: BigInt(maxBytes) };
  const terms = { mode: sealed === true ? SEALED : PUBLIC, policy, ...quotas };
  await checkPolicy(options.node, options.policy);
  await change(
    options,
    ({ createSpaceMessage }, author) => createSpaceMessage({ author, salt, ...terms }),
    createdSpace,
  );
}

/** What `update` is told to change. @throws LedgerError usage/1 if that is nothing */
function namedTerms(options: UpdateOptions): Partial<Terms> {
  const { sealed, policy, maxEntries, maxBytes } = options;
  const named: Partial<Terms> = {
    ...(sealed === true && { mode: SEALED }),
    ...(options.public === true && { mode: PUBLIC }),
    ...(policy !== undefined && { policy: policy === false ? EMPTY : policy }),
    ...(maxEntries !== undefined && { maxEntries: BigInt(maxEntries) }),
    ...(maxBytes !== undefined && { maxBytes: BigInt(maxBytes) }),
  };
  if (Object.keys(named).length > 0) return named;
  return wrongUsage(
    'say what to change: --sealed or --public, --policy 0x… or --no-policy, ' +
      '--max-entries N, --max-bytes N; the rest stays as it is',
  );
}

async function update(space: string, options: UpdateOptions): Promise<void> {
  const named = namedTerms(options);
  await checkPolicy(options.node, options.policy);
  const { memoryClient, reading } = await import('../ops/memory-read.ts');
  const now = await reading({ owner: space }, memoryClient(options.node).space(space));
  await change(options, ({ termsOf, updateSpaceMessage }, author) =>
    updateSpaceMessage({ author, space: bytesOf(space), ...termsOf(now), ...named }),
  );
}

function bytesOf(space: string): Uint8Array {
  return present(fromHex(space), 'id of a space');
}

type GrantOptions = ChangeOptions & { readonly rights: number; readonly until: bigint };

async function grant(space: string, subject: string, options: GrantOptions): Promise<void> {
  const { rights, until: expiry, node } = options;
  await change(options, ({ grantMessages }, author) =>
    grantMessages(node, { author, space: bytesOf(space), subject, rights, expiry }),
  );
}

async function revoke(space: string, subject: string, options: ChangeOptions): Promise<void> {
  await change(options, ({ revokeMessages }, author) =>
    revokeMessages(options.node, { author, space: bytesOf(space), subject }),
  );
}

async function transfer(space: string, named: string, options: ChangeOptions): Promise<void> {
  const [{ accountOn }, { nodeRpc }] = await Promise.all([
    import('../client/accounts.ts'),
    import('../ops/rpc-client.ts'),
  ]);
  const { faces } = await accountOn(nodeRpc(options.node), named);
  const [to = named] = faces;
  await change(options, ({ transferSpaceMessage }, author) =>
    transferSpaceMessage({ author, space: bytesOf(space), to }),
  );
}

function freezing(frozen: boolean) {
  return (space: string, options: ChangeOptions): Promise<void> =>
    change(options, ({ freezeSpaceMessage }, author) =>
      freezeSpaceMessage({ author, space: bytesOf(space), frozen }),
    );
}

type ShowOptions = { readonly node: string; readonly height: number; readonly json?: true };

function subjectHex(subject: string): string {
  return `0x${toHex(decodeBech32(subject)?.bytes ?? EMPTY)}`;
}

async function show(space: string, options: ShowOptions): Promise<void> {
  const [{ memoryClient, reading }, { withSubjects }, { accountOn }, { nodeRpc }] =
    await Promise.all([
      import('../ops/memory-read.ts'),
      import('../ops/space-messages.ts'),
      import('../client/accounts.ts'),
      import('../ops/rpc-client.ts'),
    ]);
  const { node, height } = options;
  const client = memoryClient(node);
  const rules = await reading({ owner: space, height }, client.space(space, height));
  const { grants } = await reading({ owner: space, height }, client.grants(space, EMPTY, height));
  const held = await withSubjects(node, grants);
  const { evmAddress: ownerEvmAddress } = await accountOn(nodeRpc(node), rules.owner);
  const answer = {
    space: toHex(rules.spaceId),
    owner: rules.owner,
    ownerEvmAddress,
    mode: rules.mode === 0 ? 'public' : 'sealed',
    personal: rules.personal,
    frozen: rules.frozen || rules.frozenByGovernors,
    policy: rules.policy === '' ? undefined : rules.policy,
    entries: `${rules.entries} of ${rules.maxEntries}`,
    bytes: `${rules.bytes} of ${rules.maxBytes}`,
    grants: held.map(({ subject, address, evmAddress, rights, expiry, by }) => ({
      subject,
      account: address,
      evmAddress,
      rights: rightsNames(rights).join(','),
      until: expiry === 0n ? undefined : new Date(Number(expiry) * 1_000).toISOString(),
      by,
    })),
    height: Number(rules.height),
  };
  const owner = ownerEvmAddress ? `${rules.owner} (${ownerEvmAddress})` : rules.owner;
  printResult(options.json === true, answer, () =>
    [
      ...Object.entries({ ...answer, owner, ownerEvmAddress: undefined, grants: undefined })
        .filter(([, value]) => value !== undefined)
        .map(([name, value]) => `${name.padEnd(9)}${String(value)}`),
      ...answer.grants.map(
        ({ subject, account = subject, evmAddress, rights, until }) =>
          `grant    ${account} (${evmAddress ?? subjectHex(subject)}) ${rights}` +
          (until ? ` until ${until}` : ''),
      ),
    ].join('\n'),
  );
}

function withTerms(command: Command): Command {
  const quota = wholeNumber(0, MAX_NUMBER);
  return withSigner(command)
    .option('--sealed', 'content is ciphertext, for those who hold the keys')
    .option('--policy <0x…>', 'contract that is asked about every write', contractOf)
    .option('--max-entries <n>', 'most entries it may hold', quota)
    .option('--max-bytes <n>', 'most bytes it may hold', quota)
    .addOption(jsonOption());
}

/** Adds `space` and its subcommands to `memory`. */
export function registerSpace(memory: Command): void {
  const space = memory
    .command('space')
    .description('spaces that several write to: make them, and say who may do what')
    .addHelpText(
      'after',
      '\nExamples:\n  metatron memory space create --from alice\n' +
        '  metatron memory space grant 3f…09 metatron1… --rights write --from alice\n' +
        '  metatron memory put "for all of us" --space 3f…09 --from bob\n' +
        '  metatron memory space show 3f…09',
    );
  withTerms(
    space
      .command('create')
      .description(
        `make a space: public, without a policy, for ${DEFAULT_ENTRIES} entries and ` +
          `${DEFAULT_BYTES} bytes, unless options say otherwise`,
      ),
  ).action(create);
  withTerms(
    space
      .command('update')
      .description('change mode, policy or quotas; what is not named stays as it is')
      .argument('<space>', 'its id', spaceIdOf),
  )
    .addOption(new Option('--public', 'content is for all to read').conflicts('sealed'))
    .option('--no-policy', 'ask no contract from now on')
    .action(update);
  space
    .command('show')
    .description('what the rules hold of a space: by its id, or by the owner of a personal one')
    .argument('<space>', 'id or address', ownerOf('the space'))
    .addOption(nodeOption())
    .option('--height <height>', 'height to read; 0 is the newest', wholeNumber(0, MAX_NUMBER), 0)
    .addOption(jsonOption())
    .action(show);
  const named = (name: string, what: string): Command =>
    withSigner(
      space.command(name).description(what).argument('<space>', 'its id', spaceIdOf),
    ).addOption(jsonOption());
  named('grant', 'let an account or a contract in, with these rights instead of those it had')
    .argument('<subject>', 'address, metatron1… or 0x…', addressOf('the subject'))
    .addOption(
      new Option('--rights <rights>', 'of read, write, curate, admin; with commas')
        .argParser(rightsOf)
        .makeOptionMandatory(),
    )
    .addOption(
      new Option('--until <time>', 'when it ends, by block time')
        .argParser(secondsOf)
        .default(0n, 'never'),
    )
    .action(grant);
  named('revoke', 'take all rights from an account or a contract')
    .argument('<subject>', 'address, metatron1… or 0x…', addressOf('the subject'))
    .action(revoke);
  named('freeze', 'stop all writes to a space').action(freezing(true));
  named('unfreeze', 'let a space go on').action(freezing(false));
  named('transfer', 'give a space away; all grants become void')
    .argument('<to>', 'address of the new owner, metatron1… or 0x…', addressOf('the new owner'))
    .action(transfer);
}
