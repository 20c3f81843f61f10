/**
 * The configuration: defaults, precedence, refusals, and its printed reference.
 *
 * @module
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { LedgerError } from '../../node/src/base/errors.ts';
import { configKeys, errors, parseConfig } from '../../node/src/config.ts';
import { configReference, environmentName, loadConfig } from '../../node/src/config-file.ts';
import { refusedAs } from '../refusal.ts';

function refusal(run: () => unknown): string {
  try {
    run();
  } catch (thrown) {
    if (thrown instanceof LedgerError) return thrown.message;
    throw thrown;
  }
  return 'not refused';
}

describe('configuration', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'metatron-config-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function file(content: string): string {
    const path = join(folder, 'config.json');
    writeFileSync(path, content);
    return path;
  }

  it('has a default for every key, and binds to this machine only', () => {
    const config = parseConfig({});
    expect(config.consensus.proposeMs).to.equal(500);
    for (const listen of [config.rpc.listen, config.p2p.listen, config.evm.listen]) {
      expect(listen).to.match(/^127\.0\.0\.1:/);
    }
    expect(config.rpc.unsafe).to.equal(false);
  });

  it('lays the environment over the file, and the file over the defaults', () => {
    const path = file('{"consensus":{"proposeMs":700,"commitMs":5},"p2p":{"seeds":["a"]}}');
    const config = loadConfig(path, {
      METATRON__CONSENSUS__PROPOSE_MS: '900',
      METATRON__P2P__PERSISTENT_PEERS: 'x,y',
      METATRON__RPC__UNSAFE: 'true',
      OTHER: 'ignored',
    });
    expect(config.consensus).to.include({ proposeMs: 900, commitMs: 5, prevoteMs: 200 });
    expect(config.p2p.seeds).to.deep.equal(['a']);
    expect(config.p2p.persistentPeers).to.deep.equal(['x', 'y']);
    expect(config.rpc.unsafe).to.equal(true);
  });

  it('names the path of what it refuses', () => {
    expect(refusal(() => parseConfig({ rpc: { listen: 'nowhere' } }))).to.match(
      /rpc\.listen: must be host:port/,
    );
    expect(refusal(() => parseConfig({ evm: { listen: 'nowhere' } }))).to.match(/evm\.listen/);
    expect(parseConfig({ evm: { listen: '' } }).evm.listen).to.equal('');
    expect(refusal(() => parseConfig({ p2p: { lisen: 'x' } }))).to.match(/p2p.*lisen/);
    expect(refusal(() => parseConfig({ consensus: { proposeMs: 0 } }))).to.match(
      /consensus\.proposeMs/,
    );
    const path = file('{}');
    const unknown = { METATRON__RPC__PORT: '1' };
    expect(refusal(() => loadConfig(path, unknown))).to.match(/METATRON__RPC__PORT: no such key/);
    const wrong = { METATRON__CONSENSUS__PROPOSE_MS: 'soon' };
    expect(refusal(() => loadConfig(path, wrong))).to.match(/consensus\.proposeMs/);
  });

  it('says that a file is not JSON', async () => {
    const path = file('{"moniker": }');
    await refusedAs(() => loadConfig(path, {}), errors.NotJson);
  });

  it('gives every key a sentence and an environment variable of its own', () => {
    const keys = configKeys();
    expect(keys.length).to.be.greaterThan(20);
    for (const key of keys) expect(key.help, key.path.join('.')).to.match(/\.$/);
    const names = keys.map((key) => environmentName(key.path));
    expect(new Set(names).size).to.equal(names.length);
  });

  it('is what docs/config.md says', () => {
    const committed = readFileSync(new URL('../../docs/config.md', import.meta.url), 'utf8');
    expect(committed).to.equal(configReference());
  });
});
