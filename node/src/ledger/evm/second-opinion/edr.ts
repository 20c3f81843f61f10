/**
 * Hardhat's EVM in this process: one chain of it, asked by JSON-RPC in batches.
 *
 * Upholds: blocks are made when asked and from what was sent, in that order; nothing depends on
 * the clock. It works in threads of its own.
 * Absent here: what is asked (mirror.ts).
 * Spec: Hardhat Network reference, JSON-RPC methods; the hardfork is that of machine.ts.
 *
 * @module
 */
import type {
  EdrContext,
  LoggerConfig,
  Provider,
  ProviderConfig,
  SubscriptionConfig,
} from '@nomicfoundation/edr';
import { describe } from '../../../base/errors.ts';

type Library = typeof import('@nomicfoundation/edr');

/** A request: a method and its parameters. */
export type EdrRequest = readonly [method: string, ...params: readonly unknown[]];

/** What the chain is made with. */
export type EdrOptions = { readonly chainId: bigint; readonly gasLimit: bigint };

/** It refused a request, or could not be loaded. */
export class EdrRefusal extends Error {
  override readonly name = 'EdrRefusal';
}

// The library never lets go of these: they must not reach a chain, or its state stays for ever.
const SILENT: LoggerConfig = {
  enable: false,
  decodeConsoleLogInputsCallback: () => [],
  printLineCallback: () => undefined,
};
const DEAF: SubscriptionConfig = { subscriptionCallback: () => undefined };

/** Most requests in one batch. */
const MAX_BATCH = 400;

let context: Promise<{ edr: Library; context: EdrContext }> | undefined;

/** Loads the library, once for this process. */
async function load(): Promise<{ edr: Library; context: EdrContext }> {
  const edr = await import('@nomicfoundation/edr');
  const made = new edr.EdrContext();
  await made.registerProviderFactory(edr.L1_CHAIN_TYPE, edr.l1ProviderFactory());
  return { edr, context: made };
}

/** Loads the library. @throws EdrRefusal if there is none for this platform */
export async function loadEdr(): Promise<void> {
  context ??= load();
  await context.catch((thrown: unknown) => {
    context = undefined;
    throw new EdrRefusal(describe(thrown).split('\n', 1)[0] ?? '', { cause: thrown });
  });
}

function configOf(edr: Library, { chainId, gasLimit }: EdrOptions): ProviderConfig {
  return {
    allowBlocksWithSameTimestamp: true,
    allowUnlimitedContractSize: false,
    bailOnCallFailure: false,
    bailOnTransactionFailure: false,
    chainId,
    coinbase: new Uint8Array(20),
    defaultTransactionGasLimit: gasLimit,
    genesisState: [],
    hardfork: edr.OSAKA,
    initialBaseFeePerGas: 0n,
    initialParentBeaconBlockRoot: new Uint8Array(32),
    minGasPrice: 0n,
    mining: {
      autoMine: false,
      blockGasLimit: gasLimit,
      memPool: { order: edr.MineOrdering.Fifo },
    },
    network: { genesisBlockGasLimit: gasLimit, genesisBlockTime: 0n },
    networkId: chainId,
    observability: {},
    ownedAccounts: [],
    precompileOverrides: [],
    transactionGasCap: false,
  };
}

/**
 * A value as JSON, quicker than the engine's own where texts are long.
 *
 * Texts are names and hex here: none has a character that JSON writes differently.
 */
function jsonOf(value: unknown): string {
  if (typeof value === 'string') return `"${value}"`;
  if (Array.isArray(value)) return `[${value.map(jsonOf).join(',')}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  const members = Object.entries(value).map(([name, one]) => `"${name}":${jsonOf(one)}`);
  return `{${members.join(',')}}`;
}

/** The result of a response, whichever way it comes. */
function resultOf(data: unknown): unknown {
  const answer: unknown = typeof data === 'string' ? JSON.parse(data) : data;
  const { error, result } = answer as { error?: { message?: string }; result?: unknown };
  if (error !== undefined) throw new EdrRefusal(error.message ?? 'refused');
  return result;
}

/** A chain of the other EVM. */
export class EdrChain {
  readonly #provider: Provider;

  private constructor(provider: Provider) {
    this.#provider = provider;
  }

  /** A new chain with an empty state. */
  static async open(options: EdrOptions): Promise<EdrChain> {
    await loadEdr();
    const { edr, context: made } = await (context as NonNullable<typeof context>);
    const provider = await made.createProvider(
      edr.L1_CHAIN_TYPE,
      configOf(edr, options),
      SILENT,
      DEAF,
      new edr.ContractDecoder(),
    );
    return new EdrChain(provider);
  }

  /**
   * Asks one thing after the other.
   *
   * @returns one answer per request
   * @throws EdrRefusal at the first that is refused; those before it have taken effect
   */
  async ask(requests: readonly EdrRequest[]): Promise<readonly unknown[]> {
    const answers: unknown[] = [];
    for (let at = 0; at < requests.length; at += MAX_BATCH) {
      const batch = requests
        .slice(at, at + MAX_BATCH)
        .map(([method, ...params], id) => ({ jsonrpc: '2.0', id, method, params }));
      const response = await this.#provider.handleRequest(jsonOf(batch));
      answers.push(...(resultOf(response.data) as readonly unknown[]));
    }
    return answers;
  }
}
