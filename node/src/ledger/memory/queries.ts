/**
 * Queries of metatron.memory.v1.Query: spaces, entries, versions, listings, proofs.
 *
 * Upholds: every answer is of the asked height: entries above the space's size at that height do
 * not exist in it. Indexes of a listing are contiguous, and the space's record says how many there
 * are, so nothing can be left out unseen. At most 1,000 entries or 1 MiB an answer.
 *
 * @module
 */
import type { ProofOp } from '../../abci/application.ts';
import { EMPTY, readU64be, toHex, utf8 } from '../../base/bytes.ts';
import { LedgerError, present } from '../../base/errors.ts';
import { sha256 } from '../../base/hash.ts';
import {
  type LoggedEntry,
  type Page,
  QueryByAuthorRequest,
  QueryConsistencyRequest,
  QueryConsistencyResponse,
  QueryEntriesRequest,
  QueryEntryRequest,
  QueryEntryResponse,
  QueryHeadRequest,
  QueryHeadResponse,
  QueryHistoryRequest,
  QueryListResponse,
  QueryProofRequest,
  QueryProofResponse,
  QuerySpaceRequest,
  QuerySpaceResponse,
} from '../../gen/metatron/memory/v1/query.ts';
import { Operation, type Space, StoredEntry } from '../../gen/metatron/memory/v1/state.ts';
import { personalSpaceId, spaceKey } from '../../types/memory.ts';
import { queryAccount } from '../auth/queries.ts';
import { grpcRefusal } from '../errors.ts';
import { decodeLoose } from '../loose.ts';
import type { Answer, Query, QueryContext } from '../module.ts';
import { errors } from './errors.ts';
import { entryRow, getHead, getSpace, headAt, operationRow, versionRow } from './schema.ts';
import { wantedSpace } from './space-queries.ts';

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1_000;
/** Bytes of leaves and content after which an answer ends. */
const ANSWER_BYTES = 1_048_576;
const ID_BYTES = 32;

const NO_PAGE: Page = { start: 0n, limit: 0, reverse: false, withoutContent: false };

function needSpace(context: QueryContext, id: Uint8Array): Space {
  const space = getSpace(context.view, id);
  if (space === undefined) throw new LedgerError(errors.SpaceNotFound, { space: toHex(id) });
  return space;
}

async function proofs(context: QueryContext, key: Uint8Array): Promise<readonly ProofOp[]> {
  return [{ type: 'ics23:metatron', key, data: await context.view.prove(key) }];
}

/** The answer, with the proof of the record it rests on if one is asked for. */
async function proven(context: QueryContext, key: Uint8Array, value: Uint8Array): Promise<Answer> {
  return context.prove ? { value, key, proofOps: await proofs(context, key) } : value;
}

/** The operation at `index`, which exists. */
function logged(
  context: QueryContext,
  space: Uint8Array,
  index: number,
  withContent: boolean,
): LoggedEntry {
  const leaf = present(context.view.row(operationRow(space, index)), 'row of a log entry');
  const { kind } = withContent ? Operation.decode(leaf) : { kind: undefined };
  const stored = kind?.$case === 'put' && context.view.row(entryRow(kind.value.id));
  const content = stored ? StoredEntry.decode(stored).content : EMPTY;
  return { index: BigInt(index), leaf, content };
}

type Located = { readonly space: Uint8Array; readonly index: number; readonly record: Space };

/** Where the entry stands, if it was there at the height asked for. */
function locate(context: QueryContext, id: Uint8Array): Located {
  if (id.length !== ID_BYTES) return grpcRefusal('InvalidArgument', 'an id has 32 bytes');
  const row = context.view.row(entryRow(id));
  const stored = row && StoredEntry.decode(row);
  const record = stored && getSpace(context.view, stored.space);
  if (stored === undefined || record === undefined || stored.index >= record.size) {
    throw new LedgerError(errors.EntryNotFound, { id: toHex(id) });
  }
  return { space: stored.space, index: Number(stored.index), record };
}

const space: Query = (context, data) => {
  const request = decodeLoose(QuerySpaceRequest, 'QuerySpaceRequest', data);
  const id = wantedSpace(context, request.id, request.owner);
  const record = getSpace(context.view, id);
  if (record === undefined && !context.prove) needSpace(context, id);
  const value = QuerySpaceResponse.encode({ id, space: record }).finish();
  return proven(context, spaceKey(id), value);
};

const entry: Query = (context, data) => {
  const { id } = decodeLoose(QueryEntryRequest, 'QueryEntryRequest', data);
  const { space, index, record } = locate(context, id);
  const found = logged(context, space, index, true);
  return QueryEntryResponse.encode({ entry: found, spaceId: space, space: record }).finish();
};

