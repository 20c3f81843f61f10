/**
 * EIP-7702: accounts that had their code set by a signature of their own.
 *
 * Upholds: an authorization that does not hold is passed over and still paid for; each sets code
 * and counts the nonce of its account; the account's key is noted before, so that the account is
 * the same as on the ledger's other side.
 * Spec: EIP-7702, "Behavior".
 *
 * @module
 */
import { concatBytes, equalBytes, fromHex } from '../../base/bytes.ts';
import { present } from '../../base/errors.ts';
import { encodeRlp, integerBytes } from '../ethereum/rlp.ts';
import { keccak256 } from '../keccak.ts';
import type { WarmJournal } from './journal.ts';
import { DELEGATION_BYTES, wordBytes, wordHex } from './records.ts';
import type { FlatState } from './state.ts';
import type { EvmAuthorization, EvmPorts, EvmTx } from './types.ts';
import { AUTHORIZATION_GAS } from './validity.ts';

const MAGIC = Uint8Array.of(5);
const PREFIX: Uint8Array = Uint8Array.of(0xef, 0x01, 0x00);
const NOBODY = new Uint8Array(20);
/** What an authorization costs whose account was there. */
const KNOWN_ACCOUNT_GAS = 12_500n;
const HALF_ORDER = present(
  fromHex('7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0'),
  'constant',
);
const MAX_S = BigInt(`0x${[...HALF_ORDER].map((b) => b.toString(16).padStart(2, '0')).join('')}`);
const MAX_NONCE = 2n ** 64n - 1n;
const WORD = 2n ** 256n;

/** What an authorization's account signed. */
function digestOf({ chainId, address, nonce }: EvmAuthorization): Uint8Array {
  const list = encodeRlp([integerBytes(chainId), address, integerBytes(nonce)]);
  return keccak256(concatBytes(MAGIC, list));
}

/** The key that signed, if the signature has a valid form. */
function signerKey(ports: EvmPorts, auth: EvmAuthorization): Uint8Array | undefined {
  const { chainId, nonce, yParity, r, s } = auth;
  if (chainId !== 0n && chainId !== ports.chainId) return undefined;
  if (nonce >= MAX_NONCE || s > MAX_S || yParity > 1n || r >= WORD) return undefined;
  const signature = concatBytes(wordBytes(wordHex(r)), wordBytes(wordHex(s)));
  return ports.recover(digestOf(auth), signature, Number(yParity));
}

/** Whether code is none or a delegation. */
function mayDelegate(code: Uint8Array): boolean {
  if (code.length === 0) return true;
  return code.length === DELEGATION_BYTES && equalBytes(code.subarray(0, 3), PREFIX);
}

/** Applies a transaction's authorizations. @returns the gas to give back */
export function applyAuthorizations(
  ports: EvmPorts,
  state: FlatState,
  journal: WarmJournal,
  tx: EvmTx,
): bigint {
  let returned = 0n;
  for (const auth of tx.authorizations ?? []) {
    const key = signerKey(ports, auth);
    if (key === undefined) continue;
    ports.sight(state.overlay, key);
    state.forgetAliases();
    const authority = keccak256(key.subarray(1)).subarray(12);
    journal.always(authority);
    const account = state.account(authority);
    if (!mayDelegate(state.code(authority)) || (account?.nonce ?? 0n) !== auth.nonce) continue;
    if (account !== undefined) returned += AUTHORIZATION_GAS - KNOWN_ACCOUNT_GAS;
    const none = equalBytes(auth.address, NOBODY);
    state.setCode(authority, none ? NOBODY.subarray(0, 0) : concatBytes(PREFIX, auth.address));
    state.setAccount(authority, account?.balance ?? 0n, auth.nonce + 1n);
  }
  return returned;
}
