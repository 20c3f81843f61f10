/**
 * The library's EVM with the ledger's state, journal, block hashes and precompiles in it.
 *
 * @module
 */
import type { Common } from '@ethereumjs/common';
import { EVM, type EVMMockBlockchainInterface } from '@ethereumjs/evm';
import { fromHex } from '../../base/bytes.ts';
import { present } from '../../base/errors.ts';
import type { WarmJournal } from './journal.ts';
import { type Curves, precompilesOf } from './precompiles.ts';
import type { FlatState } from './state.ts';
import type { EvmPorts } from './types.ts';

/** What it is made of. */
export type EvmParts = {
  readonly common: Common;
  readonly curves: Curves;
  readonly recover: EvmPorts['recover'];
  readonly state: FlatState;
  readonly journal: WarmJournal;
};

/** Hash of a block by its height. */
type BlockHash = (height: number) => Uint8Array;

/** Answers BLOCKHASH; the library asks nothing else of a chain. */
class Chain implements EVMMockBlockchainInterface {
  blockHash: BlockHash = () => new Uint8Array(32);

  getBlock(height: number): Promise<{ hash(): Uint8Array }> {
    return Promise.resolve({ hash: () => this.blockHash(height) });
  }

  putBlock(): Promise<void> {
    return Promise.resolve();
  }

  shallowCopy(): EVMMockBlockchainInterface {
    return this;
  }
}

/** The EVM. */
export class LedgerEvm extends EVM {
  readonly flat: FlatState;
  readonly warm: WarmJournal;
  readonly #chain: Chain;

  constructor({ common, curves, recover, state, journal }: EvmParts) {
    const chain = new Chain();
    super({
      common,
      stateManager: state,
      blockchain: chain,
      bls: curves.bls,
      bn254: curves.bn254,
      customPrecompiles: precompilesOf(common, curves, recover),
    });
    this.flat = state;
    this.warm = journal;
    this.#chain = chain;
    // The library names a class where it needs only these methods.
    this.journal = journal as unknown as EVM['journal'];
  }

  /** How BLOCKHASH is answered. */
  set blockHash(answer: BlockHash) {
    this.#chain.blockHash = answer;
  }

  /** Starts a run: transient storage is that of one transaction (EIP-1153). */
  begin(): void {
    this.transientStorage.clear();
  }

  /** The addresses of the precompiles. */
  precompileAddresses(): readonly Uint8Array[] {
    return [...this.precompiles.keys()].map((hex) => present(fromHex(hex), 'address'));
  }
}
