/**
 * `metatron tx`: what can never be sent is wrong usage, before any node is asked.
 *
 * @module
 */
import { expect } from 'chai';
import { registerTx } from '../../node/src/cli/tx.ts';
import { accountFromKey } from '../../node/src/ops/accounts.ts';
import { parseCoins } from '../../node/src/ops/coins.ts';
import { runCommand } from './run.ts';

const BOB = accountFromKey('bob', '22'.repeat(32), 'metatron').address;
/** Nobody listens there: what reaches it ends in another error. */
const NOWHERE = ['--node', 'http://127.0.0.1:9', '--keys', '/nowhere', '--devnet-home', '/nowhere'];

describe('tx', () => {
  it('refuses what can never be sent', async () => {
    const send = (...args: readonly string[]) => ['send', ...args, '--from', 'alice', ...NOWHERE];
    const at = ['--node', 'http://127.0.0.1:9'];
    const table: readonly (readonly [args: readonly string[], says: RegExp])[] = [
      [send('foo', '1aphi'), /the receiver: "foo" is no address; one looks like metatron1/],
      [send(BOB, 'much'), /"much" is no amount of coins, such as 1000aphi/],
      [send(BOB, ''), /say what to send/],
      [send(BOB, '1aphi', '--fee', 'x'), /"x" is no amount of coins/],
      [['broadcast', 'zz%', ...at], /the transaction is not base64; name its form/],
      [['broadcast', 'zz', '--encoding', 'hex', ...at], /the transaction is not hex/],
      [['broadcast', '@/nowhere/at/all', ...at], /the transaction: .*all does not exist/],
    ];
    for (const [args, says] of table) {
      const done = await runCommand(registerTx, ['tx', ...args]);
      expect([done.code, done.stdout], done.stderr).to.deep.equal([2, '']);
      expect(done.stderr).to.match(says);
    }
    const sound = await runCommand(registerTx, ['tx', ...send(BOB, '1aphi')]);
    expect(sound.code).to.equal(1);
    expect(sound.stderr).to.contain('cannot reach');
  });

  it('reads coins', () => {
    expect(parseCoins('')).to.deep.equal([]);
    expect(parseCoins('007aphi, 5ibc/AB12')).to.deep.equal([
      { amount: '7', denom: 'aphi' },
      { amount: '5', denom: 'ibc/AB12' },
    ]);
    const most = (1n << 256n) - 1n;
    expect(parseCoins(`${most}aphi`)).to.deep.equal([{ amount: String(most), denom: 'aphi' }]);
    for (const bad of ['aphi', '1', '-1aphi', '1.5aphi', '1aphi,', '1 a', `${most + 1n}aphi`]) {
      expect(() => parseCoins(bad), bad).to.throw('is no amount of coins');
    }
  });
});
