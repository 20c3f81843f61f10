/**
 * Accounts at the command line by either address, before the real ledger.
 *
 * @module
 */
import { expect } from 'chai';
import { getAddress } from 'ethers';
import { registerMemory } from '../../node/src/cli/memory.ts';
import { registerQuery } from '../../node/src/cli/query.ts';
import { registerTx } from '../../node/src/cli/tx.ts';
import { createAccount } from '../../node/src/ops/accounts.ts';
import { checkAddress } from '../../node/src/ops/usage.ts';
import { LedgerNode } from './ledger-node.ts';
import type { Done } from './run.ts';

type Json = Readonly<Record<string, unknown>>;

function parsed(done: Done): Json {
  expect(done.code, done.stderr).to.equal(0);
  return JSON.parse(done.stdout) as Json;
}

describe('an account by its 0x address', () => {
  let node: LedgerNode;
  before(async () => {
    node = await LedgerNode.start('alice', 'bob', 'carol');
    // The chain sees the keys of these two.
    for (const from of ['alice', 'bob']) {
      await node.run(registerMemory, 'memory', 'put', `by ${from}`, '--key', 'k', '--from', from);
    }
  });
  after(() => node.stop());

  const memory = (...args: readonly string[]): Promise<Done> =>
    node.run(registerMemory, 'memory', ...args);
  const query = (...args: readonly string[]): Promise<Done> =>
    node.run(registerQuery, 'query', ...args);

  /** Makes a space of alice's. */
  async function space(): Promise<string> {
    return String(parsed(await memory('space', 'create', '--from', 'alice', '--json'))['space']);
  }

  async function grantsOf(id: string): Promise<readonly Json[]> {
    return parsed(await memory('space', 'show', id, '--json'))['grants'] as readonly Json[];
  }

  it('is read: balance, account, memories, proofs', async () => {
    const { address, evmAddress } = node.account('bob');
    for (const name of [evmAddress, evmAddress.toLowerCase(), address]) {
      const account = parsed(await query('account', name, '--json'));
      const own = { address, evmAddress: evmAddress.toLowerCase(), sequence: '1' };
      expect(account).to.include(own);
      const { balances } = parsed(await query('balance', name, '--json'));
      expect(balances).to.have.length(1);
      const { entries } = parsed(await memory('get', 'k', '--owner', name, '--json'));
      expect((entries as readonly Json[])[0]).to.include({ content: 'by bob', author: address });
      for (const args of [
        ['list', '--owner', name],
        ['history', 'k', '--owner', name],
      ]) {
        const { total } = parsed(await memory(...args, '--json'));
        expect(total).to.equal(1);
      }
      for (const of of [
        ['--listing', name],
        ['--owner', name, '--key', 'k'],
        ['--owner', name, '--key', 'none'],
      ]) {
        const done = await memory('proof', ...of);
        expect(done.code, done.stderr).to.equal(0);
      }
      const shown = parsed(await memory('space', 'show', name, '--json'));
      const both = { owner: address, ownerEvmAddress: evmAddress.toLowerCase() };
      expect(shown).to.include({ ...both, personal: true });
    }
  });

  it('is paid, whether the chain has seen its key or not', async () => {
    const { address, evmAddress } = node.account('bob');
    const before = parsed(await query('balance', address, '--json'));
    const send = (to: string): Promise<Done> =>
      node.run(registerTx, 'tx', 'send', to, '7aphi', '--from', 'alice');
    expect((await send(evmAddress)).code).to.equal(0);
    const after = parsed(await query('balance', address, '--json'));
    const amount = ({ balances }: Json): bigint =>
      BigInt(String((balances as readonly Json[])[0]?.['amount']));
    expect(amount(after) - amount(before)).to.equal(7n);
    const stranger = createAccount('stranger', 'metatron').evmAddress;
    expect((await send(stranger)).code).to.equal(0);
    const theirs = parsed(await query('balance', stranger, '--json'));
    expect(amount(theirs)).to.equal(7n);
  });

  it('is not found before its key was seen, and the user hears what to do', async () => {
    const { evmAddress } = node.account('carol');
    for (const command of ['account', 'balance']) {
      const done = await query(command, evmAddress);
      expect([done.code, done.stdout]).to.deep.equal([1, '']);
      expect(done.stderr).to.match(/knows nothing of 0x\w{40} yet: .*until then.*metatron1…/);
    }
    const none = await memory('list', '--owner', evmAddress);
    expect(none.stderr).to.contain(`${evmAddress} wrote nothing`);
  });

  it('is granted rights, which either address takes away', async () => {
    const id = await space();
    const { address, evmAddress } = node.account('bob');
    const grant = (subject: string, rights: string): Promise<Done> =>
      memory('space', 'grant', id, subject, '--rights', rights, '--from', 'alice');
    const revoke = (subject: string): Promise<Done> =>
      memory('space', 'revoke', id, subject, '--from', 'alice');
    const put = (): Promise<Done> => memory('put', 'x', '--space', id, '--from', 'bob');
    for (const [given, taken] of [
      [evmAddress, address],
      [address, evmAddress],
    ] as const) {
      expect((await put()).code).to.equal(1);
      expect((await grant(given, 'write')).code).to.equal(0);
      const own = { account: address, evmAddress: evmAddress.toLowerCase(), rights: 'write' };
      expect((await grantsOf(id))[0]).to.include(own);
      expect((await put()).code).to.equal(0);
      // Instead of those it had, under whichever address.
      expect((await grant(taken, 'read')).code).to.equal(0);
      expect((await grantsOf(id)).map(({ rights }) => rights)).to.deep.equal(['read']);
      expect((await put()).code).to.equal(1);
      expect((await grant(taken, 'write')).code).to.equal(0);
      expect((await revoke(given)).code).to.equal(0);
      expect(await grantsOf(id)).to.deep.equal([]);
    }
    const nothing = await revoke(evmAddress);
    expect(nothing.code).to.equal(1);
    expect(nothing.stderr).to.match(/0x\w{40} has no grant in the space to take away/);
    const shown = await memory('space', 'show', id);
    expect(shown.stdout).to.contain(id);
  });

  it('signs, by either address', async () => {
    const { address, evmAddress } = node.account('bob');
    for (const from of [address, evmAddress, evmAddress.toLowerCase()]) {
      const done = await memory('put', `as ${from}`, '--from', from);
      expect(done.code, done.stderr).to.equal(0);
    }
    const { total } = parsed(await memory('list', '--owner', address, '--json'));
    expect(total).to.equal(4);
  });

  it('is given a space', async () => {
    const id = await space();
    const { address, evmAddress } = node.account('bob');
    const given = await memory('space', 'transfer', id, evmAddress, '--from', 'alice');
    expect(given.code, given.stderr).to.equal(0);
    expect(parsed(await memory('space', 'show', id, '--json'))).to.include({ owner: address });
    const frozen = await memory('space', 'freeze', id, '--from', 'bob');
    expect(frozen.code, frozen.stderr).to.equal(0);
  });

  it('is refused where its checksum says that it is mistyped', () => {
    const right = getAddress(`0x${'ab'.repeat(20)}`);
    for (const text of [right, right.toLowerCase(), `0x${'AB'.repeat(20)}`]) {
      expect(checkAddress(text, 'x')).to.equal(text);
    }
    const wrong = right.replace(/[a-f]/, (digit) => digit.toUpperCase());
    const other = wrong === right ? right.replace(/[A-F]/, (d) => d.toLowerCase()) : wrong;
    expect(() => checkAddress(other, 'the receiver')).to.throw(/the receiver: 0x.* is mistyped/);
    expect(() => checkAddress('0xabcd', 'the receiver')).to.throw(/is no address/);
  });
});
