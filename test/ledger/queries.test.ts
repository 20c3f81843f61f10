/**
 * Queries as unmodified CosmJS asks them, at the latest and at earlier heights.
 *
 * @module
 */

import {
  type AuthExtension,
  accountFromAny,
  type BankExtension,
  createProtobufRpcClient,
  QueryClient,
  setupAuthExtension,
  setupBankExtension,
  setupTxExtension,
  type TxExtension,
} from '@cosmjs/stargate';
import type { CometClient } from '@cosmjs/tendermint-rpc';
import { expect } from 'chai';
import { QueryClientImpl as AuthQueries } from 'cosmjs-types/cosmos/auth/v1beta1/query';
import { QueryClientImpl as BankQueries } from 'cosmjs-types/cosmos/bank/v1beta1/query';
import { TxRaw } from 'cosmjs-types/cosmos/tx/v1beta1/tx';
import type { QueryResponse } from '../../node/src/abci/application.ts';
import { encodeBech32 } from '../../node/src/base/bech32.ts';
import { fromUtf8, u64be, utf8 } from '../../node/src/base/bytes.ts';
import { sha256 } from '../../node/src/base/hash.ts';
import { PLACES } from '../../node/src/gen/contracts/system.ts';
import { moduleAccountId } from '../../node/src/ledger/addresses.ts';
import {
  type Actor,
  DENOM,
  PREFIX,
  putMessage,
  RICH,
  sendMessage,
  sign,
  theActors,
  World,
} from './world.ts';

const COLLECTOR = encodeBech32(PREFIX, moduleAccountId('fee_collector'));

/** A CosmJS query client over a ledger in this process. */
function clientOf(world: World, height: number): CometClient {
  const abciQuery = async (params: {
    path: string;
    data: Uint8Array;
    prove?: boolean;
  }): Promise<QueryResponse> => {
    const { path, data, prove = false } = params;
    return await world.ledger.query({ path, data, height, prove });
  };
  return { abciQuery } as unknown as CometClient;
}

type Queries = {
  readonly client: QueryClient & AuthExtension & BankExtension & TxExtension;
  readonly auth: AuthQueries;
  readonly bank: BankQueries;
};

