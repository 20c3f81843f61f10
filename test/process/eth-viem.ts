/**
 * Unmodified viem: deploys, calls, reads events, estimates, gets a reason of a revert, watches.
 *
 * @module
 */
import { expect } from 'chai';
import {
  type Abi,
  BaseError,
  ContractFunctionRevertedError,
  createPublicClient,
  createWalletClient,
  defineChain,
  type Hex,
  http,
  type PublicClient,
  webSocket,
} from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { present } from '../../node/src/base/errors.ts';
import { creationCode, abi as tokenAbi } from '../../node/src/gen/contracts/example-token.ts';
import type { EthNet } from './eth-net.ts';
import { until } from './support.ts';

const abi = tokenAbi as unknown as Abi;

function chainOf(net: EthNet) {
  return defineChain({
    id: present(net.devnet.summary.evmChainId, 'chain id'),
    name: 'ledger',
    nativeCurrency: { name: 'Phi', symbol: 'PHI', decimals: 18 },
    rpcUrls: { default: { http: [net.url], webSocket: [net.ws] } },
  });
}

/** The tests. */
export function viemTests(net: EthNet): void {
  const bob = () => net.account(1).evmAddress as Hex;
  let reader: PublicClient;
  let address: Hex;
  let write: (amount: bigint) => Promise<Hex>;

  before(async () => {
    const chain = chainOf(net);
    reader = createPublicClient({ chain, transport: http(), pollingInterval: 50 });
    const account = privateKeyToAccount(`0x${net.account(0).privateKey}`);
    const writer = createWalletClient({ account, chain, transport: http() });
    const args = [[account.address], 1_000n];
    const hash = await writer.deployContract({ abi, bytecode: creationCode as Hex, args });
    const receipt = await reader.waitForTransactionReceipt({ hash });
    address = present(receipt.contractAddress, 'address of the contract');
    write = (amount) =>
      writer.writeContract({ address, abi, functionName: 'transfer', args: [bob(), amount] });
  });

  it('deploys, calls, and reads events', async () => {
    const hash = await write(5n);
    const receipt = await reader.waitForTransactionReceipt({ hash });
    expect(receipt.status).to.equal('success');
    const read = { address, abi, functionName: 'balanceOf', args: [bob()] };
    expect(await reader.readContract(read)).to.equal(5n);
    const events = await reader.getContractEvents({
      address,
      abi,
      eventName: 'Transfer',
      fromBlock: receipt.blockNumber,
    });
    expect(events.map(({ transactionHash }) => transactionHash)).to.deep.equal([hash]);
    const block = await reader.getBlock({ blockNumber: receipt.blockNumber });
    expect(block.transactions).to.deep.equal([hash]);
  });

  it('estimates and gets the reason of a revert', async () => {
    const account = net.account(0).evmAddress as Hex;
    const call = { address, abi, functionName: 'transfer', account };
    const gas = await reader.estimateContractGas({ ...call, args: [bob(), 1n] });
    expect(Number(gas)).to.be.within(30_000, 60_000);
    const refused = await reader.simulateContract({ ...call, args: [bob(), 10n ** 30n] }).then(
      () => expect.fail('nothing was refused'),
      (thrown: unknown) => thrown,
    );
    const cause =
      refused instanceof BaseError
        ? refused.walk((one) => one instanceof ContractFunctionRevertedError)
        : undefined;
    const named = cause instanceof ContractFunctionRevertedError ? cause.data?.errorName : '';
    expect(named).to.equal('ERC20InsufficientBalance');
  });

  it('watches events and blocks over a WebSocket', async () => {
    const client = createPublicClient({ chain: chainOf(net), transport: webSocket() });
    const heard = { blocks: 0, amounts: [] as unknown[] };
    const endBlocks = client.watchBlockNumber({ onBlockNumber: () => heard.blocks++ });
    const endEvents = client.watchContractEvent({
      address,
      abi,
      eventName: 'Transfer',
      onLogs: (logs) => heard.amounts.push(...logs.map(({ data }) => BigInt(data))),
    });
    await until('a block', 5_000, () => heard.blocks > 0);
    await reader.waitForTransactionReceipt({ hash: await write(9n) });
    await until('an event', 5_000, () => heard.amounts.length > 0);
    expect(heard.amounts).to.deep.equal([9n]);
    endBlocks();
    endEvents();
    const { socketClient } = client.transport as unknown as {
      readonly socketClient?: { close(): void };
    };
    socketClient?.close();
    const rpc = await client.transport.getRpcClient();
    rpc.close();
  });
}
