/**
 * `metatron init`: accounts of a new chain, what is said of the next step, and wrong usage.
 *
 * @module
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { encodeBech32 } from '../../node/src/base/bech32.ts';
import { utf8 } from '../../node/src/base/bytes.ts';
import { registerInit } from '../../node/src/cli/init.ts';
import { secp256k1Keys } from '../../node/src/crypto/secp256k1.ts';
import { Ledger } from '../../node/src/ledger/ledger.ts';
import { accountFromKey } from '../../node/src/ops/accounts.ts';
import { homePaths } from '../../node/src/ops/home.ts';
import { saveAccount } from '../../node/src/ops/keystore.ts';
import { DEFAULT_PARAMS } from '../../node/src/types/params.ts';
import { MemoryStore } from '../ledger/memory-store.ts';
import { type Done, runCommand } from './run.ts';

const ALICE = accountFromKey('alice', '11'.repeat(32), 'metatron');
const BOB = accountFromKey('bob', '22'.repeat(32), 'metatron').address;
const OTHER = accountFromKey('other', '33'.repeat(32), 'cosmos').address;

describe('init', () => {
  let folder = '';
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'metatron-init-'));
    await saveAccount(join(folder, 'keys'), ALICE, 'a passphrase');
  });
  after(() => rmSync(folder, { recursive: true }));

  const init = (name: string, ...more: readonly string[]): Promise<Done> => {
    const fixed = ['init', '--home', join(folder, name), '--keys', join(folder, 'keys')];
    return runCommand(registerInit, [...fixed, ...more]);
  };
  const bank = (name: string): unknown => {
    const { genesis } = homePaths(join(folder, name));
    const { app_state: state } = JSON.parse(readFileSync(genesis, 'utf8')) as {
      app_state: { bank: { balances: unknown } };
    };
    return state.bank.balances;
  };

  it('gives coins to addresses and keys, in a genesis that the ledger takes', async () => {
    const args = ['--account', 'alice', '--account', `${BOB}:7uatom,5aphi`];
    const done = await init('funded', ...args, '--json');
    expect(done.code, done.stderr).to.equal(0);
    expect(JSON.parse(done.stdout)).to.deep.include({ accounts: [ALICE.address, BOB] });
    expect(bank('funded')).to.deep.equal([
      { address: ALICE.address, coins: [{ denom: 'aphi', amount: String(10n ** 24n) }] },
      {
        address: BOB,
        coins: [
          { denom: 'aphi', amount: '5' },
          { denom: 'uatom', amount: '7' },
        ],
      },
    ]);
    const text = readFileSync(homePaths(join(folder, 'funded')).genesis, 'utf8');
    const { app_state: state } = JSON.parse(text) as { app_state: object };
    const ledger = new Ledger({
      store: new MemoryStore(),
      keys: secp256k1Keys,
      verifySecp256k1: () => true,
    });
    await ledger.initChain({
      time: 0n,
      chainId: 'c',
      params: DEFAULT_PARAMS,
      validators: [],
      appState: utf8(JSON.stringify(state)),
      initialHeight: 1,
    });
  });

  it('gives coins to 0x addresses: of a key to its account, else where they are', async () => {
    const args = ['--account', ALICE.evmAddress, '--account', `0x${'ab'.repeat(20)}`];
    const done = await init('faces', ...args, '--json');
    expect(done.code, done.stderr).to.equal(0);
    const face = encodeBech32('metatron', new Uint8Array(20).fill(0xab));
    expect(JSON.parse(done.stdout)).to.deep.include({ accounts: [ALICE.address, face] });
  });

  it('says what comes next', async () => {
    const home = join(folder, 'next');
    const funded = await init('next', '--account', 'alice');
    expect(funded.stdout).to.contain(`metatron start --home ${home}`);
    expect(funded.stdout).to.match(/metatron memory put .* --from alice --fee \d+aphi/);
    const poor = await init('poor');
    expect(poor.stdout).to.contain('nobody can write').and.to.contain('metatron keys add');
    expect(poor.stdout).to.contain('--account NAME');
    const kv = await init('kv', '--app', 'kvstore');
    expect(kv.stdout).to.contain('metatron tx broadcast --encoding text');
    const joined = await init('joined', '--genesis', homePaths(home).genesis);
    expect(joined.code, joined.stderr).to.equal(0);
    expect(joined.stdout).to.contain('persistentPeers');
  });

  it('refuses wrong usage with a sentence, and makes nothing', async () => {
    const { genesis, nodeKey } = homePaths(join(folder, 'base'));
    await init('base', '--chain-id', 'chain-1');
    const table: readonly (readonly [args: readonly string[], says: RegExp])[] = [
      [['--account', 'nobody'], /--account .*"nobody" is no address.*metatron1/],
      [['--account', 'alice:'], /say how much, such as alice:1000aphi/],
      [['--account', 'alice:much'], /"much" is no amount of coins/],
      [['--account', 'alice', '--account', ALICE.address], /twice/],
      [['--account', 'alice', '--account', OTHER], /same prefix/],
      [['--account', 'alice', '--app', 'kvstore'], /kvstore has no accounts/],
      [['--account', 'alice', '--genesis', genesis], /goes with a new chain/],
      [['--genesis', process.execPath], /is no genesis document.*genesis\.json/],
      [['--genesis', nodeKey], /is no genesis document \(genesis_time is not a string\)/],
      [['--genesis', join(folder, 'none')], /none does not exist/],
      [['--genesis', folder], /is a folder, not a file/],
      [['--genesis', genesis, '--chain-id', 'x'], /--chain-id x: the genesis is of chain chain-1/],
    ];
    for (const [args, says] of table) {
      const done = await init('refused', ...args);
      expect([done.code, done.stdout], done.stderr).to.deep.equal([2, '']);
      expect(done.stderr).to.match(says);
      expect(existsSync(join(folder, 'refused'))).to.equal(false);
    }
  });
});
