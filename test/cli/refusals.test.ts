/**
 * Refusals of a space's policy at the command line, in the words of an ABI that the user names.
 *
 * @module
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { getCreateAddress, Interface, Wallet } from 'ethers';
import { fromHex, toHex } from '../../node/src/base/bytes.ts';
import { present } from '../../node/src/base/errors.ts';
import { sha256 } from '../../node/src/base/hash.ts';
import { registerMemory } from '../../node/src/cli/memory.ts';
import { registerQuery } from '../../node/src/cli/query.ts';
import { ethereumChainId } from '../../node/src/ledger/ethereum/params.ts';
import { wrapEthereumTx } from '../../node/src/ledger/ethereum/wrapper.ts';
import { initCode, POLICY_CODE } from '../ledger/spaces/support.ts';
import { CHAIN_ID } from '../ledger/world.ts';
import { LedgerNode } from './ledger-node.ts';
import type { Done } from './run.ts';

const abi = JSON.parse(new Interface(['error TooLate(uint256 hour)']).formatJson()) as unknown;

describe('refusals of a policy', () => {
  let node: LedgerNode;
  let space = '';
  let policy = '';
  let [plain, artifact, other] = ['', '', ''];

  before(async () => {
    node = await LedgerNode.start('alice', 'bob');
    const wallet = new Wallet(`0x${node.account('bob').privateKey}`);
    const chainId = ethereumChainId({ get: () => undefined }, CHAIN_ID);
    const fees = { maxFeePerGas: 10n ** 9n, maxPriorityFeePerGas: 0n, gasLimit: 500_000n };
    const data = initCode(POLICY_CODE['ownError'] ?? '');
    const tx = { type: 2, chainId, nonce: 0, data, ...fees };
    const raw = present(fromHex((await wallet.signTransaction(tx)).slice(2)), 'transaction');
    await node.chain.block(wrapEthereumTx(raw));
    await node.chain.block();
    policy = getCreateAddress({ from: wallet.address, nonce: 0 }).toLowerCase();
    const made = await memory('space', 'create', '--policy', policy, '--from', 'alice', '--json');
    expect(made.code, made.stderr).to.equal(0);
    space = String((JSON.parse(made.stdout) as { space: unknown }).space);
    mkdirSync(join(node.home, 'artifacts', 'Late.sol'), { recursive: true });
    plain = join(node.home, 'abi.json');
    artifact = join(node.home, 'artifacts', 'Late.sol', 'Late.json');
    other = join(node.home, 'other.json');
    writeFileSync(plain, JSON.stringify(abi));
    writeFileSync(artifact, JSON.stringify({ contractName: 'Late', abi }));
    writeFileSync(other, JSON.stringify([{ type: 'error', name: 'Another', inputs: [] }]));
  });
  after(() => node.stop());

  const memory = (...args: readonly string[]): Promise<Done> =>
    node.run(registerMemory, 'memory', ...args);
  const put = (...more: readonly string[]): Promise<Done> =>
    memory('put', 'x', '--space', space, '--from', 'alice', ...more);

  it('stay data without its ABI, and the user hears whose and what to do', async () => {
    const done = await put();
    expect(done.code).to.equal(1);
    expect(done.stderr).to.contain(
      `0x691e5682 is a custom error of the space's policy ${policy}: give its ABI with --abi FILE`,
    );
  });

  it('are told by an ABI, an artifact, or a folder of artifacts', async () => {
    for (const given of [plain, artifact, join(node.home, 'artifacts')]) {
      const done = await put('--abi', other, '--abi', given);
      expect(done.code).to.equal(1);
      expect(done.stderr).to.contain(`PolicyRefused(0x${space}, ${policy}, TooLate(7))`);
      expect(done.stderr).not.to.contain('custom error');
    }
    expect((await put('--abi', other)).stderr).to.contain(`policy ${policy}: what --abi names`);
  });

  it('are told of a transaction that is looked up', async () => {
    expect((await put('--abi', plain)).code).to.equal(1);
    const hash = toHex(sha256(present(node.sent.at(-1), 'what was sent')));
    const found = await node.run(registerQuery, 'query', 'tx', hash, '--abi', plain);
    expect(found.code, found.stderr).to.equal(0);
    expect(found.stdout).to.contain('TooLate(7)');
    const blank = await node.run(registerQuery, 'query', 'tx', hash);
    expect(blank.stdout).to.contain('give its ABI with --abi FILE');
  });

  it('send nothing where the ABI is none', async () => {
    const before = node.sent.length;
    const broken = join(node.home, 'broken.json');
    writeFileSync(broken, JSON.stringify([{ type: 'error', name: 'No, no' }]));
    const table: readonly (readonly [file: string, says: RegExp])[] = [
      [join(node.home, 'none.json'), /--abi: .*none\.json does not exist/],
      [node.devnetFile, /--abi: .* declares no errors; take a contract's ABI in JSON/],
      [broken, /--abi: .* declares an error that is none/],
    ];
    for (const [file, says] of table) {
      const done = await put('--abi', file);
      expect([done.code, done.stdout], done.stderr).to.deep.equal([2, '']);
      expect(done.stderr).to.match(says);
    }
    expect(node.sent.length).to.equal(before);
  });
});
