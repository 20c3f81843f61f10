/**
 * A chain for tests: CosmJS wallets with money, a ledger, and blocks made by hand.
 *
 * @module
 */

import { Secp256k1HdWallet } from '@cosmjs/amino';
import { DirectSecp256k1HdWallet, Registry } from '@cosmjs/proto-signing';
import {
  AminoTypes,
  createDefaultAminoConverters,
  defaultRegistryTypes,
  SigningStargateClient,
} from '@cosmjs/stargate';
import { TxRaw } from 'cosmjs-types/cosmos/tx/v1beta1/tx';
import { u64be, utf8 } from '../../node/src/base/bytes.ts';
import { sha256 } from '../../node/src/base/hash.ts';
import { memoryAminoConverters, memoryTypes } from '../../node/src/client/registry.ts';
import { secp256k1Keys, verifySecp256k1 } from '../../node/src/crypto/secp256k1.ts';
import { MsgPut } from '../../node/src/gen/metatron/memory/v1/tx.ts';
import { Ledger, type LedgerOptions } from '../../node/src/ledger/ledger.ts';
import type { StateStore } from '../../node/src/ledger/store.ts';
import { MSG_PUT_URL } from '../../node/src/types/memory.ts';
import { DEFAULT_PARAMS } from '../../node/src/types/params.ts';
import type { FinalizeBlockResponse } from '../../node/src/types/results.ts';
import { MemoryStore } from './memory-store.ts';

export const CHAIN_ID = 'ledger-test';
export const PREFIX = 'metatron';
export const DENOM = 'aphi';
export const RICH: bigint = 10n ** 24n;

const MNEMONICS: readonly string[] = [
  [
    'economy stock theory fatal elder harbor betray wasp',
    'final emotion task crumble siren bottom lizard educate',
    'guess current outdoor pair theory focus wife stone',
  ].join(' '),
  'enlist hip relief stomach skate base shallow young switch frequent cry park',
  [
    'race draft rival universe maid cheese steel logic',
    'crowd fork comic easy truth drift tomorrow eye',
    'buddy head time cash swing swift midnight borrow',
  ].join(' '),
];

/** One account and its ways of signing. */
export type Actor = {
  readonly address: string;
  readonly number: number;
  readonly direct: SigningStargateClient;
  readonly amino: SigningStargateClient;
  readonly pubkey: Uint8Array;
};

const registry = new Registry([...defaultRegistryTypes, ...memoryTypes]);
const aminoTypes = new AminoTypes({
  ...createDefaultAminoConverters(),
  ...memoryAminoConverters,
});

async function makeActors(): Promise<readonly Actor[]> {
  const options = { registry, aminoTypes };
  return await Promise.all(
    MNEMONICS.map(async (mnemonic, number) => {
      const wallet = await DirectSecp256k1HdWallet.fromMnemonic(mnemonic, { prefix: PREFIX });
      const aminoWallet = await Secp256k1HdWallet.fromMnemonic(mnemonic, { prefix: PREFIX });
      const [account] = await wallet.getAccounts();
      if (account === undefined) throw new TypeError('no account');
      return {
        address: account.address,
        number,
        pubkey: account.pubkey,
        direct: await SigningStargateClient.offline(wallet, options),
        amino: await SigningStargateClient.offline(aminoWallet, options),
      };
    }),
  );
}

let actors: Promise<readonly Actor[]> | undefined;

/** The test accounts; derived once, because derivation is slow on purpose. */
export function theActors(): Promise<readonly Actor[]> {
  actors ??= makeActors();
  return actors;
}

/** app_state that gives each address `RICH`. */
export function appStateOf(addresses: readonly string[]): object {
  return {
    auth: {
      accounts: addresses.map((address, i) => ({
        '@type': '/cosmos.auth.v1beta1.BaseAccount',
        address,
        pub_key: null,
        account_number: String(i),
        sequence: '0',
      })),
    },
    bank: {
      balances: addresses.map((address) => ({
        address,
        coins: [{ denom: DENOM, amount: String(RICH) }],
      })),
      denom_metadata: [
        {
          description: 'The coin.',
          denom_units: [
            { denom: DENOM, exponent: 0, aliases: [] },
            { denom: 'phi', exponent: 18, aliases: [] },
          ],
          base: DENOM,
          display: 'phi',
          name: 'Phi',
          symbol: 'PHI',
        },
      ],
    },
  };
}

