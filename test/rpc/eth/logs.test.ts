/**
 * Filters of logs: which logs they mean, and that a bloom filter never hides one of them.
 *
 * @module
 */
import { expect } from 'chai';
import fc from 'fast-check';
import { LedgerError } from '../../../node/src/base/errors.ts';
import { BlockSummary, type Log, Receipt } from '../../../node/src/gen/metatron/evm/v1/state.ts';
import { addToBloom, emptyBloom } from '../../../node/src/ledger/ethereum/receipts.ts';
import { keccak256 } from '../../../node/src/ledger/keccak.ts';
import { errors } from '../../../node/src/mempool/errors.ts';
import { EthChain } from '../../../node/src/rpc/eth/chain.ts';
import { ethErrorOf, POOL_TEXTS } from '../../../node/src/rpc/eth/errors.ts';
import {
  type LogFilter,
  LogSearch,
  matchesLog,
  readFilter,
} from '../../../node/src/rpc/eth/logs.ts';
import type { EthPorts } from '../../../node/src/rpc/eth/ports.ts';

const word = (n: number): Uint8Array => new Uint8Array(32).fill(n);
const address = (n: number): Uint8Array => new Uint8Array(20).fill(n);

const logs = fc.record({ address: fc.nat(3), topics: fc.array(fc.nat(3), { maxLength: 4 }) }).map(
  ({ address: a, topics }): Log => ({
    address: address(a),
    topics: topics.map(word),
    data: new Uint8Array(0),
  }),
);

const filters = fc
  .record({
    addresses: fc.array(fc.nat(3), { maxLength: 2 }),
    topics: fc.array(fc.array(fc.nat(3), { maxLength: 2 }), { maxLength: 4 }),
  })
  .map(
    ({ addresses, topics }): LogFilter => ({
      addresses: addresses.map(address),
      topics: topics.map((choices) => choices.map(word)),
    }),
  );

/** A chain of blocks that have one transaction each, with these logs. */
function searchOver(blocks: readonly (readonly Log[])[], maxLogs = 10_000): LogSearch {
  const receipts = blocks.map((list, i) =>
    Receipt.fromPartial({ height: BigInt(i + 1), logs: [...list], hash: word(i) }),
  );
  const summaries = blocks.map((list, i) => {
    const bloom = emptyBloom();
    addToBloom(bloom, list);
    const height = BigInt(i + 1);
    return BlockSummary.fromPartial({ height, txCount: 1, logCount: list.length, bloom });
  });
  const ports = {
    chain: {
      base: 1,
      height: blocks.length,
      meta: () => ({ blockId: { hash: word(9) }, header: { time: 0n } }),
    },
    app: {
      query: ({ data }: { readonly data: Uint8Array }) => {
        const height = data[1] ?? 0;
        const receipt = receipts[height - 1];
        const bytes = receipt === undefined ? new Uint8Array(0) : Receipt.encode(receipt).finish();
        const size: number[] = [];
        for (let n = bytes.length; ; n >>= 7) {
          size.push(n > 127 ? (n & 127) | 128 : n);
          if (n <= 127) break;
        }
        return Promise.resolve({ code: 0, value: Uint8Array.of(10, ...size, ...bytes) });
      },
    },
    ledger: {
      keccak256,
      summaries: (from: number, to: number, limit: number) =>
        Promise.resolve(
          summaries
            .filter(({ height }) => height >= BigInt(from) && height <= BigInt(to))
            .slice(0, limit),
        ),
    },
  } as unknown as EthPorts;
  return new LogSearch(new EthChain(ports), { maxBlocks: 200, maxLogs });
}

describe('rpc/eth logs', () => {
  it('finds exactly what a filter means, whatever the bloom filters say', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(logs, { maxLength: 3 }), { minLength: 1, maxLength: 120 }),
        filters,
        async (blocks, filter) => {
          const found = await searchOver(blocks).between(filter, 1, blocks.length);
          const meant = blocks.flat().filter((log) => matchesLog(filter, log));
          expect(found.length).to.equal(meant.length);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('takes topics by position, a list as any of it, and nothing as anything', () => {
    const log = { address: address(1), topics: [word(1), word(2)], data: new Uint8Array(0) };
    const hex = (n: number) => `0x${n.toString(16).padStart(2, '0').repeat(32)}`;
    const meant = (topics: unknown): boolean => matchesLog(readFilter({ topics }), log);
    expect(meant([])).to.equal(true);
    expect(meant([hex(1)])).to.equal(true);
    expect(meant([hex(2)])).to.equal(false);
    expect(meant([null, hex(2)])).to.equal(true);
    expect(meant([[hex(3), hex(1)], null])).to.equal(true);
    expect(meant([null, null, null])).to.equal(false);
  });

  it('refuses ranges and answers that are too large', async () => {
    const one = { address: address(1), topics: [], data: new Uint8Array(0) };
    const search = searchOver(
      Array.from({ length: 30 }, () => [one]),
      10,
    );
    const refused = await search.search(readFilter({ fromBlock: '0x1' })).then(
      () => undefined,
      (thrown: unknown) => ethErrorOf(thrown),
    );
    expect(refused).to.deep.equal({
      code: -32_005,
      message: 'query returned more than 10 results',
    });
  });

  it("words the mempool's refusals as geth does", () => {
    const { InCache, Full, SenderFull, SequenceTaken, TooManyWait } = errors;
    const worded = [InCache, Full, SenderFull, SequenceTaken, TooManyWait].map(({ code }) => code);
    expect([...POOL_TEXTS.keys()]).to.deep.equal(worded);
    expect(ethErrorOf(new LedgerError(InCache, {}))?.message).to.equal('already known');
  });
});
