/**
 * REST about the rules of memory spaces: quotas, policy, and who was let in.
 *
 * @module
 */
import * as z from 'zod';
import { fromHex, toHex } from '../../base/bytes.ts';
import { present } from '../../base/errors.ts';
import {
  QueryGrantsRequest,
  QueryGrantsResponse,
  QuerySpaceRulesRequest,
  QuerySpaceRulesResponse,
} from '../../gen/metatron/memory/v1/query.ts';
import { rightsNames } from '../../types/memory.ts';
import { formatTime } from '../../types/time.ts';
import type { RpcPorts } from '../ports.ts';
import { type Endpoint, endpoint } from './endpoint.ts';
import { ask, param, where } from './query.ts';

const SERVICE = '/metatron.memory.v1.Query';
const NANOS = 1_000_000_000n;

const decimal = z.string().regex(/^\d+$/);
const count = z.int().min(0);

/** What the rules hold of a space. */
type SpaceAnswer = {
  readonly space: string;
  readonly owner: string;
  readonly mode: string;
  readonly personal: boolean;
  readonly frozen: boolean;
  readonly frozenByGovernors: boolean;
  readonly policy: string | null;
  readonly entries: string;
  readonly maxEntries: string;
  readonly bytes: string;
  readonly maxBytes: string;
  readonly createdHeight: number;
  readonly height: number;
};

const spaceSchema: z.ZodType<SpaceAnswer> = z.object({
  space: z.string(),
  owner: z.string(),
  mode: z.enum(['public', 'sealed']),
  personal: z.boolean(),
  frozen: z.boolean(),
  frozenByGovernors: z.boolean(),
  policy: z.string().nullable().describe('The contract that is asked about every write'),
  entries: decimal,
  maxEntries: decimal,
  bytes: decimal,
  maxBytes: decimal,
  createdHeight: count,
  height: count.describe('The state that was read'),
});

type GrantAnswer = {
  readonly subject: string;
  readonly rights: readonly string[];
  readonly until: string | null;
  readonly by: string;
  readonly index: number;
};

type GrantList = {
  readonly grants: readonly GrantAnswer[];
  readonly height: number;
  readonly next: string | null;
};

const grantListSchema: z.ZodType<GrantList> = z.object({
  grants: z.array(
    z.object({
      subject: z.string(),
      rights: z.array(z.enum(['read', 'write', 'curate', 'admin'])),
      until: z.string().nullable().describe('Block time of its end, RFC 3339; null is never'),
      by: z.string(),
      index: count.describe("Its place in the space's log"),
    }),
  ),
  height: count.describe('The state that was read'),
  next: z.string().nullable().describe('The cursor of the next page; null on the last'),
});

async function rules(ports: RpcPorts, owner: string): Promise<SpaceAnswer> {
  const data = QuerySpaceRulesRequest.encode(where(owner)).finish();
  const answer = await ask(ports, `${SERVICE}/SpaceRules`, data);
  const space = QuerySpaceRulesResponse.decode(answer.value);
  return {
    space: toHex(space.spaceId),
    owner: space.owner,
    mode: space.mode === 0 ? 'public' : 'sealed',
    personal: space.personal,
    frozen: space.frozen,
    frozenByGovernors: space.frozenByGovernors,
    policy: space.policy === '' ? null : space.policy,
    entries: String(space.entries),
    maxEntries: String(space.maxEntries),
    bytes: String(space.bytes),
    maxBytes: String(space.maxBytes),
    createdHeight: Number(space.createdHeight),
    height: Number(space.height),
  };
}

type GrantParams = {
  readonly owner: string;
  readonly limit: number;
  readonly cursor?: string | undefined;
};

async function grants(ports: RpcPorts, params: GrantParams): Promise<GrantList> {
  const { owner, limit, cursor = '' } = params;
  const start = present(fromHex(cursor), 'a checked cursor');
  const request = { ...where(owner), subject: '', start, limit };
  const data = QueryGrantsRequest.encode(request).finish();
  const answer = await ask(ports, `${SERVICE}/Grants`, data);
  const page = QueryGrantsResponse.decode(answer.value);
  return {
    grants: page.grants.map(({ subject, rights, expiry, by, index }) => ({
      subject,
      rights: rightsNames(rights),
      until: expiry === 0n ? null : formatTime(expiry * NANOS),
      by,
      index: Number(index),
    })),
    height: Number(page.height),
    next: page.next.length === 0 ? null : toHex(page.next),
  };
}

/** The endpoints, over the ports. */
export function spaceEndpoints(ports: RpcPorts): readonly Endpoint[] {
  const owner = param.address;
  const cursor = z
    .string()
    .regex(/^[0-9a-f]{40}$/, 'is no cursor of an earlier page')
    .optional();
  return [
    endpoint(
      '/v1/spaces/:owner',
      'What the rules hold of a space, by its id or by the owner of a personal one',
      z.strictObject({ owner }),
      spaceSchema,
      (p) => rules(ports, p.owner),
    ),
    endpoint(
      '/v1/spaces/:owner/grants',
      'Who was let into a space, and with which rights',
      z.strictObject({ owner, limit: param.limit, cursor }),
      grantListSchema,
      (p) => grants(ports, p),
    ),
  ];
}
