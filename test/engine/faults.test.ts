/**
 * The network goes on when nodes crash, lag, lie or send garbage.
 *
 * @module
 */
import { expect } from 'chai';
import { equalBytes, toHex, utf8 } from '../../node/src/base/bytes.ts';
import { present } from '../../node/src/base/errors.ts';
import { type Logger, SILENT } from '../../node/src/base/logger.ts';
import { blockCodec } from '../../node/src/types/block.ts';
import { type BlockId, NIL_BLOCK_ID } from '../../node/src/types/block-id.ts';
import { evidenceListCodec } from '../../node/src/types/evidence.ts';
import {
  blocksyncMessageCodec,
  CHANNEL,
  consensusMessageCodec,
} from '../../node/src/types/messages.ts';
import { duplicateVote } from '../../node/src/types/verify-evidence.ts';
import { VOTE_TYPE, type Vote, voteSignBytes } from '../../node/src/types/vote.ts';
import { World } from './world.ts';

function hashAt(world: World, node: number, height: number): string {
  const found = world.node(node).disk.heights.get(height);
  return found === undefined ? 'none' : toHex(found.blockId.hash);
}

function sameAt(world: World, height: number): boolean {
  return new Set(world.nodes.map((n) => hashAt(world, n.index, height))).size === 1;
}

