/**
 * Hardhat as a developer uses it on a running devnet: network `ledger`, deployment, the example of
 * an organisation's policy.
 *
 * @module
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DirectSecp256k1Wallet } from '@cosmjs/proto-signing';
import { expect } from 'chai';
import { ContractFactory, JsonRpcProvider, Wallet } from 'ethers';
import { present } from '../../node/src/base/errors.ts';
import { abi, creationCode } from '../../node/src/gen/contracts/example-token.ts';
import { codeHash as rulesHash } from '../../node/src/gen/contracts/memory-rules.ts';
import { readDevnet } from '../../node/src/ops/devnet-home.ts';
import { call } from '../../node/src/ops/rpc-client.ts';
import type {
  EthereumAnswer,
  LogAnswer,
  TransferList,
} from '../../node/src/rpc/rest/contract-schemas.ts';
import { type Devnet, type Finished, startDevnet, temporaryFolder } from './support.ts';

const ROOT: string = fileURLToPath(new URL('../..', import.meta.url));
const DEPLOY: string = fileURLToPath(new URL('../../scripts/deploy.ts', import.meta.url));
const EXAMPLE: string = fileURLToPath(new URL('../../scripts/examples/policy.ts', import.meta.url));
const ETHERS: string = fileURLToPath(new URL('../../scripts/examples/ethers.ts', import.meta.url));
const VIEM: string = fileURLToPath(new URL('../../scripts/examples/viem.ts', import.meta.url));
const CLI: string = join(ROOT, 'node_modules', 'hardhat', 'dist', 'src', 'cli.js');

type Json = Readonly<Record<string, unknown>>;

/** Runs a script to its end. */
function runScript(args: readonly string[], more: NodeJS.ProcessEnv = {}): Promise<Finished> {
  const env = { ...process.env, ...more, NO_COLOR: '1' };
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      cwd: ROOT,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
}

/** Runs a script in Hardhat on the devnet of this folder. */
function onLedger(home: string, script: string): Promise<Finished> {
  return runScript([CLI, 'run', script, '--network', 'ledger'], {
    METATRON_DEVNET_HOME: home,
    HARDHAT_DISABLE_TELEMETRY: 'true',
    // Where it takes itself for a build server, Hardhat shows stacks with every error.
    CI: undefined,
  });
}

