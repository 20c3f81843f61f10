/**
 * Two EVMs agree on blocks made at random: run by run, on everything met, and on the state root.
 *
 * `SOAK_BLOCKS` sets how many blocks, `SOAK_SEED` which.
 *
 * @module
 */
import { expect } from 'chai';
import { toHex } from '../../../../node/src/base/bytes.ts';
import { Mirror } from '../../../../node/src/ledger/evm/second-opinion/mirror.ts';
import { CHAIN_ID, RandomChain } from './random-blocks.ts';

const BLOCKS = Number(process.env['SOAK_BLOCKS'] ?? 60);
const SEED = Number(process.env['SOAK_SEED'] ?? 1);

describe('second opinion: agreement', () => {
  it(`agrees on ${BLOCKS} random blocks, seed ${SEED}`, async () => {
    const chain = await RandomChain.create(SEED);
    const { code } = chain;
    const mirror = await Mirror.open({ chainId: CHAIN_ID, gasLimit: 30_000_000n, code });
    await mirror.run(chain.everything());
    const reasons = new Map<string, number>();
    for (let i = 0; i < BLOCKS; i++) {
      const seen = await chain.block();
      for (const { unmirrored, outcome } of seen.runs) {
        const name = unmirrored ?? outcome.error ?? 'success';
        reasons.set(name, (reasons.get(name) ?? 0) + 1);
      }
      const at = `seed ${SEED}, block ${i}, height ${seen.block.height}`;
      expect(await mirror.run(seen), at).to.deep.equal([]);
      if (seen.runs.some(({ unmirrored }) => unmirrored === undefined)) {
        expect(await mirror.stateRoot(), at).to.equal(`0x${toHex(chain.world.mptRoot())}`);
      }
    }
  }).timeout(3_600_000);
});
