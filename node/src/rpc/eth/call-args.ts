/**
 * The parameters of calls: the transaction object, changes of state, changes of the block.
 *
 * Upholds: an unknown field is passed over, as geth does; a known one that is malformed, or two
 * that contradict each other, are refused. Everything has a bound.
 * Spec: ethereum/execution-apis (GenericTransaction); go-ethereum internal/ethapi
 * (transaction_args.go, override).
 *
 * @module
 */
import { equalBytes } from '../../base/bytes.ts';
import { badParams } from './errors.ts';
import type {
  EthAccess,
  EthAuthorization,
  EthBlockOverride,
  EthCall,
  EthOverride,
} from './ports.ts';
import {
  optional,
  readAddress,
  readBig,
  readData,
  readHash,
  readList,
  readNumber,
  readObject,
  readSlot,
  readUint64,
} from './values.ts';

/** Most entries of an access list, of its slots, of authorizations, of overridden accounts. */
const MAX_ITEMS = 1_000;
/** Most slots that an override names. */
const MAX_SLOTS = 10_000;
const ZERO_ADDRESS = new Uint8Array(20);
const NO_DATA = new Uint8Array(0);

type Fields = Readonly<Record<string, unknown>>;

/** What the caller says of a call. */
export type CallArgs = Omit<EthCall, 'block' | 'overrides' | 'blockOverride' | 'gasCap'>;

function readAccess(value: unknown, what: string): EthAccess {
  const { address, storageKeys } = readObject(value, what);
  const slots = optional(storageKeys, `${what}.storageKeys`, (keys, name) =>
    readList(keys, name, MAX_ITEMS, readHash),
  );
  return { address: readAddress(address, `${what}.address`), slots: slots ?? [] };
}

function readAuthorization(value: unknown, what: string): EthAuthorization {
  const { chainId, address, nonce, yParity, v, r, s } = readObject(value, what);
  return {
    chainId: readBig(chainId, `${what}.chainId`),
    address: readAddress(address, `${what}.address`),
    nonce: readUint64(nonce, `${what}.nonce`),
    yParity: readUint64(yParity ?? v, `${what}.yParity`),
    r: readBig(r, `${what}.r`),
    s: readBig(s, `${what}.s`),
  };
}

function readInput({ data: old, input }: Fields): Uint8Array {
  const [a, b] = [optional(old, 'data', readData), optional(input, 'input', readData)];
  if (a !== undefined && b !== undefined && !equalBytes(a, b)) {
    return badParams(
      'both "data" and "input" are set and not equal. ' +
        'Please use "input" to pass transaction call data',
    );
  }
  return b ?? a ?? NO_DATA;
}

function readFees(fields: Fields): Pick<CallArgs, 'maxFeePerGas' | 'maxPriorityFeePerGas'> {
  const price = optional(fields['gasPrice'], 'gasPrice', readBig);
  const cap = optional(fields['maxFeePerGas'], 'maxFeePerGas', readBig);
  const tip = optional(fields['maxPriorityFeePerGas'], 'maxPriorityFeePerGas', readBig);
  if (price !== undefined) {
    if (cap !== undefined || tip !== undefined) {
      badParams('both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified');
    }
    return { maxFeePerGas: price, maxPriorityFeePerGas: price };
  }
  return { maxFeePerGas: cap ?? 0n, maxPriorityFeePerGas: tip ?? 0n };
}

/** The transaction object of a call. @param chainId - which it must be for, if it says so */
export function readCall(value: unknown, chainId: bigint): CallArgs {
  const fields = readObject(value, 'transaction');
  const chain = optional(fields['chainId'], 'chainId', readBig);
  if (chain !== undefined && chain !== chainId) {
    badParams(`chainId does not match node's (have=${chain}, want=${chainId})`);
  }
  const authorizations = optional(fields['authorizationList'], 'authorizationList', (list, what) =>
    readList(list, what, MAX_ITEMS, readAuthorization),
  );
  const accessList = optional(fields['accessList'], 'accessList', (list, what) =>
    readList(list, what, MAX_ITEMS, readAccess),
  );
  return {
    from: optional(fields['from'], 'from', readAddress) ?? ZERO_ADDRESS,
    to: optional(fields['to'], 'to', readAddress),
    value: optional(fields['value'], 'value', readBig) ?? 0n,
    data: readInput(fields),
    gas: optional(fields['gas'], 'gas', readUint64),
    nonce: optional(fields['nonce'], 'nonce', readUint64),
    ...readFees(fields),
    accessList: accessList ?? [],
    authorizations,
  };
}

type Slots = readonly (readonly [Uint8Array, Uint8Array])[];

function readSlots(value: unknown, what: string): Slots {
  const entries = Object.entries(readObject(value, what));
  if (entries.length > MAX_SLOTS) badParams(`${what}: more than ${MAX_SLOTS} slots`);
  return entries.map(([slot, word]) => [readSlot(slot, what), readSlot(word, what)] as const);
}

function readOverride(name: string, value: unknown): EthOverride {
  const address = readAddress(name, 'overridden account');
  const fields = readObject(value, `override of ${name}`);
  const balance = optional(fields['balance'], 'balance', readBig);
  const nonce = optional(fields['nonce'], 'nonce', readNumber);
  const code = optional(fields['code'], 'code', readData);
  const whole = optional(fields['state'], 'state', readSlots);
  const diff = optional(fields['stateDiff'], 'stateDiff', readSlots);
  if (whole !== undefined && diff !== undefined) {
    badParams(`account ${name} has both 'state' and 'stateDiff'`);
  }
  if (fields['movePrecompileToAddress'] !== undefined) {
    badParams('movePrecompileToAddress is not supported');
  }
  const slots = whole ?? diff;
  return {
    address,
    ...(balance === undefined ? {} : { balance }),
    ...(nonce === undefined ? {} : { nonce: BigInt(nonce) }),
    ...(code === undefined ? {} : { code }),
    ...(slots === undefined ? {} : { slots }),
    ...(whole === undefined ? {} : { whole: true }),
  };
}

/** Changes of the state. */
export function readOverrides(value: unknown): readonly EthOverride[] {
  const entries = Object.entries(readObject(value, 'state override'));
  if (entries.length > MAX_ITEMS) badParams(`state override: more than ${MAX_ITEMS} accounts`);
  return entries.map(([name, change]) => readOverride(name, change));
}

/** Changes of the block. */
export function readBlockOverride(value: unknown): EthBlockOverride {
  const fields = readObject(value, 'block override');
  const number = optional(fields['number'], 'number', readNumber);
  const time = optional(fields['time'], 'time', readUint64);
  const gasLimit = optional(fields['gasLimit'], 'gasLimit', readUint64);
  const recipient = fields['feeRecipient'] ?? fields['coinbase'];
  const feeRecipient = optional(recipient, 'feeRecipient', readAddress);
  const random = fields['prevRandao'] ?? fields['random'];
  const prevRandao = optional(random, 'prevRandao', readHash);
  const fee = fields['baseFeePerGas'] ?? fields['baseFee'];
  const baseFee = optional(fee, 'baseFeePerGas', readBig);
  return {
    ...(number === undefined ? {} : { number }),
    ...(time === undefined ? {} : { time }),
    ...(gasLimit === undefined ? {} : { gasLimit }),
    ...(feeRecipient === undefined ? {} : { feeRecipient }),
    ...(prevRandao === undefined ? {} : { prevRandao }),
    ...(baseFee === undefined ? {} : { baseFee }),
  };
}