describe('Hardhat on a devnet', function () {
  this.timeout(240_000);
  const folder = temporaryFolder();
  const home = join(folder.path, 'net');
  let devnet: Devnet | undefined;

  before(async () => {
    devnet = await startDevnet(home, ['--validators', '1']);
  });
  after(async () => {
    await devnet?.stop();
    folder.remove();
  });

  it('deploys a contract to network ledger', async () => {
    const done = await onLedger(home, DEPLOY);
    expect(done.code, done.stderr).to.equal(0);
    const address = /0x[0-9a-fA-F]{40}/.exec(done.stdout)?.[0] ?? '';
    const code = await call(devnet?.summary.evm ?? '', 'eth_getCode', [address, 'latest']);
    expect(code, done.stdout).to.match(/^0x60/);
  });

  it('runs the example: writes are refused with the policy’s own error, then allowed', async () => {
    const done = await onLedger(home, EXAMPLE);
    expect(done.code, done.stderr).to.equal(0);
    const [alice, bob] = devnet?.summary.accounts ?? [];
    const lines = done.stdout.split('\n').filter((line) => /^(?:refused|allowed)/.test(line));
    expect(lines, done.stdout).to.have.length(4);
    const told = (address = ''): string =>
      `MemoryRulesPolicyRefused: EditorialNotEditor(${address})`;
    expect(lines[0]).to.equal(`refused ${told(alice?.evmAddress)}`);
    expect(lines[1]).to.match(/^allowed hello at height \d+$/);
    expect(lines[2]).to.match(/^refused .*MemoryRulesPolicyRefused/);
    expect(lines[2]).to.contain(`EditorialNotEditor(${bob?.evmAddress})`);
    expect(lines[3]).to.match(/^allowed the door code changed at height \d+$/);
  });

  for (const [tool, page, file] of [
    ['ethers', 'README.md', ETHERS],
    ['viem', 'docs/ethereum-rpc.md', VIEM],
  ] as const) {
    it(`runs the program with ${tool} of ${page} as printed, with a key as printed`, async () => {
      const source = readFileSync(file, 'utf8').trimEnd();
      expect(readFileSync(join(ROOT, page), 'utf8')).to.contain(source);
      const { evm = '' } = present(devnet, 'devnet').summary;
      const { accounts } = readDevnet(home);
      const [alice, bob] = [present(accounts[0], 'alice'), present(accounts[1], 'bob')];
      expect(alice.privateKey).to.match(/^[0-9a-f]{64}$/);
      const done = await runScript([file, evm, alice.privateKey, bob.evmAddress]);
      expect(done.stderr).to.equal('');
      expect(done.stdout).to.match(/^paid 1 PHI in block \d+\nit has \d+n\n$/);
      const cosmos = await DirectSecp256k1Wallet.fromKey(
        Buffer.from(alice.privateKey, 'hex'),
        'metatron',
      );
      expect((await cosmos.getAccounts())[0]?.address).to.equal(alice.address);
      const wrong = await runScript([file]);
      expect([wrong.code, wrong.stdout]).to.deep.equal([2, '']);
      expect(wrong.stderr).to.contain('usage: npx node scripts/examples/');
    });
  }

  it('shows contracts, calls, events, errors and transfers of tokens over REST', async () => {
    const { evm = '', api, accounts } = present(devnet, 'devnet').summary;
    const get = async (path: string): Promise<Json> => {
      const answer = await fetch(`${api}/v1/${path}`);
      const body = (await answer.json()) as Json;
      expect(answer.status, `${path}: ${JSON.stringify(body)}`).to.equal(200);
      return body;
    };
    // Without a cache, since what was sent a moment ago counts.
    const options = { pollingInterval: 50, cacheTimeout: -1 };
    const provider = new JsonRpcProvider(evm, undefined, options);
    const alice = new Wallet(accounts[0]?.privateKey ?? '', provider);
    const bob = accounts[1]?.evmAddress ?? '';
    const made = new ContractFactory(abi, creationCode, alice);
    const token = await made.deploy([alice.address], 10).then((one) => one.waitForDeployment());
    const transfer = token.getFunction('transfer');
    const paid = await (await transfer.send(bob, 7)).wait();
    const failing = await transfer.send(bob, 4, { gasLimit: 100_000 });
    await failing.wait().catch(() => undefined);
    provider.destroy();

    const { contracts } = (await get('contracts')) as { contracts: readonly Json[] };
    expect(contracts.map(({ codeHash }) => codeHash))
      .to.have.length(9)
      .and.not.include(null);
    const rules = await get(`contracts/${contracts[2]?.['address']}`);
    expect(rules).to.include({ name: 'MemoryRules', codeHash: rulesHash, delegate: null });
    const address = String(token.target);
    const own = await get(`contracts/${address}`);
    expect(own).to.deep.include({ address: address.toLowerCase(), abi: null, name: null });
    expect((await get(`search?q=${address}`))['kind']).to.equal('contract');

    const { ethereum } = (await get(`transactions/${paid?.hash}`)) as { ethereum: EthereumAnswer };
    expect(ethereum.call?.args.map(({ value }) => value)).to.deep.equal([bob.toLowerCase(), '7']);
    expect(ethereum.outcome?.logs[0]?.decoded?.name).to.equal('Transfer');
    const failed = await get(`transactions/${failing.hash}`);
    const { outcome } = failed['ethereum'] as EthereumAnswer;
    expect([outcome?.status, outcome?.decodedError?.name]).to.deep.equal([
      0,
      'ERC20InsufficientBalance',
    ]);
    const list = (await get(`accounts/${bob}/transfers`)) as TransferList;
    expect(list.transfers.map(({ amount }) => amount)).to.deep.equal(['7']);
    const asked = await get(`contracts/${contracts[5]?.['address']}/events?limit=1`);
    const [event] = asked['events'] as readonly LogAnswer[];
    expect(event?.decoded).to.deep.include({ contract: 'Ledger', name: 'PutRequested' });
  });

  it('says in a sentence that there is no devnet, when the network is used', async () => {
    const nowhere = join(folder.path, 'nowhere');
    const done = await onLedger(nowhere, DEPLOY);
    expect(done.code).to.equal(1);
    expect(done.stderr).to.contain(`there is no devnet in ${nowhere}: start one with`);
    expect(done.stderr).not.to.match(/\n\s+at /);
  });
});
