/**
 * A node's home: the folder with its configuration, its two keys, its genesis and its data.
 *
 *     config/config.json          any part of the configuration
 *     config/genesis.json         CometBFT's genesis document
 *     config/node_key.json        the peer's identity, CometBFT's shape, mode 0600
 *     config/validator_key.json   the validator's key, CometBFT's shape, mode 0600
 *     data/                       blocks, state, write-ahead log, signer's guard
 *
 * Upholds: keys are written with mode 0600 and refused when others may read them; an existing home
 * is never overwritten; a file is replaced whole or not at all.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ed25519 } from '@noble/curves/ed25519.js';
import { equalBytes, fromBase64, toBase64, toUpperHex } from '../base/bytes.ts';
import { describe, type ErrorSpec, errorSpec, LedgerError } from '../base/errors.ts';
import { sha256Truncated } from '../base/hash.ts';
import { type Genesis, parseGenesis } from '../types/genesis.ts';

/** Refusals about a home. */
export const errors: {
  readonly Exists: ErrorSpec<{ readonly home: string }>;
  readonly Missing: ErrorSpec<{ readonly home: string; readonly file: string }>;
  readonly BadFile: ErrorSpec<{ readonly file: string; readonly reason: string }>;
  readonly OpenKey: ErrorSpec<{ readonly file: string }>;
  readonly NoData: ErrorSpec<{ readonly data: string }>;
  readonly NoFolder: ErrorSpec<{ readonly folder: string; readonly reason: string }>;
} = {
  Exists: errorSpec(
    'home',
    1,
    'client',
    (p) => `${p.home} is already a node's home; choose another with --home`,
  ),
  Missing: errorSpec(
    'home',
    2,
    'client',
    (p) => `${p.home} is no node's home: ${p.file} is missing; make one with "metatron init"`,
  ),
  BadFile: errorSpec(
    'home',
    3,
    'client',
    (p) => `${p.file}: ${p.reason}; put a good copy back, or make another home`,
  ),
  OpenKey: errorSpec(
    'home',
    4,
    'client',
    (p) => `${p.file} can be read by others; run: chmod 600 ${p.file}`,
  ),
  NoData: errorSpec(
    'home',
    5,
    'client',
    (p) => `${p.data} is a file where a folder is needed: move it away, then start again`,
  ),
  NoFolder: errorSpec(
    'home',
    6,
    'client',
    (p) => `cannot make the folder ${p.folder}: ${p.reason}; choose another place`,
  ),
};

/** The signer's guard, in the data folder: what the validator's key signed last. */
export const GUARD_FILE = 'signer.guard';
/** The database, in the data folder. */
export const DATABASE_FOLDER = 'db';

/** The lock of the process that uses the home, in the data folder. */
export const LOCK_FILE = 'lock';

/** Where the files of a home are. */
export type HomePaths = {
  readonly home: string;
  readonly config: string;
  readonly genesis: string;
  readonly nodeKey: string;
  readonly validatorKey: string;
  readonly data: string;
};

/** The paths of a home. */
export function homePaths(home: string): HomePaths {
  const at = (name: string): string => join(home, 'config', name);
  return {
    home,
    config: at('config.json'),
    genesis: at('genesis.json'),
    nodeKey: at('node_key.json'),
    validatorKey: at('validator_key.json'),
    data: join(home, 'data'),
  };
}

/** An Ed25519 key pair; `seed` is 32 secret bytes. */
export type KeyPair = { readonly seed: Uint8Array; readonly publicKey: Uint8Array };

/** A new random key pair. */
export function createKeyPair(): KeyPair {
  const seed = new Uint8Array(randomBytes(32));
  return { seed, publicKey: ed25519.getPublicKey(seed) };
}

/** The address of a validator or peer key: upper-case hex of 20 bytes. */
export function keyAddress(publicKey: Uint8Array): string {
  return toUpperHex(sha256Truncated(publicKey));
}

type AminoKey = { readonly type: string; readonly value: string };

function privateJson(pair: KeyPair): AminoKey {
  const both = new Uint8Array(64);
  both.set(pair.seed);
  both.set(pair.publicKey, 32);
  return { type: 'tendermint/PrivKeyEd25519', value: toBase64(both) };
}

/** Writes a whole file, replacing what was there in one step. */
export function writeWhole(file: string, text: string, mode = 0o644): void {
  const part = `${file}.part`;
  writeFileSync(part, text, { mode, flush: true });
  renameSync(part, file);
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** What a new home is made of. */
export type HomeContent = {
  readonly config: object;
  /** The genesis document, as text. */
  readonly genesis: string;
  readonly nodeKey: KeyPair;
  readonly validatorKey: KeyPair;
};

function codeOf(thrown: unknown): unknown {
  return thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
}

const NO_FOLDER: ReadonlyMap<unknown, string> = new Map([
  ['EEXIST', 'there is a file of this name'],
  ['ENOTDIR', 'a file is in its way'],
  ['ENOENT', 'the system makes no folders there'],
]);

/**
 * Makes a folder for its owner alone, and those above it.
 *
 * One by one: `recursive` of node:fs tries for ever where the system makes no folders (/proc).
 *
 * @throws LedgerError home/6 if there can be none
 */
export function makeFolder(folder: string): void {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true) return;
  const above = dirname(folder);
  if (above !== folder) makeFolder(above);
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (cause) {
    const reason = NO_FOLDER.get(codeOf(cause));
    if (reason === undefined) throw cause;
    throw new LedgerError(errors.NoFolder, { folder, reason }, cause);
  }
}

