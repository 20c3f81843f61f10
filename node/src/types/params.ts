/**
 * Consensus parameters: what the chain itself fixes about blocks, evidence and validators.
 *
 * Upholds: `checkParams` bounds every value; the header commits to block size and gas only, as in
 * CometBFT. Absent here: timeouts, which are each node's configuration.
 * Spec: CometBFT 0.38 types/params.go.
 *
 * @module
 */
import { type ErrorSpec, errorSpec, LedgerError } from '../base/errors.ts';
import { sha256 } from '../base/hash.ts';
import { MAX_BLOCK_BYTES } from '../base/limits.ts';
import { type Codec, int, message } from '../base/proto.ts';
import type { KeyType } from './keys.ts';

/** Consensus parameters. Sizes in bytes; `maxBytes` and `maxGas` may be −1: the most there is. */
export type ConsensusParams = {
  readonly block: { readonly maxBytes: number; readonly maxGas: number };
  readonly evidence: {
    readonly maxAgeNumBlocks: number;
    /** Nanoseconds. */
    readonly maxAgeDuration: bigint;
    readonly maxBytes: number;
  };
  readonly validator: { readonly pubKeyTypes: readonly KeyType[] };
  readonly version: { readonly app: number };
  /** `voteExtensionsEnableHeight` is 0: vote extensions are off. */
  readonly abci: { readonly voteExtensionsEnableHeight: number };
};

/** CometBFT 0.38's defaults; our genesis files write them out. */
export const DEFAULT_PARAMS: ConsensusParams = {
  block: { maxBytes: 22_020_096, maxGas: -1 },
  evidence: {
    maxAgeNumBlocks: 100_000,
    maxAgeDuration: 172_800_000_000_000n,
    maxBytes: 1_048_576,
  },
  validator: { pubKeyTypes: ['ed25519'] },
  version: { app: 0 },
  abci: { voteExtensionsEnableHeight: 0 },
};

type HashedParams = { readonly maxBytes: number; readonly maxGas: number };

const hashedParamsCodec: Codec<HashedParams> = message<HashedParams>('HashedParams', {
  maxBytes: int(1),
  maxGas: int(2),
});

/** The hash that headers carry: 32 bytes. */
export function paramsHash(params: ConsensusParams): Uint8Array {
  return sha256(hashedParamsCodec.encode(params.block));
}

/** The most bytes a block may have under these parameters. */
export function maxBlockBytes(params: ConsensusParams): number {
  return params.block.maxBytes === -1 ? MAX_BLOCK_BYTES : params.block.maxBytes;
}

/** Refusals of parameters. */
export const errors: { readonly BadParams: ErrorSpec<{ readonly reason: string }> } = {
  BadParams: errorSpec('params', 1, 'client', (p) => `consensus parameters: ${p.reason}`),
};

/** @throws LedgerError params/1 if a value is out of its bounds */
export function checkParams(params: ConsensusParams): void {
  const { block, evidence, validator, abci } = params;
  const rules: readonly (readonly [boolean, string])[] = [
    [
      block.maxBytes === -1 || (block.maxBytes >= 1 && block.maxBytes <= MAX_BLOCK_BYTES),
      `block.max_bytes ${block.maxBytes} is not −1 or 1 … ${MAX_BLOCK_BYTES}`,
    ],
    [block.maxGas >= -1, `block.max_gas ${block.maxGas} is below −1`],
    [evidence.maxAgeNumBlocks > 0, 'evidence.max_age_num_blocks is not above 0'],
    [evidence.maxAgeDuration > 0n, 'evidence.max_age_duration is not above 0'],
    [
      evidence.maxBytes >= 0 && evidence.maxBytes <= maxBlockBytes(params),
      'evidence.max_bytes is negative or over block.max_bytes',
    ],
    [validator.pubKeyTypes.length > 0, 'validator.pub_key_types is empty'],
    [
      validator.pubKeyTypes.every((type) => type === 'ed25519'),
      'validator.pub_key_types may only name ed25519',
    ],
    [abci.voteExtensionsEnableHeight === 0, 'vote extensions are not supported'],
  ];
  for (const [holds, reason] of rules) {
    if (!holds) throw new LedgerError(errors.BadParams, { reason });
  }
}
