/**
 * Which account `--from` names: on the wrong chain the user hears of both chains.
 *
 * @module
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { LedgerError } from '../../node/src/base/errors.ts';
import { errors, openSigner } from '../../node/src/cli/signer.ts';
import { createAccount } from '../../node/src/ops/accounts.ts';

describe('the signing account', () => {
  let home = '';
  let node = '';
  let server: Server;

  /** A node of which only the chain's name is asked. */
  beforeEach(async () => {
    home = mkdtempSync(join(tmpdir(), 'metatron-signer-'));
    server = createServer((_, response) => {
      response.end(JSON.stringify({ result: { node_info: { network: 'chain-of-the-node' } } }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    node = `127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
    const accounts = [createAccount('alice', 'metatron')];
    writeFileSync(
      join(home, 'devnet.json'),
      JSON.stringify({ chainId: 'chain-of-the-home', accounts }),
    );
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
    rmSync(home, { recursive: true });
  });

  async function refusal(from: string): Promise<unknown> {
    const keys = join(home, 'keys');
    try {
      await openSigner({ from, keys, devnetHome: home, node, fee: '', memo: '' });
    } catch (thrown) {
      return thrown;
    }
    return expect.fail('it was accepted');
  }

  it('is refused with both chains by name if the devnet is another chain', async () => {
    const thrown = await refusal('alice');
    expect(LedgerError.is(thrown, errors.OtherChain), String(thrown)).to.equal(true);
    for (const part of ['chain-of-the-node', 'chain-of-the-home', node, home, '--node']) {
      expect(String(thrown)).to.contain(part);
    }
  });

  it('is missing if neither the keystore nor the devnet has the name', async () => {
    expect(LedgerError.is(await refusal('nobody'), errors.NoSigner)).to.equal(true);
  });
});
