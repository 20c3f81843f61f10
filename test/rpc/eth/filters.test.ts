/**
 * Filters that are polled: what they keep, when they are gone, and how many there may be.
 *
 * @module
 */
import { expect } from 'chai';
import { LedgerError } from '../../../node/src/base/errors.ts';
import { SILENT } from '../../../node/src/base/logger.ts';
import { EthChain } from '../../../node/src/rpc/eth/chain.ts';
import { errors } from '../../../node/src/rpc/eth/errors.ts';
import { Feeds } from '../../../node/src/rpc/eth/feeds.ts';
import { Filters } from '../../../node/src/rpc/eth/filters.ts';
import { LogSearch } from '../../../node/src/rpc/eth/logs.ts';
import { Params } from '../../../node/src/rpc/eth/params.ts';
import { Pending } from '../../../node/src/rpc/eth/pending.ts';
import type { EthPoolEntry, EthPorts, EthTx } from '../../../node/src/rpc/eth/ports.ts';
import { data } from '../../../node/src/rpc/eth/values.ts';

/** A pool of transactions that are one byte: their hash. */
class Pool {
  entries: EthPoolEntry[] = [];

  add(byte: number, sender: string, sequence: number): void {
    this.entries.push({ tx: Uint8Array.of(byte), key: String(byte), sender, sequence });
  }
}

function made() {
  const pool = new Pool();
  const sequences = new Map<string, number>();
  const ports = {
    pool: { list: () => pool.entries },
    ledger: {
      sequence: (account: string) => sequences.get(account) ?? 0,
      transaction: (tx: Uint8Array) =>
        tx[0] === 0 ? undefined : ({ hash: tx } as unknown as EthTx),
    },
  } as unknown as EthPorts;
  const chain = new EthChain(ports);
  const pending = new Pending(ports.pool, ports.ledger);
  const feeds = new Feeds(chain, pending, SILENT);
  const clock = { now: 0 };
  const logs = new LogSearch(chain, { maxBlocks: 1, maxLogs: 1 });
  const filters = new Filters({ chain, feeds, logs, now: () => clock.now });
  return { pool, sequences, pending, feeds, filters, clock };
}

describe('rpc/eth filters', () => {
  it('tells each pending transaction once, in order, and none of before', () => {
    const { pool, feeds, filters } = made();
    pool.add(1, 'a', 0);
    const id = filters.addTxs();
    pool.add(2, 'a', 1);
    pool.add(0, 'b', 0);
    pool.add(3, 'a', 2);
    feeds.look();
    feeds.look();
    expect(filters.changes(new Params([id], 1))).to.deep.equal(['0x02', '0x03']);
    expect(filters.changes(new Params([id], 1))).to.deep.equal([]);
    expect(filters.remove(new Params([id], 1))).to.equal(true);
  });

  it('forgets a filter that nobody asks for in five minutes', () => {
    const { filters, feeds, clock } = made();
    const [kept, left] = [filters.addBlocks(), filters.addBlocks()];
    clock.now = 200_000;
    filters.changes(new Params([kept], 1));
    clock.now = 400_000;
    expect(filters.changes(new Params([kept], 1))).to.deep.equal([]);
    expect(() => filters.changes(new Params([left], 1))).to.throw(LedgerError, 'filter not found');
    expect(feeds.heads.size).to.equal(1);
    filters.stop();
    expect(feeds.heads.size).to.equal(0);
  });

  it('keeps the newest entries, and takes so many filters', () => {
    const { filters, feeds } = made();
    const id = filters.addBlocks();
    for (let i = 0; i < 10_005; i++) for (const tell of feeds.heads) tell({ hash: String(i) });
    const unread = filters.changes(new Params([id], 1));
    expect(unread).to.have.length(10_000).and.property('0', '5');
    for (let i = 1; i < 1_000; i++) filters.addBlocks();
    const refused = (): unknown => filters.addBlocks();
    expect(refused).to.throw(LedgerError).with.property('code', errors.Busy.code);
  });

  it('counts what follows without a gap, and the nonce after it', () => {
    const { pool, sequences, pending } = made();
    sequences.set('a', 4);
    for (const [byte, sequence] of [
      [1, 4],
      [2, 5],
      [3, 7],
    ] as const)
      pool.add(byte, 'a', sequence);
    pool.add(4, 'b', 0);
    expect(pending.count()).to.deep.equal({ pending: 3, queued: 1 });
    expect([pending.nonce('a', 4n), pending.nonce('b', 0n), pending.nonce('c', 9n)]).to.deep.equal([
      6n,
      1n,
      9n,
    ]);
    // Nothing has the nonce of c that comes next; d's next is a transaction of the ledger itself.
    pool.add(5, 'c', 1);
    expect(pending.count()).to.deep.equal({ pending: 3, queued: 2 });
    pool.add(0, 'd', 0);
    pool.add(6, 'd', 1);
    expect(pending.count()).to.deep.equal({ pending: 4, queued: 2 });
    expect(pending.find(Uint8Array.of(3))?.hash).to.deep.equal(Uint8Array.of(3));
    expect(data(Uint8Array.of(3))).to.equal('0x03');
  });
});
