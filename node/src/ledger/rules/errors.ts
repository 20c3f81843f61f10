/**
 * Why the rules contract refused, in words and with a declared code.
 *
 * Upholds: a refusal's code follows from the custom error's name alone; names and parameters come
 * from the contracts' ABI. What a policy reverted with is inside: decoded if one of the ledger's
 * own contracts declares it, or it is a reason in text, else shown as data.
 *
 * @module
 */
import { fromUtf8, toHex } from '../../base/bytes.ts';
import { type ErrorSpec, errorSpec, LedgerError } from '../../base/errors.ts';
import { abi as coSignAbi } from '../../gen/contracts/co-sign-policy.ts';
import { abi as rulesAbi } from '../../gen/contracts/memory-rules.ts';
import { abi as minReputationAbi } from '../../gen/contracts/min-reputation-policy.ts';
import { abi as rateLimitAbi } from '../../gen/contracts/rate-limit-policy.ts';
import { rightsParameter } from '../../types/memory.ts';
import { selectorOf } from './call.ts';

/** What a refusal says: the custom error as a call with its arguments. */
export type RulesRefusal = { readonly error: string };

/** Names of the refusals by the rules; those of the contract's errors are theirs. */
export type RulesError =
  | 'UnknownSpace'
  | 'Frozen'
  | 'NotGranted'
  | 'GrantExpired'
  | 'TooManyEntries'
  | 'TooManyBytes'
  | 'PolicyRefused'
  | 'PolicyOutOfGas'
  | 'PolicyInvalid'
  | 'SpaceExists'
  | 'NotOwner'
  | 'SelfGrant'
  | 'InvalidRights'
  | 'InvalidExpiry'
  | 'InvalidMode'
  | 'InvalidAddress'
  | 'QuotaAboveLimit'
  | 'PersonalSpace'
  | 'InvalidAction'
  | 'Refused';

function rules(code: number, words: string): ErrorSpec<RulesRefusal> {
  return errorSpec('memory', code, 'client', (p) => `${words}: ${p.error}`);
}

/** Refusals by the rules contract, in codespace `memory`. */
export const errors: { readonly [N in RulesError]: ErrorSpec<RulesRefusal> } = {
  UnknownSpace: rules(10, 'there is no such space'),
  Frozen: rules(11, 'the space is frozen'),
  NotGranted: rules(12, 'no right to do this in the space'),
  GrantExpired: rules(13, 'the grant has expired'),
  TooManyEntries: rules(14, 'the space holds as many entries as it may'),
  TooManyBytes: rules(15, 'the space holds as many bytes as it may'),
  PolicyRefused: rules(16, "the space's policy refused"),
  PolicyOutOfGas: rules(17, "the space's policy ran out of gas"),
  PolicyInvalid: rules(18, "the space's policy is no policy contract"),
  SpaceExists: rules(19, 'the space exists already'),
  NotOwner: rules(20, 'only the owner of the space may do this'),
  SelfGrant: rules(21, 'nobody grants rights to itself'),
  InvalidRights: rules(22, 'there are no such rights'),
  InvalidExpiry: rules(23, 'the expiry is past'),
  InvalidMode: rules(24, 'there is no such mode'),
  InvalidAddress: rules(25, 'an address is missing'),
  QuotaAboveLimit: rules(26, 'the quota is above what governance allows'),
  PersonalSpace: rules(27, "a personal space stays its account's"),
  InvalidAction: rules(28, 'the rules do not take this change'),
  Refused: rules(29, 'the rules refused'),
};

type Parameter = { readonly name: string; readonly type: string };
type CustomError = { readonly name: string; readonly inputs: readonly Parameter[] };

type AbiItem = {
  readonly type: string;
  readonly name?: string;
  readonly inputs?: readonly Parameter[];
};

function customErrors(abi: readonly AbiItem[]): readonly (readonly [string, CustomError])[] {
  return abi.flatMap(({ type, name = '', inputs = [] }) =>
    type === 'error'
      ? [
          [
            toHex(selectorOf(`${name}(${inputs.map((input) => input.type).join(',')})`)),
            { name, inputs },
          ] as const,
        ]
      : [],
  );
}

