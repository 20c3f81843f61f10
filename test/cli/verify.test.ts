/**
 * `metatron verify`: a verdict about a proof is told from wrong usage.
 *
 * @module
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { toHex } from '../../node/src/base/bytes.ts';
import { registerMemory } from '../../node/src/cli/memory.ts';
import { registerVerify } from '../../node/src/cli/verify.ts';
import { hashOfValidators } from '../../node/src/client/anchor.ts';
import { spaceOfOwner } from '../../node/src/client/prover.ts';
import { initHome } from '../../node/src/ops/chain-home.ts';
import { homePaths } from '../../node/src/ops/home.ts';
import { VALIDATORS } from '../client/signed-chain.ts';
import { CHAIN_ID } from '../ledger/world.ts';
import { LedgerNode } from './ledger-node.ts';
import { type Done, runCommand } from './run.ts';

type Json = Readonly<Record<string, unknown>>;

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

describe('verify before a chain', () => {
  let node: LedgerNode;
  let hash = '';
  before(async () => {
    node = await LedgerNode.start('alice', 'bob');
    for (const content of ['one', 'two']) {
      const put = ['memory', 'put', content, '--key', 'k', '--from', 'alice'];
      expect((await node.run(registerMemory, ...put)).code).to.equal(0);
    }
    hash = toHex(hashOfValidators(VALIDATORS));
  });
  after(() => node.stop());

  /** The proof of these options in a file. */
  async function proof(...of: readonly string[]): Promise<string> {
    const file = join(node.home, 'x.proof');
    const done = await node.run(registerMemory, 'memory', 'proof', ...of, '--out', file);
    expect(done.code, done.stderr).to.equal(0);
    return file;
  }
  const verify = (file: string, ...more: readonly string[]): Promise<Done> => {
    const trust = ['--chain-id', CHAIN_ID, '--validators-hash', hash];
    return runCommand(registerVerify, ['verify', file, ...trust, ...more]);
  };

  it('says what was proved: the claim, the space, the height and time, and by whom', async () => {
    const { address } = node.account('alice');
    const own = toHex(spaceOfOwner(address));
    const entries = await node.run(registerMemory, 'memory', 'list', '--owner', address, '--json');
    const [first] = (JSON.parse(entries.stdout) as { entries: readonly { id: string }[] }).entries;
    const last = node.chain.world.height - 1;
    const time = new Date((last + 1) * 1_000).toISOString().replace('.000', '');
    const state = `after block ${last}, by the header of block ${last + 1} of ${time}`;
    const table: readonly (readonly [of: readonly string[], says: readonly string[]])[] = [
      [[first?.id ?? ''], ['this entry stands in the log', '"k", version 1', 'at 0 of the log']],
      [
        ['--owner', address, '--key', 'k'],
        ['the newest version (2) under its key', 'two'],
      ],
      [
        ['--owner', address, '--key', 'none'],
        ['there is no entry under this key', '"none"'],
      ],
      [
        ['--listing', address],
        ['exactly the entries below (2)', 'operations 0 to 1, 2 of them'],
      ],
      [
        ['--owner', address, '--since', '2'],
        ['only grew', ': 1 operations, root'],
      ],
    ];
    for (const [of, says] of table) {
      const file = await proof(...of);
      const done = await verify(file, '--owner', address);
      expect(done.code, done.stderr).to.equal(0);
      const whole = [`${own}, the own space of ${address}`, state, CHAIN_ID, hash];
      for (const part of [...says, ...whole]) expect(done.stdout).to.contain(part);
      const json = JSON.parse((await verify(file, '--json')).stdout) as Json;
      expect(json).to.include({ valid: true, chainId: CHAIN_ID, validatorsHash: hash });
      for (const entry of json['entries'] as readonly Json[]) {
        expect(entry).to.include({ author: address, space: own, provenTime: time });
      }
    }
    const absence = JSON.parse(
      (await verify(await proof('--owner', address, '--key', 'no'), '--json')).stdout,
    ) as Json;
    expect(absence['proves']).to.equal('absence');
    const at = { provenHeight: last, provenTime: time };
    expect(absence['absent']).to.deep.equal({ space: own, key: 'no', ...at });
    const listing = JSON.parse(
      (await verify(await proof('--listing', address), '--json')).stdout,
    ) as Json;
    expect(listing['listing']).to.deep.equal({ space: own, owner: address, size: 2, ...at });
  });

  it('refuses a proof about the space of another than --owner', async () => {
    const [alice, bob] = [node.account('alice'), node.account('bob')];
    const file = await proof('--owner', alice.address, '--key', 'none');
    const other = await verify(file, '--owner', bob.address);
    expect([other.code, other.stdout]).to.deep.equal([1, '']);
    expect(other.stderr).to.match(/the proof is about the space [0-9a-f]{64}, not [0-9a-f]{64}/);
    const named = await verify(file, '--owner', toHex(spaceOfOwner(alice.address)));
    expect(named.code, named.stderr).to.equal(0);
    const unknown = await verify(file, '--owner', alice.evmAddress);
    expect(unknown.code).to.equal(2);
    expect(unknown.stderr).to.contain('"metatron query account" shows');
  });
});
