/**
 * A node for commands: the real ledger behind HTTP, with a block for every transaction that comes.
 *
 * Absent here: mempool and consensus; what is sent is in the next block, whatever its check says.
 *
 * @module
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { fromBase64, toBase64, toUpperHex } from '../../node/src/base/bytes.ts';
import { sha256 } from '../../node/src/base/hash.ts';
import { accountFromKey, type SecretAccount } from '../../node/src/ops/accounts.ts';
import type { ExecTxResult } from '../../node/src/types/results.ts';
import { SignedChain } from '../client/signed-chain.ts';
import { appStateOf, CHAIN_ID } from '../ledger/world.ts';
import { type Done, runCommand } from './run.ts';

type Params = Readonly<Record<string, string>>;
type Results = Map<string, { readonly height: number; readonly result: ExecTxResult }>;

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request) body += String(chunk);
  return body;
}

/** The node, and a devnet's folder with its accounts. */
export class LedgerNode {
  readonly chain: SignedChain;
  readonly home: string;
  readonly accounts: readonly SecretAccount[];
  /** `host:port`. */
  readonly url: string;
  /** Bytes of the transactions that came. */
  readonly sent: Uint8Array[] = [];
  readonly #server: Server;
  readonly #results: Results = new Map();

  private constructor(chain: SignedChain, accounts: readonly SecretAccount[], server: Server) {
    this.chain = chain;
    this.accounts = accounts;
    this.#server = server;
    const address = server.address();
    this.url = `127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
    this.home = mkdtempSync(join(tmpdir(), 'metatron-node-'));
    writeFileSync(this.devnetFile, JSON.stringify({ chainId: CHAIN_ID, accounts }));
  }

  /** The devnet's file with the accounts' keys. */
  get devnetFile(): string {
    return join(this.home, 'devnet.json');
  }

  /** A new chain on which accounts of these names have coins. */
  static async start(...names: readonly string[]): Promise<LedgerNode> {
    const accounts = names.map((name, i) =>
      accountFromKey(name, String(i + 1).repeat(64), 'metatron'),
    );
    const chain = await SignedChain.start(appStateOf(accounts.map(({ address }) => address)));
    let node: LedgerNode | undefined;
    const server = createServer((request, response) => {
      void bodyOf(request).then(async (body) => {
        const { method, params, id } = JSON.parse(body) as {
          readonly method: string;
          readonly params: Params;
          readonly id: number;
        };
        const answer = await node?.answer(method, params).then(
          (result) => ({ result }),
          (thrown: unknown) => ({ error: { code: -32_603, message: String(thrown) } }),
        );
        response.end(JSON.stringify({ jsonrpc: '2.0', id, ...answer }));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    node = new LedgerNode(chain, accounts, server);
    return node;
  }

  /** One of the accounts. */
  account(name: string): SecretAccount {
    const found = this.accounts.find((one) => one.name === name);
    if (found === undefined) throw new TypeError(`no account ${name}`);
    return found;
  }

  /** Answers a route of the RPC. */
  async answer(method: string, params: Params): Promise<unknown> {
    switch (method) {
      case 'status':
        return {
          ...((await this.chain.rpc(method, params)) as object),
          node_info: { network: CHAIN_ID },
        };
      case 'broadcast_tx_sync': {
        const tx = fromBase64(params['tx'] ?? '') ?? new Uint8Array();
        this.sent.push(tx);
        const [result] = await this.chain.run(tx);
        const { height } = this.chain.world;
        // The header of the next height vouches for what the transaction did.
        await this.chain.run();
        const hash = toUpperHex(sha256(tx));
        if (result !== undefined) this.#results.set(hash, { height, result });
        return { code: 0, codespace: '', log: '', hash };
      }
      case 'tx': {
        const hash = toUpperHex(fromBase64(params['hash'] ?? '') ?? new Uint8Array());
        const found = this.#results.get(hash);
        if (found === undefined) throw new TypeError('tx not found');
        const { height, result } = found;
        const { code, codespace, log, gasUsed } = result;
        const data = toBase64(result.data);
        const tx = { code, codespace, log, data, gas_used: String(gasUsed) };
        return { hash, height: String(height), tx_result: tx };
      }
      default:
        return await this.chain.rpc(method, params);
    }
  }

  /** Runs a command that signs, or only asks, on this node. */
  run(register: (program: Command) => void, ...args: readonly string[]): Promise<Done> {
    const signs = args.includes('--from');
    const signer = ['--devnet-home', this.home, '--keys', join(this.home, 'keys')];
    return runCommand(register, [...args, '--node', this.url, ...(signs ? signer : [])]);
  }

  /** Ends it and removes its folders. */
  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await this.chain.stop();
    rmSync(this.home, { recursive: true });
  }
}
