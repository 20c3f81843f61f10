/**
 * Searching the index, by CometBFT's published tables (state/txindex/kv) and against a naive model.
 *
 * @module
 */
import { expect } from 'chai';
import fc from 'fast-check';
import { concatBytes, toUpperHex, utf8 } from '../../node/src/base/bytes.ts';
import { LedgerError } from '../../node/src/base/errors.ts';
import { ChainIndex } from '../../node/src/indexer/chain-index.ts';
import {
  attributeKey,
  indexedValue,
  KIND,
  placesValue,
  positionsOf,
  tagPrefix,
  valueKey,
  valuePrefix,
} from '../../node/src/indexer/keys.ts';
import { parseQuery } from '../../node/src/indexer/query.ts';
import { searchBlocks, searchTxs } from '../../node/src/indexer/search.ts';
import { txHash } from '../../node/src/types/block.ts';
import type { CommittedHeight } from '../../node/src/types/chain-state.ts';
import { type AbciEvent, EMPTY_RESULT, type ExecTxResult } from '../../node/src/types/results.ts';
import { ChainFixture, MemoryKeySpace } from '../rpc/chain-fixture.ts';

type Attr = readonly [key: string, value: string, index?: boolean];

function event(type: string, ...attributes: readonly Attr[]): AbciEvent {
  return {
    type,
    attributes: attributes.map(([key, value, index = true]) => ({ key, value, index })),
  };
}

type Tx = {
  readonly tx: Uint8Array;
  readonly code?: number;
  readonly events: readonly AbciEvent[];
};

const template = new ChainFixture(1).produce([]);

function height(
  at: number,
  txs: readonly Tx[],
  events: readonly AbciEvent[] = [],
): CommittedHeight {
  const { block, results, blockId } = template;
  const txResults = txs.map(
    ({ code = 0, events: own }): ExecTxResult => ({
      ...EMPTY_RESULT,
      code,
      events: own,
    }),
  );
  return {
    ...template,
    blockId: { ...blockId, hash: txHash(utf8(`block ${at}`)) },
    block: {
      ...block,
      header: { ...block.header, height: at },
      data: { txs: txs.map(({ tx }) => tx) },
    },
    results: { ...results, txResults, events },
  };
}

function indexOf(...heights: readonly CommittedHeight[]): {
  readonly index: ChainIndex;
  readonly space: MemoryKeySpace;
} {
  const space = new MemoryKeySpace();
  const at = (n: number) => heights.findLast((h) => h.block.header.height === n);
  const source = {
    block: (n: number) => at(n)?.block,
    results: (n: number) => at(n)?.results,
  };
  const index = new ChainIndex(space, source);
  for (const each of heights) index.stage(each);
  return { index, space };
}

async function count(index: ChainIndex, query: string): Promise<number> {
  return (await searchTxs(index, parseQuery(query))).length;
}

const HELLO = utf8('HELLO WORLD');

