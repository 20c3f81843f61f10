/**
 * Runs of the engine wait for one another, whoever asks and however they end.
 *
 * @module
 */
import { expect } from 'chai';
import { exclusive } from '../../../node/src/ledger/ethereum/exclusive.ts';
import type { EvmEngine } from '../../../node/src/ledger/evm/types.ts';
import { Overlay } from '../../../node/src/ledger/overlay.ts';
import { MemoryStore } from '../memory-store.ts';

type Outcome = Awaited<ReturnType<EvmEngine['call']>>;

describe('ledger: the engine, one run at a time', () => {
  it('begins a run when the one before has ended, also by an exception', async () => {
    const seen: string[] = [];
    const run = async (gas: bigint): Promise<Outcome> => {
      seen.push(`begin ${gas}`);
      await Promise.resolve();
      await Promise.resolve();
      seen.push(`end ${gas}`);
      if (gas === 2n) throw new TypeError('a defect');
      return { gasUsed: gas } as Outcome;
    };
    const engine = exclusive({
      execute: (_state, _block, tx) => run(tx.gasLimit),
      call: (_state, _block, call) => run(call.gasLimit),
      createAt: (_state, _block, call) => run(call.gasLimit),
    });
    const state = new Overlay(new MemoryStore());
    const results = await Promise.allSettled(
      [1n, 2n, 3n].map((gasLimit) =>
        engine.call(state, {} as Parameters<EvmEngine['call']>[1], {
          from: new Uint8Array(20),
          to: undefined,
          value: 0n,
          data: new Uint8Array(0),
          gasLimit,
        }),
      ),
    );
    const order = [1, 2, 3].flatMap((i) => [`begin ${i}`, `end ${i}`]);
    expect(seen).to.deep.equal(order);
    expect(results.map(({ status }) => status)).to.deep.equal([
      'fulfilled',
      'rejected',
      'fulfilled',
    ]);
  });
});