describe('ledger: queries', () => {
  let alice: Actor;
  let bob: Actor;
  let world: World;
  let tx: Uint8Array;
  const query = (height = 0): Queries => {
    const client = QueryClient.withExtensions(
      clientOf(world, height),
      setupAuthExtension,
      setupBankExtension,
      setupTxExtension,
    );
    const rpc = createProtobufRpcClient(client);
    return { client, auth: new AuthQueries(rpc), bank: new BankQueries(rpc) };
  };

  before(async () => {
    [alice, bob] = (await theActors()) as [Actor, Actor, Actor];
    // The chain's store shows a block a moment after the ledger has committed it.
    const blockHash = (height: number): Uint8Array | undefined =>
      height < world.height ? sha256(u64be(height)) : undefined;
    world = await new World(undefined, '', { blockHash }).start();
    await world.block();
    tx = await sign({
      from: alice,
      messages: [sendMessage(alice.address, bob.address, 5n)],
      sequence: 0,
      fee: 7n,
    });
    await world.block(tx);
    await world.block();
  });

  it('answers accounts, and that one is not found in the words that clients read', async () => {
    const { client, auth } = query();
    const any = await client.auth.account(alice.address);
    if (any === null) throw new TypeError('no account');
    expect(accountFromAny(any)).to.include({ address: alice.address, sequence: 1 });
    const module = await client.auth.account(COLLECTOR);
    expect(module?.typeUrl).to.equal('/cosmos.auth.v1beta1.ModuleAccount');
    const stranger = encodeBech32(PREFIX, new Uint8Array(20));
    const answer = await world.ledger.query({
      path: '/cosmos.auth.v1beta1.Query/Account',
      data: Uint8Array.of(0x0a, stranger.length, ...utf8(stranger)),
      height: 0,
      prove: false,
    });
    expect(answer).to.include({ code: 22, codespace: 'sdk' });
    expect(answer.log).to.equal(
      `rpc error: code = NotFound desc = account ${stranger} not found: key not found`,
    );
    expect((await auth.AccountInfo({ address: bob.address })).info?.accountNumber).to.equal(1n);
    expect((await auth.Accounts({})).accounts.length).to.equal(4 + PLACES.length);
    expect((await auth.Params({})).params.maxMemoCharacters).to.equal(256n);
    expect(await auth.Bech32Prefix({})).to.deep.equal({ bech32Prefix: PREFIX });
    expect((await auth.ModuleAccountByName({ name: 'fee_collector' })).account).to.not.equal(
      undefined,
    );
  });

  it('pages accounts by key until there are none', async () => {
    const { auth } = query();
    const seen: string[] = [];
    let key: Uint8Array = new Uint8Array(0);
    do {
      const pagination = { key, offset: 0n, limit: 3n, countTotal: false, reverse: false };
      const page = await auth.Accounts({ pagination });
      seen.push(...page.accounts.map((any) => accountFromAny(any).address));
      key = page.pagination?.nextKey ?? new Uint8Array(0);
    } while (key.length > 0);
    expect(new Set(seen).size).to.equal(4 + PLACES.length);
    expect(seen.length).to.equal(4 + PLACES.length);
  });

  it('answers balances, supply and metadata, at earlier heights too', async () => {
    const { client, bank } = query();
    expect(await client.bank.balance(alice.address, DENOM)).to.deep.equal({
      denom: DENOM,
      amount: String(RICH - 12n),
    });
    expect(await client.bank.balance(alice.address, 'other')).to.deep.equal({
      denom: 'other',
      amount: '0',
    });
    expect(await client.bank.allBalances(bob.address)).to.deep.equal([
      { denom: DENOM, amount: String(RICH + 5n) },
    ]);
    expect((await client.bank.supplyOf(DENOM)).amount).to.equal(String(3n * RICH));
    expect((await client.bank.totalSupply()).supply.length).to.equal(1);
    expect((await client.bank.denomMetadata(DENOM)).symbol).to.equal('PHI');
    expect((await client.bank.denomsMetadata()).length).to.equal(1);
    expect((await bank.DenomOwners({ denom: DENOM })).denomOwners.length).to.equal(4);
    expect((await bank.SpendableBalances({ address: bob.address })).balances.length).to.equal(1);
    expect((await bank.Params({})).params.defaultSendEnabled).to.equal(true);
    const past = await query(1).bank.Balance({ address: alice.address, denom: DENOM });
    expect(past.balance?.amount).to.equal(String(RICH));
    await query(99)
      .bank.Params({})
      .then(
        () => expect.fail('no height 99'),
        (error: unknown) => expect(String(error)).to.include('height in the future: 99'),
      );
  });

  it('simulates what CosmJS sends for fee "auto", and changes nothing', async () => {
    const { client } = query();
    const before = world.store.appHash;
    const { typeUrl, value } = putMessage(alice.address, 'x'.repeat(200));
    const publicKey = {
      type: 'tendermint/PubKeySecp256k1',
      value: Buffer.from(alice.pubkey).toString('base64'),
    };
    const any = { typeUrl, value: alice.direct.registry.encode({ typeUrl, value }) };
    const { gasInfo } = await client.tx.simulate([any], '', publicKey, 1);
    const gas = Number(gasInfo?.gasUsed ?? 0n);
    expect(gas).to.be.greaterThan(10_000);
    const signed = await sign({
      from: alice,
      messages: [putMessage(alice.address, 'x'.repeat(200))],
      sequence: 1,
      gas: Math.ceil(gas * 1.02),
    });
    expect(world.store.appHash).to.deep.equal(before);
    const { txResults } = await world.block(signed);
    expect(txResults[0]).to.include({ code: 0 });
  });

  it('answers code 6 for other services, and JSON of a transaction', async () => {
    const ask = (path: string, data: Uint8Array): Promise<QueryResponse> =>
      world.ledger.query({ path, data, height: 0, prove: false });
    expect(await ask('/cosmos.staking.v1beta1.Query/Params', new Uint8Array(0))).to.include({
      code: 6,
      codespace: 'sdk',
    });
    const answer = await ask('/tx/decode', tx);
    const json = JSON.parse(fromUtf8(answer.value) ?? '') as Record<string, unknown>;
    expect(json['hash']).to.equal(Buffer.from(sha256(tx)).toString('hex').toUpperCase());
    expect(json['signers']).to.deep.equal([alice.address]);
    expect(json['messages']).to.deep.equal([
      {
        typeUrl: '/cosmos.bank.v1beta1.MsgSend',
        module: 'bank',
        signers: [alice.address],
        value: {
          from_address: alice.address,
          to_address: bob.address,
          amount: [{ denom: DENOM, amount: '5' }],
        },
      },
    ]);
    expect(await ask('/tx/decode', Uint8Array.of(1))).to.include({ code: 2, codespace: 'sdk' });
    expect(await ask('/cosmos.bank.v1beta1.Query/Balance', Uint8Array.of(255))).to.include({
      codespace: 'sdk',
    });
    expect(TxRaw.decode(tx).signatures.length).to.equal(1);
  });
});
