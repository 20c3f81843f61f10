/**
 * The configuration of a node: one schema with a default, a unit and a sentence for every key.
 *
 * Upholds: an unknown key or a value out of bounds is refused with its path; nothing is ignored.
 * Absent here: consensus parameters, which the chain fixes (genesis), and keys. Reading files and
 * the environment: config-file.ts.
 *
 * @module
 */
import { z } from 'zod';
import type { TimeoutConfig } from '../consensus/types.ts';
import { type ErrorSpec, errorSpec, LedgerError } from './base/errors.ts';
import { DEFAULT_MEMPOOL, type MempoolConfig } from './mempool/config.ts';

/** Refusals of a configuration. */
export const errors: {
  readonly BadKey: ErrorSpec<{ readonly source: string; readonly path: string; reason: string }>;
  readonly NotJson: ErrorSpec<{ readonly file: string; readonly reason: string }>;
} = {
  BadKey: errorSpec(
    'config',
    1,
    'client',
    (p) => `${p.source}: ${p.path === '' ? '' : `${p.path}: `}${p.reason}`,
  ),
  NotJson: errorSpec('config', 2, 'client', (p) => `${p.file} is not JSON: ${p.reason}`),
};

type Note = { readonly unit: string; readonly help: string };

const notes = z.registry<Note>();

function key<T extends z.ZodType>(type: T, unit: string, help: string): T {
  notes.add(type, { unit, help });
  return type;
}

const HOST_PORT = /^(?:[0-9A-Za-z.-]+|\[[0-9A-Fa-f:]+\]):(\d{1,5})$/;
const address = (): z.ZodString =>
  z.string().refine((text) => {
    const port = HOST_PORT.exec(text)?.[1];
    return port !== undefined && Number(port) <= 65_535;
  }, 'must be host:port, such as 127.0.0.1:26657');
const millis = (min = 0): z.ZodNumber => z.int().min(min).max(3_600_000);
const count = (min: number, max: number): z.ZodNumber => z.int().min(min).max(max);

/** Who may call a port that browsers reach. */
const callers = {
  origins: key(
    z.array(z.string().max(256)).max(64).default([]),
    '',
    'Web origins whose pages may call; none by default.',
  ),
  hosts: key(
    z.array(z.string().max(256)).max(64).default([]),
    '',
    'Host names accepted besides localhost and addresses.',
  ),
};

