/**
 * StargateClient and SigningStargateClient as published, on real validators.
 *
 * @module
 */

import { encodePubkey } from '@cosmjs/proto-signing';
import {
  BroadcastTxError,
  QueryClient,
  type SigningStargateClient,
  StargateClient,
  setupAuthExtension,
  setupBankExtension,
  setupTxExtension,
} from '@cosmjs/stargate';
import { Comet38Client, connectComet } from '@cosmjs/tendermint-rpc';
import { expect } from 'chai';
import { BaseAccount } from 'cosmjs-types/cosmos/auth/v1beta1/auth';
import { TxRaw } from 'cosmjs-types/cosmos/tx/v1beta1/tx';
import { encodeBech32 } from '../../node/src/base/bech32.ts';
import { present } from '../../node/src/base/errors.ts';
import { putMessage } from '../../node/src/client/memory-client.ts';
import { MsgPutResponse } from '../../node/src/gen/metatron/memory/v1/tx.ts';
import { type ClientNet, DENOM, PREFIX, sendMessage } from './clients-net.ts';

/** An address that never received anything. */
function stranger(byte: number): string {
  return encodeBech32(PREFIX, new Uint8Array(20).fill(byte));
}

/** Reading by StargateClient and its query extensions. */
export function readingTests(net: ClientNet): void {
  let client: StargateClient;
  before(async () => {
    client = net.closing(await StargateClient.connect(net.rpc(1)));
  });

  it('reads chain id, height, blocks, accounts and balances', async () => {
    expect(await client.getChainId()).to.equal(net.chainId);
    const height = await client.getHeight();
    expect(height).to.be.at.least(1);
    expect((await client.getBlock(height)).header.height).to.equal(height);
    expect((await client.getBlock(1)).header.chainId).to.equal(net.chainId);
    const { address } = net.account('alice');
    expect(await client.getAccount(address)).to.include({ address, accountNumber: 0n });
    expect(BigInt((await client.getBalance(address, DENOM)).amount) > 0n).to.equal(true);
    const all = await client.getAllBalances(address);
    expect(all.map(({ denom }) => denom)).to.deep.equal([DENOM]);
  });

  it('answers null for an unknown account and 0 for a coin it does not hold', async () => {
    expect(await client.getAccount(stranger(7))).to.equal(null);
    const none = await client.getBalance(stranger(7), DENOM);
    expect(none).to.deep.equal({ denom: DENOM, amount: '0' });
    expect(await client.getAllBalances(stranger(7))).to.deep.equal([]);
    expect(await client.getTx('00'.repeat(32))).to.equal(null);
    const refused = await client.getSequence(stranger(7)).catch(String);
    expect(refused).to.contain('does not exist on chain');
  });

  it('serves the auth, bank and tx extensions', async () => {
    const comet = net.closing(await connectComet(net.rpc(2)));
    expect(comet).to.be.instanceOf(Comet38Client);
    const query = QueryClient.withExtensions(
      comet,
      setupAuthExtension,
      setupBankExtension,
      setupTxExtension,
    );
    const { address } = net.account('alice');
    const account = present((await query.auth.account(address)) ?? undefined, 'account');
    expect(account.typeUrl).to.equal('/cosmos.auth.v1beta1.BaseAccount');
    expect(BaseAccount.decode(account.value).address).to.equal(address);
    const held = await query.bank.balance(address, DENOM);
    expect(await query.bank.allBalances(address)).to.deep.equal([held]);
    const supply = await query.bank.supplyOf(DENOM);
    expect(BigInt(supply.amount) >= BigInt(held.amount)).to.equal(true);
    expect((await query.bank.totalSupply()).supply).to.deep.equal([supply]);
    const metadata = await query.bank.denomMetadata(DENOM);
    expect(metadata.base).to.equal(DENOM);
    expect(await query.bank.denomsMetadata()).to.deep.equal([metadata]);
    const none = await query.tx.getTx('00'.repeat(32)).catch(String);
    expect(none).to.match(/not found/);
  });
}

async function pubkeyOf(client: SigningStargateClient, address: string) {
  const account = await client.getAccount(address);
  return present(account?.pubkey ?? undefined, 'public key');
}

