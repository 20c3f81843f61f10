/**
 * REST about what the ledger keeps: accounts, memory entries, heads, histories, proofs; and search.
 *
 * Upholds: a proof bundle is complete: entry, log path, record, state proof, and the header, commit
 * and validators that make its root final; it verifies without asking anybody.
 *
 * @module
 */
import * as z from 'zod';
import { encodeBech32 } from '../../base/bech32.ts';
import { fromHex, fromUtf8, toHex } from '../../base/bytes.ts';
import { LedgerError, present } from '../../base/errors.ts';
import { QueryAccountRequest, QueryAccountResponse } from '../../gen/metatron/evm/v1/query.ts';
import {
  type LoggedEntry,
  type Page,
  QueryEntriesRequest,
  QueryEntryRequest,
  QueryEntryResponse,
  QueryHeadRequest,
  QueryHeadResponse,
  QueryHistoryRequest,
  QueryListResponse,
  QueryProofRequest,
  QueryProofResponse,
} from '../../gen/metatron/memory/v1/query.ts';
import { timestampNanos } from '../../types/amino.ts';
import { anchorJson, ENTRY_PROOF, type EntryProof } from '../../types/bundles.ts';
import { entryOfLeaf, entryTypeName } from '../../types/entries.ts';
import { formatTime, ZERO_TIME } from '../../types/time.ts';
import { errors as rpcErrors } from '../errors.ts';
import { EthQueries } from '../eth/queries.ts';
import { base64 } from '../json.ts';
import type { RpcPorts } from '../ports.ts';
import { stored } from '../route.ts';
import { addressRequestCodec, readAccount, readBalances, readKey } from './cosmos.ts';
import { type Endpoint, endpoint, errors } from './endpoint.ts';
import { isDelegation } from './ethereum-tx.ts';
import { ask, badParams, param, where } from './query.ts';
import {
  type AccountAnswer,
  accountSchema,
  type MemoryAnswer,
  type MemoryList,
  memoryListSchema,
  memorySchema,
  proofSchema,
  type SearchAnswer,
  searchSchema,
} from './schemas.ts';

const SERVICE = '/metatron.memory.v1.Query';

function memory(logged: LoggedEntry | undefined, prefix: string): MemoryAnswer {
  const found = logged && entryOfLeaf(logged.leaf);
  if (logged === undefined || found === undefined) {
    throw new LedgerError(rpcErrors.NotFound, { what: 'memory entry' });
  }
  const { entry, height, blockTime } = found;
  const erased = logged.content.length === 0 && entry.contentSize > 0n;
  const text = erased ? undefined : fromUtf8(logged.content);
  return {
    id: toHex(entry.id),
    index: Number(logged.index),
    space: toHex(entry.space),
    author: encodeBech32(prefix, entry.author),
    key: entry.key,
    version: Number(entry.version),
    type: entryTypeName(entry.type),
    tags: entry.tags,
    sources: entry.sources.map(({ id, hash }) => ({ id, hash: toHex(hash) })),
    eventTime: entry.eventTime === undefined ? null : formatTime(timestampNanos(entry.eventTime)),
    height,
    blockTime: formatTime(blockTime ?? ZERO_TIME),
    contentHash: toHex(entry.contentHash),
    contentBytes: String(entry.contentSize),
    content: text ?? null,
    contentBase64: erased || text !== undefined ? null : base64(logged.content),
  };
}

async function account(ports: RpcPorts, address: string): Promise<AccountAnswer> {
  const asked = QueryAccountRequest.encode({ address }).finish();
  const either = await ask(ports, '/metatron.evm.v1.Query/Account', asked);
  const { address: text, evmAddress } = QueryAccountResponse.decode(either.value);
  const data = addressRequestCodec.encode({ address: text });
  const [found, coins] = await Promise.all([
    ask(ports, '/cosmos.auth.v1beta1.Query/Account', data),
    ask(ports, '/cosmos.bank.v1beta1.Query/AllBalances', data),
  ]);
  const { accountNumber, sequence, publicKey } = readAccount(found.value);
  const key = readKey(publicKey);
  return {
    address: text,
    evmAddress: key === undefined ? null : `0x${toHex(evmAddress)}`,
    accountNumber: String(accountNumber),
    sequence: String(sequence),
    publicKey: key === undefined ? null : base64(key),
    balances: readBalances(coins.value).map(({ denom, amount }) => ({ denom, amount })),
  };
}

