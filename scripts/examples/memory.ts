/**
 * Connects to a node, signs, writes a memory, reads it back and verifies its proof.
 *
 * @module
 */
import { DirectSecp256k1HdWallet, Registry } from '@cosmjs/proto-signing';
import { defaultRegistryTypes, GasPrice, SigningStargateClient } from '@cosmjs/stargate';
import { encodeBech32 } from '../../node/src/base/bech32.ts';
import { trustGenesis } from '../../node/src/client/chain.ts';
import { MemoryClient } from '../../node/src/client/memory-client.ts';
import { verifyProof } from '../../node/src/client/proof.ts';
import { memoryTypes } from '../../node/src/client/registry.ts';
import { httpRpc } from '../../node/src/client/rpc.ts';

// An account of the devnet: its `mnemonic` stands in ~/.metatron/devnet/devnet.json, under
// `accounts`; `rpc` is the address that `metatron devnet` prints.
const [rpc, mnemonic] = process.argv.slice(2);
if (rpc === undefined || mnemonic === undefined) {
  console.error('usage: npx node scripts/examples/memory.ts RPC "MNEMONIC"');
  process.exit(2);
}

const wallet = await DirectSecp256k1HdWallet.fromMnemonic(mnemonic, { prefix: 'metatron' });
const [account] = await wallet.getAccounts();
if (account === undefined) throw new RangeError('the wallet is empty');

const signer = await SigningStargateClient.connectWithSigner(rpc, wallet, {
  registry: new Registry([...defaultRegistryTypes, ...memoryTypes]),
  gasPrice: GasPrice.fromString('0aphi'),
  broadcastPollIntervalMs: 100,
});

const node = httpRpc(rpc);
const memory = new MemoryClient(node);
const written = await memory.put(signer, account.address, {
  key: 'door',
  content: 'the door code is 7',
  tags: ['home'],
});
console.log('written at height', written.height, 'as', written.id);

const read = await memory.get(written.id);
console.log('read:', read.text);

// The genesis is what you trust; take it from somewhere you trust, not from the node you check.
const genesis = ((await node('genesis', {})) as { genesis: unknown }).genesis;
const proven = verifyProof(await memory.proof(written.id), trustGenesis(genesis));
const author = encodeBech32('metatron', proven.entry.author);
console.log('proven at height', proven.provenHeight, 'by', author);
signer.disconnect();