const head: Query = (context, data) => {
  const request = decodeLoose(QueryHeadRequest, 'QueryHeadRequest', data);
  const id = wantedSpace(context, request.space, request.owner);
  const at = headAt(id, sha256(utf8(request.key)));
  const found = getHead(context.view, at);
  if (found === undefined && !context.prove) {
    throw new LedgerError(errors.KeyNotFound, { key: request.key });
  }
  const entry = found && logged(context, id, Number(found.index), true);
  const value = QueryHeadResponse.encode({ head: found, entry }).finish();
  return proven(context, at.bytes, value);
};

/** Entries of a list of `total`, at positions that `indexOf` turns into log indexes. */
function listOf(
  context: QueryContext,
  id: Uint8Array,
  record: Space,
  total: number,
  page: Page,
  indexOf: (position: number) => number,
): Uint8Array {
  const most = page.limit === 0 ? DEFAULT_LIMIT : Math.min(page.limit, MAX_LIMIT);
  const start = page.start > BigInt(total) ? total : Number(page.start);
  const entries: LoggedEntry[] = [];
  let bytes = 0;
  let at = start;
  for (; at < total && entries.length < most && bytes < ANSWER_BYTES; at++) {
    const position = page.reverse ? total - 1 - at : at;
    const found = logged(context, id, indexOf(position), !page.withoutContent);
    bytes += found.leaf.length + found.content.length;
    entries.push(found);
  }
  return QueryListResponse.encode({
    entries,
    total: BigInt(total),
    next: at < total ? BigInt(at) : undefined,
    spaceId: id,
    space: record,
  }).finish();
}

const history: Query = (context, data) => {
  const request = decodeLoose(QueryHistoryRequest, 'QueryHistoryRequest', data);
  const id = wantedSpace(context, request.space, request.owner);
  const keyHash = sha256(utf8(request.key));
  const at = headAt(id, keyHash);
  const newest = getHead(context.view, at);
  if (newest === undefined) throw new LedgerError(errors.KeyNotFound, { key: request.key });
  const indexOf = (position: number): number =>
    readU64be(present(context.view.row(versionRow(id, keyHash, position + 1)), 'row of a version'));
  const total = Number(newest.version);
  const record = needSpace(context, id);
  const value = listOf(context, id, record, total, request.page ?? NO_PAGE, indexOf);
  return proven(context, at.bytes, value);
};

function listSpace(context: QueryContext, id: Uint8Array, page: Page): Promise<Answer> {
  const record = needSpace(context, id);
  const value = listOf(context, id, record, Number(record.size), page, (position) => position);
  return proven(context, spaceKey(id), value);
}

const entries: Query = (context, data) => {
  const request = decodeLoose(QueryEntriesRequest, 'QueryEntriesRequest', data);
  const id = wantedSpace(context, request.space, request.owner);
  return listSpace(context, id, request.page ?? NO_PAGE);
};

const byAuthor: Query = (context, data) => {
  const { author, page } = decodeLoose(QueryByAuthorRequest, 'QueryByAuthorRequest', data);
  return listSpace(context, personalSpaceId(queryAccount(context, author)), page ?? NO_PAGE);
};

const proof: Query = async (context, data) => {
  const { id } = decodeLoose(QueryProofRequest, 'QueryProofRequest', data);
  const { view, store } = context;
  const { space, index, record } = locate(context, id);
  const key = spaceKey(space);
  const stateProof = await view.prove(key);
  return QueryProofResponse.encode({
    entry: logged(context, space, index, true),
    spaceId: space,
    spaceRecord: present(view.get(key), 'record of a space'),
    logPath: [...store.logPath(space, index, Number(record.size))],
    stateProof,
    height: BigInt(view.height),
  }).finish();
};

const consistency: Query = async (context, data) => {
  const name = 'QueryConsistencyRequest';
  const { space, owner, fromSize } = decodeLoose(QueryConsistencyRequest, name, data);
  const { view, store } = context;
  const id = wantedSpace(context, space, owner);
  const { size } = needSpace(context, id);
  if (fromSize > size) {
    return grpcRefusal('InvalidArgument', `the log has ${size} entries, not ${fromSize}`);
  }
  const key = spaceKey(id);
  const stateProof = await view.prove(key);
  return QueryConsistencyResponse.encode({
    spaceId: id,
    spaceRecord: present(view.get(key), 'record of a space'),
    path: [...store.logConsistency(id, Number(fromSize), Number(size))],
    stateProof,
    height: BigInt(view.height),
  }).finish();
};

const PATH = '/metatron.memory.v1.Query/';

/** The queries, by path. */
export const queries: Readonly<Record<string, Query>> = {
  [`${PATH}Space`]: space,
  [`${PATH}Entry`]: entry,
  [`${PATH}Head`]: head,
  [`${PATH}History`]: history,
  [`${PATH}Entries`]: entries,
  [`${PATH}ByAuthor`]: byAuthor,
  [`${PATH}Proof`]: proof,
  [`${PATH}Consistency`]: consistency,
};
