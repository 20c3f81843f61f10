/**
 * What bad calls are made from, and how they travel: a valid call of every route, and clients for
 * HTTP, raw sockets and WebSockets.
 *
 * @module
 */
import { connect } from 'node:net';
import { WebSocket } from 'ws';
import type { DevnetSummary } from '../../node/src/ops/devnet.ts';
import { call, pickText } from '../../node/src/ops/rpc-client.ts';

/** Parameters of a call. */
export type Params = Readonly<Record<string, unknown>>;
/** A call. */
export type Request = { readonly method: string; readonly params: Params };

/** A valid call of every route, from a chain's real contents. */
export async function validCalls(net: DevnetSummary): Promise<readonly Request[]> {
  const block = await call(net.rpc, 'block', { height: '1' });
  const hash = pickText(block, 'block_id', 'hash');
  const bytes = Buffer.from(hash, 'hex').toString('base64');
  const height = '1';
  const search = { query: "tx.height>0 AND message.action='x'", page: '1', per_page: '5' };
  const vote = {
    type: 1,
    height,
    round: 0,
    block_id: { hash, parts: { total: 1, hash } },
    timestamp: '2026-01-01T00:00:00Z',
    validator_address: hash.slice(0, 40),
    validator_index: 0,
    signature: Buffer.alloc(64, 7).toString('base64'),
  };
  const evidence = {
    type: 'tendermint/DuplicateVoteEvidence',
    value: {
      vote_a: vote,
      vote_b: { ...vote, block_id: { hash: hash.replace(/^./, '0'), parts: vote.block_id.parts } },
      TotalVotingPower: '40',
      ValidatorPower: '10',
      Timestamp: '2026-01-01T00:00:00Z',
    },
  };
  const account = {
    path: '/cosmos.auth.v1beta1.Query/Params',
    data: '',
    height: '0',
    prove: false,
  };
  const calls: Readonly<Record<string, Params>> = {
    health: {},
    status: {},
    net_info: {},
    genesis: {},
    genesis_chunked: { chunk: '0' },
    consensus_state: {},
    dump_consensus_state: {},
    block: { height },
    block_by_hash: { hash: bytes },
    header: { height },
    header_by_hash: { hash },
    commit: { height },
    block_results: { height },
    blockchain: { minHeight: '1', maxHeight: '2' },
    block_search: { query: 'block.height>0', page: '1', per_page: '5', order_by: 'asc' },
    validators: { height, page: '1', per_page: '2' },
    consensus_params: { height },
    tx: { hash: bytes, prove: true },
    tx_search: { ...search, prove: true, order_by: 'desc' },
    abci_info: {},
    abci_query: account,
    check_tx: { tx: bytes },
    broadcast_tx_async: { tx: bytes },
    broadcast_tx_sync: { tx: bytes },
    broadcast_tx_commit: { tx: bytes },
    broadcast_evidence: { evidence },
    unconfirmed_txs: { limit: '3' },
    num_unconfirmed_txs: {},
    dial_seeds: { seeds: [] },
    dial_peers: { peers: [], persistent: false },
    unsafe_flush_mempool: {},
  };
  return Object.entries(calls).map(([method, params]) => ({ method, params }));
}

/** Paths of ABCI queries, known and not. */
export const QUERY_PATHS: readonly string[] = [
  '/cosmos.auth.v1beta1.Query/Account',
  '/cosmos.auth.v1beta1.Query/Accounts',
  '/cosmos.bank.v1beta1.Query/AllBalances',
  '/cosmos.bank.v1beta1.Query/Balance',
  '/cosmos.bank.v1beta1.Query/TotalSupply',
  '/cosmos.tx.v1beta1.Service/GetTx',
  '/cosmos.tx.v1beta1.Service/Simulate',
  '/cosmos.tx.v1beta1.Service/GetTxsEvent',
  '/cosmos.gov.v1.Query/Proposals',
  '/metatron.memory.v1.Query/Entry',
  '/metatron.memory.v1.Query/Head',
  '/metatron.memory.v1.Query/History',
  '/metatron.memory.v1.Query/Entries',
  '/metatron.memory.v1.Query/Proof',
  '/store/metatron/key',
  '/store/x/subspace',
  '/app/simulate',
  '/app/version',
  '/tx/decode',
  '/p2p/filter/addr/1',
  '//',
  '/../..',
];

/** Paths of REST; %s is filled in. */
export const REST: readonly string[] = [
  '/v1/status',
  '/v1/blocks',
  '/v1/blocks/1',
  '/v1/transactions',
  '/v1/transactions/%s',
  '/v1/validators',
  '/v1/mempool',
  '/v1/spaces/%s/memories',
  '/v1/spaces/%s/head',
  '/v1/spaces/%s/history',
  '/v1/accounts/%s',
  '/v1/search',
  '/v1/memories/%s',
  '/v1/memories/%s/proof',
  '/v1/openapi.json',
  '/v1/%s',
];

/** The answer to an HTTP request. */
export type Answer = { readonly status: number; readonly text: string };

/** One HTTP request. */
export async function http(url: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(url, { ...init, signal: AbortSignal.timeout(15_000) });
  return { status: response.status, text: await response.text() };
}

/** Bytes on a socket, as no HTTP client would send them; what came back until the end. */
export function rawHttp(rpc: string, bytes: Uint8Array): Promise<string> {
  const { hostname, port } = new URL(rpc);
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(Number(port), hostname, () => socket.end(bytes));
    socket.setTimeout(12_000, () => socket.destroy());
    socket.on('data', (data) => {
      text += data.toString('latin1');
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(text));
  });
}

/** A WebSocket that takes one text at a time and answers it. */
export class Socket {
  readonly #socket: WebSocket;
  #heard: ((text: string) => void) | undefined;
  #closeCode = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data) => this.#heard?.(String(data)));
    socket.on('close', (code) => {
      this.#closeCode = code;
      this.#heard?.('closed');
    });
    socket.on('error', () => undefined);
  }

  static open(rpc: string): Promise<Socket> {
    const socket = new WebSocket(`${rpc.replace(/^http/, 'ws')}/websocket`);
    return new Promise((resolve, reject) => {
      socket.once('open', () => resolve(new Socket(socket)));
      socket.once('error', reject);
    });
  }

  get isOpen(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  /** Why the node closed it, by RFC 6455; 0 while it is open. */
  get closeCode(): number {
    return this.#closeCode;
  }

  /** The answer to what is sent; a known request behind it shows when there is none. */
  ask(data: string | Uint8Array): Promise<string> {
    return new Promise((resolve) => {
      this.#heard = (text) => {
        if (text.includes('"id":"marker"')) resolve('');
        else if (!text.includes('"query":')) resolve(text);
      };
      this.#socket.send(data, { binary: typeof data !== 'string' });
      this.#socket.send('{"jsonrpc":"2.0","id":"marker","method":"health"}');
    });
  }

  close(): void {
    this.#socket.terminate();
  }
}
