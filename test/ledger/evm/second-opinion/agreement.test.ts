/**
 * Two EVMs agree on blocks made at random: run by run, on everything met, and on the state root.
 *
 * `SOAK_BLOCKS` sets how many blocks, `SOAK_SEED` which; `npm run soak:evm` runs 1,000.
 *
 * @module
 */
import { expect } from 'chai';
import { toHex } from '../../../../node/src/base/bytes.ts';
import { Mirror } from '../../../../node/src/ledger/evm/second-opinion/mirror.ts';
import { CHAIN_ID, RandomChain } from './random-blocks.ts';

const BLOCKS = Number(process.env['SOAK_BLOCKS'] ?? 25);
const SEED = Number(process.env['SOAK_SEED'] ?? 1);
/** From so many blocks on, all of this has happened. */
const MANY = 500;
const HAPPENED: readonly string[] = [
  ...Array.from({ length: 17 }, (_, i) => `precompile ${i + 1}`),
  'precompile 256',
  ...['create', 'create2', 'create2 again', 'delegatecall', 'callcode', 'staticcall'],
  ...['delegation', 'self-destruct', 'out of gas', 'nested failure', 'base fee'],
  ...['blockHash', 'compared success'],
];

describe('second opinion: agreement', () => {
  it(`agrees on ${BLOCKS} random blocks, seed ${SEED}`, async () => {
    const chain = await RandomChain.create(SEED);
    const { code } = chain;
    const mirror = await Mirror.open({ chainId: CHAIN_ID, gasLimit: 30_000_000n, code });
    await mirror.run(chain.everything());
    for (let i = 0; i < BLOCKS; i++) {
      const seen = await chain.block();
      const at = `seed ${SEED}, block ${i}, height ${seen.block.height}`;
      expect(await mirror.run(seen), at).to.deep.equal([]);
      if (seen.runs.some(({ unmirrored }) => unmirrored === undefined)) {
        expect(await mirror.stateRoot(), at).to.equal(`0x${toHex(chain.world.mptRoot())}`);
      }
    }
    const { tally } = chain;
    const missing = HAPPENED.filter((what) => !tally.has(what));
    if (BLOCKS >= MANY) expect(missing, JSON.stringify([...tally])).to.deep.equal([]);
    expect(tally.get('compared') ?? 0).to.be.above(tally.get('afterUnmirrored') ?? 0);
  }).timeout(3_600_000);
});
