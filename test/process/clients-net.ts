/**
 * The devnet that the clients' tests share, and CosmJS clients of it.
 *
 * @module
 */
import { Secp256k1HdWallet } from '@cosmjs/amino';
import { DirectSecp256k1HdWallet, type EncodeObject, Registry } from '@cosmjs/proto-signing';
import {
  AminoTypes,
  createDefaultAminoConverters,
  defaultRegistryTypes,
  GasPrice,
  SigningStargateClient,
  type SigningStargateClientOptions,
} from '@cosmjs/stargate';
import { WebsocketClient } from '@cosmjs/tendermint-rpc';
import { present } from '../../node/src/base/errors.ts';
import { memoryAminoConverters, memoryTypes } from '../../node/src/client/registry.ts';
import { type Devnet, startDevnet, temporaryFolder, until } from './support.ts';

export const PREFIX = 'metatron';
export const DENOM = 'aphi';

/** Four validators and what signs on them. */
export class ClientNet {
  readonly folder: { readonly path: string; remove(): void } = temporaryFolder();
  #devnet: Devnet | undefined;
  readonly #open: { disconnect(): void }[] = [];

  /** Starts the validators. */
  async start(): Promise<void> {
    this.#devnet = await startDevnet(this.home);
  }

  /** Stops them, whatever the tests did, and removes their files. */
  async stop(): Promise<void> {
    for (const client of this.#open) client.disconnect();
    await this.#devnet?.stop();
    this.folder.remove();
  }

  get home(): string {
    return `${this.folder.path}/net`;
  }

  get devnet(): Devnet {
    return present(this.#devnet, 'a running devnet');
  }

  get chainId(): string {
    return this.devnet.summary.chainId;
  }

  /** RPC address of a validator. */
  rpc(node = 0): string {
    return present(this.devnet.summary.nodes[node], `node ${node}`).rpc;
  }

  /** A funded account. */
  account(name: string): { readonly address: string; readonly mnemonic: string } {
    return present(
      this.devnet.summary.accounts.find((account) => account.name === name),
      `account ${name}`,
    );
  }

  /** A signing client of `name` on a validator. */
  async signer(
    name: string,
    mode: 'direct' | 'amino' = 'direct',
    node = 0,
  ): Promise<SigningStargateClient> {
    const { mnemonic } = this.account(name);
    const wallets = { direct: DirectSecp256k1HdWallet, amino: Secp256k1HdWallet };
    const wallet = await wallets[mode].fromMnemonic(mnemonic, { prefix: PREFIX });
    const options: SigningStargateClientOptions = {
      registry: new Registry([...defaultRegistryTypes, ...memoryTypes]),
      aminoTypes: new AminoTypes({ ...createDefaultAminoConverters(), ...memoryAminoConverters }),
      gasPrice: GasPrice.fromString(`0.025${DENOM}`),
      broadcastPollIntervalMs: 40,
      broadcastTimeoutMs: 30_000,
    };
    return this.closing(
      await SigningStargateClient.connectWithSigner(this.rpc(node), wallet, options),
    );
  }

  /** Has `client` disconnected at the end. */
  closing<T extends { disconnect(): void }>(client: T): T {
    this.#open.push(client);
    return client;
  }

  /** A WebSocket to a validator. */
  webSocket(node = 0): WebsocketClient {
    const client = new WebsocketClient(this.rpc(node).replace('http', 'ws'));
    const disconnect = (): void => {
      client.disconnect();
      // CosmJS 0.39 connects again after a disconnect, for ever, and keeps the process alive.
      clearTimeout(Reflect.get(Reflect.get(client, 'socket'), 'reconnectTimeout'));
    };
    this.closing({ disconnect });
    return client;
  }

  /** Waits until a validator has committed `height`. */
  async reaches(height: number, node = 0): Promise<void> {
    const url = `${this.rpc(node)}/status`;
    await until(`node ${node} at height ${height}`, 15_000, async () => {
      const { result } = (await (await fetch(url)).json()) as {
        result: { sync_info: { latest_block_height: string } };
      };
      return Number(result.sync_info.latest_block_height) >= height;
    });
  }
}

/** A message that sends coins. */
export function sendMessage(from: string, to: string, amount: string): EncodeObject {
  const value = { fromAddress: from, toAddress: to, amount: [{ denom: DENOM, amount }] };
  return { typeUrl: '/cosmos.bank.v1beta1.MsgSend', value };
}
