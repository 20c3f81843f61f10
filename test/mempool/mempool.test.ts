/**
 * The mempool: bounds, order, memory of what was seen, and what a block does to it.
 *
 * @module
 */
import { expect } from 'chai';
import fc from 'fast-check';
import { checkAnswer } from '../../node/src/abci/answers.ts';
import type { CheckTxRequest, CheckTxResponse } from '../../node/src/abci/application.ts';
import { EMPTY, fromUtf8, utf8 } from '../../node/src/base/bytes.ts';
import { LedgerError } from '../../node/src/base/errors.ts';
import { DEFAULT_MEMPOOL, type MempoolConfig } from '../../node/src/mempool/config.ts';
import { errors } from '../../node/src/mempool/errors.ts';
import { type CheckTx, Mempool } from '../../node/src/mempool/mempool.ts';
import { dataCodec, txBytesInBlock, txKey } from '../../node/src/types/block.ts';
import { refusal } from '../refusal.ts';

function verdict(fields: Partial<CheckTxResponse>): CheckTxResponse {
  return checkAnswer({ gasWanted: 1, ...fields });
}

/** `sender/sequence/priority/rest`; a sender of `-` has no lane of its own. */
function parse({ tx }: CheckTxRequest): CheckTxResponse {
  const [sender = '-', sequence = '0', priority = '0'] = (fromUtf8(tx) ?? '').split('/');
  if (sender === 'bad') return verdict({ code: 7 });
  return verdict({
    sender: sender === '-' ? undefined : sender,
    sequence: Number(sequence),
    priority: Number(priority),
  });
}

function pool(config: Partial<MempoolConfig> = {}, check: CheckTx = parse): Mempool {
  return new Mempool({ ...DEFAULT_MEMPOOL, ...config }, check);
}

function texts(txs: readonly Uint8Array[]): (string | undefined)[] {
  return txs.map(fromUtf8);
}

