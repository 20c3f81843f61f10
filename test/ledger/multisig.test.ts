/**
 * Multisig accounts as CosmJS makes and signs them.
 *
 * @module
 */
import {
  createMultisigThresholdPubkey,
  encodeSecp256k1Pubkey,
  pubkeyToAddress,
} from '@cosmjs/amino';
import { encodePubkey } from '@cosmjs/proto-signing';
import { expect } from 'chai';
import {
  CompactBitArray,
  MultiSignature,
} from 'cosmjs-types/cosmos/crypto/multisig/v1beta1/multisig';
import { AuthInfo, TxRaw } from 'cosmjs-types/cosmos/tx/v1beta1/tx';
import { compareBytes } from '../../node/src/base/bytes.ts';
import { hash160 } from '../../node/src/base/hash.ts';
import {
  type Actor,
  appStateOf,
  CHAIN_ID,
  DENOM,
  PREFIX,
  sendMessage,
  theActors,
  World,
} from './world.ts';

describe('ledger: multisig', () => {
  const fee = { amount: [{ denom: DENOM, amount: '3' }], gas: '200000' };

  async function signedBy(
    signers: readonly Actor[],
    threshold: number,
  ): Promise<{ tx: Uint8Array; world: World }> {
    const actors = await theActors();
    const keys = actors.map((actor) => encodeSecp256k1Pubkey(actor.pubkey));
    const pubkey = createMultisigThresholdPubkey(keys, threshold);
    const address = pubkeyToAddress(pubkey, PREFIX);
    const world = await new World().start(appStateOf([address]));
    const messages = [sendMessage(address, (actors[0] as Actor).address, 9n)];
    const data = { accountNumber: 0n, sequence: 0, chainId: CHAIN_ID };
    // Keys of a CosmJS multisig stand in order of their addresses.
    const order = actors.toSorted((a, b) => compareBytes(hash160(a.pubkey), hash160(b.pubkey)));
    const signing = order.filter((actor) => signers.includes(actor));
    const raws = await Promise.all(
      signing.map((signer) => signer.amino.sign(signer.address, messages, fee, '', data)),
    );
    const bits = order.reduce((sum, a, i) => sum | (signers.includes(a) ? 0x80 >> i : 0), 0);
    const multi = {
      bitarray: CompactBitArray.fromPartial({
        extraBitsStored: order.length,
        elems: Uint8Array.of(bits),
      }),
      modeInfos: signing.map(() => ({ single: { mode: 127 } })),
    };
    const authInfo = AuthInfo.fromPartial({
      signerInfos: [{ publicKey: encodePubkey(pubkey), modeInfo: { multi }, sequence: 0n }],
      fee: { amount: fee.amount, gasLimit: BigInt(fee.gas) },
    });
    const signature = MultiSignature.fromPartial({
      signatures: raws.map((raw) => raw.signatures[0] as Uint8Array),
    });
    const tx = TxRaw.encode({
      bodyBytes: (raws[0] as TxRaw).bodyBytes,
      authInfoBytes: AuthInfo.encode(authInfo).finish(),
      signatures: [MultiSignature.encode(signature).finish()],
    }).finish();
    return { tx, world };
  }

  it('executes a transaction that the threshold of keys signed', async () => {
    const [alice, , carol] = (await theActors()) as [Actor, Actor, Actor];
    const { tx, world } = await signedBy([alice, carol], 2);
    const { txResults } = await world.block(tx);
    expect(txResults[0]).to.include({ code: 0, log: '' });
  });

  it('refuses one that fewer signed', async () => {
    const [alice] = (await theActors()) as [Actor, Actor, Actor];
    const { tx, world } = await signedBy([alice], 2);
    const { txResults } = await world.block(tx);
    expect(txResults[0]).to.include({ code: 4, codespace: 'sdk' });
  });
});
