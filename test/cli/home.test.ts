/**
 * Homes: what `init`, `devnet` and `unsafe-reset` write, keep and refuse.
 *
 * @module
 */
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { privateKeyFromRaw } from '@libp2p/crypto/keys';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';
import { expect } from 'chai';
import { concatBytes, equalBytes } from '../../node/src/base/bytes.ts';
import { parseConfig } from '../../node/src/config.ts';
import { initHome, peerIdOf, resetData } from '../../node/src/ops/chain-home.ts';
import {
  type DevnetSpec,
  errors as devnetErrors,
  prepareDevnet,
} from '../../node/src/ops/devnet-plan.ts';
import {
  createKeyPair,
  errors,
  homePaths,
  readNodeKey,
  readValidatorKey,
} from '../../node/src/ops/home.ts';
import { parseGenesis } from '../../node/src/types/genesis.ts';
import { refusedAs } from '../refusal.ts';

const NOW = 1_767_323_045_000_000_000n;

describe('homes', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'metatron-home-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function init(home: string) {
    return initHome({
      home,
      moniker: 'one',
      app: 'kvstore',
      chainId: 'chain-1',
      genesis: undefined,
      accounts: [],
      now: NOW,
    });
  }

  it('holds keys that only the owner reads, and a genesis of its validator', async () => {
    const home = join(folder, 'a');
    const made = init(home);
    const paths = homePaths(home);
    for (const file of [paths.nodeKey, paths.validatorKey]) {
      expect(statSync(file).mode & 0o777).to.equal(0o600);
    }
    const genesis = parseGenesis(readFileSync(paths.genesis, 'utf8'));
    expect(genesis.chainId).to.equal('chain-1');
    const [validator] = genesis.validators;
    expect(
      equalBytes(validator?.publicKey.bytes ?? new Uint8Array(), readValidatorKey(paths).publicKey),
    ).to.equal(true);
    expect(peerIdOf(readNodeKey(paths).publicKey)).to.equal(made.peerId);
    await refusedAs(() => init(home), errors.Exists);
    chmodSync(paths.validatorKey, 0o644);
    await refusedAs(() => readValidatorKey(paths), errors.OpenKey);
  });

  it('is refused where no folder can be, at once', async () => {
    writeFileSync(join(folder, 'file'), '');
    await refusedAs(() => init(join(folder, 'file')), errors.NoFolder);
    await refusedAs(() => init(join(folder, 'file', 'below')), errors.NoFolder);
    if (existsSync('/proc/self')) await refusedAs(() => init('/proc/foo/bar'), errors.NoFolder);
  });

  it('names peers as libp2p does', () => {
    const pair = createKeyPair();
    const key = privateKeyFromRaw(concatBytes(pair.seed, pair.publicKey));
    expect(peerIdOf(pair.publicKey)).to.equal(peerIdFromPrivateKey(key).toString());
  });

  it('keeps the signer’s guard in a reset', () => {
    const home = join(folder, 'a');
    init(home);
    const { data } = homePaths(home);
    for (const name of ['signer.guard', 'wal', 'chain']) writeFileSync(join(data, name), name);
    expect([...resetData(home)].sort()).to.deep.equal(['chain', 'wal']);
    expect(existsSync(join(data, 'signer.guard'))).to.equal(true);
    expect(existsSync(homePaths(home).validatorKey)).to.equal(true);
  });
});

describe('devnet plan', () => {
  let home = '';
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'metatron-devnet-'));
  });
  afterEach(() => rmSync(home, { recursive: true }));

  const spec = (more: Partial<DevnetSpec> = {}): DevnetSpec => ({
    home,
    validators: undefined,
    basePort: 0,
    app: undefined,
    chainId: undefined,
    genesis: undefined,
    fresh: false,
    now: NOW,
    overrides: {},
    ...more,
  });
  const readJson = (file: string): unknown => JSON.parse(readFileSync(file, 'utf8'));

  it('makes four validators with one genesis, and finds them again', async () => {
    const plan = await prepareDevnet(spec());
    expect(plan.nodes).to.have.length(4);
    const texts = plan.nodes.map((node) => readFileSync(homePaths(node.home).genesis, 'utf8'));
    expect(new Set(texts).size).to.equal(1);
    const listening = plan.nodes.map((node) => {
      const config = parseConfig(readJson(homePaths(node.home).config));
      expect(config.p2p.persistentPeers).to.have.length(3);
      return [config.p2p.listen, config.rpc.listen, config.evm.listen];
    });
    expect(new Set(listening.flat()).size).to.equal(12);
    expect(statSync(join(home, 'devnet.json')).mode & 0o777).to.equal(0o600);
    const again = await prepareDevnet(spec({ basePort: undefined }));
    expect(again).to.deep.equal(plan);
  });

  it('gives its accounts money', async () => {
    const plan = await prepareDevnet(spec({ validators: 1 }));
    const state = readJson(homePaths(plan.nodes[0]?.home ?? '').genesis) as {
      app_state: { bank: { balances: { address: string }[] } };
    };
    expect(plan.accounts.map((a) => a.name)).to.include('alice');
    expect(state.app_state.bank.balances.map((b) => b.address)).to.deep.equal(
      plan.accounts.map((a) => a.address),
    );
  });

  it('refuses to become another chain, unless it is told to start anew', async () => {
    const plan = await prepareDevnet(spec({ app: 'kvstore' }));
    const paths = homePaths(plan.nodes[0]?.home ?? '');
    const before = readValidatorKey(paths);
    await refusedAs(() => prepareDevnet(spec({ validators: 5 })), devnetErrors.Differs);
    await refusedAs(() => prepareDevnet(spec({ app: 'ledger' })), devnetErrors.Differs);
    await refusedAs(() => prepareDevnet(spec({ chainId: 'other' })), devnetErrors.Differs);
    const fresh = await prepareDevnet(spec({ fresh: true, validators: 2 }));
    expect(fresh.chainId).not.to.equal(plan.chainId);
    expect(fresh.nodes).to.have.length(2);
    expect(equalBytes(readValidatorKey(paths).seed, before.seed)).to.equal(false);
    expect(existsSync(plan.nodes[3]?.home ?? '')).to.equal(false);
  });

  it('keeps its ports when it starts anew, unless it is told others', async () => {
    type Listening = Record<'p2p' | 'rpc' | 'evm', { listen: string }>;
    const ports = (plan: { readonly nodes: readonly { readonly home: string }[] }) =>
      plan.nodes.map((node) => {
        const { p2p, rpc, evm } = readJson(homePaths(node.home).config) as Listening;
        return [p2p.listen, rpc.listen, evm.listen];
      });
    const fresh = { fresh: true, basePort: undefined };
    const before = ports(await prepareDevnet(spec({ validators: 2 })));
    const same = await prepareDevnet(spec({ ...fresh, validators: 2 }));
    expect(ports(same)).to.deep.equal(before);
    const more = ports(await prepareDevnet(spec({ ...fresh, validators: 3 })));
    expect(more.slice(0, 2)).to.deep.equal(before);
    expect(new Set(more.flat()).size).to.equal(9);
    const others = ports(await prepareDevnet(spec({ fresh: true, basePort: 0, validators: 2 })));
    expect(others).not.to.deep.equal(before);
  });

  it('says which port is in use', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    try {
      await prepareDevnet(spec({ basePort: port - 7, validators: 1 }));
      expect.fail('it was accepted');
    } catch (thrown) {
      expect(String(thrown)).to.contain(`port ${port} is in use`).and.to.contain('--base-port');
    } finally {
      server.close();
    }
  });
});
