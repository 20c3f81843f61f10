/**
 * Accounts and the encrypted keystore.
 *
 * @module
 */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DirectSecp256k1HdWallet } from '@cosmjs/proto-signing';
import { expect } from 'chai';
import {
  errors as accountErrors,
  accountFromKey,
  accountFromMnemonic,
  createAccount,
} from '../../node/src/ops/accounts.ts';
import {
  deleteAccount,
  errors,
  listAccounts,
  openAccount,
  saveAccount,
} from '../../node/src/ops/keystore.ts';
import { refusedAs } from '../refusal.ts';

const PASSPHRASE = 'correct horse';

describe('accounts', () => {
  it('derives what CosmJS derives', async () => {
    const account = createAccount('a', 'metatron');
    const wallet = await DirectSecp256k1HdWallet.fromMnemonic(account.mnemonic, {
      prefix: 'metatron',
    });
    const [first] = await wallet.getAccounts();
    expect(account.address).to.equal(first?.address);
    expect(accountFromKey('b', account.privateKey, 'metatron').address).to.equal(account.address);
  });

  it('knows the address of a published key', () => {
    // The first account of the mnemonic that Hardhat and Foundry publish.
    const phrase = 'test test test test test test test test test test test junk';
    const account = accountFromMnemonic('x', phrase, 'metatron', "m/44'/60'/0'/0/0");
    expect(account.evmAddress).to.equal('0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266');
  });

  it('refuses what is no key', async () => {
    await refusedAs(() => accountFromKey('a', '00', 'metatron'), accountErrors.BadPrivateKey);
    await refusedAs(
      () => accountFromKey('a', '00'.repeat(32), 'metatron'),
      accountErrors.BadPrivateKey,
    );
    await refusedAs(
      () => accountFromMnemonic('a', 'one two three', 'metatron'),
      accountErrors.BadMnemonic,
    );
  });
});

describe('keystore', () => {
  let folder = '';
  const account = createAccount('alice', 'metatron');
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'metatron-keys-'));
    await saveAccount(folder, account, PASSPHRASE);
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const file = (): string => join(folder, 'alice.json');

  it('gives back what was put in, for the passphrase only', async () => {
    expect(await openAccount(folder, 'alice', PASSPHRASE)).to.deep.equal(account);
    await refusedAs(() => openAccount(folder, 'alice', 'wrong horse'), errors.WrongPassphrase);
  });

  it('writes no secret and lets nobody else read', () => {
    const text = readFileSync(file(), 'utf8');
    expect(text).not.to.contain(account.privateKey);
    expect(text).not.to.contain(account.mnemonic.split(' ').slice(0, 3).join(' '));
    expect(statSync(file()).mode & 0o777).to.equal(0o600);
  });

  it('binds the addresses to the secret', async () => {
    const other = createAccount('alice', 'metatron');
    const text = readFileSync(file(), 'utf8');
    writeFileSync(file(), text.replace(account.address, other.address));
    await refusedAs(() => openAccount(folder, 'alice', PASSPHRASE), errors.WrongPassphrase);
  });

  it('keeps, lists and deletes by name', async () => {
    await refusedAs(() => saveAccount(folder, account, PASSPHRASE), errors.Exists);
    expect(listAccounts(folder).map((a) => a.address)).to.deep.equal([account.address]);
    deleteAccount(folder, 'alice');
    expect(listAccounts(folder)).to.deep.equal([]);
    await refusedAs(() => openAccount(folder, 'alice', PASSPHRASE), errors.Missing);
  });

  it('refuses names that leave the folder, short passphrases and damaged files', async () => {
    for (const name of ['../x', 'a/b', '', '.hidden', 'x'.repeat(65)]) {
      await refusedAs(() => saveAccount(folder, { ...account, name }, PASSPHRASE), errors.BadName);
    }
    const bob = { ...account, name: 'bob' };
    await refusedAs(() => saveAccount(folder, bob, 'short'), errors.Weak);
    writeFileSync(file(), '{"version":1}');
    await refusedAs(() => openAccount(folder, 'alice', PASSPHRASE), errors.Damaged);
  });
});
