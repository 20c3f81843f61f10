/**
 * What a signer signs: SIGN_MODE_DIRECT and SIGN_MODE_LEGACY_AMINO_JSON documents.
 *
 * Upholds: the direct document holds the transaction's own bytes, never an encoding made again; the
 * amino document is sorted JSON without spaces in which & < > are escaped.
 * Absent here: SIGN_MODE_TEXTUAL and DIRECT_AUX.
 * Spec: cosmos.tx.v1beta1.SignDoc; Cosmos SDK x/auth/migrations/legacytx StdSignDoc.
 *
 * @module
 */
import { utf8 } from '../../base/bytes.ts';
import { sha256 } from '../../base/hash.ts';
import { errors, refuse } from '../errors.ts';
import type { DecodedTx } from './decode.ts';
import { type Coin, SIGN_MODE, signDocCodec } from './wire.ts';

/** What ties a signature to a chain and an account. */
export type SignerData = {
  readonly chainId: string;
  readonly accountNumber: number;
  readonly sequence: number;
};

/** SHA-256 of the document, which is signed. @throws LedgerError if the mode is unknown */
export function signDigest(tx: DecodedTx, mode: number, signer: SignerData): Uint8Array {
  if (mode === SIGN_MODE.direct) return directDigest(tx, signer);
  if (mode === SIGN_MODE.legacyAmino) return sha256(aminoBytes(tx, signer));
  return refuse(errors.NotSupported, `sign mode ${mode}`);
}

function directDigest(tx: DecodedTx, signer: SignerData): Uint8Array {
  const document = {
    bodyBytes: tx.raw.bodyBytes,
    authInfoBytes: tx.raw.authInfoBytes,
    chainId: signer.chainId,
    accountNumber: BigInt(signer.accountNumber),
  };
  return signDocCodec.borrow(document, sha256);
}

function aminoBytes(tx: DecodedTx, signer: SignerData): Uint8Array {
  if (tx.body.nonCriticalExtensionOptions.length > 0) {
    const reason = 'SIGN_MODE_LEGACY_AMINO_JSON does not support protobuf extension options';
    return refuse(errors.InvalidRequest, reason);
  }
  const { amount, gasLimit, payer, granter } = tx.feeText;
  const coins = amount.map((coin: Coin) => ({ denom: coin.denom, amount: coin.amount }));
  return utf8(
    sortedJson({
      account_number: String(signer.accountNumber),
      chain_id: signer.chainId,
      fee: {
        amount: coins,
        gas: String(gasLimit),
        ...(granter !== '' && { granter }),
        ...(payer !== '' && { payer }),
      },
      memo: tx.body.memo,
      msgs: tx.messages.map((message) => message.amino()),
      sequence: String(signer.sequence),
      ...(tx.body.timeoutHeight !== 0n && { timeout_height: String(tx.body.timeoutHeight) }),
    }),
  );
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '\\u0026',
  '<': '\\u003c',
  '>': '\\u003e',
};

/** JSON with sorted members and the escapes of Go's encoder for & < >. */
function sortedJson(value: unknown): string {
  return JSON.stringify(sorted(value)).replace(/[&<>]/g, (char) => ESCAPES[char] as string);
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(members.map(([name, member]) => [name, sorted(member)]));
}
