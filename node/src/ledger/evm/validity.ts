/**
 * Whether a transaction may run: nonce, sender, fees, funds, gas; and what it costs beforehand.
 *
 * Upholds: order and words of the refusals are geth's. Reads three records and runs no code, so it
 * needs neither the library nor a promise.
 * Spec: EIP-1559, 2028, 2681, 2930, 3607, 3860, 7623, 7702, 7825; go-ethereum,
 * core/state_transition.go.
 *
 * @module
 */
import { equalBytes, fromHex, toHex, utf8 } from '../../base/bytes.ts';
import { present } from '../../base/errors.ts';
import { SYSTEM_CALLER } from '../../gen/contracts/system.ts';
import { getAccount } from '../auth/accounts.ts';
import { keccak256 } from '../keccak.ts';
import type { Records } from '../record.ts';
import { contractKey, DELEGATION_BYTES } from './records.ts';
import type { EvmBlock, EvmFault, EvmFaultCode, EvmPorts, EvmTx } from './types.ts';

/** Which rules hold: the ledger's are those of Osaka, others are for tests. */
export type Hardfork = 'cancun' | 'osaka';

const TX_GAS = 21_000n;
const CREATE_GAS = 32_000n;
const INIT_CODE_WORD_GAS = 2n;
const TOKEN_GAS = 4n;
const FLOOR_TOKEN_GAS = 10n;
/** Gas of an address and of a slot in an access list. */
export const ACCESS_ADDRESS_GAS = 2_400n;
export const ACCESS_SLOT_GAS = 1_900n;
/** Gas of one authorization; part of it comes back if the account was there. */
export const AUTHORIZATION_GAS = 25_000n;
/** Most gas of a transaction (EIP-7825). */
export const MAX_TX_GAS = 16_777_216n;
/** Most bytes of init code. */
export const MAX_INIT_CODE_BYTES = 49_152;
const MAX_NONCE = 2n ** 64n - 1n;
const SYSTEM: Uint8Array = present(fromHex(SYSTEM_CALLER.slice(2)), 'address');

/** Zero bytes count one, others four. */
function tokensOf(data: Uint8Array): bigint {
  let zeros = 0;
  for (let i = 0; i < data.length; i++) if (data[i] === 0) zeros++;
  return BigInt(zeros + 4 * (data.length - zeros));
}

/** Gas that a transaction costs before any code runs. */
export function intrinsicGas(
  tx: Pick<EvmTx, 'to' | 'data' | 'accessList' | 'authorizations'>,
): bigint {
  let gas = TX_GAS + TOKEN_GAS * tokensOf(tx.data);
  if (tx.to === undefined) {
    gas += CREATE_GAS + INIT_CODE_WORD_GAS * BigInt(Math.ceil(tx.data.length / 32));
  }
  for (const { slots } of tx.accessList) {
    gas += ACCESS_ADDRESS_GAS + ACCESS_SLOT_GAS * BigInt(slots.length);
  }
  return gas + AUTHORIZATION_GAS * BigInt(tx.authorizations?.length ?? 0);
}

/** Gas that a transaction with this input costs at least (EIP-7623). */
export function floorGas(data: Uint8Array, hardfork: Hardfork = 'osaka'): bigint {
  return hardfork === 'cancun' ? 0n : TX_GAS + FLOOR_TOKEN_GAS * tokensOf(data);
}

/** Wei per gas that a transaction pays. */
export function effectivePrice(
  tx: Pick<EvmTx, 'maxFeePerGas' | 'maxPriorityFeePerGas'>,
  baseFee: bigint,
): bigint {
  const wish = baseFee + tx.maxPriorityFeePerGas;
  return wish < tx.maxFeePerGas ? wish : tx.maxFeePerGas;
}

/** An address as text, its case a checksum (EIP-55). */
export function checksumAddress(address: Uint8Array): string {
  const hex = toHex(address);
  const hash = keccak256(utf8(hex));
  const digits = [...hex].map((digit, i) => {
    const nibble = ((hash[i >> 1] as number) >> (i % 2 === 0 ? 4 : 0)) & 15;
    return nibble >= 8 ? digit.toUpperCase() : digit;
  });
  return `0x${digits.join('')}`;
}

/** What the checks look at. */
type Check = {
  readonly ports: Pick<EvmPorts, 'bank' | 'resolve'>;
  readonly state: Records;
  readonly block: Pick<EvmBlock, 'baseFee' | 'gasLimit'>;
  readonly tx: EvmTx;
  readonly hardfork: Hardfork;
};

function fault(code: EvmFaultCode, text: string): EvmFault {
  return { code, text };
}