describe('mempool', () => {
  it('refuses with the texts of CometBFT', async () => {
    const small = pool({ maxTxs: 2, maxBytes: 100, maxTxBytes: 10 });
    await small.submit(utf8('a'), '');
    const again = await refusal(() => small.submit(utf8('a'), ''));
    expect(again.message).to.equal('tx already exists in cache');
    const large = await refusal(() => small.submit(new Uint8Array(11), ''));
    expect(large.message).to.equal('Tx too large. Max size is 10, but got 11');
    await small.submit(utf8('b'), '');
    const full = await refusal(() => small.submit(utf8('c'), ''));
    expect(full.message).to.equal(
      'mempool is full: number of txs 2 (max: 2), total txs bytes 2 (max: 100)',
    );
    expect(LedgerError.is(await refusal(() => small.submit(EMPTY, '')), errors.Empty)).to.equal(
      true,
    );
  });

  it('forgets what failed its check, so that it may come again', async () => {
    const mempool = pool();
    const first = await mempool.submit(utf8('bad'), '');
    expect([first.response.code, first.entry]).to.deep.equal([7, undefined]);
    expect((await mempool.submit(utf8('bad'), '')).response.code).to.equal(7);
    const keeping = pool({ keepInvalidInCache: true });
    await keeping.submit(utf8('bad'), '');
    const again = await refusal(() => keeping.submit(utf8('bad'), ''));
    expect(LedgerError.is(again, errors.InCache)).to.equal(true);
  });

  it('bounds a sender, and lets a higher priority replace the same sequence', async () => {
    const mempool = pool({ maxTxsPerSender: 2 });
    await mempool.submit(utf8('a/0/1'), '');
    await mempool.submit(utf8('a/1/1'), '');
    const full = await refusal(() => mempool.submit(utf8('a/2/1'), ''));
    expect(LedgerError.is(full, errors.SenderFull)).to.equal(true);
    const taken = await refusal(() => mempool.submit(utf8('a/1/1/x'), ''));
    expect(LedgerError.is(taken, errors.SequenceTaken)).to.equal(true);
    await mempool.submit(utf8('a/1/9'), '');
    expect(texts(mempool.reap(1_000, -1))).to.deep.equal(['a/0/1', 'a/1/9']);
    expect(mempool.size).to.equal(2);
  });

  it('offers no transaction across a gap', async () => {
    const mempool = pool();
    for (const tx of ['a/5', 'a/7', 'b/1']) await mempool.submit(utf8(tx), '');
    expect(texts(mempool.reap(1_000, -1))).to.deep.equal(['a/5', 'b/1']);
    await mempool.submit(utf8('a/6'), '');
    expect(texts(mempool.reap(1_000, -1))).to.have.members(['a/5', 'a/6', 'a/7', 'b/1']);
  });

  it('checks again only the heads of the lanes a block touched, and drops what fails', async () => {
    const checked: string[] = [];
    const gone = new Set(['a/1']);
    const mempool = pool({}, (request) => {
      const text = fromUtf8(request.tx) ?? '';
      if (request.kind === 'recheck') checked.push(text);
      return request.kind === 'recheck' && gone.has(text) ? verdict({ code: 1 }) : parse(request);
    });
    const txs = ['a/0', 'a/1', 'a/2', 'b/0', 'b/1', 'b/2', 'c/0'];
    for (const tx of txs) await mempool.submit(utf8(tx), '');
    await mempool.update(1, [utf8('b/0')], () => true);
    expect(checked.splice(0)).to.deep.equal(['b/1']);
    await mempool.update(2, [utf8('a/0')], () => true);
    expect(checked).to.deep.equal(['a/1', 'a/2']);
    expect(texts(mempool.reap(1_000, -1))).to.have.members(['a/2', 'b/1', 'b/2', 'c/0']);
    const seen = await refusal(() => mempool.submit(utf8('a/0'), ''));
    expect(LedgerError.is(seen, errors.InCache)).to.equal(true);
    checked.length = 0;
    await mempool.update(40, [], () => true);
    expect(checked).to.have.members(['a/2', 'b/1', 'c/0']);
  });

  it('checks transactions without a sender in slices, one after the other', async () => {
    const checked: number[] = [];
    const mempool = pool({}, (request) => {
      const number = Number((fromUtf8(request.tx) ?? '').slice(2));
      if (request.kind === 'recheck') checked.push(number);
      return request.kind === 'recheck' && number === 70 ? verdict({ code: 1 }) : parse(request);
    });
    const numbers = Array.from({ length: 130 }, (_, i) => i);
    for (const i of numbers) await mempool.submit(utf8(`-/${i}`), '');
    for (let height = 1; height <= 3; height++) {
      await mempool.update(height, [utf8(`-/${height - 1}`)], () => true);
    }
    expect(checked).to.deep.equal(numbers.slice(1));
    expect(mempool.size).to.equal(126);
    await mempool.update(4, [utf8('-/3')], () => true);
    expect(checked.at(-64)).to.equal(4);
  });

  it('says from which time a block took transactions', async () => {
    const mempool = pool();
    for (const i of [0, 1, 2, 3]) await mempool.submit(utf8(`-/${i}`), '');
    await mempool.update(1, [utf8('-/3'), utf8('-/2'), utf8('-/9')], () => true);
    expect(mempool.reached).to.equal(2);
    await mempool.update(2, [utf8('-/8')], () => true);
    expect(mempool.reached).to.equal(2);
  });

  it('tells what a peer sends twice from what is refused', async () => {
    const mempool = pool();
    const entry = (await mempool.submit(utf8('a/0'), ''))?.entry;
    const tx = utf8('a/0');
    expect(mempool.offer(tx, txKey(tx), 'peer')).to.equal(undefined);
    expect([...(entry?.peers ?? [])]).to.deep.equal(['peer']);
    expect(mempool.knows(txKey(utf8('a/1')), 'peer')).to.equal(false);
    expect(() => mempool.offer(EMPTY, txKey(EMPTY), 'peer')).to.throw(/empty/);
  });

  it('does not keep a transaction that a block committed while it was checked', async () => {
    let answer: (response: CheckTxResponse) => void = () => undefined;
    const mempool = pool({}, () => new Promise((resolve) => (answer = resolve)));
    const submitted = mempool.submit(utf8('a/0'), '');
    await mempool.update(1, [utf8('a/0')], () => true);
    answer(verdict({}));
    expect((await submitted).entry).to.equal(undefined);
    expect(mempool.size).to.equal(0);
  });

  it('remembers a bounded number of hashes', async () => {
    const mempool = pool({ cacheSize: 3 });
    for (let i = 0; i < 5; i++) await mempool.submit(utf8(`bad${i}/`), '');
    await mempool.update(
      1,
      [0, 1, 2, 3, 4].map((i) => utf8(`bad${i}/`)),
      () => true,
    );
    const known = await refusal(() => mempool.submit(utf8('bad4/'), ''));
    expect(LedgerError.is(known, errors.InCache)).to.equal(true);
    expect((await mempool.submit(utf8('bad0/'), '')).entry).to.not.equal(undefined);
  });

  it('counts the bytes that a block has', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 70_000 }), (length) => {
        const tx = new Uint8Array(length);
        expect(txBytesInBlock(tx)).to.equal(dataCodec.encode({ txs: [tx] }).length);
      }),
      { numRuns: 100 },
    );
  });

  it('keeps its promises under any sequence of calls', async () => {
    const command = fc.oneof(
      fc.record({
        kind: fc.constant('submit' as const),
        sender: fc.constantFrom('-', 'a', 'b', 'bad'),
        sequence: fc.integer({ min: 0, max: 6 }),
        priority: fc.integer({ min: 0, max: 3 }),
      }),
      fc.record({ kind: fc.constant('commit' as const), count: fc.integer({ min: 0, max: 4 }) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(command, { maxLength: 60 }), async (commands) => {
        const config = { maxTxs: 8, maxTxsPerSender: 4, cacheSize: 16 };
        const mempool = pool(config);
        let height = 0;
        for (const [i, c] of commands.entries()) {
          if (c.kind === 'commit') await commitSome(mempool, ++height, c.count);
          else {
            const salt = c.sender === '-' ? i : 0;
            await submitAny(mempool, `${c.sender}/${c.sequence}/${c.priority}/${salt}`);
          }
          check(mempool, config);
        }
      }),
      { numRuns: 200 },
    );
  });
});

