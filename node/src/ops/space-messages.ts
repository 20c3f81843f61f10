/**
 * Messages about memory spaces, as the command line sends them, and what is asked before.
 *
 * @module
 */
import { EMPTY, fromHex, toHex } from '../base/bytes.ts';
import { type ErrorSpec, errorSpec, LedgerError, present } from '../base/errors.ts';
import { QueryCodeRequest, QueryCodeResponse } from '../gen/metatron/evm/v1/query.ts';
import type { QuerySpaceRulesResponse } from '../gen/metatron/memory/v1/query.ts';
import {
  MsgCreateSpace,
  MsgFreezeSpace,
  MsgGrant,
  MsgRevoke,
  MsgTransferSpace,
  MsgUpdateSpace,
} from '../gen/metatron/memory/v1/tx.ts';
import type { Any } from '../ledger/tx/wire.ts';
import {
  MSG_CREATE_SPACE_URL,
  MSG_FREEZE_SPACE_URL,
  MSG_GRANT_URL,
  MSG_REVOKE_URL,
  MSG_TRANSFER_SPACE_URL,
  MSG_UPDATE_SPACE_URL,
} from '../types/memory.ts';
import { query } from './chain-client.ts';

/** Refusals. */
export const errors: { readonly NoPolicy: ErrorSpec<{ readonly address: string }> } = {
  NoPolicy: errorSpec(
    'memory-client',
    10,
    'client',
    (p) =>
      `--policy: there is no contract at ${p.address} on this chain, and under such a policy ` +
      'nobody could write: deploy it first, or look at the address again',
  ),
};

/** Asks a node whether a policy is a contract. @throws LedgerError memory-client/10 */
export async function checkPolicy(node: string, address: Uint8Array): Promise<void> {
  const asked = QueryCodeRequest.encode({ address }).finish();
  const { value } = await query(node, '/metatron.evm.v1.Query/Code', asked);
  if (QueryCodeResponse.decode(value).code.length > 0) return;
  throw new LedgerError(errors.NoPolicy, { address: `0x${toHex(address)}` });
}

/** What the owner of a space sets. */
export type Terms = Pick<MsgUpdateSpace, 'mode' | 'policy' | 'maxEntries' | 'maxBytes'>;

/** The terms that a space has. */
export function termsOf(rules: QuerySpaceRulesResponse): Terms {
  const { mode, policy, maxEntries, maxBytes } = rules;
  const asked = policy === '' ? EMPTY : present(fromHex(policy.slice(2)), 'address of a policy');
  return { mode, policy: asked, maxEntries, maxBytes };
}

/** Makes a space. */
export function createSpaceMessage(message: MsgCreateSpace): Any {
  return { typeUrl: MSG_CREATE_SPACE_URL, value: MsgCreateSpace.encode(message).finish() };
}

/** Changes a space. */
export function updateSpaceMessage(message: MsgUpdateSpace): Any {
  return { typeUrl: MSG_UPDATE_SPACE_URL, value: MsgUpdateSpace.encode(message).finish() };
}

/** Gives a space to another owner. */
export function transferSpaceMessage(message: MsgTransferSpace): Any {
  return { typeUrl: MSG_TRANSFER_SPACE_URL, value: MsgTransferSpace.encode(message).finish() };
}

/** Freezes a space, or lets it go on. */
export function freezeSpaceMessage(message: MsgFreezeSpace): Any {
  return { typeUrl: MSG_FREEZE_SPACE_URL, value: MsgFreezeSpace.encode(message).finish() };
}

/** Gives rights. */
export function grantMessage(message: MsgGrant): Any {
  return { typeUrl: MSG_GRANT_URL, value: MsgGrant.encode(message).finish() };
}

/** Takes rights. */
export function revokeMessage(message: MsgRevoke): Any {
  return { typeUrl: MSG_REVOKE_URL, value: MsgRevoke.encode(message).finish() };
}