/** What a client signs, in both modes. */
export function signingTests(net: ClientNet): void {
  for (const mode of ['direct', 'amino'] as const) {
    it(`sends coins and writes memories with gas "auto" (${mode})`, async () => {
      const client = await net.signer('alice', mode);
      const alice = net.account('alice').address;
      const to = stranger(mode === 'direct' ? 1 : 2);
      const before = BigInt((await client.getBalance(alice, DENOM)).amount);
      const sent = await client.sendTokens(alice, to, [{ denom: DENOM, amount: '1500' }], 'auto');
      expect(sent.code, sent.rawLog).to.equal(0);
      expect(sent.gasUsed <= sent.gasWanted && sent.gasUsed > 0n).to.equal(true);
      expect(await client.getBalance(to, DENOM)).to.deep.equal({ denom: DENOM, amount: '1500' });
      const fee = BigInt(Math.ceil(Number(sent.gasWanted) * 0.025));
      const left = BigInt((await client.getBalance(alice, DENOM)).amount);
      expect(before - left).to.equal(1500n + fee);
      const put = putMessage(alice, {
        content: `written in ${mode} <&> mode`,
        key: mode,
        tags: ['a', 'b'],
        eventTime: new Date('2026-01-02T03:04:05.678Z'),
        sources: [{ id: 'https://example.org', hash: new Uint8Array(32).fill(3) }],
        expectedVersion: 0,
      });
      const written = await client.signAndBroadcast(alice, [put], 'auto');
      expect(written.code, written.rawLog).to.equal(0);
      const [answer] = written.msgResponses;
      expect(answer?.typeUrl).to.equal('/metatron.memory.v1.MsgPutResponse');
      const { id, version } = MsgPutResponse.decode(present(answer, 'answer').value);
      expect([id.length, version]).to.deep.equal([32, 1n]);
      expect(written.events.map(({ type }) => type)).to.include('memory_put');
    });
  }

  it('sends to many in one transaction and finds it by its events', async () => {
    const client = await net.signer('bob', 'direct', 3);
    const bob = net.account('bob').address;
    const outputs = [11, 12, 13].map((byte) => ({
      address: stranger(byte),
      coins: [{ denom: DENOM, amount: String(byte) }],
    }));
    const inputs = [{ address: bob, coins: [{ denom: DENOM, amount: '36' }] }];
    const multi = { typeUrl: '/cosmos.bank.v1beta1.MsgMultiSend', value: { inputs, outputs } };
    const sent = await client.signAndBroadcast(bob, [multi], 'auto', 'to three');
    expect(sent.code, sent.rawLog).to.equal(0);
    expect((await client.getBalance(stranger(12), DENOM)).amount).to.equal('12');
    const found = await client.searchTx([{ key: 'transfer.recipient', value: stranger(13) }]);
    expect(found.map(({ hash }) => hash)).to.deep.equal([sent.transactionHash]);
    const both = await client.searchTx(
      `transfer.recipient='${stranger(11)}' AND tx.height=${sent.height}`,
    );
    expect(both).to.have.length(1);
    expect(await client.searchTx([{ key: 'transfer.recipient', value: stranger(99) }])).to.be.empty;
  });

  it('puts pipelined sequences of one account into blocks, all of them', async () => {
    const client = await net.signer('carol');
    const carol = net.account('carol').address;
    const { accountNumber, sequence } = await client.getSequence(carol);
    const fee = { amount: [{ denom: DENOM, amount: '5000' }], gas: '200000' };
    const txs: Uint8Array[] = [];
    for (let i = 0; i < 12; i++) {
      const data = { accountNumber, sequence: sequence + i, chainId: net.chainId };
      const message = sendMessage(carol, stranger(20 + i), '7');
      txs.push(TxRaw.encode(await client.sign(carol, [message], fee, '', data)).finish());
    }
    const hashes: string[] = [];
    for (const tx of txs) hashes.push(await client.broadcastTxSync(tx));
    const last = await client.broadcastTx(txs.at(-1) ?? new Uint8Array(), 10_000, 40).catch(String);
    expect(String(last)).to.contain('already exists in cache');
    for (const hash of hashes) {
      let found = await client.getTx(hash);
      for (let i = 0; found === null && i < 200; i++) {
        await new Promise((resolve) => setTimeout(resolve, 25));
        found = await client.getTx(hash);
      }
      expect(found?.code, found?.rawLog).to.equal(0);
    }
    expect((await client.getSequence(carol)).sequence).to.equal(sequence + 12);
    expect((await client.getBalance(stranger(31), DENOM)).amount).to.equal('7');
  });

  it('keeps fee and sequence of a transaction that fails in its block', async () => {
    const client = await net.signer('dave');
    const dave = net.account('dave').address;
    const before = BigInt((await client.getBalance(dave, DENOM)).amount);
    const sequence = (await client.getAccount(dave))?.sequence ?? -1;
    const fee = { amount: [{ denom: DENOM, amount: '4321' }], gas: '200000' };
    const tooMuch = sendMessage(dave, stranger(1), String(before));
    const failed = await client.signAndBroadcast(dave, [tooMuch], fee);
    expect(failed.code).to.equal(5);
    expect(failed.rawLog).to.match(/insufficient funds/);
    expect((await client.getTx(failed.transactionHash))?.code).to.equal(5);
    expect(before - BigInt((await client.getBalance(dave, DENOM)).amount)).to.equal(4321n);
    expect((await client.getSequence(dave)).sequence).to.equal(sequence + 1);
  });

  it('refuses at the check: wrong sequence, wrong chain, a duplicate', async () => {
    const client = await net.signer('dave');
    const dave = net.account('dave').address;
    const { accountNumber, sequence } = await client.getSequence(dave);
    const fee = { amount: [{ denom: DENOM, amount: '4321' }], gas: '200000' };
    const signed = async (changes: object): Promise<Uint8Array> => {
      const data = { accountNumber, sequence, chainId: net.chainId, ...changes };
      const message = sendMessage(dave, stranger(3), '1');
      return TxRaw.encode(await client.sign(dave, [message], fee, '', data)).finish();
    };
    const late = await signed({ sequence: sequence + 9 });
    const wrong = await client.broadcastTxSync(late).catch((thrown: unknown) => thrown);
    expect(wrong).to.be.instanceOf(BroadcastTxError);
    expect(wrong).to.include({ code: 32, codespace: 'sdk' });
    expect(String(wrong)).to.contain(`expected ${sequence}, got ${sequence + 9}`);
    const elsewhere = await signed({ chainId: 'elsewhere' });
    const unauthorized = await client.broadcastTxSync(elsewhere).catch((thrown: unknown) => thrown);
    expect(unauthorized).to.include({ code: 4, codespace: 'sdk' });
    const good = await signed({});
    const done = await client.broadcastTx(good, 10_000, 40);
    expect(done.code).to.equal(0);
    const again = await client.broadcastTxSync(good).catch(String);
    expect(again).to.match(/already exists in cache/);
  });

  it('simulates and finds transactions by the tx service', async () => {
    const client = await net.signer('bob');
    const bob = net.account('bob').address;
    const sent = await client.sendTokens(bob, stranger(4), [{ denom: DENOM, amount: '1' }], 'auto');
    const comet = net.closing(await connectComet(net.rpc(0)));
    const { tx } = QueryClient.withExtensions(comet, setupTxExtension);
    const { tx: decoded, txResponse } = await tx.getTx(sent.transactionHash);
    expect(decoded?.body?.messages[0]?.typeUrl).to.equal('/cosmos.bank.v1beta1.MsgSend');
    expect(txResponse).to.include({ txhash: sent.transactionHash, code: 0 });
    expect(txResponse?.height).to.equal(BigInt(sent.height));
    const message = client.registry.encodeAsAny(putMessage(bob, { content: 'try' }));
    const key = await pubkeyOf(client, bob);
    const { sequence } = await client.getSequence(bob);
    const simulated = await tx.simulate([message], '', key, sequence);
    expect(Number(simulated.gasInfo?.gasUsed)).to.be.greaterThan(1_000);
    expect(encodePubkey(key).typeUrl).to.equal('/cosmos.crypto.secp256k1.PubKey');
  });
}
