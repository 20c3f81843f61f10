/**
 * An organisation's own rules for a space of memories, on a running devnet:
 *
 *     npx hardhat run scripts/examples/policy.ts --network ledger
 *
 * It deploys contracts/examples/EditorialPolicy.sol, makes a space that asks it about every write,
 * sees writes refused, by a contract's call and by a signed memory, puts the authors on the list,
 * and sees the same writes allowed.
 *
 * @module
 */
import { DirectSecp256k1Wallet, Registry } from '@cosmjs/proto-signing';
import { defaultRegistryTypes, GasPrice, SigningStargateClient } from '@cosmjs/stargate';
import { network } from 'hardhat';
import { contracts, explained, refusalOf, refusalText } from '../../node/src/client/contracts.ts';
import { MemoryClient } from '../../node/src/client/memory-client.ts';
import { memoryTypes } from '../../node/src/client/registry.ts';
import { httpRpc } from '../../node/src/client/rpc.ts';
import { readDevnet } from '../../node/src/ops/devnet-home.ts';

const { ethers } = await network.create();
const [publisher] = await ethers.getSigners();
const devnet = readDevnet();
const agent = devnet.accounts[1];
if (publisher === undefined || agent === undefined)
  throw new RangeError('no accounts to sign with');

// The organisation deploys its policy, and makes a space that asks it.
const policy = await ethers.deployContract('EditorialPolicy', [4_096]);
await policy.waitForDeployment();
const abis = [policy.interface.formatJson()];
const { MemoryRules, Ledger } = contracts;
const rules = new ethers.Contract(MemoryRules.address, MemoryRules.abi, publisher);
const salt = ethers.hexlify(ethers.randomBytes(32));
const terms = [salt, 0, await policy.getAddress(), 100, 100_000];
const space = String(await rules.getFunction('createSpace').staticCall(...terms));
await (await rules.getFunction('createSpace').send(...terms)).wait();
console.log('policy', await policy.getAddress());
console.log('space', space);

// Its owner may write there, but is no editor: the policy's own error comes back.
const ledger = new ethers.Contract(Ledger.address, Ledger.abi, publisher);
const put = ledger.getFunction('put');
const entry = [space, 1, 'greeting', ethers.toUtf8Bytes('hello'), []];
try {
  await put.staticCall(...entry);
} catch (thrown) {
  const data = (thrown as { readonly data?: unknown }).data;
  const refusal = typeof data === 'string' ? refusalOf(data, abis) : undefined;
  if (refusal === undefined) throw thrown;
  console.log('refused', refusalText(refusal));
}

// On the list, the same write is done, and the ledger has it as a memory.
const setEditor = policy.getFunction('setEditor');
await (await setEditor.send(publisher.address, true)).wait();
const receipt = await (await put.send(...entry)).wait();
const requested = receipt?.logs.map((log) => ledger.interface.parseLog(log)).find(Boolean);
const memory = new MemoryClient(httpRpc(devnet.rpc));
const written = await memory.get(String(requested?.args['id']).slice(2));
console.log('allowed', written.text, 'at height', written.height);

// An agent that signs memories itself needs a grant, and meets the same policy.
await (await rules.getFunction('grant').send(space, agent.evmAddress, 2, 0)).wait();
const wallet = await DirectSecp256k1Wallet.fromKey(
  ethers.getBytes(`0x${agent.privateKey}`),
  'metatron',
);
const signer = await SigningStargateClient.connectWithSigner(devnet.rpc, wallet, {
  registry: new Registry([...defaultRegistryTypes, ...memoryTypes]),
  gasPrice: GasPrice.fromString('0aphi'),
  broadcastPollIntervalMs: 100,
});
const draft = { space: space.slice(2), key: 'news', content: 'the door code changed' };
try {
  await memory.put(signer, agent.address, draft);
} catch (thrown) {
  if (!(thrown instanceof Error) || !thrown.message.includes('PolicyRefused')) throw thrown;
  console.log('refused', explained(thrown.message, abis));
}
await (await setEditor.send(agent.evmAddress, true)).wait();
const { id, height } = await memory.put(signer, agent.address, draft);
console.log('allowed', (await memory.get(id)).text, 'at height', height);
signer.disconnect();
