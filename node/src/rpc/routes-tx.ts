/**
 * JSON-RPC methods about transactions and the application: broadcast, search, pool, ABCI queries.
 *
 * Upholds: nothing is reported as committed before its height is durable and indexed; a passed
 * check promises nothing.
 * Spec: CometBFT 0.38 rpc/core/{tx,mempool,abci,evidence}.go.
 *
 * @module
 */
import { EMPTY, toUpperHex } from '../base/bytes.ts';
import { LedgerError } from '../base/errors.ts';
import { merkleProofs } from '../base/merkle.ts';
import type { Subscription } from '../indexer/event-bus.ts';
import { parseQuery } from '../indexer/query.ts';
import { searchTxs } from '../indexer/search.ts';
import { txHash } from '../types/block.ts';
import { EMPTY_RESULT, type TxResult } from '../types/results.ts';
import { badParams, errors } from './errors.ts';
import { base64, hex, type Json, type JsonObject } from './json.ts';
import { checkTxJson, infoJson, queryJson, resultJson, txProofJson } from './json-abci.ts';
import type { RpcPorts, Submission } from './ports.ts';
import { readEvidence } from './read-evidence.ts';
import { DEFAULT_PER_PAGE, MAX_PER_PAGE, pageOf, type Routes, required, route } from './route.ts';
import { ordered, searchText } from './routes-blocks.ts';

/** How long `broadcast_tx_commit` waits for a block. */
const COMMIT_TIMEOUT_MS = 10_000;
/** How many `broadcast_tx_commit` calls may wait at once. */
const MAX_WAITING = 500;

function submissionJson({ hash, response }: Submission): JsonObject {
  const { code, data, log, codespace } = response;
  return { code, data: hex(data), log, codespace, hash: hex(hash) };
}

function txJson(ports: RpcPorts, found: TxResult, prove: boolean): JsonObject {
  return {
    hash: hex(txHash(found.tx)),
    height: String(found.height),
    index: found.index,
    tx_result: resultJson(found.result),
    tx: base64(found.tx),
    proof: prove ? proof(ports, found) : undefined,
  };
}

function proof({ index }: RpcPorts, found: TxResult): JsonObject | undefined {
  const { root, proofs } = merkleProofs(index.txsOf(found.height).map(txHash));
  const own = proofs[found.index];
  return own === undefined ? undefined : txProofJson(root, found.tx, own);
}

/** Follows one transaction to its block. */
class Waiter {
  readonly #ports: RpcPorts;
  #waiting = 0;

  constructor(ports: RpcPorts) {
    this.#ports = ports;
  }

  async commit(tx: Uint8Array): Promise<JsonObject> {
    if (this.#waiting >= MAX_WAITING) {
      throw new LedgerError(errors.TooMany, {
        reason: 'too many transactions are being waited for',
      });
    }
    this.#waiting++;
    const hash = txHash(tx);
    const arrival = this.#arrival(hash);
    try {
      const { response } = await this.#ports.pool.submit(tx);
      const checkTx = checkTxJson(response);
      if (response.code !== 0)
        return { check_tx: checkTx, tx_result: NO_RESULT, hash: hex(hash), height: '0' };
      const found = await arrival.result;
      return {
        check_tx: checkTx,
        tx_result: resultJson(found.result),
        hash: hex(hash),
        height: String(found.height),
      };
    } finally {
      this.#waiting--;
      arrival.stop();
    }
  }

  #arrival(hash: Uint8Array): { readonly result: Promise<TxResult>; readonly stop: () => void } {
    const { bus } = this.#ports;
    const query = parseQuery(`tm.event='Tx' AND tx.hash='${toUpperHex(hash)}'`);
    const { promise, resolve, reject } = Promise.withResolvers<TxResult>();
    promise.catch(() => undefined);
    const fail = () => reject(new LedgerError(errors.TimedOut, {}));
    const timer = setTimeout(fail, COMMIT_TIMEOUT_MS);
    const subscription: Subscription = {
      query,
      deliver: ({ payload }) => {
        if (payload.name !== 'Tx') return;
        const { block, results } = payload.height;
        const tx = block.data.txs[payload.index];
        const result = results.txResults[payload.index];
        if (tx === undefined || result === undefined) return;
        resolve({ height: block.header.height, index: payload.index, tx, result });
      },
      ended: fail,
    };
    bus.subscribe(subscription);
    const stop = () => {
      clearTimeout(timer);
      bus.unsubscribe(subscription);
    };
    return { result: promise, stop };
  }
}

