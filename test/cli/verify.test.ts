/**
 * `metatron verify`: a verdict about a proof is told from wrong usage.
 *
 * @module
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { registerVerify } from '../../node/src/cli/verify.ts';
import { initHome } from '../../node/src/ops/chain-home.ts';
import { homePaths } from '../../node/src/ops/home.ts';
import { runCommand } from './run.ts';

describe('verify', () => {
  let folder = '';
  let proof = '';
  let home = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'metatron-verify-'));
    proof = join(folder, 'x.proof');
    writeFileSync(proof, '{"format":"none"}');
    home = join(folder, 'home');
    const rest = { app: 'ledger', chainId: 'c', genesis: undefined, accounts: [] } as const;
    initHome({ home, moniker: 'm', now: 1_767_323_045_000_000_000n, ...rest });
  });
  after(() => rmSync(folder, { recursive: true }));

  it('prints the verdict on stdout with --json', async () => {
    const args = ['verify', proof, '--genesis', homePaths(home).genesis];
    const done = await runCommand(registerVerify, [...args, '--json']);
    expect(done.code).to.equal(1);
    const reason = 'the proof is malformed: format';
    expect(JSON.parse(done.stdout)).to.deep.equal({ valid: false, reason });
    expect(done.stderr).to.contain(reason);
    const plain = await runCommand(registerVerify, args);
    expect([plain.code, plain.stdout]).to.deep.equal([1, '']);
  });

  it('tells wrong usage from a false proof', async () => {
    const { genesis, nodeKey } = homePaths(home);
    const table: readonly (readonly [args: readonly string[], says: RegExp])[] = [
      [[proof], /say what to trust: --genesis FILE/],
      [[proof, '--chain-id', 'c', '--validators-hash', 'zz'], /--validators-hash: 64 hex digits/],
      [[proof, '--genesis', nodeKey], /is no genesis document.*genesis\.json/],
      [[proof, '--genesis', join(folder, 'none')], /--genesis: .*none does not exist/],
      [[join(folder, 'none'), '--genesis', genesis], /the proof: .*none does not exist/],
    ];
    for (const [args, says] of table) {
      const done = await runCommand(registerVerify, ['verify', ...args, '--json']);
      expect([done.code, done.stdout], done.stderr).to.deep.equal([2, '']);
      expect(done.stderr).to.match(says);
    }
  });
});
