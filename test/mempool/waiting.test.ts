/**
 * Transactions that wait for one that is missing, replacements by bids, and phases of a block.
 *
 * @module
 */
import { expect } from 'chai';
import { checkAnswer } from '../../node/src/abci/answers.ts';
import { fromUtf8, utf8 } from '../../node/src/base/bytes.ts';
import { attempt, LedgerError } from '../../node/src/base/errors.ts';
import { DEFAULT_MEMPOOL } from '../../node/src/mempool/config.ts';
import { Mempool, type Submitted } from '../../node/src/mempool/mempool.ts';

/** A pool of transactions `sender/sequence/tip/cap`, native if they name no tip. */
class Pool {
  /** The next sequence of each sender. */
  readonly next = new Map<string, number>();
  readonly mempool = new Mempool(DEFAULT_MEMPOOL, ({ tx }) => {
    const [sender = '', at = '', tip, cap] = (fromUtf8(tx) ?? '').split('/');
    const sequence = Number(at);
    const next = this.next.get(sender) ?? 0;
    if (sequence < next) return checkAnswer({ code: 1 });
    const native = { sender, sequence, priority: 5 };
    if (tip === undefined) return checkAnswer(native);
    const bids = [BigInt(tip), BigInt(cap ?? tip)];
    const waits = sequence > this.#pending(sender, next);
    return checkAnswer({ sender, sequence, priority: Number(tip), phase: 1, waits, bids });
  });
  height = 0;

  #pending(sender: string, next: number): number {
    return this.mempool.lane(sender)?.nextSequence ?? next;
  }

  /** Submits; what was refused is answered as its text. */
  submit(text: string): string {
    const result = attempt(() => this.mempool.submit(utf8(text), ''));
    if (result instanceof LedgerError) return result.message;
    return (result as Submitted).entry === undefined ? 'failed' : 'pending';
  }

  reap(): readonly (string | undefined)[] {
    return this.mempool.reap(1_000_000, -1).map(fromUtf8);
  }

  async block(...texts: readonly string[]): Promise<void> {
    for (const text of texts) {
      const [sender = '', at = ''] = text.split('/');
      this.next.set(sender, Number(at) + 1);
    }
    await this.mempool.update(++this.height, texts.map(utf8), () => true);
  }
}

describe('mempool: waiting transactions', () => {
  it('stand in no block until what they wait for is there', async () => {
    const pool = new Pool();
    expect(pool.submit('a/1/7')).to.equal('pending');
    expect([pool.mempool.ready, pool.reap()]).to.deep.equal([false, []]);
    expect(pool.submit('a/2/7')).to.equal('pending');
    expect(pool.submit('b/0/1')).to.equal('pending');
    expect([pool.mempool.ready, pool.reap()]).to.deep.equal([true, ['b/0/1']]);
    expect(pool.mempool.lane('a')?.nextSequence).to.equal(undefined);
    expect(pool.submit('a/0/7')).to.equal('pending');
    expect(pool.reap()).to.deep.equal(['a/0/7', 'a/1/7', 'a/2/7', 'b/0/1']);
    expect(pool.mempool.lane('a')?.nextSequence).to.equal(3);
    await pool.block('a/0/7', 'b/0/1');
    expect(pool.reap()).to.deep.equal(['a/1/7', 'a/2/7']);
  });

  it('go on when what was missing comes in a block that others made', async () => {
    const pool = new Pool();
    pool.submit('a/1/7');
    await pool.block('a/0/9');
    expect(pool.reap()).to.deep.equal(['a/1/7']);
  });

  it('go when they have waited in vain, and hold at most 200 lanes', async () => {
    const pool = new Pool();
    for (let i = 0; i < 200; i++) expect(pool.submit(`s${i}/3/1`)).to.equal('pending');
    expect(pool.submit('more/3/1')).to.match(/^mempool is full: 200 senders wait/);
    expect(pool.submit('more/0/1')).to.equal('pending');
    for (let i = 0; i < 1_014; i++) await pool.block();
    expect(pool.mempool.size).to.equal(1);
  });

  it('are replaced by a tenth more of each bid', () => {
    const pool = new Pool();
    pool.submit('a/0/100/1000');
    const underpriced = 'replacement transaction underpriced';
    expect(pool.submit('a/0/109/2000')).to.equal(underpriced);
    expect(pool.submit('a/0/200/1099')).to.equal(underpriced);
    expect(pool.submit('a/0/100/1000')).to.equal('tx already exists in cache');
    expect(pool.submit('a/0/110/1100')).to.equal('pending');
    expect(pool.reap()).to.deep.equal(['a/0/110/1100']);
    pool.submit('free/0/0/0');
    expect(pool.submit('free/0/0/00')).to.equal(underpriced);
    // Across sides the higher price wins.
    expect(pool.submit('a/0')).to.match(/already pending$/);
    pool.submit('b/0');
    expect(pool.submit('b/0/6')).to.equal('pending');
    expect(pool.reap()).to.include('b/0/6').and.not.include('b/0');
  });

  it('come after native ones, and a native one behind them waits for the next block', async () => {
    const pool = new Pool();
    pool.submit('a/0');
    pool.submit('a/1/900');
    pool.submit('a/2');
    pool.submit('b/0/999');
    pool.submit('c/0');
    expect(pool.reap()).to.deep.equal(['a/0', 'c/0', 'b/0/999', 'a/1/900']);
    await pool.block('a/0', 'c/0', 'b/0/999', 'a/1/900');
    expect(pool.reap()).to.deep.equal(['a/2']);
  });
});
