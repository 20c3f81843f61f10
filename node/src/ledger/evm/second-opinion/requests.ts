/**
 * Runs as the other EVM is asked for them, in Ethereum's JSON.
 *
 * Upholds: a transaction of any type is sent with the fees it names, so it pays the same; its
 * signature was checked when it was decoded and is not sent.
 * Spec: Ethereum execution API, eth_sendTransaction.
 *
 * @module
 */
import { equalBytes, toHex } from '../../../base/bytes.ts';
import { present } from '../../../base/errors.ts';
import type { EvmAccess, EvmAuthorization, EvmCall, EvmTx } from '../types.ts';
import { ACCESS_ADDRESS_GAS, ACCESS_SLOT_GAS, intrinsicGas } from '../validity.ts';
import type { EdrRequest } from './edr.ts';
import type { SeenBlock, SeenRun } from './port.ts';

/** Bytes. */
export function dataOf(bytes: Uint8Array): string {
  return `0x${toHex(bytes)}`;
}

/** A number. */
export function quantity(value: bigint | number): string {
  return `0x${value.toString(16)}`;
}

/** Whether a run is a transaction, which names its fees. */
export function isTx(call: EvmCall | EvmTx): call is EvmTx {
  return 'maxFeePerGas' in call;
}

type Warmed = { readonly address: string; readonly storageKeys: readonly string[] };

/** What a call of the ledger's own met, which was warm in it. */
function warmedOf(seen: SeenBlock, run: SeenRun): readonly Warmed[] {
  const slots = run.slots.map((place) => present(seen.slots[place], 'met slot'));
  return run.accounts.map((place) => {
    const { address } = present(seen.accounts[place], 'met account');
    const own = slots.filter((slot) => equalBytes(slot.address, address));
    return { address: dataOf(address), storageKeys: own.map(({ slot }) => `0x${slot}`) };
  });
}

/** How a call of the ledger's own is asked for there, where it is a transaction. */
export type CallTerms = {
  readonly accessList: readonly Warmed[];
  /** Gas that it costs before its code runs; here it does not. */
  readonly intrinsic: bigint;
};

/** The terms of a run; a transaction has its own. */
export function termsOf(seen: SeenBlock, run: SeenRun): CallTerms | undefined {
  if (isTx(run.call)) return undefined;
  const { to, data } = run.call;
  const accessList = warmedOf(seen, run);
  let intrinsic = intrinsicGas({ to, data, accessList: [] });
  for (const { storageKeys } of accessList) {
    intrinsic += ACCESS_ADDRESS_GAS + ACCESS_SLOT_GAS * BigInt(storageKeys.length);
  }
  return { accessList, intrinsic };
}

function accessOf({ address, slots }: EvmAccess): object {
  return { address: dataOf(address), storageKeys: slots.map(dataOf) };
}

function authorizationOf(one: EvmAuthorization): object {
  return {
    chainId: quantity(one.chainId),
    address: dataOf(one.address),
    nonce: quantity(one.nonce),
    yParity: quantity(one.yParity),
    r: quantity(one.r),
    s: quantity(one.s),
  };
}

/**
 * The parameter of eth_sendTransaction.
 *
 * @param terms - of a call of the ledger's own, `nonce` what its caller has there
 */
export function requestOf(
  { block }: SeenBlock,
  { call }: SeenRun,
  terms: CallTerms | undefined,
  nonce: bigint,
): object {
  const { from, to, value, data } = call;
  const message = {
    from: dataOf(from),
    ...(to === undefined ? {} : { to: dataOf(to) }),
    value: quantity(value),
    data: dataOf(data),
  };
  if (!isTx(call)) {
    const { accessList, intrinsic } = present(terms, 'terms of a call');
    return {
      ...message,
      gas: quantity(intrinsic + call.gasLimit),
      nonce: quantity(nonce),
      maxFeePerGas: quantity(block.baseFee),
      maxPriorityFeePerGas: '0x0',
      accessList,
    };
  }
  const { authorizations } = call;
  return {
    ...message,
    gas: quantity(call.gasLimit),
    nonce: quantity(call.nonce),
    maxFeePerGas: quantity(call.maxFeePerGas),
    maxPriorityFeePerGas: quantity(call.maxPriorityFeePerGas),
    ...(call.accessList.length === 0 ? {} : { accessList: call.accessList.map(accessOf) }),
    ...(authorizations === undefined
      ? {}
      : { authorizationList: authorizations.map(authorizationOf) }),
  };
}

/** Asks what a transaction did. */
export function receiptRequest(hash: string): EdrRequest {
  return ['eth_getTransactionReceipt', hash];
}
