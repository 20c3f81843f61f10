/**
 * The mempool while a block is being committed: checks wait, in order, and nothing is forgotten.
 *
 * @module
 */
import { expect } from 'chai';
import { checkAnswer } from '../../node/src/abci/answers.ts';
import type { CheckTxRequest, CheckTxResponse } from '../../node/src/abci/application.ts';
import { fromUtf8, utf8 } from '../../node/src/base/bytes.ts';
import { DEFAULT_MEMPOOL } from '../../node/src/mempool/config.ts';
import { Mempool } from '../../node/src/mempool/mempool.ts';

function verdict(code: number, sequence: number): CheckTxResponse {
  return checkAnswer({ code, gasWanted: 1, sender: 'alice', sequence });
}

describe('mempool: commit', () => {
  it('checks nothing while a block is being committed, and all after it, in order', async () => {
    // As an application does: pending sequences stay over a commit, rechecks do not count again.
    let next = 0;
    const rechecked: number[] = [];
    const check = ({ tx, kind }: CheckTxRequest): CheckTxResponse => {
      const sequence = Number(fromUtf8(tx));
      if (kind === 'recheck') {
        rechecked.push(sequence);
        return verdict(0, sequence);
      }
      return sequence === next ? verdict(0, next++) : verdict(32, sequence);
    };
    const mempool = new Mempool(DEFAULT_MEMPOOL, check);
    const tx = (n: number): Uint8Array => utf8(String(n));
    for (const n of [0, 1, 2]) {
      expect((await mempool.submit(tx(n), '')).response.code).to.equal(0);
    }
    mempool.hold();
    const waiting = [3, 4].map((n) => mempool.submit(tx(n), ''));
    expect(mempool.size).to.equal(3);
    await mempool.update(1, [tx(0)], () => true);
    const codes = (await Promise.all(waiting)).map(({ response }) => response.code);
    expect(codes).to.deep.equal([0, 0]);
    expect(rechecked).to.deep.equal([1]);
    expect(mempool.reap(1_000, -1).map(fromUtf8)).to.deep.equal(['1', '2', '3', '4']);
  });

  it('remembers a transaction that was committed while its check waited', async () => {
    const mempool = new Mempool(DEFAULT_MEMPOOL, () => verdict(32, 0));
    mempool.hold();
    const tx = utf8('0');
    const waiting = mempool.submit(tx, '');
    await mempool.update(1, [tx], () => true);
    expect((await waiting).entry).to.equal(undefined);
    expect(() => mempool.submit(tx, '')).to.throw(/already exists in cache/);
  });
});
