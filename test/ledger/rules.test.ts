/**
 * What holds whatever transactions do: coins are conserved, failures leave no trace but fee and
 * sequence, the same blocks give the same state.
 *
 * @module
 */
import { expect } from 'chai';
import { TxMsgData } from 'cosmjs-types/cosmos/base/abci/v1beta1/abci';
import fc from 'fast-check';
import { decodeBech32 } from '../../node/src/base/bech32.ts';
import { toHex, utf8 } from '../../node/src/base/bytes.ts';
import { present } from '../../node/src/base/errors.ts';
import { sha256 } from '../../node/src/base/hash.ts';
import { merkleRoot } from '../../node/src/base/merkle.ts';
import { MsgPutResponse } from '../../node/src/gen/metatron/memory/v1/tx.ts';
import { moduleAccountId } from '../../node/src/ledger/addresses.ts';
import { getAccount } from '../../node/src/ledger/auth/accounts.ts';
import { getBalance, getSupply } from '../../node/src/ledger/bank/balances.ts';
import { named } from '../../node/src/ledger/keys.ts';
import { getHead, getSpace, headAt } from '../../node/src/ledger/memory/schema.ts';
import { Overlay } from '../../node/src/ledger/overlay.ts';
import { entryId, personalSpaceId } from '../../node/src/types/memory.ts';
import { MemoryStore } from './memory-store.ts';
import {
  type Actor,
  DENOM,
  type Draft,
  putMessage,
  RICH,
  sendMessage,
  sign,
  theActors,
  World,
} from './world.ts';

function idOf(address: string): Uint8Array {
  return present(decodeBech32(address), 'address').bytes;
}

const COLLECTOR = moduleAccountId('fee_collector');

