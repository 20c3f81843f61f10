/**
 * Sends coins with viem, and waits for the block.
 *
 * @module
 */
import { createPublicClient, createWalletClient, defineChain, http, parseEther } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';

// As `metatron devnet` prints them; a `privateKey` has 64 hex digits without 0x.
const [evm, privateKey, receiver] = process.argv.slice(2);
if (evm === undefined || privateKey === undefined || !receiver?.startsWith('0x')) {
  console.error('usage: npx node scripts/examples/viem.ts EVM PRIVATE-KEY RECEIVER');
  process.exit(2);
}

const transport = http(evm);
const chain = defineChain({
  id: await createPublicClient({ transport }).getChainId(),
  name: 'Metatron Ledger',
  nativeCurrency: { name: 'Phi', symbol: 'PHI', decimals: 18 },
  rpcUrls: { default: { http: [evm] } },
});
const reader = createPublicClient({ chain, transport, pollingInterval: 100 });
const account = privateKeyToAccount(`0x${privateKey}`);
const writer = createWalletClient({ account, chain, transport });

const to = receiver as `0x${string}`;
const hash = await writer.sendTransaction({ to, value: parseEther('1') });
const receipt = await reader.waitForTransactionReceipt({ hash });
console.log('paid 1 PHI in block', Number(receipt.blockNumber));
console.log('it has', await reader.getBalance({ address: to }));
