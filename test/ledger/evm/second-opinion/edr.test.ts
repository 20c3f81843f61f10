/**
 * The other EVM as a library: it is let go of, and refuses in words.
 *
 * @module
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import { EdrChain, EdrRefusal } from '../../../../node/src/ledger/evm/second-opinion/edr.ts';

const OPTIONS = { chainId: 777n, gasLimit: 30_000_000n };

describe('second opinion: a chain of the other EVM', () => {
  it('is collected when nobody holds it', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const open = async (): Promise<WeakRef<EdrChain>> => {
      const chain = await EdrChain.open(OPTIONS);
      await chain.ask([['eth_blockNumber']]);
      return new WeakRef(chain);
    };
    const chain = await open();
    for (let i = 0; i < 20 && chain.deref() !== undefined; i++) {
      await new Promise((resolve) => setImmediate(resolve));
      collect();
    }
    expect(chain.deref()).to.equal(undefined);
  });

  it('answers in the order of the questions, and refuses in words', async () => {
    const chain = await EdrChain.open(OPTIONS);
    expect(await chain.ask([['eth_blockNumber'], ['eth_chainId']])).to.deep.equal(['0x0', '0x309']);
    expect(await chain.ask([])).to.deep.equal([]);
    const refused = await chain.ask([['eth_nothing']]).catch((thrown: unknown) => thrown);
    expect(refused).to.be.instanceOf(EdrRefusal);
  });
});
