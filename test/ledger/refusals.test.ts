/**
 * What the ledger refuses, by which code and text; and that nothing is refused without one.
 *
 * @module
 */
import { expect } from 'chai';
import { AuthInfo, Fee, TxBody, TxRaw } from 'cosmjs-types/cosmos/tx/v1beta1/tx';
import fc from 'fast-check';
import { utf8 } from '../../node/src/base/bytes.ts';
import {
  type Actor,
  DENOM,
  type Draft,
  putMessage,
  sendMessage,
  sign,
  theActors,
  World,
} from './world.ts';

describe('ledger: refusals', () => {
  let alice: Actor;
  let bob: Actor;
  let world: World;
  before(async () => {
    [alice, bob] = (await theActors()) as [Actor, Actor, Actor];
  });
  beforeEach(async () => {
    world = await new World().start();
    await world.block();
  });

  const draft = (more: Partial<Draft> = {}): Draft => ({
    from: alice,
    messages: [sendMessage(alice.address, bob.address, 1n)],
    sequence: 0,
    ...more,
  });

  /** Refused alike by CheckTx, in a proposal and in a block. */
  async function expectRefused(tx: Uint8Array, code: number, text: string): Promise<void> {
    const check = world.ledger.checkTx({ tx, kind: 'new' });
    expect({ code: check.code, codespace: check.codespace }).to.deep.equal({
      code,
      codespace: 'sdk',
    });
    expect(check.log).to.include(text);
    expect(await world.propose([tx])).to.deep.equal([]);
    expect(await world.acceptable(tx)).to.equal(false);
    const before = world.store.appHash;
    const { txResults } = await world.block(tx);
    expect(txResults[0]).to.include({ code, codespace: 'sdk', log: check.log });
    expect(txResults[0]?.events).to.deep.equal([]);
    expect(world.store.appHash).to.deep.equal(before);
  }

  it('refuses a wrong sequence in the words that wallets parse', async () => {
    await expectRefused(
      await sign(draft({ sequence: 3 })),
      32,
      'account sequence mismatch, expected 0, got 3: incorrect account sequence',
    );
  });

  it('refuses a signature for another chain, and a changed one', async () => {
    const text =
      'signature verification failed; please verify account number (0), sequence (0) ' +
      'and chain-id (ledger-test): unauthorized';
    await expectRefused(await sign(draft({ chainId: 'other' })), 4, text);
    const raw = TxRaw.decode(await sign(draft()));
    const [signature = new Uint8Array(0)] = raw.signatures;
    signature[5] = (signature[5] as number) ^ 1;
    await expectRefused(TxRaw.encode(raw).finish(), 4, 'signature verification failed');
  });

  it('refuses memo, timeout, gas, funds and unknown senders by the SDK codes', async () => {
    await expectRefused(await sign(draft({ memo: 'x'.repeat(257) })), 12, 'memo too large');
    const late = await sign(draft({ timeoutHeight: 1n }));
    await expectRefused(late, 30, 'timeout height: 1: tx timeout height');
    await expectRefused(await sign(draft({ gas: 10 })), 11, 'out of gas in location: txSize');
    const rich = await sign(draft({ fee: 10n ** 25n }));
    await expectRefused(rich, 5, 'insufficient funds');
    const empty = await new World().start({ bank: { balances: [] } });
    const answer = empty.ledger.checkTx({ tx: await sign(draft()), kind: 'new' });
    expect(answer).to.include({ code: 9, codespace: 'sdk' });
    expect(answer.log).to.equal(`account ${alice.address} does not exist: unknown address`);
  });

  it('refuses unknown messages, critical extensions, fee payers that did not sign', async () => {
    const unknown = { typeUrl: '/cosmos.gov.v1beta1.MsgVote', value: { voter: alice.address } };
    await expectRefused(
      await sign(draft({ messages: [unknown] })),
      2,
      'unable to resolve type URL',
    );
    const raw = TxRaw.decode(await sign(draft()));
    const body = TxBody.decode(raw.bodyBytes);
    body.extensionOptions = [{ typeUrl: '/x.Y', value: new Uint8Array(0) }];
    const extended = TxRaw.encode({ ...raw, bodyBytes: TxBody.encode(body).finish() }).finish();
    await expectRefused(extended, 31, 'unknown extension options');
    const auth = AuthInfo.decode(raw.authInfoBytes);
    auth.fee = Fee.fromPartial({ ...auth.fee, payer: bob.address });
    const authInfoBytes = AuthInfo.encode(auth).finish();
    const other = TxRaw.encode({ ...raw, authInfoBytes }).finish();
    await expectRefused(other, 4, 'wrong number of signers; expected 2, got 1');
  });

  it('refuses non-canonical bytes and unknown fields anywhere', async () => {
    const tx = await sign(draft());
    await expectRefused(Uint8Array.of(...tx, 0x22, 0), 2, 'unknown field');
    const raw = TxRaw.decode(tx);
    const unordered = TxBody.encode(TxBody.fromPartial({ unordered: true })).finish();
    const bodyBytes = Uint8Array.of(...raw.bodyBytes, ...unordered);
    await expectRefused(TxRaw.encode({ ...raw, bodyBytes }).finish(), 2, 'unknown field');
    const body = TxBody.decode(raw.bodyBytes);
    body.messages = [
      { typeUrl: '/metatron.memory.v1.MsgPut', value: Uint8Array.of(0x0a, 0x01, 0x61, 0x78, 0x01) },
    ];
    const put = TxRaw.encode({ ...raw, bodyBytes: TxBody.encode(body).finish() }).finish();
    await expectRefused(put, 2, 'malformed MsgPut: unknown field');
  });

  it('refuses a block over its gas', async () => {
    const small = await new World().start(undefined, 150_000);
    await small.block();
    const first = await sign(draft({ gas: 100_000 }));
    const second = await sign(draft({ gas: 100_000, sequence: 1 }));
    expect(await small.propose([first, second])).to.deep.equal([first]);
    expect(await small.acceptable(first, second)).to.equal(false);
    const big = await sign(draft({ gas: 200_000 }));
    expect(small.ledger.checkTx({ tx: big, kind: 'new' })).to.include({ code: 41 });
  });

  it('asks for a price only in its own mempool', async () => {
    const priced = await new World(undefined, `0.5${DENOM}`).start();
    await priced.block();
    const cheap = await sign(draft({ gas: 100_000, fee: 49_999n }));
    const answer = priced.ledger.checkTx({ tx: cheap, kind: 'new' });
    expect(answer).to.include({ code: 13, codespace: 'sdk' });
    expect(answer.log).to.equal(
      'insufficient fees; got: 49999aphi required: 50000aphi: insufficient fee',
    );
    expect(await priced.acceptable(cheap)).to.equal(true);
    const fair = await sign(draft({ gas: 100_000, fee: 50_000n }));
    expect(priced.ledger.checkTx({ tx: fair, kind: 'new' })).to.include({ code: 0 });
  });

  it('answers any changed transaction by a declared code', async () => {
    const drafts: Draft[] = [
      draft({ memo: 'hello' }),
      draft({ mode: 'amino', fee: 5n }),
      draft({ messages: [putMessage(alice.address, 'text', { key: 'k', tags: ['a'] })] }),
    ];
    const txs = await Promise.all(drafts.map(sign));
    const mutation = fc.record({
      which: fc.nat(txs.length - 1),
      at: fc.nat(2_000),
      kind: fc.constantFrom('flip', 'drop', 'insert', 'cut'),
      byte: fc.integer({ min: 1, max: 255 }),
    });
    fc.assert(
      fc.property(mutation, ({ which, at, kind, byte }) => {
        const tx = txs[which] as Uint8Array;
        const i = at % tx.length;
        const parts = {
          flip: [tx.slice(0, i), Uint8Array.of((tx[i] as number) ^ byte), tx.slice(i + 1)],
          drop: [tx.slice(0, i), tx.slice(i + 1)],
          insert: [tx.slice(0, i), Uint8Array.of(byte), tx.slice(i)],
          cut: [tx.slice(0, i)],
        };
        const changed = Uint8Array.from(parts[kind].flatMap((part) => [...part]));
        const answer = world.ledger.checkTx({ tx: changed, kind: 'new' });
        expect(answer.code).to.be.greaterThan(0);
        expect(answer.codespace).to.match(/^(sdk|memory)$/);
        expect(`${answer.codespace}/${answer.code}`).to.not.equal('sdk/1');
      }),
      { numRuns: 2_000 },
    );
  }).timeout(30_000);

  it('refuses a high-S signature', async () => {
    const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
    const raw = TxRaw.decode(await sign(draft()));
    const signature = raw.signatures[0] as Uint8Array;
    const s = BigInt(`0x${Buffer.from(signature.subarray(32)).toString('hex')}`);
    const high = Buffer.from((order - s).toString(16).padStart(64, '0'), 'hex');
    signature.set(high, 32);
    await expectRefused(TxRaw.encode(raw).finish(), 4, 'signature verification failed');
  });

  it('refuses bad puts by the codes of module memory', async () => {
    const code = async (more: object, content = 'x'): Promise<string> => {
      const messages = [putMessage(alice.address, content, more)];
      const { codespace, code, log } = world.ledger.checkTx({
        tx: await sign(draft({ messages })),
        kind: 'new',
      });
      return `${codespace}/${code} ${log}`;
    };
    expect(await code({}, '')).to.equal('memory/1 content is empty');
    expect(await code({ content: new Uint8Array(65_537) })).to.include('more than 65536');
    expect(await code({ type: 9 })).to.include('type 9 is unknown');
    expect(await code({ tags: ['a', 'a'] })).to.equal('memory/1 tags repeat');
    expect(await code({ tags: [''] })).to.equal('memory/1 tags contain an empty one');
    expect(await code({ key: 'é'.repeat(129) })).to.include('key has 258 bytes');
    expect(await code({ expectedVersion: 1n })).to.equal('memory/1 expected_version needs a key');
    expect(await code({ space: utf8('short') })).to.equal('memory/1 space is not 32 bytes');
    const time = { eventTime: { seconds: 1n, nanos: 1_000_000_000 } };
    expect(await code(time)).to.include('event_time is not a time');
    expect(await code({ sources: [{ id: '', hash: new Uint8Array(0) }] })).to.include('source');
  });
});