describe('engine: faults', () => {
  it('goes on when one validator of four is down, and takes it back', async () => {
    const world = new World({ nodes: 4, emptyBlocksMs: 200 });
    await world.startAll();
    await world.reach(3);
    await world.crash(1);
    expect(await world.reach(12)).to.equal(true);
    await world.start(1);
    expect(await world.until(() => world.node(1).height >= 16, 30_000)).to.equal(true);
    expect(sameAt(world, 12)).to.equal(true);
    expect(world.nodes.map((n) => n.fatal)).to.deep.equal([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('stops with two of four down and resumes when one returns', async () => {
    const world = new World({ nodes: 4, emptyBlocksMs: 200 });
    await world.startAll();
    await world.reach(3);
    await world.crash(0);
    await world.crash(1);
    await world.pass(2_000);
    const stuck = world.node(2).height;
    await world.pass(10_000);
    expect(world.node(2).height).to.equal(stuck);
    await world.start(0);
    const resumed = (): boolean => world.node(2).height >= stuck + 5;
    expect(await world.until(resumed, 60_000)).to.equal(true);
  });

  it('says in the log what it waits for while no block comes', async () => {
    const lines: { readonly seconds: unknown; readonly peers: unknown; readonly text: string }[] =
      [];
    const logger: Logger = {
      ...SILENT,
      warn: (message, { seconds, peers, waitsFor } = {}) => {
        if (message === 'no block yet') lines.push({ seconds, peers, text: String(waitsFor) });
      },
    };
    const world = new World({ nodes: 4, emptyBlocksMs: 0, logger });
    await world.startAll();
    await world.node(0).live.submitTx(utf8('a=1'));
    await world.reach(1);
    await world.pass(100_000);
    expect(lines, 'an idle chain is no stall').to.deep.equal([]);
    await world.crash(1);
    await world.crash(2);
    await world.node(0).live.submitTx(utf8('b=2'));
    await world.pass(100_000);
    expect(lines.map(({ seconds }) => seconds)).to.deep.equal([10, 30, 70]);
    const names = [1, 2].map((i) => toHex(world.node(i).key.address).slice(0, 8).toUpperCase());
    for (const { peers, text } of lines) {
      expect(peers).to.equal(1);
      for (const name of names) expect(text).to.include(name);
      expect(text).to.match(/^prevotes of \w{8}, \w{8} \(power 20 of 40 is here\)$/);
    }
    await world.start(1);
    const height = world.node(0).height;
    expect(await world.until(() => world.node(0).height > height, 60_000)).to.equal(true);
    const told = lines.length;
    await world.pass(100_000);
    expect(lines.length, 'silent once blocks come').to.equal(told);
  });

  it('lets a node without blocks catch up, and then take part', async () => {
    const world = new World({ nodes: 5, validators: 4, emptyBlocksMs: 50 });
    for (const index of [0, 1, 2, 3]) await world.start(index);
    await world.node(0).live.submitTx(utf8('early=bird'));
    await world.until(() => world.node(0).height > 60, 120_000);
    const before = world.timeline.now;
    const late = await world.start(4);
    expect(await world.until(() => late.height > 60, 30_000)).to.equal(true);
    expect(world.timeline.now - before).to.be.below(2_000);
    expect(await world.until(() => !late.live.catchingUp, 5_000)).to.equal(true);
    const height = late.height;
    expect(await world.until(() => late.height >= height + 20, 20_000)).to.equal(true);
    expect(sameAt(world, 60)).to.equal(true);
    expect(late.fatal).to.equal(undefined);
  });

  it('goes back to fetching blocks when cut off for a while', async () => {
    const world = new World({ nodes: 4, emptyBlocksMs: 50 });
    await world.startAll();
    await world.reach(3);
    for (const other of [0, 1, 2]) world.unlink(3, other);
    await world.until(() => world.node(0).height >= 40, 60_000);
    expect(world.node(3).height).to.be.below(10);
    for (const other of [0, 1, 2]) world.link(3, other);
    expect(await world.until(() => world.node(3).height >= 40, 10_000)).to.equal(true);
    expect(await world.until(() => !world.node(3).live.catchingUp, 5_000)).to.equal(true);
    const { height } = world.node(3);
    expect(await world.until(() => world.node(3).height > height + 5, 10_000)).to.equal(true);
  });

  it('drops who sends garbage, wrong signatures or false heights, and goes on', async () => {
    const world = new World({ nodes: 5, validators: 4, emptyBlocksMs: 100 });
    for (const index of [0, 1, 2, 3]) await world.start(index);
    await world.reach(2);
    const liar = world.node(4);
    for (const index of [0, 1, 2]) world.link(4, index);
    world.deliver(4, 0, CHANNEL.vote, utf8('garbage'));
    const { core } = world.node(1).live.round;
    const vote: Vote = {
      type: VOTE_TYPE.prevote,
      height: core.height,
      round: 0,
      blockId: { hash: new Uint8Array(), partSetHeader: { total: 0, hash: new Uint8Array() } },
      timestamp: 1n,
      validatorAddress: world.node(0).key.address,
      validatorIndex: core.validators.validators.findIndex((v) =>
        equalBytes(v.address, world.node(0).key.address),
      ),
      signature: new Uint8Array(64),
    };
    world.deliver(
      4,
      1,
      CHANNEL.vote,
      consensusMessageCodec.encode({ kind: 'vote', value: { vote } }),
    );
    world.deliver(
      4,
      2,
      CHANNEL.blocksync,
      blocksyncMessageCodec.encode({
        kind: 'statusResponse',
        value: { height: 1_000_000, base: 1 },
      }),
    );
    await world.until(() => [0, 1].every((i) => world.node(i).dropped.length > 0), 1_000);
    expect(world.node(0).dropped.map((d) => d.peer)).to.deep.equal([liar.id]);
    const forgot = (): boolean => world.node(0).forgotten.includes(liar.id);
    expect(await world.until(forgot, 1_000)).to.equal(true);
    expect(world.node(1).dropped[0]?.reason).to.match(/signature/);
    const { height } = world.node(0);
    expect(await world.until(() => world.node(3).height >= height + 20, 20_000)).to.equal(true);
    expect(await world.until(() => world.node(2).dropped.length > 0, 20_000)).to.equal(true);
    expect(world.node(2).dropped[0]?.reason).to.match(/blocks it was asked for/);
  });

  it('passes over what it cannot check of a peer, without taking the peer for a liar', async () => {
    const world = new World({ nodes: 4, emptyBlocksMs: 100 });
    await world.startAll();
    await world.reach(3);
    const [judge, greedy] = [world.node(0), world.node(1)];
    judge.exhausted.add(greedy.id);
    const from = judge.height;
    expect(await world.until(() => judge.height >= from + 20, 20_000)).to.equal(true);
    expect(judge.dropped).to.deep.equal([]);
    // The votes of the one passed over still come, by way of the others.
    expect(greedy.height).to.be.at.least(from + 18);
    expect(sameAt(world, from + 15)).to.equal(true);
  });

  it('drops who sends false evidence, but blames nobody for what it could not check', async () => {
    const world = new World({ nodes: 4, emptyBlocksMs: 100 });
    await world.startAll();
    await world.reach(5);
    const [strict, lax, sender] = [world.node(0), world.node(1), world.node(2)];
    lax.exhausted.add(sender.id);
    const at = present(strict.disk.heights.get(3), 'height 3').block.header;
    const validators = present(strict.engine, 'engine').chain.validators;
    const [accused] = validators.validators;
    const vote = (blockId: BlockId): Vote => ({
      type: VOTE_TYPE.prevote,
      height: 3,
      round: 0,
      blockId,
      timestamp: at.time,
      validatorAddress: accused?.address ?? new Uint8Array(20),
      validatorIndex: 0,
      signature: new Uint8Array(64).fill(1),
    });
    const value = duplicateVote(vote(NIL_BLOCK_ID), vote(at.lastBlockId), at.time, validators);
    const evidence = [{ kind: 'duplicateVote', value: present(value, 'evidence') }] as const;
    const message = evidenceListCodec.encode({ evidence });
    for (const to of [0, 1]) world.deliver(2, to, CHANNEL.evidence, message);
    expect(await world.until(() => strict.dropped.length > 0, 2_000)).to.equal(true);
    expect(strict.dropped.map(({ peer }) => peer)).to.deep.equal([sender.id]);
    expect(await world.reach(lax.height + 5)).to.equal(true);
    expect(lax.dropped).to.deep.equal([]);
  });

  it('refuses a fetched block that was changed, and drops its senders', async () => {
    const world = new World({ nodes: 5, validators: 4, emptyBlocksMs: 50 });
    for (const index of [0, 1, 2, 3]) await world.start(index);
    await world.until(() => world.node(0).height >= 30, 30_000);
    world.intercept = (from, to, channel, message) => {
      if (to !== 4 || from !== 0 || channel !== CHANNEL.blocksync) return message;
      const decoded = blocksyncMessageCodec.decode(message);
      if (decoded.kind !== 'blockResponse' || decoded.value.block === undefined) return message;
      const { block } = decoded.value;
      const data = { txs: [utf8('forged=tx')] };
      const value = { block: blockCodec.decode(blockCodec.encode({ ...block, data })) };
      return blocksyncMessageCodec.encode({ kind: 'blockResponse', value });
    };
    const late = await world.start(4);
    await world.until(() => late.dropped.length > 0, 10_000);
    expect(late.dropped[0]?.reason).to.match(/does not verify/);
    world.link(4, 1);
    world.link(4, 2);
    expect(await world.until(() => late.height >= 30, 20_000)).to.equal(true);
    expect(sameAt(world, 30)).to.equal(true);
  });

  it('heals from lost messages', async () => {
    const world = new World({ nodes: 4, emptyBlocksMs: 100 });
    let count = 0;
    world.intercept = (_from, _to, channel, message) =>
      channel !== CHANNEL.blocksync && count++ % 4 === 0 ? undefined : message;
    await world.startAll();
    expect(await world.reach(10, 120_000)).to.equal(true);
    expect(world.nodes.every((n) => n.fatal === undefined)).to.equal(true);
    expect(sameAt(world, 10)).to.equal(true);
  });

  it('puts two votes of one validator into a block, and the application hears of it', async () => {
    const world = new World({ nodes: 4, emptyBlocksMs: 100 });
    await world.startAll();
    await world.reach(2);
    const villain = world.node(3);
    let forged = 0;
    world.intercept = (from, to, channel, message) => {
      if (from !== 3 || channel !== CHANNEL.vote || forged > 2) return message;
      const decoded = consensusMessageCodec.decode(message);
      if (decoded.kind !== 'vote' || decoded.value.vote === undefined) return message;
      const { vote } = decoded.value;
      if (vote.type !== VOTE_TYPE.prevote || vote.blockId.hash.length === 0) return message;
      const other = {
        ...vote,
        blockId: { hash: new Uint8Array(), partSetHeader: { total: 0, hash: new Uint8Array() } },
      };
      const signature = villain.key.sign(voteSignBytes('world', other));
      const value = { vote: { ...other, signature } };
      forged++;
      world.deliver(3, to, channel, consensusMessageCodec.encode({ kind: 'vote', value }));
      return message;
    };
    const punished = (): boolean =>
      world.nodes.every((n) => n.committed().some((h) => h.block.evidence.evidence.length > 0));
    expect(await world.until(punished, 20_000)).to.equal(true);
    const height = world
      .node(0)
      .committed()
      .find((h) => h.block.evidence.evidence.length > 0);
    expect(height?.results.validatorUpdates.map((u) => u.power)).to.deep.equal([9n]);
    const after = world.node(0).height + 5;
    expect(await world.reach(after)).to.equal(true);
    const carried = world
      .node(0)
      .committed()
      .flatMap((h) => h.block.evidence.evidence);
    expect(carried.length).to.equal(1);
    expect(world.nodes.map((n) => n.dropped)).to.deep.equal([[], [], [], []]);
  });
});
