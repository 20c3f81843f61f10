/**
 * The layer table as data: who may import whom, where libraries belong, which folders are pure.
 *
 * ARCHITECTURE.md says what each folder owns; `scripts/tidy.ts` enforces this table.
 *
 * @module
 */

/** One layer: a folder and the other layers it may import, by name. */
export type Layer = {
  readonly folder: string;
  readonly mayImport: readonly string[];
  /** No clock, randomness, timers, I/O, or mathematics that differs between machines. */
  readonly pure: boolean;
};

const EVERYTHING: readonly string[] = ['*'];

/** The layers by name; the deepest folder that holds a file is its layer. */
export const LAYERS: Readonly<Record<string, Layer>> = {
  base: { folder: 'node/src/base', mayImport: [], pure: true },
  gen: { folder: 'node/src/gen', mayImport: [], pure: true },
  types: { folder: 'node/src/types', mayImport: ['base', 'gen'], pure: true },
  abci: { folder: 'node/src/abci', mayImport: ['base', 'types'], pure: true },
  crypto: { folder: 'node/src/crypto', mayImport: ['base', 'types'], pure: false },
  consensus: { folder: 'node/consensus', mayImport: ['base', 'types'], pure: true },
  ledger: {
    folder: 'node/src/ledger',
    mayImport: ['base', 'gen', 'types', 'abci'],
    pure: true,
  },
  mempool: { folder: 'node/src/mempool', mayImport: ['base', 'types', 'abci'], pure: true },
  state: { folder: 'node/state', mayImport: ['base', 'types'], pure: false },
  net: { folder: 'node/src/net', mayImport: ['base', 'types'], pure: false },
  indexer: { folder: 'node/src/indexer', mayImport: ['base', 'types'], pure: false },
  engine: {
    folder: 'node/src/engine',
    mayImport: ['base', 'types', 'abci', 'consensus', 'mempool', 'state'],
    pure: false,
  },
  rpc: {
    folder: 'node/src/rpc',
    mayImport: ['base', 'gen', 'types', 'abci', 'indexer'],
    pure: false,
  },
  client: { folder: 'node/src/client', mayImport: ['base', 'gen', 'types'], pure: false },
  ops: { folder: 'node/src/ops', mayImport: EVERYTHING, pure: false },
  cli: { folder: 'node/src/cli', mayImport: EVERYTHING, pure: false },
  wiring: { folder: 'node/src', mayImport: EVERYTHING, pure: false },
  entry: { folder: 'node/bin', mayImport: EVERYTHING, pure: false },
};

/** Layers that only these may import, whatever else the table says. */
export const ONLY_FOR: Readonly<Record<string, readonly string[]>> = {
  cli: ['cli', 'entry'],
  wiring: ['wiring', 'cli', 'ops', 'entry'],
};

/** Libraries that only files under these folders may name; a trailing `/` covers a scope. */
export const LIBRARIES: Readonly<Record<string, readonly string[]>> = {
  level: ['node/state'],
  'classic-level': ['node/state'],
  'abstract-level': ['node/state'],
  libp2p: ['node/src/net'],
  '@libp2p/': ['node/src/net'],
  '@multiformats/': ['node/src/net'],
  express: ['node/src/rpc'],
  '@ethereumjs/': ['node/src/ledger/evm'],
  '@nomicfoundation/': ['node/src/ledger/evm'],
  'mcl-wasm': ['node/src/ledger/evm'],
  'sodium-native': ['node/src/crypto'],
  // The load generator signs as fast as it can.
  secp256k1: ['node/src/crypto', 'node/src/ops'],
  commander: ['node/src/cli'],
};

/** Modules of the ledger: none imports another; the registry hands each the views it may have. */
export const LEDGER_MODULES: readonly string[] = ['auth', 'bank', 'memory', 'evm'];

/** The one module that all others rest on, so that they may import it: accounts. */
export const LEDGER_FOUNDATION = 'auth';

/** Built-in modules that a pure file may import all the same. */
export const PURE_EXCEPTIONS: Readonly<Record<string, readonly string[]>> = {
  'node/src/base/hash-node.ts': ['node:crypto'],
};

/** Files that nothing imports because they are started from outside. */
export const ENTRIES: readonly RegExp[] = [
  /^node\/bin\//,
  /^node\/src\/cli\/main\.ts$/,
  /^node\/src\/base\/hash-(node|browser)\.ts$/,
  /^node\/src\/gen\//,
  /^scripts\/[^/]+$/,
  /\.test\.ts$/,
];

/** Most lines of a file, by top folder. */
export const MAX_LINES: Readonly<Record<string, number>> = { node: 400, scripts: 400, test: 500 };

/** Most characters of a line. */
export const MAX_COLUMNS = 100;