const NO_RESULT: JsonObject = resultJson(EMPTY_RESULT);

function unconfirmed({ pool }: RpcPorts, txs: Json): JsonObject {
  const total = String(pool.size);
  return { n_txs: total, total, total_bytes: String(pool.byteSize), txs };
}

function broadcastRoutes(ports: RpcPorts): Routes {
  const { pool } = ports;
  const waiter = new Waiter(ports);
  return {
    broadcast_tx_async: route({ tx: 'bytes' }, (p) => {
      const tx = required(p.tx, 'tx');
      const submit = async (): Promise<Submission> => await pool.submit(tx);
      // The caller asked not to hear the verdict of the check.
      submit().catch(() => undefined);
      return { code: 0, data: '', log: '', codespace: '', hash: hex(txHash(tx)) };
    }),
    broadcast_tx_sync: route({ tx: 'bytes' }, (p) => {
      const submission = pool.submit(required(p.tx, 'tx'));
      return submission instanceof Promise
        ? submission.then(submissionJson)
        : submissionJson(submission);
    }),
    broadcast_tx_commit: route({ tx: 'bytes' }, (p) => waiter.commit(required(p.tx, 'tx'))),
    check_tx: route({ tx: 'bytes' }, async (p) =>
      checkTxJson(await ports.app.checkTx({ tx: required(p.tx, 'tx'), kind: 'new' })),
    ),
    broadcast_evidence: route({ evidence: 'json' }, async (p) => {
      const evidence = readEvidence(required(p.evidence, 'evidence'));
      await ports.consensus.submitEvidence(evidence.value);
      return { hash: hex(evidence.hash) };
    }),
    unconfirmed_txs: route({ limit: 'int' }, (p) => {
      const asked = p.limit ?? DEFAULT_PER_PAGE;
      const limit = asked < 1 ? DEFAULT_PER_PAGE : Math.min(asked, MAX_PER_PAGE);
      const txs = pool.list(limit).map(({ tx }) => base64(tx));
      return { ...unconfirmed(ports, txs), n_txs: String(txs.length) };
    }),
    num_unconfirmed_txs: route({}, () => unconfirmed(ports, null)),
  };
}

/** The methods, over the ports. */
export function txRoutes(ports: RpcPorts): Routes {
  const { app, index, chain } = ports;
  return {
    ...broadcastRoutes(ports),
    tx: route({ hash: 'bytes', prove: 'bool' }, (p) => {
      const hash = required(p.hash, 'hash');
      const at = index.locate(hash);
      const found = at === undefined || at.height > chain.height ? undefined : index.txAt(at);
      if (found === undefined)
        throw new LedgerError(errors.NotFound, { what: `tx (${hex(hash)})` });
      return txJson(ports, found, p.prove ?? false);
    }),
    tx_search: route(
      { query: 'text', prove: 'bool', page: 'int', per_page: 'int', order_by: 'text' },
      async (p) => {
        const found = await searchTxs(index, parseQuery(searchText(p.query)));
        const kept = found.filter((at) => at.height >= chain.base && at.height <= chain.height);
        const sorted = ordered(kept, p.order_by, 'asc');
        const txs = pageOf(sorted, p).flatMap((at) => {
          const tx = index.txAt(at);
          return tx === undefined ? [] : [txJson(ports, tx, p.prove ?? false)];
        });
        return { txs, total_count: String(sorted.length) };
      },
    ),
    abci_info: route({}, async () => ({ response: infoJson(await app.info()) })),
    abci_query: route({ path: 'text', data: 'hex', height: 'int', prove: 'bool' }, async (p) => {
      const height = p.height ?? 0;
      if (height < 0) badParams('height cannot be negative');
      const answer = await app.query({
        path: p.path ?? '',
        data: p.data ?? EMPTY,
        height,
        prove: p.prove ?? false,
      });
      return { response: queryJson(answer) };
    }),
  };
}