async function submitAny(mempool: Mempool, text: string): Promise<void> {
  try {
    await mempool.submit(utf8(text), 'peer');
  } catch (thrown) {
    if (!(thrown instanceof LedgerError)) throw thrown;
  }
}

async function commitSome(mempool: Mempool, height: number, count: number): Promise<void> {
  const txs = mempool.reap(1_000_000, -1).slice(0, count);
  await mempool.update(height, txs, () => true);
  const pending = mempool.list(1_000);
  for (const tx of txs) expect(pending.some((entry) => entry.tx === tx)).to.equal(false);
}

function check(
  mempool: Mempool,
  config: { readonly maxTxs: number; readonly maxTxsPerSender: number },
): void {
  const all = mempool.list(1_000);
  expect(all.length).to.equal(mempool.size).and.to.be.at.most(config.maxTxs);
  expect(all.reduce((sum, e) => sum + e.tx.length, 0)).to.equal(mempool.byteSize);
  const places = all.filter((e) => e.sender !== undefined).map((e) => `${e.sender}/${e.sequence}`);
  expect(new Set(places).size).to.equal(places.length);
  const reaped = mempool.reap(1_000_000, -1).map((tx) => (fromUtf8(tx) ?? '').split('/'));
  const next = new Map<string, number>();
  for (const [sender = '', sequence = ''] of reaped) {
    if (sender === '-') continue;
    const expected = next.get(sender) ?? Number(sequence);
    expect(Number(sequence)).to.equal(expected);
    next.set(sender, expected + 1);
  }
}