const schema = z.strictObject({
  moniker: key(
    z.string().min(1).max(70).default('node'),
    '',
    'Name of the node, for people; told to peers and shown by `status`.',
  ),
  app: key(
    z.enum(['ledger', 'kvstore']).default('ledger'),
    '',
    'The application: the ledger, or the key-value example. Fixed for the life of a chain.',
  ),
  p2p: z
    .strictObject({
      listen: key(
        address().default('127.0.0.1:26656'),
        'host:port',
        'Where peers connect. Port 0 takes a free one.',
      ),
      persistentPeers: key(
        z.array(z.string().min(1).max(512)).max(1_000).default([]),
        '',
        'Peers to stay connected to: `/ip4/HOST/tcp/PORT/p2p/PEERID`.',
      ),
      seeds: key(
        z.array(z.string().min(1).max(512)).max(100).default([]),
        '',
        'Peers to ask once for the addresses of others.',
      ),
      maxInbound: key(count(0, 1_000).default(40), 'peers', 'Most peers that connected to us.'),
      maxOutbound: key(
        count(0, 1_000).default(10),
        'peers',
        'Most peers that we connect to, persistent ones not counted.',
      ),
      externalAddress: key(
        z.string().max(512).default(''),
        'multiaddr',
        'Where others reach us, if not where we listen: `/ip4/HOST/tcp/PORT`.',
      ),
      addresses: key(
        z.enum(['public', 'any', 'loopback']).default('public'),
        '',
        'Which addresses learned from peers are dialed; `any` for private networks.',
      ),
      seedMode: key(
        z.boolean().default(false),
        '',
        'Answers peers with addresses, then closes: a seed for others.',
      ),
    })
    .prefault({}),
  rpc: z
    .strictObject({
      listen: key(
        address().default('127.0.0.1:26657'),
        'host:port',
        'RPC, REST and metrics over HTTP and WebSocket. Port 0 takes a free one.',
      ),
      ...callers,
      unsafe: key(
        z.boolean().default(false),
        '',
        'Serves the unsafe routes (dial_peers, dial_seeds, unsafe_flush_mempool).',
      ),
    })
    .prefault({}),
  evm: z
    .strictObject({
      listen: key(
        z.union([z.literal(''), address()]).default('127.0.0.1:8545'),
        'host:port',
        "Ethereum's JSON-RPC over HTTP and WebSocket. Port 0 takes a free one; empty serves none.",
      ),
      ...callers,
      secondOpinion: key(
        z.enum(['halt', 'report', 'off']).default('halt'),
        '',
        "What happens when Hardhat's EVM, which runs each committed block's calls and Ethereum " +
          'transactions again, gets another result: the node stops, or reports it and goes on; ' +
          '`off` does not ask it.',
      ),
      callGas: key(
        count(21_000, 1_000_000_000).default(50_000_000),
        'gas',
        'Most gas of a call that is asked for and not sent; those that ask for more get this.',
      ),
      callTimeoutMs: key(
        millis(1).default(5_000),
        'ms',
        'Longest run of one request: a call, or a batch.',
      ),
      callThreads: key(
        count(1, 64).default(1),
        'threads',
        'Threads that run such calls; started when the first one comes, and one more in reserve.',
      ),
      maxCalls: key(
        count(1, 10_000).default(128),
        'calls',
        'Most such calls that wait for a thread.',
      ),
      logBlocks: key(
        count(1, 10_000_000).default(10_000),
        'blocks',
        'Most blocks that one search for logs looks at.',
      ),
      maxLogs: key(
        count(1, 1_000_000).default(10_000),
        'logs',
        'Most logs that one search answers.',
      ),
    })
    .prefault({}),
  consensus: z
    .strictObject({
      proposeMs: key(millis(1).default(500), 'ms', 'Wait for a proposal in round 0.'),
      proposeDeltaMs: key(millis(1).default(250), 'ms', 'Growth of that wait per round.'),
      prevoteMs: key(millis(1).default(200), 'ms', 'Wait for more prevotes after 2/3 of any.'),
      prevoteDeltaMs: key(millis(1).default(100), 'ms', 'Growth of that wait per round.'),
      precommitMs: key(millis(1).default(200), 'ms', 'Wait for more precommits after 2/3 of any.'),
      precommitDeltaMs: key(millis(1).default(100), 'ms', 'Growth of that wait per round.'),
      commitMs: key(
        millis().default(0),
        'ms',
        'Wait after a commit for late precommits; 0 goes on at once.',
      ),
      emptyBlocksMs: key(
        millis().default(1_000),
        'ms',
        'Longest wait for transactions before an empty block; 0 never makes one.',
      ),
    })
    .prefault({}),
  mempool: z
    .strictObject({
      maxTxs: key(
        count(1, 1_000_000).default(DEFAULT_MEMPOOL.maxTxs),
        'transactions',
        'Most that wait.',
      ),
      maxBytes: key(
        count(1_024, 4_294_967_296).default(DEFAULT_MEMPOOL.maxBytes),
        'bytes',
        'Most that wait, in all.',
      ),
      maxTxBytes: key(
        count(1, 104_857_600).default(DEFAULT_MEMPOOL.maxTxBytes),
        'bytes',
        'Largest transaction.',
      ),
      maxTxsPerSender: key(
        count(1, 1_000_000).default(DEFAULT_MEMPOOL.maxTxsPerSender),
        'transactions',
        'Most of one sender that wait.',
      ),
      maxBytesPerSender: key(
        count(1_024, 4_294_967_296).default(DEFAULT_MEMPOOL.maxBytesPerSender),
        'bytes',
        'Most of one sender that wait.',
      ),
      cacheSize: key(
        count(0, 10_000_000).default(DEFAULT_MEMPOOL.cacheSize),
        'hashes',
        'Transactions remembered so that a repeat is refused cheaply.',
      ),
      maxProposalBytes: key(
        count(1_024, 104_857_600).default(DEFAULT_MEMPOOL.maxProposalBytes),
        'bytes',
        'Most this node proposes in a block; it takes fewer if its blocks are slow.',
      ),
      keepInvalidInCache: key(
        z.boolean().default(DEFAULT_MEMPOOL.keepInvalidInCache),
        '',
        'Remembers transactions that failed their check as well.',
      ),
    })
    .prefault({}),
  ledger: z
    .strictObject({
      minGasPrices: key(
        z.string().max(1_024).default(''),
        '',
        'Least price of gas this node takes into its mempool, such as `1000000000aphi`.',
      ),
      allowFree: key(
        z.boolean().default(false),
        '',
        'Starts without a least price of gas: anybody may fill blocks for nothing.',
      ),
    })
    .prefault({}),
  storage: z
    .strictObject({
      archive: key(z.boolean().default(false), '', 'Keeps every height; the other keys are moot.'),
      keepBlocks: key(
        count(0, 4_294_967_296).default(0),
        'heights',
        'Newest blocks to keep; 0 keeps all that the evidence age and the application allow.',
      ),
      keepStates: key(
        count(2, 4_294_967_296).default(1_000),
        'heights',
        'Newest heights whose application state can be read and proven, at the least.',
      ),
      keepStateHours: key(
        count(0, 1_000_000).default(24),
        'hours',
        'How far back in block time application state can be read and proven, at the least.',
      ),
    })
    .prefault({}),
  log: z
    .strictObject({
      level: key(
        z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
        '',
        'Least level that is written, as JSON lines on stderr.',
      ),
    })
    .prefault({}),
});

