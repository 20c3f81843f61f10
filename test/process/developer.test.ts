/**
 * Hardhat as a developer uses it on a running devnet: network `ledger`, deployment, the example of
 * an organisation's policy.
 *
 * @module
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { call } from '../../node/src/ops/rpc-client.ts';
import { type Devnet, type Finished, startDevnet, temporaryFolder } from './support.ts';

const ROOT: string = fileURLToPath(new URL('../..', import.meta.url));
const DEPLOY: string = fileURLToPath(new URL('../../scripts/deploy.ts', import.meta.url));
const EXAMPLE: string = fileURLToPath(new URL('../../scripts/examples/policy.ts', import.meta.url));
const CLI: string = join(ROOT, 'node_modules', 'hardhat', 'dist', 'src', 'cli.js');

/** Runs a script in Hardhat on the devnet of this folder. */
function onLedger(home: string, script: string): Promise<Finished> {
  const env = {
    ...process.env,
    METATRON_DEVNET_HOME: home,
    HARDHAT_DISABLE_TELEMETRY: 'true',
    NO_COLOR: '1',
  };
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [CLI, 'run', script, '--network', 'ledger'], {
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

describe('Hardhat on a devnet', function () {
  this.timeout(120_000);
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

  it('says in a sentence that there is no devnet, when the network is used', async () => {
    const nowhere = join(folder.path, 'nowhere');
    const done = await onLedger(nowhere, DEPLOY);
    expect(done.code).to.equal(1);
    expect(done.stderr).to.contain(`there is no devnet in ${nowhere}: start one with`);
    expect(done.stderr).not.to.match(/\n\s+at /);
  });
});
