/**
 * REST about contracts: the ledger's own, any address with code, events, transfers of tokens.
 *
 * Upholds: a page looks through at most `MAX_HEIGHTS` heights; an empty page may have a next one.
 * Heights whose bloom filter lacks what is looked for cost two small reads.
 *
 * @module
 */
import * as z from 'zod';
import { equalBytes } from '../../base/bytes.ts';
import { LedgerError, present } from '../../base/errors.ts';
import { QueryAccountRequest, QueryAccountResponse } from '../../gen/metatron/evm/v1/query.ts';
import type { Log, Receipt } from '../../gen/metatron/evm/v1/state.ts';
import { LEDGER_CONTRACTS } from '../../types/contracts.ts';
import { formatTime, ZERO_TIME } from '../../types/time.ts';
import { errors as rpcErrors } from '../errors.ts';
import { EthQueries } from '../eth/queries.ts';
import { data } from '../eth/values.ts';
import type { RpcPorts } from '../ports.ts';
import { bloomTest, paddedAddress, TRANSFER_TOPIC } from './bloom.ts';
import {
  type ContractAnswer,
  contractEventsSchema,
  contractListSchema,
  contractSchema,
  type LedgerContractAnswer,
  type Transfer,
  transferListSchema,
} from './contract-schemas.ts';
import { ledgerContract } from './contract-words.ts';
import { type Endpoint, endpoint } from './endpoint.ts';
import { delegateOf, logAnswer } from './ethereum-tx.ts';
import { ask, param } from './query.ts';

/** Heights that one page looks through, at most. */
const MAX_HEIGHTS = 2_000;
const EITHER_ADDRESS = z
  .string()
  .regex(
    /^(?:0x[0-9a-fA-F]{40}|[0-9a-z]{8,90})$/,
    'is no address: 0x and 40 hex digits, or bech32',
  );

type Found = QueryAccountResponse & { readonly evm: string };

/** The account of an address of either kind. @throws LedgerError rest/2 */
async function accountOf(ports: RpcPorts, address: string): Promise<Found> {
  const request = QueryAccountRequest.encode({ address: address.toLowerCase() }).finish();
  const answer = await ask(ports, '/metatron.evm.v1.Query/Account', request);
  const found = QueryAccountResponse.decode(answer.value);
  return { ...found, evm: data(found.evmAddress) };
}

async function contract(
  ports: RpcPorts,
  queries: EthQueries,
  given: string,
): Promise<ContractAnswer> {
  const account = await accountOf(ports, given);
  const code = await queries.code(0, account.evmAddress);
  if (code.length === 0) throw new LedgerError(rpcErrors.NotFound, { what: `contract ${given}` });
  const own = ledgerContract(account.evm);
  const delegate = delegateOf(code);
  return {
    address: account.evm,
    account: account.address,
    name: own?.contract ?? null,
    balance: account.balance,
    nonce: String(account.nonce),
    codeHash: data(account.codeHash),
    codeBytes: code.length,
    code: data(code),
    delegate: delegate === undefined ? null : data(delegate),
    abi: own === undefined ? null : (JSON.parse(own.abi.formatJson()) as ContractAnswer['abi']),
  };
}

async function ledgerContracts(ports: RpcPorts): Promise<readonly LedgerContractAnswer[]> {
  const list = Object.entries(LEDGER_CONTRACTS).map(async ([name, { address }]) => {
    const { codeHash } = await accountOf(ports, address);
    return { name, address, codeHash: codeHash.length === 0 ? null : data(codeHash) };
  });
  return await Promise.all(list);
}

/** A log of a block that is looked at. */
type Seen = { readonly receipt: Receipt; readonly log: Log; readonly logIndex: number };

type Search = {
  /** Whether a block may have what is looked for. */
  readonly may: (bloom: Uint8Array) => boolean;
  readonly is: (log: Log) => boolean;
};

type Page = { readonly limit: number; readonly cursor?: string | undefined };

/** Logs below the cursor, newest first; at most `limit`, and where the next page begins. */
async function newestLogs(
  { chain }: RpcPorts,
  queries: EthQueries,
  search: Search,
  { limit, cursor }: Page,
): Promise<{ readonly logs: readonly Seen[]; readonly next: string | null }> {
  const [top = chain.height, below = Number.MAX_SAFE_INTEGER] = (cursor ?? '')
    .split('.')
    .filter(Boolean)
    .map(Number);
  const from = Math.min(top, chain.height);
  const lowest = Math.max(chain.base, from - MAX_HEIGHTS + 1, 1);
  const logs: Seen[] = [];
  for (let height = from; height >= lowest; height--) {
    if ((chain.meta(height)?.txCount ?? 0) === 0) continue;
    const found = await logsAt(queries, search, height);
    for (const seen of found) {
      if (height === top && seen.logIndex >= below) continue;
      if (logs.length === limit) {
        const last = present(logs.at(-1), 'a log of a full page');
        return { logs, next: `${last.receipt.height}.${last.logIndex}` };
      }
      logs.push(seen);
    }
  }
  return { logs, next: lowest > Math.max(chain.base, 1) ? String(lowest - 1) : null };
}

