/**
 * Messages about memory spaces, as the command line sends them, and what is asked before.
 *
 * @module
 */
import { EMPTY, fromHex, toHex } from '../base/bytes.ts';
import { type ErrorSpec, errorSpec, LedgerError, present } from '../base/errors.ts';
import { accountOn, type KnownAccount } from '../client/accounts.ts';
import { abciQuery } from '../client/rpc.ts';
import { QueryCodeRequest, QueryCodeResponse } from '../gen/metatron/evm/v1/query.ts';
import {
  type GrantRecord,
  QueryGrantsRequest,
  QueryGrantsResponse,
  type QuerySpaceRulesResponse,
} from '../gen/metatron/memory/v1/query.ts';
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
import { nodeRpc } from './rpc-client.ts';

/** Refusals. */
export const errors: {
  readonly NoPolicy: ErrorSpec<{ readonly address: string }>;
  readonly NoGrant: ErrorSpec<{ readonly subject: string; readonly space: string }>;
} = {
  NoPolicy: errorSpec(
    'memory-client',
    10,
    'client',
    (p) =>
      `--policy: there is no contract at ${p.address} on this chain, and under such a policy ` +
      'nobody could write: deploy it first, or look at the address again',
  ),
  NoGrant: errorSpec(
    'memory-client',
    11,
    'client',
    (p) =>
      `${p.subject} has no grant in the space to take away; ` +
      `"metatron memory space show ${p.space}" lists them`,
  ),
};

/** Asks a node whether a policy is a contract. @throws LedgerError memory-client/10 */
export async function checkPolicy(node: string, address: Uint8Array): Promise<void> {
  const asked = QueryCodeRequest.encode({ address }).finish();
  const { value } = await query(node, '/metatron.evm.v1.Query/Code', asked);
  if (QueryCodeResponse.decode(value).code.length > 0) return;
  throw new LedgerError(errors.NoPolicy, { address: `0x${toHex(address)}` });
}

/** The addresses among these that have a grant of their own in a space, expired or not. */
export async function withGrant(
  node: string,
  space: Uint8Array,
  faces: readonly string[],
): Promise<readonly string[]> {
  const standing: string[] = [];
  for (const subject of faces) {
    const asked = { space, owner: '', subject, start: EMPTY, limit: 1 };
    const { value } = await abciQuery(
      nodeRpc(node),
      '/metatron.memory.v1.Query/Grants',
      QueryGrantsRequest.encode(asked).finish(),
    );
    if (QueryGrantsResponse.decode(value).grants.length > 0) standing.push(subject);
  }
  return standing;
}

/** Most grants whose subjects a node is asked about. */
const MAX_SUBJECTS = 50;

/** A grant, and the two addresses of who has it. */
export type SubjectGrant = GrantRecord & Partial<KnownAccount>;

/** The grants of a space with both addresses of the first fifty subjects. */
export async function withSubjects(
  node: string,
  grants: readonly GrantRecord[],
): Promise<readonly SubjectGrant[]> {
  const found: SubjectGrant[] = [];
  for (const grant of grants) {
    const asked = found.length < MAX_SUBJECTS;
    found.push(asked ? { ...grant, ...(await accountOn(nodeRpc(node), grant.subject)) } : grant);
  }
  return found;
}

/**
 * Gives an account these rights instead of those it had, under whichever of its addresses: what
 * the one that is not named holds is taken.
 */
export async function grantMessages(node: string, grant: MsgGrant): Promise<readonly Any[]> {
  const { author, space } = grant;
  const { faces } = await accountOn(nodeRpc(node), grant.subject);
  const [subject = grant.subject, ...others] = faces;
  const taken = await withGrant(node, space, others);
  return [
    grantMessage({ ...grant, subject }),
    ...taken.map((other) => revokeMessage({ author, space, subject: other })),
  ];
}

/**
 * Takes all rights of an account, under whichever of its addresses it has them.
 *
 * @throws LedgerError memory-client/11 if it has none
 */
export async function revokeMessages(
  node: string,
  { author, space, subject }: MsgRevoke,
): Promise<readonly Any[]> {
  const { faces } = await accountOn(nodeRpc(node), subject);
  const standing = await withGrant(node, space, faces);
  if (standing.length === 0) {
    throw new LedgerError(errors.NoGrant, { subject, space: toHex(space) });
  }
  return standing.map((face) => revokeMessage({ author, space, subject: face }));
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
