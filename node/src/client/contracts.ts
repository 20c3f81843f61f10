/**
 * The ledger's contracts as programs call them, and why a contract refused something.
 *
 * Upholds: a refusal is told in the names of the ABI that knows it; data that no ABI knows is told
 * as it is.
 * Spec: ABI of Solidity contracts; docs/contracts.md.
 *
 * @module
 */
import { type ErrorDescription, Interface, type InterfaceAbi } from 'ethers';
import { LEDGER_CONTRACTS } from '../types/contracts.ts';
import { rightsParameter } from '../types/memory.ts';

/** Address and ABI of each of the ledger's contracts, for ethers, viem and others. */
export const contracts: typeof LEDGER_CONTRACTS = LEDGER_CONTRACTS;

/** A refusal: an error of a contract, and the one that it passes on, if it does. */
export type Refusal = {
  /** Such as `MemoryRulesPolicyRefused`. */
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly reason: Refusal | undefined;
};

const LEDGER: readonly Interface[] = Object.values(LEDGER_CONTRACTS).map(
  ({ abi }) => new Interface(abi),
);

/**
 * Reads what a call reverted with.
 *
 * @param data - the revert data, 0x…
 * @param abis - of contracts that are not the ledger's own, such as a space's policy
 * @returns nothing if no ABI has the error
 */
export function refusalOf(data: string, abis: readonly InterfaceAbi[] = []): Refusal | undefined {
  return read(data, [...abis.map(Interface.from), ...LEDGER]);
}

function read(data: string, interfaces: readonly Interface[]): Refusal | undefined {
  const known = interfaces.map((abi) => parse(abi, data)).find((found) => found !== undefined);
  if (known === undefined) return undefined;
  const args = known.args.toObject();
  const { reason } = args;
  const inner = typeof reason === 'string' && reason.startsWith('0x') ? reason : undefined;
  return {
    name: known.name,
    args,
    reason: inner === undefined ? undefined : read(inner, interfaces),
  };
}

function parse(abi: Interface, data: string): ErrorDescription | undefined {
  try {
    return abi.parseError(data) ?? undefined;
  } catch {
    // The selector is one of this ABI's, but the data is not what it should be.
    return undefined;
  }
}

/** Data of an error in a text: a selector and whole words. */
const ERROR_DATA = /0x[0-9a-f]{8}(?:[0-9a-f]{64})*(?![0-9a-f])/g;

/**
 * A log of the ledger with the errors that these ABIs know in words: the ledger knows those of
 * its own contracts, and leaves those of a space's policy as data.
 */
export function explained(log: string, abis: readonly InterfaceAbi[]): string {
  return log.replace(ERROR_DATA, (data) => {
    const refusal = refusalOf(data, abis);
    return refusal === undefined ? data : refusalText(refusal);
  });
}

/** A refusal in words, such as `MemoryRulesPolicyRefused: EditorialNotEditor(0x…)`. */
export function refusalText({ name, args, reason }: Refusal): string {
  if (reason !== undefined) return `${name}: ${refusalText(reason)}`;
  const shown = Object.entries(args).map(([parameter, value]) =>
    typeof value === 'bigint'
      ? (rightsParameter(name, parameter, value) ?? String(value))
      : String(value),
  );
  return `${name}(${shown.join(', ')})`;
}