/** The logs of a height that are looked for, newest first. */
async function logsAt(
  queries: EthQueries,
  { may, is }: Search,
  height: number,
): Promise<readonly Seen[]> {
  const summary = await queries.summary(height);
  if (summary === undefined || summary.logCount === 0 || !may(summary.bloom)) return [];
  const receipts = await queries.receipts(height);
  return receipts
    .flatMap((receipt) =>
      receipt.logs.map((log, i) => ({ receipt, log, logIndex: receipt.firstLogIndex + i })),
    )
    .filter(({ log }) => is(log))
    .reverse();
}

function timeOf({ chain }: RpcPorts, { height }: Receipt): string {
  return formatTime(chain.meta(Number(height))?.header.time ?? ZERO_TIME);
}

/** The transfer that a log tells of, if it is one as the standards have it. */
function transferOf(ports: RpcPorts, { receipt, log, logIndex }: Seen): Transfer | undefined {
  const answer = logAnswer(log, logIndex);
  const { topics, address, decoded: told } = answer;
  if (told?.name !== 'Transfer' || told.args.length !== 3) return undefined;
  const [from, to, last] = told.args.map(({ value }) => String(value));
  if (from === undefined || to === undefined || last === undefined) return undefined;
  const isUnique = topics.length === 4;
  return {
    standard: isUnique ? 'ERC-721' : 'ERC-20',
    token: address,
    from,
    to,
    amount: isUnique ? null : last,
    tokenId: isUnique ? last : null,
    height: Number(receipt.height),
    time: timeOf(ports, receipt),
    ethereumHash: data(receipt.hash),
    logIndex,
  };
}

function transferSearch(account: Uint8Array): Search {
  const word = paddedAddress(account);
  const [isTransfer, isAbout] = [bloomTest(TRANSFER_TOPIC), bloomTest(word)];
  return {
    may: (bloom) => isTransfer(bloom) && isAbout(bloom),
    is: ({ topics: [topic, from, to] }) =>
      topic !== undefined &&
      equalBytes(topic, TRANSFER_TOPIC) &&
      [from, to].some((party) => party !== undefined && equalBytes(party, word)),
  };
}

const page = { limit: param.limit, cursor: param.cursor };

/** The endpoints, over the ports. */
export function contractEndpoints(ports: RpcPorts): readonly Endpoint[] {
  const queries = new EthQueries(ports.app);
  return [
    endpoint(
      '/v1/contracts',
      "The ledger's own contracts",
      z.strictObject({}),
      contractListSchema,
      async () => ({ contracts: await ledgerContracts(ports) }),
    ),
    endpoint(
      '/v1/contracts/:address',
      'An address with code, and its ABI where it is known',
      z.strictObject({ address: EITHER_ADDRESS }),
      contractSchema,
      ({ address }) => contract(ports, queries, address),
    ),
    endpoint(
      '/v1/contracts/:address/events',
      "A contract's events, newest first, decoded where an ABI is known",
      z.strictObject({ address: EITHER_ADDRESS, ...page }),
      contractEventsSchema,
      async ({ address, ...where }) => {
        const { evmAddress } = await accountOf(ports, address);
        const search: Search = {
          may: bloomTest(evmAddress),
          is: (log) => equalBytes(log.address, evmAddress),
        };
        const { logs, next } = await newestLogs(ports, queries, search, where);
        const events = logs.map(({ receipt, log, logIndex }) => ({
          ...logAnswer(log, logIndex),
          height: Number(receipt.height),
          time: timeOf(ports, receipt),
          ethereumHash: data(receipt.hash),
        }));
        return { events, next };
      },
    ),
    endpoint(
      '/v1/accounts/:address/transfers',
      'Transfers of tokens (ERC-20, ERC-721) from and to an account, newest first',
      z.strictObject({ address: EITHER_ADDRESS, ...page }),
      transferListSchema,
      async ({ address, ...where }) => {
        const { evmAddress } = await accountOf(ports, address);
        const found = await newestLogs(ports, queries, transferSearch(evmAddress), where);
        const transfers = found.logs.flatMap((seen) => transferOf(ports, seen) ?? []);
        return { transfers, next: found.next };
      },
    ),
  ];
}