type ListParams = {
  readonly owner: string;
  readonly limit: number;
  readonly cursor?: string | undefined;
};

/** A cursor names the height as well, so that pages fit together while entries are added. */
function pageOf({ limit, cursor }: ListParams): {
  readonly height: number;
  readonly page: Page;
} {
  const [height = '0', start = '0'] = (cursor ?? '').split('.').filter(Boolean);
  const page = { start: BigInt(start), limit, reverse: true, withoutContent: false };
  return { height: Number(height), page };
}

async function list(
  ports: RpcPorts,
  prefix: string,
  method: string,
  data: Uint8Array,
  height: number,
): Promise<MemoryList> {
  const answer = await ask(ports, `${SERVICE}/${method}`, data, height);
  const { entries, total, next } = QueryListResponse.decode(answer.value);
  return {
    memories: entries
      .filter(({ leaf }) => entryOfLeaf(leaf) !== undefined)
      .map((entry) => memory(entry, prefix)),
    total: Number(total),
    height: answer.height,
    next: next === undefined ? null : `${answer.height}.${next}`,
  };
}

function idOf(hex: string): Uint8Array {
  return present(fromHex(hex), 'a checked id');
}

async function proof(ports: RpcPorts, id: string): Promise<EntryProof> {
  const { chain } = ports;
  const data = QueryProofRequest.encode({ id: idOf(id) }).finish();
  // The app hash of a height stands in the next header, so the newest state has none yet.
  const height = chain.height - 1;
  const answer = await ask(ports, `${SERVICE}/Proof`, data, Math.max(height, 1)).catch(
    async (refusal: unknown) => {
      await ask(ports, `${SERVICE}/Proof`, data);
      throw LedgerError.is(refusal, errors.Query)
        ? new LedgerError(errors.NotYet, { height: chain.height + 1 })
        : refusal;
    },
  );
  const bundle = QueryProofResponse.decode(answer.value);
  const signed = Number(bundle.height) + 1;
  const commit = signed === chain.height ? chain.seenCommit(signed) : chain.commitOf(signed);
  const entry = stored(bundle.entry, 'memory entry');
  if (signed > chain.height) throw new LedgerError(errors.NotYet, { height: signed });
  const { validators } = stored(chain.validators(signed), `validators of height ${signed}`);
  return {
    format: ENTRY_PROOF,
    index: Number(entry.index),
    entry: { leaf: base64(entry.leaf), content: base64(entry.content) },
    space: { id: base64(bundle.spaceId), record: base64(bundle.spaceRecord) },
    logPath: bundle.logPath.map(base64),
    anchor: anchorJson(bundle.stateProof, {
      header: stored(chain.meta(signed), `header ${signed}`).header,
      commit: stored(commit, `commit of height ${signed}`),
      validators: validators.map((v) => ({ publicKey: v.publicKey.bytes, power: v.power })),
    }),
  };
}

async function memoryExists(ports: RpcPorts, id: string): Promise<boolean> {
  const data = QueryEntryRequest.encode({ id: idOf(id) }).finish();
  const answer = await ports.app.query({
    path: `${SERVICE}/Entry`,
    data,
    height: 0,
    prove: false,
  });
  return answer.code === 0 && QueryEntryResponse.decode(answer.value).entry !== undefined;
}

/** The EVM's address of a contract: of an account with code that no key signs for. */
async function contractAt(ports: RpcPorts, address: string): Promise<string | undefined> {
  const asked = QueryAccountRequest.encode({ address }).finish();
  const { value } = await ask(ports, '/metatron.evm.v1.Query/Account', asked);
  const { codeHash, evmAddress } = QueryAccountResponse.decode(value);
  if (codeHash.length === 0) return undefined;
  const evm = `0x${toHex(evmAddress)}`;
  const code = await new EthQueries(ports.app).code(0, evmAddress);
  return isDelegation(code) ? undefined : evm;
}