/** What to sign. */
export type Draft = {
  readonly from: Actor;
  readonly messages: readonly { readonly typeUrl: string; readonly value: unknown }[];
  readonly sequence: number;
  readonly fee?: bigint;
  readonly gas?: number;
  readonly memo?: string;
  readonly mode?: 'direct' | 'amino';
  readonly chainId?: string;
  readonly timeoutHeight?: bigint;
};

/** Signs by CosmJS, offline. */
export async function sign(draft: Draft): Promise<Uint8Array> {
  const { from, sequence, fee = 0n, gas = 1_000_000, memo = '' } = draft;
  const amount = fee === 0n ? [] : [{ denom: DENOM, amount: String(fee) }];
  const signer = {
    accountNumber: BigInt(from.number),
    sequence,
    chainId: draft.chainId ?? CHAIN_ID,
  };
  const client = draft.mode === 'amino' ? from.amino : from.direct;
  const raw = await client.sign(
    from.address,
    [...draft.messages],
    { amount, gas: String(gas) },
    memo,
    signer,
    draft.timeoutHeight,
  );
  return TxRaw.encode(raw).finish();
}

/** A message that sends coins. */
export function sendMessage(from: string, to: string, amount: bigint): Draft['messages'][number] {
  const value = {
    fromAddress: from,
    toAddress: to,
    amount: [{ denom: DENOM, amount: String(amount) }],
  };
  return { typeUrl: '/cosmos.bank.v1beta1.MsgSend', value };
}

/** A message that writes a memory. */
export function putMessage(
  author: string,
  content: string,
  more: Partial<MsgPut> = {},
): Draft['messages'][number] {
  const value = MsgPut.fromPartial({ author, type: 1, content: utf8(content), ...more });
  return { typeUrl: MSG_PUT_URL, value };
}

/** A ledger with its store, and the means to make blocks. */
export class World {
  readonly store: StateStore;
  readonly ledger: Ledger;
  height = 0;
  /** Consensus address of who proposes the blocks. */
  proposer: Uint8Array = new Uint8Array(0);

  constructor(
    store: StateStore = new MemoryStore(),
    minGasPrices = '',
    more: Partial<LedgerOptions> = {},
  ) {
    this.store = store;
    this.ledger = new Ledger({
      store,
      keys: secp256k1Keys,
      verifySecp256k1,
      blockHash: (height) => sha256(u64be(height)),
      minGasPrices,
      ...more,
    });
  }

  /** Starts the chain. */
  async start(appState?: object, maxGas = -1): Promise<this> {
    const state = appState ?? appStateOf((await theActors()).map((actor) => actor.address));
    await this.ledger.initChain({
      time: 0n,
      chainId: CHAIN_ID,
      params: { ...DEFAULT_PARAMS, block: { maxBytes: 22_020_096, maxGas } },
      validators: [],
      appState: utf8(JSON.stringify(state)),
      initialHeight: 1,
    });
    return this;
  }

  /** The block context of the next height. */
  context(): {
    height: number;
    time: bigint;
    misbehavior: [];
    nextValidatorsHash: Uint8Array;
    proposerAddress: Uint8Array;
    hash: Uint8Array;
  } {
    const empty = new Uint8Array(0);
    const height = this.height + 1;
    return {
      height,
      time: BigInt(height) * 1_000_000_000n,
      misbehavior: [],
      nextValidatorsHash: empty,
      proposerAddress: this.proposer,
      hash: sha256(u64be(height)),
    };
  }

  /** Executes and commits a block. */
  async block(...txs: readonly Uint8Array[]): Promise<FinalizeBlockResponse> {
    const result = await this.ledger.finalizeBlock({
      ...this.context(),
      txs,
      decidedLastCommit: { round: 0, votes: [] },
    });
    await this.ledger.commit();
    this.height++;
    return result;
  }

  /** Whether the next block may hold these transactions. */
  acceptable(...txs: readonly Uint8Array[]): Promise<boolean> {
    const proposedLastCommit = { round: 0, votes: [] };
    return this.ledger.processProposal({ ...this.context(), txs, proposedLastCommit });
  }

  /** Picks transactions for the next block. */
  propose(txs: readonly Uint8Array[], maxTxBytes = 1_000_000): Promise<readonly Uint8Array[]> {
    const localLastCommit = { round: 0, votes: [] };
    return this.ledger.prepareProposal({ ...this.context(), txs, maxTxBytes, localLastCommit });
  }
}
