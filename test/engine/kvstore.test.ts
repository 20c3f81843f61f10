/**
 * The key-value application answers as CometBFT's example does.
 *
 * @module
 */
import { expect } from 'chai';
import type { FinalizeBlockRequest } from '../../node/src/abci/application.ts';
import { KvstoreApplication, kvstoreHash, MemoryKeySpace } from '../../node/src/abci/kvstore.ts';
import { EMPTY, fromUtf8, toBase64, toHex, utf8 } from '../../node/src/base/bytes.ts';

function block(height: number, ...txs: string[]): FinalizeBlockRequest {
  return {
    height,
    time: 0n,
    misbehavior: [],
    nextValidatorsHash: EMPTY,
    proposerAddress: EMPTY,
    txs: txs.map(utf8),
    decidedLastCommit: { round: 0, votes: [] },
    hash: EMPTY,
  };
}

describe('abci: kvstore', () => {
  const code = (tx: string): number =>
    new KvstoreApplication().checkTx({ tx: utf8(tx), kind: 'new' }).code;

  it('takes key=value and key:value, and refuses the rest with code 2', () => {
    for (const tx of ['a=b', 'a:b', 'key=some value']) expect(code(tx)).to.equal(0);
    for (const tx of ['', 'a', '=a', 'a=', ':a', 'a:', 'a=b=c', 'a:b:c', 'a=b:c', 'val=x!1']) {
      expect(code(tx), tx).to.equal(2);
    }
  });

  it('hashes its size as a varint in eight bytes', () => {
    // Go: binary.PutVarint(make([]byte, 8), n)
    expect(toHex(kvstoreHash(0))).to.equal('0000000000000000');
    expect(toHex(kvstoreHash(1))).to.equal('0200000000000000');
    expect(toHex(kvstoreHash(64))).to.equal('8001000000000000');
    expect(toHex(kvstoreHash(150))).to.equal('ac02000000000000');
  });

  it('stores pairs on commit, with the two events of each transaction', async () => {
    const app = new KvstoreApplication();
    const { txResults, appHash } = await app.finalizeBlock(block(1, 'name=satoshi'));
    expect(toHex(appHash)).to.equal(toHex(kvstoreHash(1)));
    expect(txResults[0]?.events.map((e) => e.attributes.map((a) => a.value))).to.deep.equal([
      ['Cosmoshi Netowoko', 'name', 'index is working', 'index is working'],
      ['Cosmoshi', 'satoshi', 'index is working', 'index is working'],
    ]);
    const query = { path: '', data: utf8('name'), height: 0, prove: false };
    expect((await app.query(query)).log).to.equal('does not exist');
    await app.commit();
    const answer = await app.query({ ...query, prove: true });
    expect([answer.log, fromUtf8(answer.value), answer.index, answer.height]).to.deep.equal([
      'exists',
      'satoshi',
      -1,
      1,
    ]);
    expect((await app.info()).data).to.equal('{"size":1}');
  });

  it('proposes with = for :, and leaves out what is not valid', async () => {
    const app = new KvstoreApplication();
    const { height, time, misbehavior, nextValidatorsHash, proposerAddress } = block(1);
    const txs = await app.prepareProposal({
      height,
      time,
      misbehavior,
      nextValidatorsHash,
      proposerAddress,
      maxTxBytes: 1_000,
      txs: ['a:b', 'bad', 'c=d'].map(utf8),
      localLastCommit: { round: 0, votes: [] },
    });
    expect(txs.map(fromUtf8)).to.deep.equal(['a=b', 'c=d']);
  });

  it('changes validators, but never removes a stranger or the last one', async () => {
    const key = (n: number): string => toBase64(new Uint8Array(32).fill(n));
    const app = new KvstoreApplication();
    const ed25519 = 'ed25519' as const;
    await app.initChain({
      time: 0n,
      chainId: 'x',
      params: {} as never,
      validators: [{ publicKey: { type: ed25519, bytes: new Uint8Array(32).fill(1) }, power: 1n }],
      appState: EMPTY,
      initialHeight: 1,
    });
    const results = await app.finalizeBlock(
      block(1, `val=${key(1)}!0`, `val=${key(2)}!0`, `val=${key(3)}!5`),
    );
    expect(results.txResults.map((r) => r.code)).to.deep.equal([3, 3, 0]);
    expect(results.validatorUpdates.map((u) => u.power)).to.deep.equal([5n]);
  });

  it('comes back from its key space', async () => {
    const space = new MemoryKeySpace();
    const before = new KvstoreApplication(space);
    await before.finalizeBlock(block(1, 'a=1', 'b=2'));
    await before.commit();
    const info = await new KvstoreApplication(space).info();
    expect(info.lastHeight).to.equal(1);
    expect(info.data).to.equal('{"size":2}');
  });
});