/** Why the nonce is wrong, if it is. */
function nonceFault({ tx }: Check, sequence: bigint): EvmFault | undefined {
  const { nonce } = tx;
  if (nonce === sequence && nonce < MAX_NONCE) return undefined;
  const whose = `address ${checksumAddress(tx.from)}`;
  const both = `${whose}, tx: ${nonce} state: ${sequence}`;
  if (nonce < sequence) return fault('nonceTooLow', `nonce too low: ${both}`);
  if (nonce > sequence) return fault('nonceTooHigh', `nonce too high: ${both}`);
  return fault('nonceMax', `nonce has max value: ${whose}, nonce: ${nonce}`);
}

function feeFault({ tx, block }: Check): EvmFault | undefined {
  const { maxFeePerGas: cap, maxPriorityFeePerGas: tip, from } = tx;
  if (tip <= cap && cap >= block.baseFee) return undefined;
  const whose = `address ${checksumAddress(from)}`;
  if (tip > cap) {
    const text = `${whose}, maxPriorityFeePerGas: ${tip}, maxFeePerGas: ${cap}`;
    return fault('tipAboveFeeCap', `max priority fee per gas higher than max fee per gas: ${text}`);
  }
  const text = `${whose}, maxFeePerGas: ${cap}, baseFee: ${block.baseFee}`;
  return fault('feeCapTooLow', `max fee per gas less than block base fee: ${text}`);
}

function gasFault({ tx, block, hardfork }: Check): EvmFault | undefined {
  const { gasLimit, data, to } = tx;
  if (gasLimit > block.gasLimit) return fault('gasLimit', 'exceeds block gas limit');
  if (hardfork === 'osaka' && gasLimit > MAX_TX_GAS) {
    const text = `transaction gas limit too high (cap: ${MAX_TX_GAS}, tx: ${gasLimit})`;
    return fault('gasLimit', text);
  }
  const intrinsic = intrinsicGas(tx);
  if (gasLimit < intrinsic) {
    return fault('intrinsicGas', `intrinsic gas too low: have ${gasLimit}, want ${intrinsic}`);
  }
  const floor = floorGas(data, hardfork);
  if (gasLimit < floor) {
    const text = `insufficient gas for floor data gas cost: have ${gasLimit}, want ${floor}`;
    return fault('floorDataGas', text);
  }
  if (to === undefined && data.length > MAX_INIT_CODE_BYTES) {
    const text = `code size ${data.length} limit ${MAX_INIT_CODE_BYTES}`;
    return fault('initCodeSize', `max initcode size exceeded: ${text}`);
  }
  return undefined;
}

function fundsFault({ ports, state, tx }: Check): EvmFault | undefined {
  const have = ports.bank.balance(state, ports.resolve(state, tx.from));
  const want = tx.gasLimit * tx.maxFeePerGas + tx.value;
  if (have >= want) return undefined;
  const text = `address ${checksumAddress(tx.from)} have ${have} want ${want}`;
  return fault('insufficientFunds', `insufficient funds for gas * price + value: ${text}`);
}

function authorizationFault({ tx }: Check): EvmFault | undefined {
  if (tx.authorizations === undefined) return undefined;
  const whose = `(sender ${checksumAddress(tx.from)})`;
  if (tx.to === undefined) {
    const text = 'EIP-7702 transaction cannot be used to create contract';
    return fault('authorizationsCreate', `${text} ${whose}`);
  }
  if (tx.authorizations.length > 0) return undefined;
  return fault('authorizationsEmpty', `EIP-7702 transaction with empty auth list ${whose}`);
}

/**
 * Why `tx` may not run in `block` on `state`, if so.
 *
 * @param nonce - `any` leaves the nonce unchecked, for a mempool that lets later ones wait
 */
export function faultOf(
  ports: Pick<EvmPorts, 'bank' | 'resolve'>,
  state: Records,
  block: Pick<EvmBlock, 'baseFee' | 'gasLimit'>,
  tx: EvmTx,
  { nonce = 'exact', hardfork = 'osaka' }: { nonce?: 'exact' | 'any'; hardfork?: Hardfork } = {},
): EvmFault | undefined {
  const check = { ports, state, block, tx, hardfork };
  if (equalBytes(tx.from, SYSTEM)) {
    return fault('systemCaller', 'the system caller sends no transactions');
  }
  const id = ports.resolve(state, tx.from);
  if (nonce === 'exact') {
    const wrong = nonceFault(check, BigInt(getAccount(state, id)?.sequence ?? 0));
    if (wrong !== undefined) return wrong;
  }
  const code = state.get(contractKey(id).bytes);
  if (code !== undefined && code.length !== DELEGATION_BYTES) {
    return fault('senderNotEoa', `sender not an eoa: address ${checksumAddress(tx.from)}`);
  }
  return feeFault(check) ?? authorizationFault(check) ?? gasFault(check) ?? fundsFault(check);
}