/** Whether this folder holds a node's home. */
export function isHome(home: string): boolean {
  return existsSync(homePaths(home).config);
}

/** Makes a home. @throws LedgerError home/1 if there is one, home/6 if it cannot be there */
export function createHome(home: string, content: HomeContent): HomePaths {
  const paths = homePaths(home);
  if (isHome(home)) throw new LedgerError(errors.Exists, { home });
  makeFolder(join(home, 'config'));
  makeFolder(paths.data);
  writeValidatorKey(paths, content.validatorKey);
  writeNodeKey(paths, content.nodeKey);
  writeWhole(paths.genesis, content.genesis);
  writeConfig(paths, content.config);
  return paths;
}

/** Replaces the configuration file. */
export function writeConfig(paths: HomePaths, config: object): void {
  writeWhole(paths.config, json(config));
}

/** Replaces the peer's key. */
export function writeNodeKey(paths: HomePaths, pair: KeyPair): void {
  writeWhole(paths.nodeKey, json({ priv_key: privateJson(pair) }), 0o600);
}

/** Replaces the validator's key. */
export function writeValidatorKey(paths: HomePaths, pair: KeyPair): void {
  const key = {
    address: keyAddress(pair.publicKey),
    pub_key: { type: 'tendermint/PubKeyEd25519', value: toBase64(pair.publicKey) },
    priv_key: privateJson(pair),
  };
  writeWhole(paths.validatorKey, json(key), 0o600);
}

/** The text of a file of the home. @throws LedgerError home/2 if it is not there */
export function readHomeFile(paths: HomePaths, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (thrown) {
    const code = codeOf(thrown);
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw thrown;
    throw new LedgerError(errors.Missing, { home: paths.home, file }, thrown);
  }
}

/** The genesis of the home. @throws LedgerError home/2 or home/3 */
export function readGenesis(paths: HomePaths): Genesis {
  const text = readHomeFile(paths, paths.genesis);
  try {
    return parseGenesis(text);
  } catch (thrown) {
    if (!(thrown instanceof LedgerError)) throw thrown;
    throw new LedgerError(errors.BadFile, { file: paths.genesis, reason: thrown.message }, thrown);
  }
}

/** Makes the folder of the data, if there is none. @throws LedgerError home/5 if it is a file */
export function makeDataFolder({ data }: HomePaths): void {
  const found = statSync(data, { throwIfNoEntry: false });
  if (found === undefined) makeFolder(data);
  else if (!found.isDirectory()) throw new LedgerError(errors.NoData, { data });
}

/** JSON of a file of the home. @throws LedgerError home/2 or home/3 */
export function readHomeJson(paths: HomePaths, file: string): unknown {
  const text = readHomeFile(paths, file);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new LedgerError(errors.BadFile, { file, reason: describe(cause) }, cause);
  }
}

function field(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return new Map<string, unknown>(Object.entries(value)).get(name);
}

function readKey(paths: HomePaths, file: string): KeyPair {
  const content = readHomeJson(paths, file);
  if (process.platform !== 'win32' && (statSync(file).mode & 0o077) !== 0) {
    throw new LedgerError(errors.OpenKey, { file });
  }
  const key = field(content, 'priv_key');
  const text = field(key, 'value');
  const bytes = typeof text === 'string' ? fromBase64(text) : undefined;
  if (field(key, 'type') !== 'tendermint/PrivKeyEd25519' || bytes?.length !== 64) {
    throw new LedgerError(errors.BadFile, { file, reason: 'priv_key is not an Ed25519 key' });
  }
  const pair = { seed: bytes.slice(0, 32), publicKey: bytes.slice(32) };
  if (!equalBytes(ed25519.getPublicKey(pair.seed), pair.publicKey)) {
    throw new LedgerError(errors.BadFile, { file, reason: 'the halves of priv_key disagree' });
  }
  return pair;
}

/** The peer's key. @throws LedgerError home/2, home/3, home/4 */
export function readNodeKey(paths: HomePaths): KeyPair {
  return readKey(paths, paths.nodeKey);
}

/** The validator's key. @throws LedgerError home/2, home/3, home/4 */
export function readValidatorKey(paths: HomePaths): KeyPair {
  return readKey(paths, paths.validatorKey);
}