describe('ledger: rules', () => {
  let actors: readonly Actor[];
  let alice: Actor;
  let bob: Actor;
  before(async () => {
    actors = await theActors();
    [alice, bob] = actors as [Actor, Actor, Actor];
  });

  const balance = (world: World, id: Uint8Array): bigint => getBalance(world.store, id, DENOM);

  it('keeps fee and sequence of a failed transaction, and nothing else', async () => {
    const world = await new World().start();
    await world.block();
    const messages = [
      sendMessage(alice.address, bob.address, 5n),
      putMessage(alice.address, 'lost', { key: 'k' }),
      sendMessage(alice.address, bob.address, RICH),
    ];
    const { txResults } = await world.block(
      await sign({ from: alice, messages, sequence: 0, fee: 7n }),
    );
    const result = present(txResults[0], 'result');
    expect(result).to.include({ code: 5, codespace: 'sdk' });
    expect(result.log).to.match(/^failed to execute message; message index: 2: spendable balance/);
    expect(result.events.map((event) => event.type)).to.deep.equal([
      'coin_spent',
      'coin_received',
      'transfer',
      'message',
      'tx',
      'tx',
      'tx',
    ]);
    expect(balance(world, idOf(alice.address))).to.equal(RICH - 7n);
    expect(balance(world, idOf(bob.address))).to.equal(RICH);
    expect(balance(world, COLLECTOR)).to.equal(7n);
    const account = present(getAccount(world.store, idOf(alice.address)), 'account');
    expect(account.sequence).to.equal(1);
    expect(account.publicKey.length).to.be.greaterThan(33);
    expect(getSpace(world.store, personalSpaceId(idOf(alice.address)))).to.equal(undefined);
  });

  it('leaves the app hash as it is when a block has no transactions', async () => {
    const world = await new World().start();
    await world.block();
    const before = toHex(world.store.appHash);
    await world.block();
    await world.block();
    expect(toHex(world.store.appHash)).to.equal(before);
  });

  it('passes pipelined sequences, replacements and rechecks', async () => {
    const world = await new World().start();
    await world.block();
    const txs = await Promise.all(
      [0, 1, 2, 3].map((sequence) =>
        sign({ from: alice, messages: [putMessage(alice.address, `n${sequence}`)], sequence }),
      ),
    );
    const check = (tx: Uint8Array | undefined, kind: 'new' | 'recheck' = 'new'): number =>
      world.ledger.checkTx({ tx: present(tx, 'tx'), kind }).code;
    expect(txs.map((tx) => check(tx))).to.deep.equal([0, 0, 0, 0]);
    // Pending already: the mempool decides.
    expect(check(txs[1])).to.equal(0);
    await world.block(present(txs[0], 'tx'));
    expect(check(txs[0], 'recheck')).to.equal(32);
    expect([1, 2].map((i) => check(txs[i], 'recheck'))).to.deep.equal([0, 0]);
    expect(check(txs[3])).to.equal(0);
    expect(await world.acceptable(...txs.slice(1))).to.equal(true);
    expect(await world.propose([txs[1], txs[3], txs[2]].map((tx) => present(tx, 'tx')))).to.eql([
      txs[1],
      txs[2],
    ]);
  });

  it('keeps the checked sequences of lanes that a block did not touch', async () => {
    const world = await new World().start();
    await world.block();
    const put = (from: Actor, sequence: number): Promise<Uint8Array> =>
      sign({ from, messages: [putMessage(from.address, 'x')], sequence });
    expect(world.ledger.checkTx({ tx: await put(alice, 0), kind: 'new' }).code).to.equal(0);
    await world.block(await put(bob, 0));
    expect(world.ledger.checkTx({ tx: await put(alice, 1), kind: 'new' }).code).to.equal(0);
  });

  it('compares and sets: the loser learns the current version and nothing changes', async () => {
    const world = await new World().start();
    await world.block();
    const put = (sequence: number, expectedVersion: bigint): Promise<Uint8Array> => {
      const messages = [
        putMessage(alice.address, `v${sequence}`, { key: 'plan', expectedVersion }),
      ];
      return sign({ from: alice, messages, sequence });
    };
    const { txResults } = await world.block(
      await put(0, 0n),
      await put(1, 0n),
      await put(2, 1n),
      await put(3, 7n),
    );
    expect(txResults.map(({ codespace, code }) => `${codespace}/${code}`)).to.deep.equal([
      '/0',
      'memory/2',
      '/0',
      'memory/2',
    ]);
    expect(txResults[3]?.log).to.equal(
      'failed to execute message; message index: 0: ' +
        'version conflict on key "plan": expected version 7, current version 2',
    );
    const space = personalSpaceId(idOf(alice.address));
    expect(getHead(world.store, headAt(space, sha256(utf8('plan'))))?.version).to.equal(2n);
    expect(getSpace(world.store, space)?.size).to.equal(2n);
  });

  it('answers ids that the client can derive, and a root over the leaves', async () => {
    const world = await new World().start();
    const messages = ['a', 'b'].map((text) => putMessage(alice.address, text));
    const { txResults } = await world.block(await sign({ from: alice, messages, sequence: 0 }));
    const { msgResponses } = TxMsgData.decode(present(txResults[0], 'result').data);
    const account = idOf(alice.address);
    const space = personalSpaceId(account);
    const answers = msgResponses.map(({ value }) => MsgPutResponse.decode(value));
    expect(answers.map(({ id }) => toHex(id))).to.deep.equal(
      [0, 1].map((i) => toHex(entryId(space, account, 0, i))),
    );
    const leaves = [0, 1].map((i) =>
      present(world.store.row(Uint8Array.of(0x41, ...space, 0, 0, 0, 0, 0, 0, 0, i)), 'leaf'),
    );
    expect(toHex(present(getSpace(world.store, space), 'space').root)).to.equal(
      toHex(merkleRoot(leaves)),
    );
  });

  it('asks for at most two new index entries a put', async () => {
    const world = await new World().start();
    const messages = Array.from({ length: 50 }, (_, i) =>
      putMessage(alice.address, `${i}`, { key: `k${i}` }),
    );
    const { txResults } = await world.block(
      await sign({ from: alice, messages, sequence: 0, gas: 5_000_000 }),
    );
    const attributes = present(txResults[0], 'result').events.flatMap((e) => e.attributes);
    const indexed = attributes.filter((attribute) => attribute.index).length;
    expect(indexed).to.be.at.most(2 * 50 + 3);
  });

  it('conserves coins and repeats itself, whatever is sent', async () => {
    const step = fc.record({
      from: fc.nat(2),
      to: fc.nat(2),
      amount: fc.bigInt({ min: 1n, max: RICH }),
      fee: fc.bigInt({ min: 0n, max: 1000n }),
      gap: fc.boolean(),
      put: fc.boolean(),
      key: fc.constantFrom('', 'a', 'b'),
    });
    const anyBlocks = fc.array(fc.array(step, { maxLength: 4 }), { minLength: 1, maxLength: 4 });
    type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;
    const signStep = (s: Step, sequence: number): Promise<Uint8Array> => {
      const from = present(actors[s.from], 'actor');
      const sent = sendMessage(from.address, present(actors[s.to], 'actor').address, s.amount);
      const put = putMessage(from.address, 'x', { key: s.key });
      const messages: Draft['messages'] = s.put ? [put, sent] : [sent];
      return sign({ from, messages, sequence, fee: s.fee });
    };
    const signAll = async (blocks: readonly (readonly Step[])[]): Promise<Uint8Array[][]> => {
      const sequences = [0, 0, 0];
      const next = (s: Step): number => {
        const sequence = sequences[s.from] as number;
        if (!s.gap) sequences[s.from] = sequence + 1;
        return s.gap ? sequence + 1 : sequence;
      };
      return await Promise.all(
        blocks.map((block) => Promise.all(block.map((s) => signStep(s, next(s))))),
      );
    };
    const run = async (blocks: readonly (readonly Uint8Array[])[]): Promise<MemoryStore> => {
      const store = new MemoryStore();
      const world = await new World(store).start();
      for (const txs of blocks) await world.block(...txs);
      return store;
    };
    await fc.assert(
      fc.asyncProperty(anyBlocks, async (blocks) => {
        const signed = await signAll(blocks);
        const store = await run(signed);
        const owners = [...actors.map(({ address }) => idOf(address)), COLLECTOR];
        const total = owners.reduce((sum, id) => sum + getBalance(store, id, DENOM), 0n);
        expect(total).to.equal(3n * RICH);
        expect(getSupply(store, DENOM)).to.equal(3n * RICH);
        expect((await run(signed)).dump()).to.equal(store.dump());
      }),
      { numRuns: 12 },
    );
  }).timeout(30_000);

  it('replaces a block that is executed again before it is committed', async () => {
    const once = new MemoryStore();
    const twice = new MemoryStore();
    const put = await sign({
      from: alice,
      messages: [putMessage(alice.address, 'x', { key: 'k' })],
      sequence: 0,
    });
    const other = await sign({ from: bob, messages: [putMessage(bob.address, 'y')], sequence: 0 });
    const world = await new World(once).start();
    await world.block(put);
    const again = await new World(twice).start();
    const request = { ...again.context(), decidedLastCommit: { round: 0, votes: [] } };
    await again.ledger.finalizeBlock({ ...request, txs: [other, put] });
    await again.block(put);
    expect(twice.dump()).to.equal(once.dump());
  });
});