const KNOWN: ReadonlyMap<string, CustomError> = new Map([
  ...customErrors([
    { type: 'error', name: 'Error', inputs: [{ name: 'reason', type: 'string' }] },
    { type: 'error', name: 'Panic', inputs: [{ name: 'code', type: 'uint256' }] },
  ]),
  ...customErrors(minReputationAbi),
  ...customErrors(rateLimitAbi),
  ...customErrors(coSignAbi),
  ...customErrors(rulesAbi),
]);

const WORD = 32;
const SELECTOR = 4;
const ADDRESS_AT = 12;
/** How deep errors inside errors are shown. */
const MAX_DEPTH = 2;
/** Most bytes of data that are shown. */
const MAX_SHOWN = 256;

function bigAt(data: Uint8Array, at: number): bigint | undefined {
  const word = data.subarray(at, at + WORD);
  return word.length < WORD ? undefined : BigInt(`0x${toHex(word)}`);
}

function bytesAt(data: Uint8Array, at: number): Uint8Array | undefined {
  const offset = bigAt(data, at);
  if (offset === undefined || offset > BigInt(data.length)) return undefined;
  const size = bigAt(data, Number(offset));
  if (size === undefined || size > BigInt(data.length)) return undefined;
  const bytes = data.subarray(Number(offset) + WORD, Number(offset) + WORD + Number(size));
  return bytes.length === Number(size) ? bytes : undefined;
}

function hex(data: Uint8Array): string {
  const more = data.length > MAX_SHOWN ? `… (${data.length} bytes)` : '';
  return `0x${toHex(data.subarray(0, MAX_SHOWN))}${more}`;
}

/** A value as Solidity would write it; `undefined` if the data are not of that form. */
function valueAt(data: Uint8Array, at: number, type: string, depth: number): string | undefined {
  if (type === 'bytes' || type === 'string') {
    const bytes = bytesAt(data, at);
    if (bytes === undefined) return undefined;
    if (type === 'bytes') return nested(bytes, depth);
    const text = fromUtf8(bytes);
    return text === undefined ? hex(bytes) : JSON.stringify(text);
  }
  const word = bigAt(data, at);
  if (word === undefined) return undefined;
  if (type === 'address') return `0x${toHex(data.subarray(at + ADDRESS_AT, at + WORD))}`;
  if (type === 'bool') return String(word !== 0n);
  if (type.startsWith('int')) return String(BigInt.asIntN(WORD * 8, word));
  if (type.startsWith('uint')) return String(word);
  if (!type.startsWith('bytes') || type.endsWith(']')) return undefined;
  return `0x${toHex(data.subarray(at, at + Number(type.slice('bytes'.length))))}`;
}

/** Data of a revert inside another. */
function nested(data: Uint8Array, depth: number): string {
  return depth < MAX_DEPTH ? describeRevert(data, depth + 1) : hex(data);
}

/** Data of a revert as a call: its error's name and arguments, or the data themselves. */
export function describeRevert(data: Uint8Array, depth = 0): string {
  const error = KNOWN.get(toHex(data.subarray(0, SELECTOR)));
  if (error === undefined) return hex(data);
  const body = data.subarray(SELECTOR);
  const values = error.inputs.map(({ name, type }, i) => {
    const word = type === 'uint256' ? bigAt(body, i * WORD) : undefined;
    const named = word === undefined ? undefined : rightsParameter(error.name, name, word);
    return named ?? valueAt(body, i * WORD, type, depth);
  });
  return values.includes(undefined) ? hex(data) : `${error.name}(${values.join(', ')})`;
}

const PREFIX = 'MemoryRules';

/** The refusal that the data of an error of the rules contract mean. */
export function refusalOf(reason: Uint8Array): LedgerError<RulesRefusal> {
  const name = KNOWN.get(toHex(reason.subarray(0, SELECTOR)))?.name ?? '';
  const short = name.startsWith(PREFIX) ? name.slice(PREFIX.length) : '';
  const spec = Object.hasOwn(errors, short) ? errors[short as RulesError] : errors.Refused;
  return new LedgerError(spec, { error: describeRevert(reason) });
}
