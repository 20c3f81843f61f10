/**
 * The devnet that the tests of Ethereum's JSON-RPC share, and raw calls of it.
 *
 * @module
 */
import { JsonRpcProvider, Wallet } from 'ethers';
import { present } from '../../node/src/base/errors.ts';
import { type Devnet, startDevnet, temporaryFolder } from './support.ts';

/** An answer of JSON-RPC. */
export type RawAnswer = {
  readonly id?: unknown;
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string; readonly data?: string };
};

/** One validator with Ethereum's JSON-RPC. */
export class EthNet {
  readonly #folder = temporaryFolder();
  #devnet: Devnet | undefined;
  #provider: JsonRpcProvider | undefined;

  async start(): Promise<void> {
    const limits = {
      METATRON__EVM__MAX_CALLS: '4',
      METATRON__EVM__CALL_GAS: '1000000000',
    };
    this.#devnet = await startDevnet(this.#folder.path, ['--validators', '1'], limits);
    this.#provider = new JsonRpcProvider(this.url, undefined, {
      pollingInterval: 50,
      cacheTimeout: -1,
    });
  }

  async stop(): Promise<void> {
    this.#provider?.destroy();
    await this.#devnet?.stop();
    this.#folder.remove();
  }

  get devnet(): Devnet {
    return present(this.#devnet, 'a running devnet');
  }

  get url(): string {
    return present(this.devnet.summary.evm, 'address of the JSON-RPC');
  }

  get ws(): string {
    return present(this.devnet.summary.evmWs, 'address of the WebSocket');
  }

  get provider(): JsonRpcProvider {
    return present(this.#provider, 'a provider');
  }

  /** A funded account by its place. */
  account(index: number): { readonly evmAddress: string; readonly privateKey: string } {
    return present(this.devnet.summary.accounts[index], `account ${index}`);
  }

  wallet(index: number): Wallet {
    return new Wallet(this.account(index).privateKey, this.provider);
  }

  /** Posts a text. */
  async post(body: string): Promise<unknown> {
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(this.url, { method: 'POST', headers, body });
    const text = await answer.text();
    return text === '' ? undefined : JSON.parse(text);
  }

  /** Calls a method. */
  async raw(method: string, ...params: unknown[]): Promise<RawAnswer> {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
    return (await this.post(body)) as RawAnswer;
  }

  /** The result of a method. @throws Error if it is refused */
  async result<T>(method: string, ...params: unknown[]): Promise<T> {
    const { result, error } = await this.raw(method, ...params);
    if (error !== undefined) throw new Error(`${method}: ${JSON.stringify(error)}`);
    return result as T;
  }
}