/** What a text names: a height, a hash of a block or transaction, a memory's id, an address. */
async function search(ports: RpcPorts, text: string): Promise<SearchAnswer> {
  const { chain, index } = ports;
  const missing = () => new LedgerError(rpcErrors.NotFound, { what: text });
  if (/^\d{1,15}$/.test(text)) {
    if (chain.meta(Number(text)) === undefined) throw missing();
    return { kind: 'block', href: `/v1/blocks/${Number(text)}` };
  }
  const hash = /^(?:0x)?([0-9A-Fa-f]{64})$/.exec(text)?.[1];
  if (hash !== undefined) {
    const height = index.heightOf(idOf(hash));
    if (height !== undefined) return { kind: 'block', href: `/v1/blocks/${height}` };
    const queries = new EthQueries(ports.app);
    if (index.locate(idOf(hash)) !== undefined || (await queries.placeOf(idOf(hash)))) {
      return { kind: 'transaction', href: `/v1/transactions/${hash.toUpperCase()}` };
    }
    if (await memoryExists(ports, hash)) {
      return { kind: 'memory', href: `/v1/memories/${hash.toLowerCase()}` };
    }
    throw missing();
  }
  if (!/^([0-9a-z]{8,90}|0x[0-9A-Fa-f]{40})$/.test(text)) {
    badParams('q is a height, a hash of 64 hex digits, or an address');
  }
  const contract = await contractAt(ports, text);
  if (contract !== undefined) return { kind: 'contract', href: `/v1/contracts/${contract}` };
  const { address } = await account(ports, text);
  return { kind: 'account', href: `/v1/accounts/${address}` };
}

function spaceEndpoints(ports: RpcPorts, prefix: string): readonly Endpoint[] {
  const owner = param.address;
  return [
    endpoint(
      '/v1/spaces/:owner/memories',
      "The entries of a space, or of an account's personal space, newest first",
      z.strictObject({ owner, limit: param.limit, cursor: param.cursor }),
      memoryListSchema,
      (p) => {
        const { height, page } = pageOf(p);
        const request = QueryEntriesRequest.fromPartial({ ...where(p.owner), page });
        const data = QueryEntriesRequest.encode(request).finish();
        return list(ports, prefix, 'Entries', data, height);
      },
    ),
    endpoint(
      '/v1/spaces/:owner/head',
      'The newest entry under a key',
      z.strictObject({ owner, key: param.key }),
      memorySchema,
      async (p) => {
        const request = QueryHeadRequest.fromPartial({ ...where(p.owner), key: p.key });
        const data = QueryHeadRequest.encode(request).finish();
        const answer = await ask(ports, `${SERVICE}/Head`, data);
        return memory(QueryHeadResponse.decode(answer.value).entry, prefix);
      },
    ),
    endpoint(
      '/v1/spaces/:owner/history',
      'The versions of a key, newest first',
      z.strictObject({ owner, key: param.key, limit: param.limit, cursor: param.cursor }),
      memoryListSchema,
      (p) => {
        const { height, page } = pageOf(p);
        const request = QueryHistoryRequest.fromPartial({ ...where(p.owner), key: p.key, page });
        const data = QueryHistoryRequest.encode(request).finish();
        return list(ports, prefix, 'History', data, height);
      },
    ),
  ];
}

/** The endpoints, over the ports. @param prefix - of bech32 addresses */
export function memoryEndpoints(ports: RpcPorts, prefix: string): readonly Endpoint[] {
  return [
    endpoint(
      '/v1/accounts/:address',
      'An account and its balances',
      z.strictObject({ address: param.account }),
      accountSchema,
      ({ address }) => account(ports, address),
    ),
    endpoint(
      '/v1/search',
      'What a height, hash, id or address names',
      z.strictObject({ q: z.string().trim().min(1).max(100) }),
      searchSchema,
      ({ q }) => search(ports, q),
    ),
    ...spaceEndpoints(ports, prefix),
    endpoint(
      '/v1/memories/:id',
      'A memory entry by its id',
      z.strictObject({ id: param.hash }),
      memorySchema,
      async ({ id }) => {
        const data = QueryEntryRequest.encode({ id: idOf(id) }).finish();
        const answer = await ask(ports, `${SERVICE}/Entry`, data);
        return memory(QueryEntryResponse.decode(answer.value).entry, prefix);
      },
    ),
    endpoint(
      '/v1/memories/:id/proof',
      'Everything that proves a memory entry offline, as "metatron verify" reads it',
      z.strictObject({ id: param.hash }),
      proofSchema,
      ({ id }) => proof(ports, id),
    ),
  ];
}
