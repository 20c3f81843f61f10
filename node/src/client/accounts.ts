/**
 * Accounts by either of their addresses: bech32, or the 0x address that Ethereum's tools know.
 *
 * Upholds: which account a 0x address belongs to is the node's word; a bech32 address is taken as
 * it is where only that is needed, without asking.
 * Spec: docs/ethereum.md, "Accounts".
 *
 * @module
 */
import { decodeBech32, encodeBech32 } from '../base/bech32.ts';
import { equalBytes, fromHex, toHex } from '../base/bytes.ts';
import { LedgerError } from '../base/errors.ts';
import { QueryAccountRequest, QueryAccountResponse } from '../gen/metatron/evm/v1/query.ts';
import { errors, malformed } from './errors.ts';
import { abciQuery, type Rpc } from './rpc.ts';

const ADDRESS_BYTES = 20;

/** An account as a chain knows it. */
export type KnownAccount = {
  /** Bech32. */
  readonly address: string;
  /**
   * With 0x, in lower case; `undefined` as long as the chain has not seen the account's key, unless
   * it is a contract.
   */
  readonly evmAddress: string | undefined;
  /** All bech32 texts under which a space may have let it in; that of what was asked first. */
  readonly faces: readonly string[];
};

/** The 20 bytes of a 0x address; `undefined` if the text is none. */
export function evmAddressBytes(text: string): Uint8Array | undefined {
  const bytes = text.startsWith('0x') ? fromHex(text.slice(2)) : undefined;
  return bytes?.length === ADDRESS_BYTES ? bytes : undefined;
}

/**
 * Asks which account an address belongs to.
 *
 * @param text - bech32, or 0x and 40 hex digits
 * @throws LedgerError rpc-client/2 if the node refuses it, rpc-client/6 if it is neither
 */
export async function accountOn(rpc: Rpc, text: string): Promise<KnownAccount> {
  const asked = evmAddressBytes(text) ?? decodeBech32(text)?.bytes;
  if (asked === undefined) throw new LedgerError(errors.BadOwner, { owner: text });
  const data = QueryAccountRequest.encode({ address: text }).finish();
  const { value } = await abciQuery(rpc, '/metatron.evm.v1.Query/Account', data);
  const { address, evmAddress, codeHash } = QueryAccountResponse.decode(value);
  const { prefix, bytes } = decodeBech32(address) ?? malformed('address of an account');
  const known = codeHash.length > 0 || !equalBytes(bytes, evmAddress);
  const faces = [asked, bytes, evmAddress].map((face) => encodeBech32(prefix, face));
  return {
    address,
    evmAddress: known ? `0x${toHex(evmAddress)}` : undefined,
    faces: [...new Set(faces)],
  };
}

/** The bech32 address of an account; asks only about a 0x address. @throws as `accountOn` */
export async function addressOn(rpc: Rpc, text: string): Promise<string> {
  return evmAddressBytes(text) === undefined ? text : (await accountOn(rpc, text)).address;
}
