/**
 * Unmodified ethers 6: contracts, events, estimates, reasons of reverts, subscriptions, kinds of
 * transactions, nonces.
 *
 * @module
 */
import { expect } from 'chai';
import {
  type BaseContract,
  Contract,
  ContractFactory,
  type ContractTransactionResponse,
  isCallException,
  isError,
  type TransactionReceipt,
  Wallet,
  WebSocketProvider,
} from 'ethers';
import { present } from '../../node/src/base/errors.ts';
import { abi, creationCode } from '../../node/src/gen/contracts/example-token.ts';
import type { EthNet } from './eth-net.ts';
import { until } from './support.ts';

type Token = BaseContract & {
  balanceOf(owner: string): Promise<bigint>;
  transfer: {
    (to: string, amount: bigint): Promise<ContractTransactionResponse>;
    estimateGas(to: string, amount: bigint): Promise<bigint>;
    staticCall(to: string, amount: bigint): Promise<boolean>;
  };
};

async function refusalOf(promise: Promise<unknown>): Promise<unknown> {
  return await promise.then(
    () => expect.fail('nothing was refused'),
    (thrown: unknown) => thrown,
  );
}

function mined(receipt: TransactionReceipt | null): TransactionReceipt {
  return present(receipt, 'receipt');
}

/** The tests. */
export function ethersTests(net: EthNet): void {
  let token: Token;

  before(async () => {
    const alice = net.wallet(0);
    const factory = new ContractFactory([...abi], creationCode, alice);
    const made = await factory.deploy([alice.address], 1_000n);
    await made.waitForDeployment();
    token = new Contract(await made.getAddress(), [...abi], alice) as unknown as Token;
  });

  it('deploys an OpenZeppelin ERC-20, calls it and reads its events', async () => {
    const [alice, bob] = [net.wallet(0), net.account(1).evmAddress];
    const sent = await token.transfer(bob, 5n);
    const receipt = mined(await sent.wait());
    expect([receipt.status, receipt.logs.length]).to.deep.equal([1, 1]);
    expect(await token.balanceOf(alice.address)).to.equal(995n);
    expect(await token.balanceOf(bob)).to.equal(5n);
    const transfers = token.filters['Transfer'];
    const events = await token.queryFilter(present(transfers, 'filter')(alice.address, bob), 0);
    expect(events.map(({ transactionHash }) => transactionHash)).to.deep.equal([sent.hash]);
    const block = present(await net.provider.getBlock(receipt.blockNumber, true), 'block');
    expect(block.prefetchedTransactions.map(({ hash }) => hash)).to.deep.equal([sent.hash]);
    expect((await net.provider.getTransaction(sent.hash))?.from).to.equal(alice.address);
    // The state of the block before is kept.
    const before = { blockTag: receipt.blockNumber - 1 };
    expect(await token.getFunction('balanceOf')(bob, before)).to.equal(0n);
  });

  it('estimates gas that suffices, and little more', async () => {
    const bob = net.account(1).evmAddress;
    const gas = await token.transfer.estimateGas(bob, 1n);
    const sent = await token.getFunction('transfer')(bob, 1n, { gasLimit: gas });
    const { gasUsed, status } = mined(await sent.wait());
    expect(status).to.equal(1);
    expect(Number(gas)).to.be.within(Number(gasUsed), Number(gasUsed) * 1.05);
  });

  it('tells the reason of a revert', async () => {
    const refusal = await refusalOf(
      token.transfer.staticCall(net.account(1).evmAddress, 10n ** 30n),
    );
    expect(isCallException(refusal) && refusal.revert?.name).to.equal('ERC20InsufficientBalance');
    const sent = await token.getFunction('transfer')(net.account(1).evmAddress, 10n ** 30n, {
      gasLimit: 100_000,
    });
    const failed = await refusalOf(sent.wait());
    expect(isCallException(failed) && failed.receipt?.status).to.equal(0);
  });

  it('subscribes to blocks, events and pending transactions', async () => {
    const provider = new WebSocketProvider(net.ws);
    const heard = { blocks: 0, transfers: [] as bigint[], pending: new Set<string>() };
    await provider.on('block', () => heard.blocks++);
    await provider.on('pending', (hash: string) => heard.pending.add(hash));
    const live = token.connect(provider) as Token;
    await live.on('Transfer', (_from: string, _to: string, amount: bigint) => {
      heard.transfers.push(amount);
    });
    await provider.getBlockNumber();
    const sent = await token.transfer(net.account(1).evmAddress, 7n);
    await sent.wait();
    await until('events', 5_000, () => heard.transfers.length > 0 && heard.blocks > 0);
    expect(heard.transfers).to.deep.equal([7n]);
    await until('a pending one', 5_000, () => heard.pending.has(sent.hash));
    await provider.destroy();
  });

  it('sends every kind of transaction', async () => {
    const dave = net.wallet(3);
    const to = Wallet.createRandom().address;
    const access = [{ address: await token.getAddress(), storageKeys: [] }];
    const authorization = await dave.authorize({
      address: await token.getAddress(),
      nonce: (await dave.getNonce()) + 4,
    });
    const fees = { maxFeePerGas: 1n, maxPriorityFeePerGas: 0n };
    const kinds = [
      { type: 0, gasPrice: 0n },
      { type: 1, gasPrice: 0n, accessList: access },
      { type: 2, ...fees, accessList: access },
      { type: 4, ...fees, authorizationList: [authorization] },
    ];
    for (const kind of kinds) {
      const sent = await dave.sendTransaction({ to, value: 1n, gasLimit: 100_000, ...kind });
      const receipt = mined(await sent.wait());
      expect([receipt.type, receipt.status], `type ${kind.type}`).to.deep.equal([kind.type, 1]);
      const found = present(await net.provider.getTransaction(sent.hash), 'transaction');
      expect([found.type, found.from, found.nonce]).to.deep.equal([
        kind.type,
        dave.address,
        sent.nonce,
      ]);
    }
    expect(await net.provider.getBalance(to)).to.equal(4n);
    const code = await net.provider.getCode(dave.address);
    expect(code).to.equal(`0xef0100${(await token.getAddress()).slice(2).toLowerCase()}`);
  });

  it('refuses as geth does: nonces, funds, repeats, replacements', async () => {
    const bob = net.wallet(1);
    const to = net.account(0).evmAddress;
    const first = await bob.sendTransaction({ to, value: 1n, gasLimit: 21_000 });
    await first.wait();
    const again = { to, value: 2n, nonce: first.nonce, gasLimit: 21_000 };
    const low = await refusalOf(bob.sendTransaction(again));
    expect(isError(low, 'NONCE_EXPIRED'), String(low)).to.equal(true);
    const poor = new Wallet(Wallet.createRandom().privateKey, net.provider);
    const broke = await refusalOf(poor.sendTransaction({ to, value: 1n, gasLimit: 21_000 }));
    expect(isError(broke, 'INSUFFICIENT_FUNDS'), String(broke)).to.equal(true);
    const nonce = (await bob.getNonce()) + 1;
    const waits = await bob.sendTransaction({ to, nonce, gasLimit: 21_000, gasPrice: 10n });
    const cheap = await refusalOf(
      bob.sendTransaction({ to, nonce, gasLimit: 21_001, gasPrice: 10n }),
    );
    expect(isError(cheap, 'REPLACEMENT_UNDERPRICED'), String(cheap)).to.equal(true);
    expect((await net.provider.getTransaction(waits.hash))?.blockNumber).to.equal(null);
    expect(await net.result('txpool_status')).to.deep.equal({ pending: '0x0', queued: '0x1' });
    await bob.sendTransaction({ to, nonce: nonce - 1, gasLimit: 21_000, gasPrice: 10n });
    await waits.wait();
    expect(await bob.getNonce('pending')).to.equal(nonce + 1);
  });
}
