/**
 * Queries of metatron.memory.v1.Query about rules: what a space may hold, and who was let in.
 *
 * Upholds: the answers are what the rules contract holds at the asked height, read from its
 * storage. At most 1,000 grants an answer.
 *
 * @module
 */
import { concatBytes, EMPTY, toHex } from '../../base/bytes.ts';
import { LedgerError } from '../../base/errors.ts';
import {
  type GrantRecord,
  QueryGrantsRequest,
  QueryGrantsResponse,
  QuerySpaceRulesRequest,
  QuerySpaceRulesResponse,
} from '../../gen/metatron/memory/v1/query.ts';
import type { SpaceMode } from '../../gen/metatron/memory/v1/state.ts';
import { grantKey, personalSpaceId } from '../../types/memory.ts';
import { resolve } from '../auth/aliases.ts';
import { queryAccount } from '../auth/queries.ts';
import { grpcRefusal } from '../errors.ts';
import { prefixRange } from '../keys.ts';
import { decodeLoose } from '../loose.ts';
import type { Query, QueryContext } from '../module.ts';
import { grantRules, spaceRules } from '../rules/state.ts';
import { errors } from './errors.ts';
import { grantPlaceCodec } from './wire-spaces.ts';

const ID_BYTES = 32;
const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1_000;

/** The space a request means: by id, or the personal one of an account. */
export function wantedSpace(context: QueryContext, space: Uint8Array, owner: string): Uint8Array {
  if (space.length === ID_BYTES && owner === '') return space;
  if (space.length === 0 && owner !== '') return personalSpaceId(queryAccount(context, owner));
  return grpcRefusal('InvalidArgument', 'name a space by 32 bytes or by its owner');
}

const rules: Query = (context, data) => {
  const request = decodeLoose(QuerySpaceRulesRequest, 'QuerySpaceRulesRequest', data);
  const { view, addresses } = context;
  const spaceId = wantedSpace(context, request.space, request.owner);
  const found = spaceRules(view, spaceId);
  if (found === undefined) throw new LedgerError(errors.SpaceNotFound, { space: toHex(spaceId) });
  const { owner, mode, policy, ...more } = found;
  return QuerySpaceRulesResponse.encode({
    ...more,
    spaceId,
    owner: addresses.text(resolve(view, owner)),
    mode: mode as SpaceMode,
    policy: policy === undefined ? '' : `0x${toHex(policy)}`,
    height: BigInt(view.height),
  }).finish();
};

/** The grant of one subject, if it has one. */
function grantOf(
  { view, addresses }: QueryContext,
  space: Uint8Array,
  subject: Uint8Array,
  place: Uint8Array,
): readonly GrantRecord[] {
  const found = grantRules(view, space, subject);
  if (found === undefined) return [];
  const { rights, expiry, by } = found;
  return [
    {
      subject: addresses.text(subject),
      rights,
      expiry,
      by: addresses.text(resolve(view, by)),
      index: grantPlaceCodec.decode(place).number - 1n,
    },
  ];
}

const grants: Query = async (context, data) => {
  const request = decodeLoose(QueryGrantsRequest, 'QueryGrantsRequest', data);
  const { view } = context;
  const spaceId = wantedSpace(context, request.space, request.owner);
  const height = BigInt(view.height);
  if (request.subject !== '') {
    const subject = context.addresses.id(request.subject, 'invalid subject address');
    const place = view.get(grantKey(spaceId, subject));
    const found = place === undefined ? [] : [...grantOf(context, spaceId, subject, place)];
    return QueryGrantsResponse.encode({ grants: found, next: EMPTY, spaceId, height }).finish();
  }
  const limit = request.limit === 0 ? DEFAULT_LIMIT : Math.min(request.limit, MAX_LIMIT);
  const prefix = grantKey(spaceId);
  const { to } = prefixRange(prefix);
  const from = concatBytes(prefix, request.start);
  const pairs = await view.range({ from, to, limit: limit + 1, reverse: false });
  const found = pairs.slice(0, limit).flatMap(([key, value]) => {
    return grantOf(context, spaceId, key.slice(prefix.length), value);
  });
  const next = pairs[limit]?.[0].slice(prefix.length) ?? EMPTY;
  return QueryGrantsResponse.encode({ grants: found, next, spaceId, height }).finish();
};

const PATH = '/metatron.memory.v1.Query/';

/** The queries, by path. */
export const spaceQueries: Readonly<Record<string, Query>> = {
  [`${PATH}SpaceRules`]: rules,
  [`${PATH}Grants`]: grants,
};
