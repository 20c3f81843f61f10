/**
 * Spaces and their rules on four validators of real processes, by the command line.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { Wallet } from 'ethers';
import { toHex, utf8 } from '../../node/src/base/bytes.ts';
import { MsgEthereumTxResponse } from '../../node/src/gen/metatron/evm/v1/tx.ts';
import { ethereumChainId } from '../../node/src/ledger/ethereum/params.ts';
import { wrapEthereumTx } from '../../node/src/ledger/ethereum/wrapper.ts';
import { txMsgDataCodec } from '../../node/src/ledger/tx/wire.ts';
import { deliver } from '../../node/src/ops/chain-client.ts';
import { LEDGER_CONTRACTS } from '../../node/src/types/contracts.ts';
import { bytesOf } from '../ledger/ethereum/support.ts';
import { initCode, POLICY_CODE } from '../ledger/spaces/support.ts';
import {
  appHash,
  type Devnet,
  metatron,
  reaches,
  startDevnet,
  temporaryFolder,
  until,
} from './support.ts';

type Json = Readonly<Record<string, unknown>>;

describe('spaces on four validators', function () {
  this.timeout(240_000);
  const folder = temporaryFolder();
  let devnet: Devnet;

  before(async () => {
    devnet = await startDevnet(folder.path);
  });
  after(async () => {
    await devnet?.stop();
    folder.remove();
  });

  const rpc = (index: number): string => devnet.summary.nodes[index]?.rpc ?? '';

  /** Runs a command that succeeds. */
  const run = async (...args: readonly string[]): Promise<Json> => {
    const signed = args.includes('--from') ? ['--devnet-home', folder.path] : [];
    const done = await metatron([...args, ...signed, '--node', rpc(0), '--json']);
    expect(done.code, `${args.join(' ')}: ${done.stderr}`).to.equal(0);
    return JSON.parse(done.stdout) as Json;
  };

  /** Runs a command that is refused. @returns what it says */
  const refused = async (...args: readonly string[]): Promise<string> => {
    const done = await metatron([...args, '--devnet-home', folder.path, '--node', rpc(0)]);
    expect(done.code, done.stdout).to.equal(1);
    return done.stderr;
  };

  type Account = { readonly name: string; readonly address: string; readonly privateKey: string };
  const account = (name: string): Account => {
    const text = readFileSync(join(folder.path, 'devnet.json'), 'utf8');
    const { accounts } = JSON.parse(text) as { accounts: readonly Account[] };
    const found = accounts.find((one) => one.name === name);
    if (found === undefined) throw new TypeError(`no account ${name}`);
    return found;
  };

  /** Deploys a policy as `name`, whose next nonce is given. @returns its address */
  const deploy = async (name: string, nonce: number, runtime: string): Promise<string> => {
    const wallet = new Wallet(`0x${account(name).privateKey}`);
    const chainId = ethereumChainId({ get: () => undefined }, devnet.summary.chainId);
    const fees = { maxFeePerGas: 10n ** 9n, maxPriorityFeePerGas: 0n, gasLimit: 500_000n };
    const tx = { type: 2, chainId, nonce, data: initCode(runtime), ...fees };
    const raw = bytesOf(await wallet.signTransaction(tx));
    const { data } = await deliver(rpc(0), wrapEthereumTx(raw));
    const [answer] = txMsgDataCodec.decode(data).msgResponses;
    return `0x${toHex(MsgEthereumTxResponse.decode(answer?.value ?? utf8('')).created)}`;
  };

  it('let in whom their owner lets in, and say why they refuse', async () => {
    const { space } = await run(
      'memory',
      'space',
      'create',
      '--from',
      'alice',
      '--max-entries',
      '2',
    );
    const id = String(space);
    const mine = await refused('memory', 'put', 'hello', '--space', id, '--from', 'bob');
    expect(mine).to.match(/no right to do this in the space: MemoryRulesNotGranted\(0x/);
    const bob = account('bob').address;
    await run('memory', 'space', 'grant', id, bob, '--rights', 'write', '--from', 'alice');
    const put = await run('memory', 'put', 'hello', '--space', id, '--key', 'k', '--from', 'bob');
    const shown = await run('memory', 'space', 'show', id);
    expect(shown).to.include({ entries: '1 of 2', mode: 'public', frozen: false });
    expect(shown['grants']).to.have.length(1);
    const read = await run('memory', 'get', 'k', '--owner', id);
    expect((read['entries'] as readonly Json[])[0]).to.include({ id: put['id'], content: 'hello' });
    await reaches(rpc(0), Number(put['height']) + 1);
    for (const of of [
      ['--owner', id, '--key', 'k'],
      ['--listing', id],
    ]) {
      const proof = join(folder.path, 'space.proof');
      const done = await metatron(['memory', 'proof', ...of, '--out', proof, '--node', rpc(0)]);
      expect(done.code, done.stderr).to.equal(0);
      const genesis = join(folder.path, 'node0', 'config', 'genesis.json');
      const verdict = await metatron(['verify', proof, '--genesis', genesis, '--json']);
      const { valid, entries } = JSON.parse(verdict.stdout) as Json;
      expect(valid, verdict.stderr).to.equal(true);
      expect(entries).to.have.length(1);
      expect((entries as readonly Json[])[0]).to.include({ id: put['id'], space: id });
    }
    const answer = await fetch(`${rpc(0)}/v1/spaces/${id}/grants`);
    const { grants } = (await answer.json()) as { grants: readonly Json[] };
    expect(grants[0]).to.deep.include({ subject: bob, rights: ['write'] });
    await run('memory', 'space', 'freeze', id, '--from', 'alice');
    const frozen = await refused('memory', 'put', 'more', '--space', id, '--from', 'bob');
    expect(frozen).to.match(/the space is frozen: MemoryRulesFrozen/);
    await run('memory', 'space', 'unfreeze', id, '--from', 'alice');
    await run('memory', 'put', 'more', '--space', id, '--from', 'bob');
    const full = await refused('memory', 'put', 'too much', '--space', id, '--from', 'bob');
    expect(full).to.match(/TooManyEntries\(0x[0-9a-f]{64}, 2, 3\)/);
    const end = Math.floor(Date.now() / 1_000) + 8;
    const rights = ['--rights', 'write', '--until', String(end)];
    await run('memory', 'space', 'grant', id, bob, ...rights, '--from', 'alice');
    await until('the grant is past', 20_000, () => Date.now() > (end + 2) * 1_000);
    const late = await refused('memory', 'put', 'late', '--space', id, '--from', 'bob');
    expect(late).to.match(/the grant has expired: MemoryRulesGrantExpired\(0x/);
    await run('memory', 'space', 'revoke', id, bob, '--from', 'alice');
  });

  it('keep on update what is not named', async () => {
    const policy = LEDGER_CONTRACTS.RateLimitPolicy.address.toLowerCase();
    const own = ['--sealed', '--policy', policy, '--max-entries', '7', '--max-bytes', '9000'];
    const created = await run('memory', 'space', 'create', ...own, '--from', 'alice');
    const space = String(created['space']);
    const updated = async (...named: readonly string[]): Promise<Json> => {
      await run('memory', 'space', 'update', space, ...named, '--from', 'alice');
      return await run('memory', 'space', 'show', space);
    };
    const kept = { mode: 'sealed', policy, entries: '0 of 7', bytes: '0 of 5000' };
    expect(await updated('--max-bytes', '5000')).to.include(kept);
    const open = { ...kept, mode: 'public' };
    expect(await updated('--public')).to.include(open);
    const without = await updated('--no-policy', '--max-entries', '8');
    expect(without).to.include({ mode: 'public', entries: '0 of 8', bytes: '0 of 5000' });
    expect(without).not.to.have.property('policy');
    expect(await updated('--sealed', '--policy', policy)).to.include({ mode: 'sealed', policy });
  });

  it('refuse alike on all validators what a bad policy refuses, and nothing else', async () => {
    const failures: Json[] = [];
    let nonce = 0;
    for (const name of ['loops', 'megabyte', 'ownError']) {
      const policy = await deploy('carol', nonce++, POLICY_CODE[name] ?? '');
      const args = ['memory', 'space', 'create', '--policy', policy, '--from', 'alice'];
      const { space } = await run(...args);
      const [refusal] = await Promise.all([
        refused('memory', 'put', 'no', '--space', String(space), '--from', 'alice'),
        run('memory', 'put', `honest ${name}`, '--from', 'bob'),
      ]);
      expect(refusal).to.match(/policy (refused|ran out of gas|is no policy contract)/);
      const found = await fetch(`${rpc(0)}/v1/transactions?limit=10`);
      const { transactions } = (await found.json()) as { transactions: readonly Json[] };
      const failed = transactions.find(({ code }) => code !== 0);
      expect(failed?.['codespace']).to.equal('memory');
      failures.push(failed ?? {});
    }
    expect(new Set(failures.map(({ hash }) => hash)).size).to.equal(3);
    for (const { hash, height } of failures) {
      const results = await Promise.all(
        [0, 1, 2, 3].map(async (i) => {
          await reaches(rpc(i), Number(height));
          const answer = await fetch(`${rpc(i)}/v1/transactions/${String(hash)}`);
          const { code, codespace, log, gasUsed } = (await answer.json()) as Json;
          return JSON.stringify([code, codespace, log, gasUsed]);
        }),
      );
      expect(new Set(results).size, results.join('\n')).to.equal(1);
      expect(results[0]).to.match(/MemoryRulesPolicy/);
    }
    const { height } = await run('memory', 'put', 'at the end', '--from', 'bob');
    const tops = await Promise.all(
      [0, 1, 2, 3].map(async (i) => {
        await reaches(rpc(i), Number(height) + 1);
        return await appHash(rpc(i), Number(height) + 1);
      }),
    );
    expect(new Set(tops).size).to.equal(1);
  });
});