describe('indexer/search', () => {
  it('forgets the entries of pruned heights, and no other', async () => {
    const blocks = [1, 2, 3].map((at) =>
      height(
        at,
        [
          { tx: utf8(`only in ${at}`), events: [event('t', ['at', String(at)], ['all', 'x'])] },
          { tx: HELLO, code: at === 3 ? 0 : 5, events: [event('t', ['all', 'x'])] },
        ],
        [event('b', ['at', String(at)])],
      ),
    );
    const linked = blocks.map((each, i): CommittedHeight => {
      const { block, blockId } = each;
      const lastBlockId = blocks[i - 1]?.blockId ?? blockId;
      return { ...each, block: { ...block, header: { ...block.header, lastBlockId } } };
    });
    const { index, space } = indexOf(...linked);
    const { space: alone } = indexOf(...linked.slice(2));
    await index.prune(1, 3);
    expect([...space.entries.keys()].sort()).to.deep.equal([...alone.entries.keys()].sort());
    expect(await count(index, "t.all = 'x'")).to.equal(2);
    expect(index.locate(txHash(HELLO))).to.deep.equal({ height: 3, index: 1 });
  });

  it('finds as CometBFT finds: one condition each', async () => {
    const { index } = indexOf(
      height(1, [
        {
          tx: HELLO,
          events: [
            event('account', ['number', '1']),
            event('account', ['owner', '/Ivan/']),
            event('', ['not_allowed', 'Vlad']),
          ],
        },
      ]),
    );
    const table: readonly (readonly [string, number])[] = [
      [`tx.hash = '${toUpperHex(txHash(HELLO))}'`, 1],
      [`tx.hash = '${toUpperHex(txHash(HELLO)).toLowerCase()}'`, 1],
      ['account.number = 1', 1],
      ["account.number = 1 AND account.owner = 'Ivan'", 0],
      ["account.owner = 'Ivan' AND account.number = 1", 0],
      ["account.owner = '/Ivan/'", 1],
      ["account.number = 1 AND account.owner = 'Vlad'", 0],
      ["account.number >= 1 AND account.owner = 'Vlad'", 0],
      ['account.number <= 0', 0],
      ["account.number <= 0 AND account.owner = 'Ivan'", 0],
      ["account.owner = 'Iv'", 0],
      ['account.number >= 1 AND account.number <= 5', 1],
      ['account.number >= 1', 1],
      ['account.number <= 5', 1],
      ['account.number <= 1', 1],
      ["not_allowed = 'boom'", 0],
      ["not_allowed = 'Vlad'", 0],
      ['account.number >= 2 AND account.number <= 5 AND tx.height > 0', 0],
      ['account.date >= TIME 2013-05-03T14:45:00Z', 0],
      ["account.owner CONTAINS 'an'", 1],
      ["account.owner CONTAINS 'Vlad'", 0],
      ["account.owner CONTAINS ' Ivan'", 0],
      ["account.number CONTAINS 'Iv'", 0],
      ['account.number EXISTS', 1],
      ['account.date EXISTS', 0],
      ['not_allowed EXISTS', 0],
    ];
    for (const [query, found] of table) expect(await count(index, query), query).to.equal(found);
  });

  it('asks that conditions hold within one event', async () => {
    const { index } = indexOf(
      height(1, [
        {
          tx: HELLO,
          events: [
            event('account', ['number', '1'], ['owner', 'Ana']),
            event('account', ['number', '2'], ['owner', '/Ivan/.test']),
            event('account', ['number', '3', false], ['owner', 'Mickey', false]),
          ],
        },
      ]),
    );
    const table: readonly (readonly [string, number])[] = [
      ['tx.height = 1', 1],
      ["account.number = 3 AND account.owner = 'Mickey'", 0],
      ['tx.height > 0', 1],
      ['tx.height <= 1', 1],
      ['tx.height = 1 AND tx.height = 1', 1],
      [
        'tx.height < 2 AND tx.height > 0 AND account.number > 0 AND account.number <= 1 ' +
          "AND account.owner CONTAINS 'Ana'",
        1,
      ],
      [
        "tx.height < 2 AND tx.height > 0 AND account.number = 1 AND account.owner CONTAINS 'Ana' " +
          "AND account.owner CONTAINS 'An'",
        1,
      ],
      ["tx.height < 2 AND tx.height > 0 AND account.number = 2 AND account.owner = 'Ana'", 0],
      ["account.number = 2 AND account.owner = 'Ana' AND tx.height = 1", 0],
      ['tx.height < 2 AND account.number = 3 AND account.number = 2 AND account.number = 5', 0],
      ["account.number < 2 AND account.owner = '/Ivan/.test'", 0],
      ["account.number <= 2 AND account.owner = '/Ivan/.test' AND tx.height > 0", 1],
      [
        "account.number <= 2 AND account.owner CONTAINS '/Iv' AND account.owner CONTAINS 'an' " +
          'AND tx.height = 1',
        1,
      ],
    ];
    for (const [query, found] of table) expect(await count(index, query), query).to.equal(found);
  });

  it('narrows by height, in chain order', async () => {
    const number = event('account', ['number', '1']);
    const ten = { tx: utf8('HELLO WORLD 10'), events: [number] };
    const { index } = indexOf(height(1, [{ tx: HELLO, events: [number] }]), height(10, [ten]));
    const table: readonly (readonly [string, number])[] = [
      ['tx.height = 1', 1],
      ['tx.height = 10', 1],
      ['tx.height = 5', 0],
      ['tx.height >= 2 AND tx.height <= 5', 0],
      ['tx.height >= 1 AND tx.height <= 10', 2],
      ['tx.height >= 1 AND tx.height <= 5 AND account.number=1', 1],
      ['tx.height >= 1 AND tx.height <= 10 AND account.number=1', 2],
      ['tx.height > 1.5 AND tx.height < 9.5', 0],
      ['tx.height = 1.5', 0],
    ];
    for (const [query, found] of table) expect(await count(index, query), query).to.equal(found);
    const found = await searchTxs(index, parseQuery('account.number=1'));
    expect(found.map((at) => at.height)).to.deep.equal([1, 10]);
  });

  it('never lets a failure hide an earlier success', () => {
    const tx = HELLO;
    const cases: readonly (readonly [first: number, second: number, kept: number])[] = [
      [0, 1, 1],
      [1, 1, 2],
      [0, 0, 2],
      [1, 0, 2],
    ];
    for (const [first, second, kept] of cases) {
      const { index } = indexOf(
        height(1, [{ tx, code: first, events: [] }]),
        height(2, [{ tx, code: second, events: [] }]),
      );
      expect(index.locate(txHash(tx))?.height, `${first} then ${second}`).to.equal(kept);
    }
    const both = indexOf(
      height(1, [
        { tx, code: 0, events: [] },
        { tx, code: 1, events: [] },
      ]),
    );
    expect(both.index.locate(txHash(tx))).to.deep.equal({ height: 1, index: 0 });
  });

  it('writes one entry for a plain transaction and one per indexed attribute', () => {
    const plain = indexOf(height(1, [{ tx: HELLO, events: [] }]));
    expect(plain.space.staged).to.equal(3);
    const attributes = event('a', ['x', '1'], ['y', '2'], ['z', '3', false]);
    expect(indexOf(height(1, [{ tx: HELLO, events: [attributes] }])).space.staged).to.equal(5);
  });

  it('keeps one entry for what a block shares, and for values alike in 512 bytes', async () => {
    const long = 'é'.repeat(256);
    const values = ['x', 'x', `${long}1`, `${long}2`, '\ud800', '\ufffd'];
    const txs = values.map((value, i) => ({
      tx: utf8(`tx ${i}`),
      events: [event('a', ['n', 'same']), event('a', ['v', value])],
    }));
    const { index, space } = indexOf(height(1, txs));
    expect(space.staged).to.equal(2 + txs.length + 1 + 3);
    expect(await count(index, "a.n = 'same'")).to.equal(6);
    expect(await count(index, "a.v = 'x'")).to.equal(2);
    expect(await count(index, `a.v = '${long}1'`)).to.equal(2);
    expect(await count(index, "a.n = 'same' AND a.v = 'x'")).to.equal(0);
  });

  it('finds blocks by height and event', async () => {
    const { index } = indexOf(
      height(1, [], [event('begin', ['proposer', 'FCAA001'])]),
      height(2, [], [event('begin', ['proposer', 'FCAA002']), event('end', ['foo', '100'])]),
      height(3, []),
    );
    const table: readonly (readonly [string, readonly number[]])[] = [
      ['block.height = 100', []],
      ['block.height > 1', [2, 3]],
      ["begin.proposer = 'FCAA001'", [1]],
      ["begin.proposer CONTAINS 'FCAA'", [1, 2]],
      ['end.foo <= 100 AND block.height >= 2', [2]],
      ["end.foo <= 100 AND begin.proposer = 'FCAA002'", []],
    ];
    for (const [query, expected] of table) {
      const found = await searchBlocks(index, parseQuery(query), { from: 1, to: 3 });
      expect(found, query).to.deep.equal(expected);
    }
  });

  it('refuses a hash that is not hex', async () => {
    const { index } = indexOf(height(1, []));
    const refusal = await searchTxs(index, parseQuery("tx.hash='xyz'")).catch((e: unknown) => e);
    expect(refusal).to.be.instanceOf(LedgerError);
  });

  it('keeps keys apart whatever bytes texts hold', () => {
    const text = fc.oneof(
      fc.string(),
      fc.constantFrom('\0', 'a\0', '\0\u0001', '\0\u0002', '', 'é', 'plain', 'x'.repeat(512)),
    );
    fc.assert(
      fc.property(text, text, text, text, (tagA, valueA, tagB, valueB) => {
        const a = valuePrefix(tagPrefix(KIND.tx, tagA), valueA);
        const b = valuePrefix(tagPrefix(KIND.tx, tagB), valueB);
        const same = tagA === tagB && valueA === valueB;
        const prefixed = toUpperHex(b).startsWith(toUpperHex(a));
        expect(prefixed).to.equal(same);
        const at = { height: 2 ** 40 + 7, index: 3, event: 9 };
        const key = attributeKey(a, at.height);
        const value = placesValue([at.index, at.event, 0, 1]);
        expect([...positionsOf(concatBytes(key), concatBytes(value))]).to.deep.equal([
          at,
          { ...at, index: 0, event: 1 },
        ]);
        expect(indexedValue(key, tagPrefix(KIND.tx, tagA).length)).to.equal(valueA);
        const direct = valueKey(tagPrefix(KIND.tx, tagA), valueA, at.height);
        expect(toUpperHex(direct)).to.equal(toUpperHex(key));
      }),
    );
  });

  it('agrees with a naive model on random chains', async () => {
    const attr = fc.tuple(fc.constantFrom('k', 'v'), fc.constantFrom('1', '2', '30', 'x1'));
    const txs = fc.array(fc.array(attr, { maxLength: 3 }), { maxLength: 3 });
    const queries = [
      'e.k = 1',
      "e.k = '1' AND e.v = '2'",
      'e.k > 1 AND tx.height < 3',
      "e.v CONTAINS '1'",
      'e.v EXISTS AND e.k <= 30',
    ];
    const ok: Readonly<Record<string, (h: number, attrs: readonly Attr[]) => boolean>> = {
      'e.k = 1': (_, a) => a.some(([k, v]) => k === 'k' && v === '1'),
      "e.k = '1' AND e.v = '2'": (_, a) =>
        a.some(([k, v]) => k === 'k' && v === '1') && a.some(([k, v]) => k === 'v' && v === '2'),
      'e.k > 1 AND tx.height < 3': (h, a) =>
        h < 3 && a.some(([k, v]) => k === 'k' && (v === '2' || v === '30')),
      "e.v CONTAINS '1'": (_, a) => a.some(([k, v]) => k === 'v' && v.includes('1')),
      'e.v EXISTS AND e.k <= 30': (_, a) =>
        a.some(([k]) => k === 'v') && a.some(([k, v]) => k === 'k' && v !== 'x1'),
    };
    await fc.assert(
      fc.asyncProperty(fc.array(txs, { maxLength: 4 }), async (chain) => {
        const heights = chain.map((list, h) =>
          height(
            h + 1,
            list.map((attrs, i) => ({ tx: utf8(`${h}/${i}`), events: [event('e', ...attrs)] })),
          ),
        );
        const { index } = indexOf(...heights);
        for (const query of queries) {
          const expected = chain.flatMap((list, h) =>
            list.flatMap((attrs, i) =>
              ok[query]?.(h + 1, attrs) ? [{ height: h + 1, index: i }] : [],
            ),
          );
          expect(await searchTxs(index, parseQuery(query)), query).to.deep.equal(expected);
        }
      }),
      { numRuns: 60 },
    );
  });
});
