/**
 * `metatron memory space` before a node that holds one space and records what it is sent.
 *
 * @module
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { BaseAccount } from 'cosmjs-types/cosmos/auth/v1beta1/auth';
import { QueryAccountResponse } from 'cosmjs-types/cosmos/auth/v1beta1/query';
import { fromBase64, toBase64, toHex } from '../../node/src/base/bytes.ts';
import { registerMemory } from '../../node/src/cli/memory.ts';
import { QueryCodeResponse } from '../../node/src/gen/metatron/evm/v1/query.ts';
import { QuerySpaceRulesResponse } from '../../node/src/gen/metatron/memory/v1/query.ts';
import { SpaceMode } from '../../node/src/gen/metatron/memory/v1/state.ts';
import { MsgUpdateSpace } from '../../node/src/gen/metatron/memory/v1/tx.ts';
import { txBodyCodec, txRawCodec } from '../../node/src/ledger/tx/wire.ts';
import { createAccount, type SecretAccount } from '../../node/src/ops/accounts.ts';
import { MSG_UPDATE_SPACE_URL } from '../../node/src/types/memory.ts';
import { type Done, runCommand } from './run.ts';

const CHAIN = 'chain-of-spaces';
const SPACE = '3f'.repeat(32);
const POLICY = `0x${'ab'.repeat(20)}`;

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request) body += String(chunk);
  return body;
}

describe('memory space before a node', () => {
  let home = '';
  let node = '';
  let server: Server;
  let alice: SecretAccount;
  let rules: Parameters<typeof QuerySpaceRulesResponse.fromPartial>[0];
  /** What every contract's code is. */
  let code: Uint8Array = new Uint8Array();
  /** Bytes of the transactions that came. */
  let sent: Uint8Array[] = [];

  function queried(path: string): Uint8Array {
    if (path.endsWith('/SpaceRules')) {
      return QuerySpaceRulesResponse.encode(QuerySpaceRulesResponse.fromPartial(rules)).finish();
    }
    if (path.endsWith('.evm.v1.Query/Code')) return QueryCodeResponse.encode({ code }).finish();
    expect(path).to.equal('/cosmos.auth.v1beta1.Query/Account');
    const base = BaseAccount.fromPartial({ address: alice.address });
    const value = BaseAccount.encode(base).finish();
    const account = { typeUrl: BaseAccount.typeUrl, value };
    return QueryAccountResponse.encode({ account }).finish();
  }

  function answer(method: string, params: Readonly<Record<string, string>>): object {
    switch (method) {
      case 'status':
        return { node_info: { network: CHAIN } };
      case 'abci_query': {
        const value = toBase64(queried(params['path'] ?? ''));
        return { response: { code: 0, codespace: '', log: '', value, height: '7' } };
      }
      case 'broadcast_tx_sync':
        sent.push(fromBase64(params['tx'] ?? '') ?? new Uint8Array());
        return { code: 0, codespace: '', log: '', hash: 'AA' };
      default:
        expect(method).to.equal('tx');
        return { hash: 'AA', height: '8', tx_result: { code: 0, gas_used: '1', data: '' } };
    }
  }

  beforeEach(async () => {
    home = mkdtempSync(join(tmpdir(), 'metatron-space-'));
    sent = [];
    code = Uint8Array.of(0xfe);
    rules = { mode: SpaceMode.SEALED, policy: POLICY, maxEntries: 7n, maxBytes: 9_000n };
    alice = createAccount('alice', 'metatron');
    writeFileSync(join(home, 'devnet.json'), JSON.stringify({ chainId: CHAIN, accounts: [alice] }));
    server = createServer((request, response) => {
      void bodyOf(request).then((body) => {
        const { method, params, id } = JSON.parse(body) as {
          readonly method: string;
          readonly params: Readonly<Record<string, string>>;
          readonly id: number;
        };
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify({ jsonrpc: '2.0', id, result: answer(method, params) }));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    node = `127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
    rmSync(home, { recursive: true });
  });

  function space(...args: readonly string[]): Promise<Done> {
    const at = ['--node', node, '--devnet-home', home, '--keys', join(home, 'keys')];
    return runCommand(registerMemory, ['memory', 'space', ...args, '--from', 'alice', ...at]);
  }

  /** What `update` with these options asks for. */
  async function updated(...named: readonly string[]): Promise<object> {
    const done = await space('update', SPACE, ...named);
    expect(done.code, done.stderr).to.equal(0);
    const { bodyBytes } = txRawCodec.decode(sent.at(-1) ?? new Uint8Array());
    const [message] = txBodyCodec.decode(bodyBytes).messages;
    expect(message?.typeUrl).to.equal(MSG_UPDATE_SPACE_URL);
    const { author, policy, ...more } = MsgUpdateSpace.decode(message?.value ?? new Uint8Array());
    expect([author, toHex(more.space)]).to.deep.equal([alice.address, SPACE]);
    const { mode, maxEntries, maxBytes } = more;
    return { mode, policy: `0x${toHex(policy)}`, maxEntries, maxBytes };
  }

  it('update: keeps what is not named', async () => {
    const now = { mode: SpaceMode.SEALED, policy: POLICY, maxEntries: 7n, maxBytes: 9_000n };
    expect(await updated('--max-bytes', '5000')).to.deep.equal({ ...now, maxBytes: 5_000n });
    expect(await updated('--max-entries', '0')).to.deep.equal({ ...now, maxEntries: 0n });
    expect(await updated('--sealed')).to.deep.equal(now);
    expect(await updated('--public')).to.deep.equal({ ...now, mode: SpaceMode.PUBLIC });
    expect(await updated('--no-policy')).to.deep.equal({ ...now, policy: '0x' });
    const other = `0x${'cd'.repeat(20)}`;
    expect(await updated('--policy', other)).to.deep.equal({ ...now, policy: other });
    rules = { ...now, mode: SpaceMode.PUBLIC, policy: '' };
    const open = { ...now, mode: SpaceMode.PUBLIC, policy: '0x' };
    expect(await updated('--max-bytes', '1')).to.deep.equal({ ...open, maxBytes: 1n });
  });

  it('create, update: refuse a policy without code, and send nothing', async () => {
    code = new Uint8Array();
    for (const args of [['create'], ['update', SPACE]]) {
      const done = await space(...args, '--policy', POLICY);
      expect([done.code, done.stdout, sent.length]).to.deep.equal([1, '', 0]);
      expect(done.stderr).to.match(
        /--policy: there is no contract at 0x(ab){20} on this chain.*deploy it first/,
      );
    }
    expect(await updated('--max-bytes', '5000')).to.include({ policy: POLICY });
  });
});
