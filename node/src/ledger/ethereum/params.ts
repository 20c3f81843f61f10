/**
 * What genesis fixes for Ethereum transactions: chain id, least base fee, receivers of tips.
 *
 * Tips go to the account that genesis names for the consensus address of the block's proposer; a
 * validator without one leaves its tips with the fee collector. (Its consensus key signs votes, so
 * no account belongs to it by itself.)
 * Upholds: the numeric chain id is fixed by the chain id's text if genesis does not say it.
 * Layout: metatron.evm.v1 Params, TipReceiver.
 * Spec: EIP-155; EIP-1559.
 *
 * @module
 */
import { fromHex, utf8 } from '../../base/bytes.ts';
import { sha256 } from '../../base/hash.ts';
import { ADDRESS_BYTES } from '../../base/limits.ts';
import { Params as ParamsRecord, TipReceiver } from '../../gen/metatron/evm/v1/state.ts';
import type { AccountId } from '../addresses.ts';
import { resolve } from '../auth/aliases.ts';
import { parseAmount } from '../bank/coins.ts';
import { badGenesis, count, list, object, text } from '../genesis.ts';
import { KEY, key } from '../keys.ts';
import type { GenesisContext } from '../module.ts';
import type { Records } from '../record.ts';

/** Parameters of Ethereum transactions. */
export type EthereumParams = {
  /** 0: derived from the chain id's text. */
  readonly chainId: number;
  /** Wei per gas. */
  readonly minBaseFee: bigint;
  /** Base fee of the first block. */
  readonly baseFee: bigint;
};

const PARAMS_KEY = key(KEY.evm, Uint8Array.of(0));
const DEFAULTS: EthereumParams = { chainId: 0, minBaseFee: 0n, baseFee: 0n };
/** Names of the section's fields. */
const NAMES: readonly string[] = ['chain_id', 'min_base_fee', 'base_fee', 'tip_receivers'];
/** The largest chain id that wallets take. */
const MAX_CHAIN_ID = 4_503_599_627_370_476;
const MAX_RECEIVERS = 10_000;

/** The parameters in force. */
export function getEthereumParams(state: Records): EthereumParams {
  const bytes = state.get(PARAMS_KEY);
  if (bytes === undefined) return DEFAULTS;
  const { chainId, minBaseFee, baseFee } = ParamsRecord.decode(bytes);
  return { chainId: Number(chainId), minBaseFee: BigInt(minBaseFee), baseFee: BigInt(baseFee) };
}

/**
 * The EIP-155 chain id of a chain.
 *
 * @param text - the chain id; without a number in the genesis a number of 32 bits is derived from
 *   it, above 2^31, where no public chain's is
 */
export function ethereumChainId(state: Records, text: string): bigint {
  const { chainId } = getEthereumParams(state);
  if (chainId !== 0) return BigInt(chainId);
  const hash = sha256(utf8(`ethereum chain id of ${text}`));
  const number = hash.subarray(0, 4).reduce((value, byte) => value * 256 + byte, 0);
  return BigInt(2 ** 31 + (number % 2 ** 31));
}

function receiverKey(validator: Uint8Array): Uint8Array {
  return key(KEY.tipReceiver, validator);
}

/** Who gets the tips of a validator's blocks, if genesis says so. @param validator - 20 bytes */
export function tipReceiver(state: Records, validator: Uint8Array): AccountId | undefined {
  if (validator.length !== ADDRESS_BYTES) return undefined;
  const bytes = state.get(receiverKey(validator));
  return bytes && resolve(state, TipReceiver.decode(bytes).accountId);
}

function amount(value: unknown, what: string, otherwise: bigint): bigint {
  if (value === undefined) return otherwise;
  return parseAmount(text(value, what)) ?? badGenesis(`${what} is not an amount`);
}

/** Loads `app_state.evm`. */
export function genesis(context: GenesisContext, section: unknown): void {
  const evm = object(section, 'evm');
  for (const name of Object.keys(evm)) {
    if (!NAMES.includes(name)) context.ignored(`evm.${name}`);
  }
  const chainId = count(evm['chain_id'], 'evm.chain_id', 0);
  if (chainId > MAX_CHAIN_ID) badGenesis(`evm.chain_id is above ${MAX_CHAIN_ID}`);
  const minBaseFee = amount(evm['min_base_fee'], 'evm.min_base_fee', 0n);
  const baseFee = amount(evm['base_fee'], 'evm.base_fee', minBaseFee);
  if (baseFee < minBaseFee) badGenesis('evm.base_fee is below evm.min_base_fee');
  if (chainId !== 0 || baseFee !== 0n) {
    const record = {
      chainId: BigInt(chainId),
      minBaseFee: String(minBaseFee),
      baseFee: String(baseFee),
    };
    context.state.set(PARAMS_KEY, ParamsRecord.encode(record).finish());
  }
  const receivers = list(evm['tip_receivers'], 'evm.tip_receivers');
  if (receivers.length > MAX_RECEIVERS) badGenesis('evm.tip_receivers has more than 10,000');
  for (const item of receivers) loadReceiver(context, object(item, 'tip_receiver'));
}

function loadReceiver(context: GenesisContext, item: Readonly<Record<string, unknown>>): void {
  const validator = fromHex(text(item['validator'], 'tip_receiver.validator'));
  if (validator?.length !== ADDRESS_BYTES) {
    badGenesis('tip_receiver.validator is not a consensus address of 40 hex digits');
  }
  const account = text(item['account'], 'tip_receiver.account');
  const accountId = context.addresses.id(account, 'tip_receiver.account');
  context.state.set(receiverKey(validator), TipReceiver.encode({ accountId }).finish());
}
