/**
 * A threshold multisig account as CosmJS makes it (`makeMultisignedTx`), on a running network.
 *
 * @module
 */
import {
  createMultisigThresholdPubkey,
  encodeSecp256k1Pubkey,
  makeCosmoshubPath,
  pubkeyToAddress,
  Secp256k1HdWallet,
} from '@cosmjs/amino';
import { type EncodeObject, Registry } from '@cosmjs/proto-signing';
import {
  AminoTypes,
  calculateFee,
  createDefaultAminoConverters,
  defaultRegistryTypes,
  GasPrice,
  makeMultisignedTx,
  type SignerData,
  SigningStargateClient,
} from '@cosmjs/stargate';
import { expect } from 'chai';
import { TxRaw } from 'cosmjs-types/cosmos/tx/v1beta1/tx';
import { present } from '../../node/src/base/errors.ts';
import { putMessage } from '../../node/src/client/memory-client.ts';
import { memoryAminoConverters, memoryTypes } from '../../node/src/client/registry.ts';
import { type ClientNet, DENOM, PREFIX, sendMessage } from './clients-net.ts';

const MEMBERS = 5;
const THRESHOLD = 3;
const FEE = calculateFee(400_000, GasPrice.fromString(`0.025${DENOM}`));

/** What members signed. */
type Signed = { readonly bodyBytes: Uint8Array; readonly signatures: Map<string, Uint8Array> };

/** Keys of one wallet that own an account together. */
async function multisigOf(mnemonic: string) {
  const hdPaths = Array.from({ length: MEMBERS }, (_, i) => makeCosmoshubPath(i + 10));
  const wallet = await Secp256k1HdWallet.fromMnemonic(mnemonic, { prefix: PREFIX, hdPaths });
  const members = await wallet.getAccounts();
  const keys = members.map(({ pubkey }) => encodeSecp256k1Pubkey(pubkey));
  const pubkey = createMultisigThresholdPubkey(keys, THRESHOLD);
  const client = await SigningStargateClient.offline(wallet, {
    registry: new Registry([...defaultRegistryTypes, ...memoryTypes]),
    aminoTypes: new AminoTypes({ ...createDefaultAminoConverters(), ...memoryAminoConverters }),
  });
  const sign = async (
    who: readonly number[],
    messages: readonly EncodeObject[],
    data: SignerData,
  ): Promise<Signed> => {
    const signatures = new Map<string, Uint8Array>();
    let bodyBytes = new Uint8Array(0);
    for (const { address } of who.map((i) => present(members[i], `member ${i}`))) {
      const raw = await client.sign(address, messages, FEE, 'three of five', data);
      bodyBytes = Uint8Array.from(raw.bodyBytes);
      signatures.set(address, present(raw.signatures[0], 'signature'));
    }
    return { bodyBytes, signatures };
  };
  return { pubkey, address: pubkeyToAddress(pubkey, PREFIX), sign };
}

/** What a multisig account may do. */
export function multisigTests(net: ClientNet): void {
  it('sends coins and writes memories when enough members signed', async () => {
    const { pubkey, address, sign } = await multisigOf(net.account('carol').mnemonic);
    const funder = await net.signer('carol');
    const carol = net.account('carol').address;
    const coins = [{ denom: DENOM, amount: '1000000' }];
    const funded = await funder.sendTokens(carol, address, coins, 'auto');
    expect(funded.code, funded.rawLog).to.equal(0);
    const { accountNumber } = await funder.getSequence(address);
    const to = net.account('dave').address;
    const messages = (key: string): EncodeObject[] => [
      sendMessage(address, to, '7'),
      putMessage(address, { content: `decided by ${key}`, key, expectedVersion: 0 }),
    ];
    for (const [sequence, who] of [
      [0, 1, 3],
      [1, 2, 4],
    ].entries()) {
      const data = { accountNumber, sequence, chainId: net.chainId };
      const { bodyBytes, signatures } = await sign(who, messages(`k${sequence}`), data);
      const tx = makeMultisignedTx(pubkey, sequence, FEE, bodyBytes, signatures);
      const done = await funder.broadcastTx(TxRaw.encode(tx).finish());
      expect(done.code, done.rawLog).to.equal(0);
      expect(done.events.map(({ type }) => type)).to.include.members(['transfer', 'memory_put']);
    }
    const account = await funder.getAccount(address);
    expect(account).to.deep.equal({ address, pubkey, accountNumber, sequence: 2 });
  });

  it('is refused when too few signed, or one signed something else', async () => {
    const { pubkey, address, sign } = await multisigOf(net.account('carol').mnemonic);
    const client = await net.signer('carol');
    const { accountNumber, sequence } = await client.getSequence(address);
    const data = { accountNumber, sequence, chainId: net.chainId };
    const one = [sendMessage(address, net.account('dave').address, '7')];
    const other = [sendMessage(address, net.account('dave').address, '8')];
    const few = await sign([0, 1], one, data);
    const odd = await sign([2], other, data);
    const mixed = new Map([...few.signatures, ...odd.signatures]);
    for (const signatures of [few.signatures, mixed]) {
      const tx = makeMultisignedTx(pubkey, sequence, FEE, few.bodyBytes, signatures);
      const refused = await client.broadcastTxSync(TxRaw.encode(tx).finish()).catch(String);
      expect(refused).to.match(/code: 4|unauthorized|signature/i);
    }
  });
}
