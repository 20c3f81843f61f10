/**
 * One account, two faces: whatever reaches one is the other's too, and nothing is used twice.
 *
 * @module
 */
import { expect } from 'chai';
import { toBase64, toHex } from '../../../node/src/base/bytes.ts';
import { getAccount } from '../../../node/src/ledger/auth/accounts.ts';
import { getAlias } from '../../../node/src/ledger/auth/aliases.ts';
import { getBalance } from '../../../node/src/ledger/bank/balances.ts';
import { DENOM, World } from '../world.ts';
import { accountOf, carried, chainIdOf, cosmosSend, fundedState, person } from './support.ts';

const [alice, bob, carol] = [person(1), person(2), person(3)];
const RICH = 10n ** 20n;

/** A chain on which these addresses have money, after its first block. */
async function worldWith(...addresses: readonly string[]): Promise<World> {
  const balances = addresses.map((address) => [address, RICH] as const);
  const world = await new World().start(fundedState(balances));
  await world.block();
  return world;
}

const balance = (world: World, id: Uint8Array): bigint => getBalance(world.store, id, DENOM);

describe('ledger: accounts with two faces', () => {
  it('give what the 0x face got to the account when Ethereum first sees its key', async () => {
    const world = await worldWith(alice.faceAddress);
    const chainId = await chainIdOf(world.ledger);
    expect(balance(world, alice.face)).to.equal(RICH);
    const tx = await carried(alice, { chainId, nonce: 0, to: bob.wallet.address, value: 5n });
    const { txResults } = await world.block(tx);
    expect(txResults.map(({ code, log }) => [code, log])).to.deep.equal([[0, '']]);
    expect(balance(world, alice.face)).to.equal(0n);
    expect(balance(world, alice.id)).to.equal(RICH - 5n);
    expect(balance(world, bob.face)).to.equal(5n);
    expect(getAlias(world.store, alice.face)).to.deep.equal(alice.id);
    expect(getAccount(world.store, alice.face)).to.equal(undefined);
    const account = getAccount(world.store, alice.id);
    expect([account?.sequence, account?.number]).to.deep.equal([1, 0]);
  });

  it('give it too when its key is first seen by a Cosmos transaction, before the fee', async () => {
    const world = await worldWith(alice.faceAddress);
    const tx = cosmosSend(alice, bob.address, 7n, { sequence: 0, number: 0, fee: 3n });
    const { txResults } = await world.block(tx);
    expect(txResults.map(({ code, log }) => [code, log])).to.deep.equal([[0, '']]);
    expect(balance(world, alice.id)).to.equal(RICH - 10n);
    expect(balance(world, bob.id)).to.equal(7n);
    expect(getAlias(world.store, alice.face)).to.deep.equal(alice.id);
  });

  it('are one receiver, one balance and one nonce from then on', async () => {
    const world = await worldWith(alice.address, bob.address);
    const chainId = await chainIdOf(world.ledger);
    const to = alice.wallet.address;
    await world.block(await carried(alice, { chainId, nonce: 0, to: bob.wallet.address }));
    // Bank sends to the bech32 of the 0x face, and EVM transfers to it, reach the one account.
    const paid = cosmosSend(bob, alice.faceAddress, 11n, { sequence: 0, number: 1 });
    await world.block(paid, await carried(bob, { chainId, nonce: 1, to, value: 13n }));
    expect(balance(world, alice.id)).to.equal(RICH + 24n);
    expect(balance(world, alice.face)).to.equal(0n);
    const faces = [alice.address, alice.faceAddress, to];
    const answers = await Promise.all(faces.map((face) => accountOf(world.ledger, face)));
    for (const answer of answers) {
      expect(answer.address).to.equal(alice.address);
      expect(toHex(answer.evmAddress)).to.equal(toHex(alice.face));
      expect([answer.balance, answer.nonce]).to.deep.equal([String(RICH + 24n), 1n]);
    }
    const again = cosmosSend(alice, bob.address, 1n, { sequence: 0, number: 0 });
    expect((await world.ledger.checkTx({ tx: again, kind: 'new' })).code).to.equal(32);
    const next = cosmosSend(alice, bob.address, 1n, { sequence: 1, number: 0 });
    expect((await world.block(next)).txResults[0]?.code).to.equal(0);
    const old = await carried(alice, { chainId, nonce: 1, to });
    const { code, codespace, log } = await world.ledger.checkTx({ tx: old, kind: 'new' });
    expect([code, codespace]).to.deep.equal([7, 'evm']);
    expect(log).to.match(/^nonce too low: address 0x.*, tx: 1 state: 2$/);
  });

  it('neither make nor lose coins by a transfer from one face to the other', async () => {
    const world = await worldWith(alice.address);
    const chainId = await chainIdOf(world.ledger);
    await world.block(
      await carried(alice, { chainId, nonce: 0, to: alice.wallet.address, value: 9n }),
    );
    const self = `0x${toHex(alice.id)}`;
    await world.block(await carried(alice, { chainId, nonce: 1, to: self, value: RICH / 2n }));
    expect(balance(world, alice.id)).to.equal(RICH);
    expect(getAccount(world.store, alice.id)?.sequence).to.equal(2);
  });

  it('are known of accounts whose key the genesis tells', async () => {
    const key = { '@type': '/cosmos.crypto.secp256k1.PubKey', key: toBase64(carol.publicKey) };
    const base = { '@type': '/cosmos.auth.v1beta1.BaseAccount', address: carol.address };
    const accounts = [{ ...base, pub_key: key, account_number: '0', sequence: '4' }];
    const state = { ...fundedState([[carol.faceAddress, RICH]]), auth: { accounts } };
    const world = await new World().start(state);
    await world.block();
    const chainId = await chainIdOf(world.ledger);
    const tx = await carried(carol, { chainId, nonce: 4, to: bob.wallet.address, value: 1n });
    expect((await world.block(tx)).txResults[0]?.log).to.equal('');
    expect(balance(world, carol.id)).to.equal(RICH - 1n);
  });
});
