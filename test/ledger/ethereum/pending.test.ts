/**
 * Ethereum transactions that wait for a block, in the real mempool of a real ledger.
 *
 * @module
 */
import { expect } from 'chai';
import { attempt, LedgerError } from '../../../node/src/base/errors.ts';
import { DEFAULT_MEMPOOL } from '../../../node/src/mempool/config.ts';
import { Mempool } from '../../../node/src/mempool/mempool.ts';
import { DENOM, World } from '../world.ts';
import { carried, chainIdOf, cosmosSend, fundedState, person } from './support.ts';

const [alice, bob] = [person(1), person(2)];
const BALANCE = 1_000_000n;

/** A chain with its mempool, on which Alice has money at her 0x face. */
class Chain {
  readonly world: World;
  readonly chainId: bigint;
  readonly mempool: Mempool;

  constructor(world: World, chainId: bigint) {
    this.world = world;
    this.chainId = chainId;
    this.mempool = new Mempool(DEFAULT_MEMPOOL, (request) => world.ledger.checkTx(request));
  }

  static async start(minGasPrices?: string): Promise<Chain> {
    const world = await new World(undefined, minGasPrices).start(
      fundedState([[alice.faceAddress, BALANCE]]),
      10_000_000,
    );
    await world.block();
    return new Chain(world, await chainIdOf(world.ledger));
  }

  /** An Ethereum transaction of Alice that sends Bob `value`. */
  send(nonce: number, value: bigint, price = 0n): Promise<Uint8Array> {
    const fees = { maxFeePerGas: price, maxPriorityFeePerGas: price };
    return carried(alice, { chainId: this.chainId, nonce, to: bob.wallet.address, value, ...fees });
  }

  async submit(tx: Uint8Array): Promise<string> {
    const result = attempt(() => this.mempool.submit(tx, ''));
    if (result instanceof LedgerError) return result.message;
    return (await result).response.log;
  }

  /** A block of what the mempool has. @returns how many it took */
  async block(): Promise<number> {
    const txs = await this.world.propose(this.mempool.reap(1_000_000, 10_000_000));
    this.mempool.hold();
    const { txResults } = await this.world.block(...txs);
    await this.mempool.update(this.world.height, txs, (i) => txResults[i]?.code === 0);
    return txs.length;
  }
}

describe('ledger: pending Ethereum transactions', () => {
  it('are refused below the price that the node asks, in words of Ethereum', async () => {
    const chain = await Chain.start(`1.5${DENOM}`);
    const cheap = await chain.send(0, 1n, 1n);
    expect(await chain.submit(cheap)).to.equal(
      'transaction underpriced: gas fee cap 1, minimum needed 2',
    );
    expect(await chain.submit(await chain.send(0, 1n, 2n))).to.equal('');
  });

  it('follow each other before the first is in a block, of a key that is new', async () => {
    const chain = await Chain.start();
    for (const nonce of [0, 1, 2]) {
      expect(await chain.submit(await chain.send(nonce, 300_000n))).to.equal('');
    }
    expect(await chain.submit(await chain.send(3, 300_000n))).to.match(/^insufficient funds for/);
    expect(await chain.block()).to.equal(3);
    expect(await chain.submit(await chain.send(3, 100_000n))).to.equal('');
    expect(await chain.block()).to.equal(1);
    expect(chain.mempool.size).to.equal(0);
  });

  it('wait up to 64 nonces ahead', async () => {
    const chain = await Chain.start();
    expect(await chain.submit(await chain.send(1, 1n))).to.equal('');
    expect(await chain.submit(await chain.send(64, 1n))).to.equal('');
    expect(await chain.submit(await chain.send(65, 1n))).to.match(/^nonce too high/);
    expect([chain.mempool.ready, await chain.block()]).to.deep.equal([false, 0]);
    expect(await chain.submit(await chain.send(0, 1n))).to.equal('');
    expect(await chain.block()).to.equal(2);
    expect(await chain.submit(await chain.send(0, 2n))).to.match(/^nonce too low: address/);
  });

  it('share one lane with Cosmos transactions of the same key', async () => {
    const chain = await Chain.start();
    await chain.submit(await chain.send(0, 1n));
    await chain.block();
    const native = (sequence: number): Uint8Array =>
      cosmosSend(alice, bob.address, 1n, { sequence, number: 0 });
    expect(await chain.submit(native(1))).to.equal('');
    expect(await chain.submit(await chain.send(2, 1n))).to.equal('');
    expect(await chain.submit(native(3))).to.equal('');
    expect(await chain.submit(await chain.send(1, 1n))).to.match(/already pending/);
    // The native one behind an Ethereum transaction stands in the next block.
    expect(await chain.block()).to.equal(2);
    expect(await chain.block()).to.equal(1);
    expect(chain.mempool.size).to.equal(0);
  });

  it('are replaced by who pays more, and only then', async () => {
    const chain = await Chain.start();
    await chain.submit(await chain.send(0, 1n, 20n));
    const cheap = await chain.send(0, 2n, 21n);
    expect(await chain.submit(cheap)).to.equal('replacement transaction underpriced');
    expect(await chain.submit(await chain.send(0, 3n, 22n))).to.equal('');
    expect(chain.mempool.size).to.equal(1);
    expect(await chain.block()).to.equal(1);
  });
});
