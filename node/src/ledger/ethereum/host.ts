/**
 * The EVM as the ledger hosts it: its ports to accounts, coins and keys, and the block it sees.
 *
 * Upholds: number is the height, time is BFT time, BLOCKHASH gives hashes of the ledger's blocks.
 * PREVRANDAO is the SHA-256 of the last block's hash: no secret to that block's proposer. COINBASE
 * is who gets the proposer's tips (params.ts).
 * Absent here: running transactions (run.ts) and the EVM itself (ledger/evm).
 *
 * @module
 */
import { present } from '../../base/errors.ts';
import { sha256 } from '../../base/hash.ts';
import { resolve } from '../auth/aliases.ts';
import { getBalance, getSupply, setBalance, setSupply } from '../bank/balances.ts';
import type { Chain } from '../chain.ts';
import { BASE_DENOM } from '../denom.ts';
import { createEngine } from '../evm/engine.ts';
import type { EvmBank, EvmBlock, EvmEngine, EvmPorts } from '../evm/types.ts';
import { evmBlockGas } from '../gas.ts';
import type { Block } from '../module.ts';
import type { Records } from '../record.ts';
import { FEE_COLLECTOR } from '../tx/fees.ts';
import { firstSight } from '../tx/first-sight.ts';
import { type Faces, facesFinder, facesOf, type KeyTools } from '../tx/key-tools.ts';
import { exclusive } from './exclusive.ts';
import { baseFeeAt, type FeeTerms } from './fee-market.ts';
import { ethereumChainId, tipReceiver } from './params.ts';

/** Hash of a block of this chain that is not older than 256 blocks, if it is known. */
export type BlockHashes = (height: number) => Uint8Array | undefined;

/** What code sees of the blocks before the first. */
const NO_HASH = new Uint8Array(32);
const SECOND = 1_000_000_000n;

const bank: EvmBank = {
  balance: (state, id) => getBalance(state, id, BASE_DENOM),
  setBalance: (state, id, before, after) => setBalance(state, id, BASE_DENOM, before, after),
  changeSupply: (state, by) => setSupply(state, BASE_DENOM, getSupply(state, BASE_DENOM) + by),
};

/** The EVM of one chain. */
export class EthereumHost {
  readonly chainId: bigint;
  readonly ports: EvmPorts;
  /** The faces of a 33-byte key, if it is one. */
  readonly faces: (publicKey: Uint8Array) => Faces | undefined;
  readonly terms: FeeTerms;
  readonly #blockHash: BlockHashes;
  #engine: Promise<EvmEngine> | undefined;

  /** @param state - as genesis left it, or later */
  constructor(chain: Chain, state: Records, keys: KeyTools, blockHash: BlockHashes) {
    const { maxBlockGas, initialHeight } = chain;
    this.terms = { gasLimit: BigInt(evmBlockGas(maxBlockGas)), initialHeight };
    this.chainId = ethereumChainId(state, chain.chainId);
    this.faces = facesFinder(keys);
    this.#blockHash = blockHash;
    this.ports = {
      chainId: this.chainId,
      bank,
      resolve,
      sight: (records, publicKey) => firstSight(records, facesOf(publicKey)),
      recover: keys.recover,
    };
  }

  /** The engine, one run at a time; loaded when it is first asked for. */
  engine(): Promise<EvmEngine> {
    this.#engine ??= createEngine(this.ports).then(exclusive);
    return this.#engine;
  }

  /** The base fee of the block at `height`, above all committed ones. */
  baseFee(state: Records, height: number): bigint {
    return baseFeeAt(state, height, this.terms);
  }

  /** The block as code sees it. */
  block(state: Records, { height, time, proposer }: Block): EvmBlock {
    return {
      height,
      time: time / SECOND,
      proposer: tipReceiver(state, proposer) ?? FEE_COLLECTOR,
      baseFee: this.baseFee(state, height),
      gasLimit: this.terms.gasLimit,
      prevRandao: sha256(this.#hashOf(height - 1)),
      blockHash: (at) => this.#hashOf(at),
    };
  }

  #hashOf(height: number): Uint8Array {
    if (height < this.terms.initialHeight) return NO_HASH;
    return present(this.#blockHash(height), `hash of block ${height}`);
  }
}
