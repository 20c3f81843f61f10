/**
 * How the project's Solidity is compiled: one compiler and one set of settings for Hardhat, for the
 * generated code and for the tests.
 *
 * Upholds: nothing is downloaded: the compiler is the npm package `solc`. Bytecode has no metadata,
 * so that it depends on the code alone and not on comments or paths.
 *
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, sep } from 'node:path';

const require = createRequire(import.meta.url);

/** Settings of the compiler. */
export const settings: {
  readonly optimizer: { readonly enabled: true; readonly runs: number };
  readonly evmVersion: string;
  readonly metadata: { readonly bytecodeHash: 'none'; readonly appendCBOR: false };
} = {
  optimizer: { enabled: true, runs: 200 },
  evmVersion: 'prague',
  metadata: { bytecodeHash: 'none', appendCBOR: false },
};

/** The compiler as Hardhat's configuration wants it. */
export const compiler: {
  readonly version: string;
  readonly path: string;
  readonly settings: typeof settings;
} = {
  version: (require('solc/package.json') as { readonly version: string }).version,
  path: require.resolve('solc/soljson.js'),
  settings,
};

/** An item of an ABI. */
export type AbiItem = { readonly type: string; readonly name?: string };

/** One compiled contract. */
export type Compiled = {
  readonly file: string;
  readonly name: string;
  readonly abi: readonly AbiItem[];
  /** Hex digits, no prefix. */
  readonly bytecode: string;
  readonly runtime: string;
  readonly hasImmutables: boolean;
  readonly storageLayout: StorageLayout;
};

/** Where a contract's variables lie. */
export type StorageLayout = {
  readonly storage: readonly {
    readonly label: string;
    readonly slot: string;
    readonly offset: number;
    readonly type: string;
  }[];
  readonly types: Readonly<Record<string, StorageType>> | null;
};

/** A type in a storage layout. */
export type StorageType = {
  readonly label: string;
  readonly numberOfBytes: string;
  readonly members?: StorageLayout['storage'];
};

type Output = {
  readonly errors?: readonly { readonly severity: string; readonly formattedMessage: string }[];
  readonly contracts: Readonly<Record<string, Readonly<Record<string, OutputContract>>>>;
};

type OutputContract = {
  readonly abi: readonly AbiItem[];
  readonly storageLayout: StorageLayout;
  readonly evm: {
    readonly bytecode: { readonly object: string };
    readonly deployedBytecode: {
      readonly object: string;
      readonly immutableReferences: Readonly<Record<string, unknown>>;
    };
  };
};

/** The subset of solc-js that is used. */
type Solc = {
  compile(
    input: string,
    callbacks: { import(path: string): { readonly contents: string } },
  ): string;
};

const OUTPUTS: readonly string[] = ['abi', 'evm.bytecode', 'evm.deployedBytecode', 'storageLayout'];

/** Compiles the ledger's contracts under `root`. @throws Error with the compiler's words */
export function compile(root: string): readonly Compiled[] {
  const contracts = join(root, 'contracts');
  const files = readdirSync(contracts, { recursive: true, encoding: 'utf8' })
    .map((file) => file.replaceAll(sep, '/'))
    .filter((file) => file.endsWith('.sol') && !file.startsWith('test/'))
    .sort();
  const sources = Object.fromEntries(
    files.map((file) => [
      `contracts/${file}`,
      { content: readFileSync(join(contracts, file), 'utf8') },
    ]),
  );
  const outputSelection = { '*': { '*': OUTPUTS } };
  const input = { language: 'Solidity', sources, settings: { ...settings, outputSelection } };
  const solc = require('solc') as Solc;
  const output = JSON.parse(
    solc.compile(JSON.stringify(input), {
      import: (path) => ({ contents: readFileSync(join(root, 'node_modules', path), 'utf8') }),
    }),
  ) as Output;
  const faults = output.errors ?? [];
  if (faults.length > 0) throw new Error(faults.map((e) => e.formattedMessage).join('\n'));
  return Object.entries(output.contracts)
    .filter(([file]) => file.startsWith('contracts/'))
    .flatMap(([file, byName]) =>
      Object.entries(byName).map(([name, contract]) => compiledOf(file, name, contract)),
    );
}

function compiledOf(
  file: string,
  name: string,
  { abi, evm, storageLayout }: OutputContract,
): Compiled {
  const { object, immutableReferences } = evm.deployedBytecode;
  return {
    file,
    name,
    abi,
    bytecode: evm.bytecode.object,
    runtime: object,
    hasImmutables: Object.keys(immutableReferences ?? {}).length > 0,
    storageLayout,
  };
}
