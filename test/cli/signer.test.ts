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
import { registerTx } from '../../node/src/cli/tx.ts';
import { createAccount, type SecretAccount } from '../../node/src/ops/accounts.ts';
import { saveAccount } from '../../node/src/ops/keystore.ts';
import { refusal } from '../refusal.ts';
import { runCommand } from './run.ts';

describe('the signing account', () => {
  let home = '';
  let node = '';
  let server: Server;
  let accounts: readonly SecretAccount[] = [];

  /** A node of which only the chain's name is asked. */
  beforeEach(async () => {
    home = mkdtempSync(join(tmpdir(), 'metatron-signer-'));
    server = createServer((_, response) => {
      response.end(JSON.stringify({ result: { node_info: { network: 'chain-of-the-node' } } }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    node = `127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
    accounts = [createAccount('alice', 'metatron')];
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

  function refusalFor(from: string): Promise<LedgerError> {
    const keys = join(home, 'keys');
    return refusal(openSigner({ from, keys, devnetHome: home, node, fee: '', memo: '' }));
  }

  it('is refused with both chains by name if the devnet is another chain', async () => {
    const thrown = await refusalFor('alice');
    expect(LedgerError.is(thrown, errors.OtherChain), String(thrown)).to.equal(true);
    for (const part of ['chain-of-the-node', 'chain-of-the-home', node, home, '--node']) {
      expect(String(thrown)).to.contain(part);
    }
  });

  it('is the one of the keystore before that of the devnet, and the user hears it', async () => {
    const [theirs] = accounts;
    const keys = join(home, 'keys');
    const mine = createAccount('alice', 'metatron');
    await saveAccount(keys, mine, 'a passphrase');
    process.env['METATRON_PASSPHRASE'] = 'a passphrase';
    const tx = async (): Promise<string> => {
      const at = ['--node', node, '--keys', keys, '--devnet-home', home];
      const send = ['tx', 'send', mine.address, '1aphi', '--from', 'alice'];
      return (await runCommand(registerTx, [...send, ...at])).stderr;
    };
    try {
      // Of another chain it is not in question.
      expect(await tx()).not.to.contain('signing as');
      const file = join(home, 'devnet.json');
      writeFileSync(file, JSON.stringify({ chainId: 'chain-of-the-node', accounts }));
      const said = await tx();
      expect(said).to.contain(
        `signing as alice of the keystore, ${mine.address}; alice of the dev`,
      );
      expect(said).to.contain(theirs?.address);
      writeFileSync(file, JSON.stringify({ chainId: 'chain-of-the-node', accounts: [mine] }));
      expect(await tx()).not.to.contain('signing as');
      writeFileSync(file, '{');
      expect(await tx())
        .not.to.contain('signing as')
        .and.not.to.contain('JSON');
    } finally {
      delete process.env['METATRON_PASSPHRASE'];
    }
  });

  it('is missing if neither the keystore nor the devnet has the name', async () => {
    expect(LedgerError.is(await refusalFor('nobody'), errors.NoSigner)).to.equal(true);
  });
});
