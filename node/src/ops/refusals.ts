/**
 * What the chain refused, in the words of ABIs that a user names.
 *
 * The ledger tells errors of its own contracts in words, and those of a space's policy as data.
 * Upholds: an ABI that cannot be read, or declares no errors, is wrong usage before anything is
 * sent; data that none of them knows stay, with what to do.
 *
 * @module
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { LedgerError } from '../base/errors.ts';
import { errors as chainErrors } from './chain-client.ts';
import { entriesUnder } from './folder-walk.ts';
import { named, readNamed } from './named-file.ts';
import { wrongUsage } from './usage.ts';

/** Errors as an ABI declares them. */
export type ErrorsAbi = readonly object[];

/** Most files of a folder that are read, and most entries that are looked at for them. */
const MAX_FILES = 2_000;
const MAX_ENTRIES = 20_000;

function errorsIn(text: string): ErrorsAbi {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return [];
  }
  const abi = typeof value === 'object' && value !== null && 'abi' in value ? value.abi : value;
  if (!Array.isArray(abi)) return [];
  return abi.filter((item: unknown): item is object => {
    return typeof item === 'object' && item !== null && 'type' in item && item.type === 'error';
  });
}

function mayHoldAbis(folder: string): boolean {
  return folder !== 'node_modules' && folder !== 'build-info' && !folder.startsWith('.');
}

/** The JSON files of a path, which may be a file itself. */
function filesOf(path: string): readonly string[] {
  if (!statSync(path).isDirectory()) return [path];
  const files: string[] = [];
  let looked = 0;
  for (const entry of entriesUnder(path, mayHoldAbis)) {
    looked++;
    const { name, parentPath } = entry;
    if (entry.isFile() && name.endsWith('.json')) files.push(join(parentPath, name));
    if (looked > MAX_ENTRIES || files.length > MAX_FILES) {
      wrongUsage(`--abi: ${path} holds too much to look through; name its folder of artifacts`);
    }
  }
  return files;
}

/**
 * The errors that ABIs declare.
 *
 * @param paths - files, each an ABI or an artifact of Hardhat or Foundry, or folders of them
 * @throws LedgerError usage/1
 */
export async function readErrors(paths: readonly string[]): Promise<ErrorsAbi> {
  if (paths.length === 0) return [];
  const { ErrorFragment } = await import('ethers');
  return paths.flatMap((path) => {
    const texts = named(path, '--abi', filesOf).map((file) => readNamed(file, '--abi'));
    const found = texts.flatMap(errorsIn);
    for (const item of found) {
      try {
        ErrorFragment.from(item);
      } catch (cause) {
        wrongUsage(`--abi: ${path} declares an error that is none: ${JSON.stringify(item)}`, cause);
      }
    }
    if (found.length > 0) return found;
    return wrongUsage(
      `--abi: ${path} declares no errors; take a contract's ABI in JSON, or its artifact ` +
        '(Hardhat: artifacts/contracts/…/NAME.json)',
    );
  });
}

/** What a policy refused with that is still data. */
const UNKNOWN = /MemoryRulesPolicyRefused\(0x[0-9a-f]{64}, (0x[0-9a-f]{40}), (0x[0-9a-f]{8})/;

/** A log of the ledger in words; what stays data is said to be what. */
export async function inWords(log: string, abi: ErrorsAbi): Promise<string> {
  if (!log.includes('0x')) return log;
  const { explained } = await import('../client/contracts.ts');
  const told = explained(log, abi.length === 0 ? [] : [JSON.stringify(abi)]);
  const [, policy, selector] = UNKNOWN.exec(told) ?? [];
  if (policy === undefined) return told;
  const which =
    abi.length === 0 ? 'give its ABI with --abi FILE' : 'what --abi names does not declare it';
  return `${told}; ${selector} is a custom error of the space's policy ${policy}: ${which}`;
}

/** Waits for a transaction; tells in words what is refused. @throws LedgerError client/12 */
export async function toldWith<T>(abi: ErrorsAbi, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (thrown) {
    if (!LedgerError.is(thrown, chainErrors.TxRefused)) throw thrown;
    const { codespace, code, log } = thrown.params;
    const params = { codespace, code, log: await inWords(log, abi) };
    throw new LedgerError(chainErrors.TxRefused, params, thrown);
  }
}
