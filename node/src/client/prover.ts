/**
 * Fetching proof bundles from a node.
 *
 * Upholds: all parts of a bundle are of one height, whose header is there. Nothing is trusted here;
 * proof.ts checks a bundle.
 *
 * @module
 */
import { decodeBech32 } from '../base/bech32.ts';
import { EMPTY, fromHex, toBase64 } from '../base/bytes.ts';
import { LedgerError } from '../base/errors.ts';
import {
  type LoggedEntry,
  QueryConsistencyRequest,
  QueryConsistencyResponse,
  QueryEntriesRequest,
  QueryEntryRequest,
  QueryEntryResponse,
  QueryHeadRequest,
  QueryHeadResponse,
  QueryListResponse,
  QueryProofRequest,
  QueryProofResponse,
} from '../gen/metatron/memory/v1/query.ts';
import { Operation, Space } from '../gen/metatron/memory/v1/state.ts';
import {
  ABSENCE_PROOF,
  type AbsenceProof,
  anchorJson,
  CONSISTENCY_PROOF,
  type ConsistencyProof,
  ENTRY_PROOF,
  type EntryJson,
  type EntryProof,
  HEAD_PROOF,
  type HeadProof,
  LISTING_PROOF,
  type ListingProof,
  type Signed,
} from '../types/bundles.ts';
import { headKey, personalSpaceId, spaceKey } from '../types/memory.ts';
import { addressOn } from './accounts.ts';
import { fetchSigned, signedAfter } from './chain.ts';
import { errors, malformed } from './errors.ts';
import { abciQuery, proveRecord, type Rpc } from './rpc.ts';

const SERVICE = '/metatron.memory.v1.Query/';
const PAGE = 1_000;
const MAX_LISTED = 1_000_000;

async function ask(rpc: Rpc, method: string, data: Uint8Array, at: number): Promise<Uint8Array> {
  return (await abciQuery(rpc, SERVICE + method, data, at)).value;
}

/** The 32 bytes of an entry's id. @throws LedgerError rpc-client/4 */
export function idBytes(id: string): Uint8Array {
  const bytes = fromHex(id);
  if (bytes?.length !== 32) throw new LedgerError(errors.BadId, { id });
  return bytes;
}

/** The space that an owner's address names, of either kind. @throws LedgerError rpc-client/2, /6 */
async function spaceOn(rpc: Rpc, owner: string): Promise<Uint8Array> {
  return spaceOfOwner(await addressOn(rpc, owner));
}

/**
 * The id of a space: 64 hex digits, or whose personal one by bech32.
 *
 * @throws LedgerError rpc-client/6
 */
export function spaceOfOwner(owner: string): Uint8Array {
  const id = owner.length === 64 ? fromHex(owner) : undefined;
  if (id !== undefined) return id;
  const account = decodeBech32(owner)?.bytes;
  if (account === undefined) throw new LedgerError(errors.BadOwner, { owner });
  return personalSpaceId(account);
}

function entryJson({ leaf, content }: LoggedEntry): EntryJson {
  return { leaf: toBase64(leaf), content: toBase64(content) };
}

/** The proof of an entry. @param waitMs - how long to wait for the header after its block, in ms */
export async function entryProof(rpc: Rpc, id: string, waitMs: number): Promise<EntryProof> {
  const request = QueryEntryRequest.encode({ id: idBytes(id) }).finish();
  const { entry } = QueryEntryResponse.decode(await ask(rpc, 'Entry', request, 0));
  const { height } = Operation.decode(entry?.leaf ?? EMPTY);
  const signed = await signedAfter(rpc, Number(height), waitMs);
  const data = QueryProofRequest.encode({ id: idBytes(id) }).finish();
  const found = QueryProofResponse.decode(await ask(rpc, 'Proof', data, signed.header.height - 1));
  if (found.entry === undefined) return malformed('entry');
  return {
    format: ENTRY_PROOF,
    index: Number(found.entry.index),
    entry: entryJson(found.entry),
    space: { id: toBase64(found.spaceId), record: toBase64(found.spaceRecord) },
    logPath: found.logPath.map(toBase64),
    anchor: anchorJson(found.stateProof, signed),
  };
}

/** The proof of all entries of an account's space at the newest provable height. */
export async function listingProof(rpc: Rpc, owner: string): Promise<ListingProof> {
  const space = await spaceOn(rpc, owner);
  const signed = await fetchSigned(rpc, 0);
  const at = signed.header.height - 1;
  const entries: LoggedEntry[] = [];
  let next: bigint | undefined = 0n;
  while (next !== undefined && entries.length < MAX_LISTED) {
    const page = { start: next, limit: PAGE, reverse: false, withoutContent: false };
    const data = QueryEntriesRequest.encode({ space, owner: '', page }).finish();
    const list: QueryListResponse = QueryListResponse.decode(await ask(rpc, 'Entries', data, at));
    entries.push(...list.entries);
    next = list.next;
  }
  const { record, stateProof } = await proveRecord(rpc, spaceKey(space), at);
  return {
    format: LISTING_PROOF,
    entries: entries.map(entryJson),
    space: { id: toBase64(space), record: toBase64(record) },
    anchor: anchorJson(stateProof, signed),
  };
}

/** The proof of which entry a key has at the newest provable height, or that it has none. */
export async function headProof(
  rpc: Rpc,
  owner: string,
  key: string,
): Promise<HeadProof | AbsenceProof> {
  const id = await spaceOn(rpc, owner);
  const signed = await fetchSigned(rpc, 0);
  const at = signed.header.height - 1;
  const { record, stateProof } = await proveRecord(rpc, headKey(id, key), at);
  const anchor = anchorJson(stateProof, signed);
  const space = toBase64(id);
  if (record.length === 0) return { format: ABSENCE_PROOF, space, key, anchor };
  const data = QueryHeadRequest.encode({ space: id, owner: '', key }).finish();
  const { entry } = QueryHeadResponse.decode(await ask(rpc, 'Head', data, at));
  if (entry === undefined) return malformed('entry');
  return {
    format: HEAD_PROOF,
    space,
    key,
    head: toBase64(record),
    entry: entryJson(entry),
    anchor,
  };
}

/** The header over the state after `height`; 0 is the newest provable one. */
function headerOver(rpc: Rpc, height: number): Promise<Signed> {
  return fetchSigned(rpc, height === 0 ? 0 : height + 1);
}

/**
 * The proof that an account's space only grew between two heights.
 *
 * @param to - 0 is the newest provable height
 * @throws LedgerError rpc-client/5 if it was not there at `from`
 */
export async function consistencyProof(
  rpc: Rpc,
  owner: string,
  from: number,
  to: number,
): Promise<ConsistencyProof> {
  const id = await spaceOn(rpc, owner);
  const [old, now] = [await headerOver(rpc, from), await headerOver(rpc, to)];
  const before = await proveRecord(rpc, spaceKey(id), old.header.height - 1);
  if (before.record.length === 0) throw new LedgerError(errors.NoSpace, { owner, height: from });
  const { size } = Space.decode(before.record);
  const data = QueryConsistencyRequest.encode({ space: id, owner: '', fromSize: size }).finish();
  const at = now.header.height - 1;
  const after = QueryConsistencyResponse.decode(await ask(rpc, 'Consistency', data, at));
  return {
    format: CONSISTENCY_PROOF,
    space: toBase64(id),
    from: { record: toBase64(before.record), anchor: anchorJson(before.stateProof, old) },
    to: { record: toBase64(after.spaceRecord), anchor: anchorJson(after.stateProof, now) },
    path: after.path.map(toBase64),
  };
}
