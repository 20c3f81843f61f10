/**
 * A ledger in memory, as `memory import` meets it.
 *
 * @module
 */
import { toHex } from '../../node/src/base/bytes.ts';
import { LedgerError } from '../../node/src/base/errors.ts';
import { sha256 } from '../../node/src/base/hash.ts';
import { MsgPut } from '../../node/src/gen/metatron/memory/v1/tx.ts';
import type { Any } from '../../node/src/ledger/tx/wire.ts';
import { type Committed, errors as chainErrors } from '../../node/src/ops/chain-client.ts';
import type { ImportChain } from '../../node/src/ops/memory-import.ts';

/** A chain that takes entries unless their content says no, and may go away before answering. */
export class FakeChain implements ImportChain {
  readonly address = 'metatron1test';
  readonly contents: string[] = [];
  /** The newest content of each key. */
  readonly heads: Map<string, string> = new Map();
  readonly #txs: Map<string, readonly Any[]> = new Map();
  readonly #arrived: Set<string> = new Set();
  /** Answers that are lost after the transaction arrived: by number of the delivery. */
  loseAnswer = -1;
  /** What an entry's content must not hold. */
  banned = 'refuse me';
  deliveries = 0;
  /** How often the sequence was read again. */
  refreshed = 0;
  #signed = 0;

  sign(messages: readonly Any[]): Uint8Array {
    const tx = new TextEncoder().encode(`tx ${this.#signed++}`);
    this.#txs.set(toHex(tx), messages);
    return tx;
  }

  deliver(tx: Uint8Array): Promise<Committed> {
    const puts = (this.#txs.get(toHex(tx)) ?? []).map((any) => MsgPut.decode(any.value));
    const texts = puts.map((put) => new TextDecoder().decode(put.content));
    if (texts.some((text) => text.includes(this.banned))) {
      const params = { codespace: 'memory', code: 2, log: 'version conflict' };
      return Promise.reject(new LedgerError(chainErrors.TxRefused, params));
    }
    this.contents.push(...texts);
    puts.forEach((put, i) => {
      this.heads.set(put.key, texts[i] ?? '');
    });
    this.#arrived.add(toHex(sha256(tx)));
    if (this.deliveries++ === this.loseAnswer) return Promise.reject(new RangeError('gone'));
    const hash = toHex(sha256(tx));
    return Promise.resolve({ hash, height: 7, code: 0, gasUsed: 1, data: new Uint8Array() });
  }

  contains(hash: Uint8Array): Promise<boolean> {
    return Promise.resolve(this.#arrived.has(toHex(hash)));
  }

  refresh(): Promise<void> {
    this.refreshed++;
    return Promise.resolve();
  }
}
