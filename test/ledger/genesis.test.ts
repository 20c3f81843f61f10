/**
 * Genesis of an SDK chain: what is loaded, what is named as ignored, what is refused.
 *
 * @module
 */

import { expect } from 'chai';
import { encodeBech32 } from '../../node/src/base/bech32.ts';
import { utf8 } from '../../node/src/base/bytes.ts';
import { sha256 } from '../../node/src/base/hash.ts';
import type { Logger } from '../../node/src/base/logger.ts';
import { SILENT } from '../../node/src/base/logger.ts';
import { secp256k1Keys, verifySecp256k1 } from '../../node/src/crypto/secp256k1.ts';
import { PLACES } from '../../node/src/gen/contracts/system.ts';
import {
  getAccount,
  getAuthParams,
  nextAccountNumber,
} from '../../node/src/ledger/auth/accounts.ts';
import { getBalance, getSupply } from '../../node/src/ledger/bank/balances.ts';
import { getChain } from '../../node/src/ledger/chain.ts';
import { errors } from '../../node/src/ledger/genesis.ts';
import { Ledger } from '../../node/src/ledger/ledger.ts';
import { DEFAULT_PARAMS } from '../../node/src/types/params.ts';
import { refusedAs } from '../refusal.ts';
import { MemoryStore } from './memory-store.ts';

const id = (n: number): Uint8Array => sha256(Uint8Array.of(n)).subarray(0, 20);
const address = (n: number, prefix = 'cosmos'): string => encodeBech32(prefix, id(n));

async function load(appState: unknown): Promise<{ store: MemoryStore; ignored: string[] }> {
  const store = new MemoryStore();
  const ignored: string[] = [];
  const logger: Logger = {
    ...SILENT,
    warn: (_text, fields) => ignored.push(String(fields?.['part'])),
  };
  const ledger = new Ledger({ store, keys: secp256k1Keys, verifySecp256k1, logger });
  await ledger.initChain({
    time: 0n,
    chainId: 'c',
    params: DEFAULT_PARAMS,
    validators: [],
    appState: utf8(typeof appState === 'string' ? appState : JSON.stringify(appState)),
    initialHeight: 1,
  });
  const empty = new Uint8Array(0);
  await ledger.finalizeBlock({
    height: 1,
    time: 1n,
    misbehavior: [],
    nextValidatorsHash: empty,
    proposerAddress: empty,
    hash: empty,
    txs: [],
    decidedLastCommit: { round: 0, votes: [] },
  });
  await ledger.commit();
  return { store, ignored };
}

const account = (n: number, number: number): object => ({
  '@type': '/cosmos.auth.v1beta1.BaseAccount',
  address: address(n),
  pub_key: null,
  account_number: String(number),
  sequence: '3',
});

const SDK_GENESIS = {
  auth: {
    params: { max_memo_characters: '512' },
    accounts: [
      account(1, 4),
      {
        '@type': '/cosmos.auth.v1beta1.ModuleAccount',
        base_account: { address: address(2), account_number: '7', sequence: '0', pub_key: null },
        name: 'mint',
        permissions: ['minter'],
      },
      {
        '@type': '/cosmos.vesting.v1beta1.ContinuousVestingAccount',
        base_vesting_account: { base_account: { address: address(3), account_number: '2' } },
      },
    ],
  },
  bank: {
    params: { default_send_enabled: true },
    balances: [
      { address: address(1), coins: [{ denom: 'uatom', amount: '10' }] },
      {
        address: address(4),
        coins: [
          { denom: 'uatom', amount: '5' },
          { denom: 'uosmo', amount: '1' },
        ],
      },
    ],
    supply: [
      { denom: 'uatom', amount: '15' },
      { denom: 'uosmo', amount: '1' },
    ],
    denom_metadata: [],
    send_enabled: [{ denom: 'uatom', enabled: false }],
  },
  staking: { params: {} },
  genutil: { gen_txs: [] },
};

/** The ledger's contracts have accounts of their own. */
const CONTRACTS = PLACES.length;

describe('ledger: genesis', () => {
  it('loads auth and bank of an SDK genesis and names what it ignores', async () => {
    const { store, ignored } = await load(SDK_GENESIS);
    expect(getChain(store)).to.include({ prefix: 'cosmos', chainId: 'c' });
    expect(getAccount(store, id(1))).to.include({ number: 4, sequence: 3 });
    expect(getAccount(store, id(2))).to.deep.include({
      moduleName: 'mint',
      permissions: ['minter'],
    });
    expect(getAccount(store, id(4))?.number).to.equal(8);
    expect(nextAccountNumber(store)).to.equal(9 + CONTRACTS);
    expect(getAuthParams(store)).to.include({ maxMemoCharacters: 512, txSigLimit: 7 });
    expect(getBalance(store, id(4), 'uosmo')).to.equal(1n);
    expect(getSupply(store, 'uatom')).to.equal(15n);
    expect(ignored).to.deep.equal([
      `vesting schedule of ${address(3)}`,
      'bank.send_enabled',
      'staking',
      'genutil',
    ]);
  });

  it('loads a genesis without accounts, where only the contracts have numbers', async () => {
    const { store } = await load({});
    expect(nextAccountNumber(store)).to.equal(CONTRACTS);
    expect(getAuthParams(store)).to.include({ maxMemoCharacters: 256 });
  });

  it('takes the prefix from the genesis, else the default', async () => {
    const named = await load({ metatron: { bech32_prefix: 'agent' } });
    expect(getChain(named.store)?.prefix).to.equal('agent');
    expect(getChain((await load({})).store)?.prefix).to.equal('metatron');
  });

  for (const [what, appState] of Object.entries({
    'text that is not JSON': '{',
    'a parameter of 0': { auth: { params: { tx_sig_limit: '0' } } },
    'a supply that is not the sum': {
      bank: { balances: [], supply: [{ denom: 'uatom', amount: '1' }] },
    },
    'an account given twice': { auth: { accounts: [account(1, 0), account(1, 1)] } },
    'a balance that is not an amount': {
      bank: { balances: [{ address: address(1), coins: [{ denom: 'uatom', amount: '-1' }] }] },
    },
    'a key of an unknown type': {
      auth: { accounts: [{ ...account(1, 0), pub_key: { '@type': '/x' } }] },
    },
  })) {
    it(`refuses ${what}`, async () => {
      await refusedAs(() => load(appState), errors.BadGenesis);
    });
  }
});
