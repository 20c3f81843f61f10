/**
 * Transactions that unmodified CosmJS signs, executed.
 *
 * @module
 */
import { expect } from 'chai';
import { decodeBech32 } from '../../node/src/base/bech32.ts';
import { present } from '../../node/src/base/errors.ts';
import { getBalance } from '../../node/src/ledger/bank/balances.ts';
import {
  type Actor,
  DENOM,
  putMessage,
  RICH,
  sendMessage,
  sign,
  theActors,
  World,
} from './world.ts';

function balance(world: World, address: string): bigint {
  const { bytes } = present(decodeBech32(address), 'address');
  return getBalance(world.store, bytes, DENOM);
}

describe('ledger: executing transactions', () => {
  let alice: Actor;
  let bob: Actor;
  before(async () => {
    [alice, bob] = (await theActors()) as [Actor, Actor, Actor];
  });

  for (const mode of ['direct', 'amino'] as const) {
    it(`executes a bank send signed by CosmJS in mode ${mode}`, async () => {
      const world = await new World().start();
      await world.block();
      const tx = await sign({
        from: alice,
        messages: [sendMessage(alice.address, bob.address, 5n)],
        sequence: 0,
        fee: 7n,
        memo: 'a <b> & "c"',
        mode,
      });
      expect(world.ledger.checkTx({ tx, kind: 'new' })).to.include({ code: 0, sequence: 0 });
      expect(await world.propose([tx])).to.deep.equal([tx]);
      expect(await world.acceptable(tx)).to.equal(true);
      const { txResults } = await world.block(tx);
      expect(txResults[0]?.log).to.equal('');
      expect(balance(world, alice.address)).to.equal(RICH - 12n);
      expect(balance(world, bob.address)).to.equal(RICH + 5n);
    });

    it(`executes puts signed by CosmJS in mode ${mode}`, async () => {
      const world = await new World().start();
      const tx = await sign({
        from: alice,
        messages: [
          putMessage(alice.address, 'one', { key: 'k<&>', tags: ['a', 'b'], expectedVersion: 0n }),
          putMessage(alice.address, 'two', { key: 'k<&>', expectedVersion: 1n }),
          putMessage(alice.address, 'three', {
            sources: [{ id: 'https://example.org/?a=b&c', hash: new Uint8Array(32) }],
            eventTime: { seconds: 1_700_000_000n, nanos: 5 },
          }),
        ],
        sequence: 0,
        mode,
      });
      const { txResults } = await world.block(tx);
      expect(txResults[0]).to.include({ code: 0, log: '' });
    });
  }
});
