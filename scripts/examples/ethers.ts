/**
 * Sends coins with ethers, and waits for the block.
 *
 * @module
 */
import { JsonRpcProvider, parseEther, Wallet } from 'ethers';

// As `metatron devnet` prints them: `evm`, and of two accounts in ~/.metatron/devnet/devnet.json
// the `privateKey` of one, 64 hex digits without 0x, and the `evmAddress` of the other.
const [evm, privateKey, receiver] = process.argv.slice(2);
if (evm === undefined || privateKey === undefined || receiver === undefined) {
  console.error('usage: npx node scripts/examples/ethers.ts EVM PRIVATE-KEY RECEIVER');
  process.exit(2);
}

const provider = new JsonRpcProvider(evm);
const alice = new Wallet(`0x${privateKey}`, provider);
const sent = await alice.sendTransaction({ to: receiver, value: parseEther('1') });
const receipt = await sent.wait();
console.log('paid 1 PHI in block', receipt?.blockNumber);
console.log('it has', await provider.getBalance(receiver));
provider.destroy();