describe('ledger: overlay', () => {
  it('restores on revert exactly what was there at the mark', () => {
    const key = fc.constantFrom(...[1, 2, 3].map((n) => Uint8Array.of(n)));
    const action = fc.oneof(
      fc.record({ kind: fc.constant('set' as const), key, value: fc.option(fc.string()) }),
      fc.record({ kind: fc.constant('append' as const), key }),
      fc.record({ kind: fc.constant('row' as const), key }),
    );
    type Action = typeof action extends fc.Arbitrary<infer T> ? T : never;
    const applyOne = (overlay: Overlay, act: Action): void => {
      if (act.kind === 'append') overlay.append(named(act.key), act.key);
      else if (act.kind === 'row') overlay.putRow(act.key, act.key);
      else overlay.set(act.key, act.value === null ? undefined : utf8(act.value));
    };
    const apply = (overlay: Overlay, actions: readonly Action[]): void =>
      actions.forEach((act) => {
        applyOne(overlay, act);
      });
    const shape = (overlay: Overlay): string =>
      JSON.stringify([
        overlay
          .changes()
          .map(([k, v]) => [toHex(k), v && toHex(v)])
          .sort(),
        overlay.rows().length,
        overlay.logs().map(({ log, leaves }) => [toHex(log), leaves.length]),
        [1, 2, 3].map((n) => overlay.appended(named(Uint8Array.of(n)))),
      ]);
    fc.assert(
      fc.property(fc.array(action), fc.array(action), (before, after) => {
        const overlay = new Overlay({ get: () => undefined, row: () => undefined });
        apply(overlay, before);
        const expected = shape(overlay);
        const mark = overlay.mark();
        apply(overlay, after);
        overlay.revert(mark);
        expect(shape(overlay)).to.equal(expected);
      }),
    );
  });
});
