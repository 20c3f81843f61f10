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
import { wordBytes } from '../records.ts';
import type { EvmAccess, EvmAuthorization, EvmCall, EvmTx } from '../types.ts';
import { intrinsicGas } from '../validity.ts';
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

/** What a call of the ledger's own met, which was warm in it. */
export function warmedOf(seen: SeenBlock, run: SeenRun): readonly EvmAccess[] {
  const slots = run.slots.map((place) => seen.slots[place]);
  return run.accounts.map((place) => {
    const address = present(seen.accounts[place], 'met account').address;
    const own = slots.filter((slot) => slot !== undefined && equalBytes(slot.address, address));
    return { address, slots: own.map((slot) => wordBytes(slot?.slot ?? '')) };
  });
}

/** Gas that a call costs before its code runs, which the ledger's own calls do not pay. */
export function intrinsicOf({ to, data }: EvmCall, accessList: readonly EvmAccess[]): bigint {
  return intrinsicGas({ to, data, accessList });
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

/** The parameter of eth_sendTransaction. @param nonce - of a caller that counts none itself */
export function requestOf(seen: SeenBlock, run: SeenRun, nonce: bigint): object {
  const { call } = run;
  const { from, to, value, data } = call;
  const message = {
    from: dataOf(from),
    ...(to === undefined ? {} : { to: dataOf(to) }),
    value: quantity(value),
    data: dataOf(data),
  };
  if (!isTx(call)) {
    const accessList = warmedOf(seen, run);
    return {
      ...message,
      gas: quantity(intrinsicOf(call, accessList) + call.gasLimit),
      nonce: quantity(nonce),
      maxFeePerGas: quantity(seen.block.baseFee),
      maxPriorityFeePerGas: '0x0',
      accessList: accessList.map(accessOf),
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