/** A checked configuration, every key present; what each key does stands in the schema. */
export type Config = {
  readonly moniker: string;
  readonly app: 'ledger' | 'kvstore';
  readonly p2p: {
    readonly listen: string;
    readonly persistentPeers: readonly string[];
    readonly seeds: readonly string[];
    readonly maxInbound: number;
    readonly maxOutbound: number;
    readonly externalAddress: string;
    readonly addresses: 'public' | 'any' | 'loopback';
    readonly seedMode: boolean;
  };
  readonly rpc: {
    readonly listen: string;
    readonly origins: readonly string[];
    readonly hosts: readonly string[];
    readonly unsafe: boolean;
  };
  readonly evm: {
    readonly listen: string;
    readonly origins: readonly string[];
    readonly hosts: readonly string[];
    readonly secondOpinion: 'halt' | 'report' | 'off';
    readonly callGas: number;
    readonly callTimeoutMs: number;
    readonly callThreads: number;
    readonly maxCalls: number;
    readonly logBlocks: number;
    readonly maxLogs: number;
  };
  readonly consensus: TimeoutConfig;
  readonly mempool: MempoolConfig;
  readonly ledger: { readonly minGasPrices: string; readonly allowFree: boolean };
  readonly storage: {
    readonly archive: boolean;
    readonly keepBlocks: number;
    readonly keepStates: number;
    readonly keepStateHours: number;
  };
  readonly log: { readonly level: 'debug' | 'info' | 'warn' | 'error' | 'silent' };
};

/**
 * Checks a configuration and fills in the defaults.
 *
 * @param source - where it comes from, for the message
 * @throws LedgerError config/1 naming the path of the first bad key
 */
export function parseConfig(value: unknown, source = 'configuration'): Config {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const path = issue?.path.join('.') ?? '';
  const reason = issue?.message ?? 'not a configuration';
  throw new LedgerError(errors.BadKey, { source, path, reason });
}

/** One key of the schema. */
export type ConfigKey = Note & {
  readonly path: readonly string[];
  readonly kind: 'string' | 'number' | 'boolean' | 'list';
  readonly initial: unknown;
};

function kindOf(value: unknown): ConfigKey['kind'] {
  if (Array.isArray(value)) return 'list';
  if (typeof value === 'number') return 'number';
  return typeof value === 'boolean' ? 'boolean' : 'string';
}

/** Every key in the order of the schema, with its default and its note. */
export function configKeys(): readonly ConfigKey[] {
  const found: ConfigKey[] = [];
  const visit = (shape: z.core.$ZodShape, initial: object, path: readonly string[]): void => {
    const values = new Map(Object.entries(initial));
    for (const [name, type] of Object.entries(shape)) {
      const at = [...path, name];
      const note = notes.get(type as z.ZodType);
      if (note !== undefined) {
        found.push({
          path: at,
          kind: kindOf(values.get(name)),
          initial: values.get(name),
          ...note,
        });
      } else if (type instanceof z.ZodPrefault && type.unwrap() instanceof z.ZodObject) {
        visit((type.unwrap() as z.ZodObject).shape, values.get(name), at);
      }
    }
  };
  visit(schema.shape, parseConfig({}), []);
  return found;
}
