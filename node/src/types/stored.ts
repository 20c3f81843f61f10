/**
 * How chain state, results, parameters and block names look on disk.
 *
 * Upholds: canonical bytes, as of every codec here. Shapes and numbers are CometBFT's messages
 * (tendermint.types.ConsensusParams, tendermint.abci.ResponseFinalizeBlock, tendermint.state.State
 * without its software version), so that one codec serves disk and ABCI.
 * Absent here: keys of records and batches; node/state has them.
 *
 * @module
 */
import { fromUtf8, utf8 } from '../base/bytes.ts';
import { HASH_SIZE } from '../base/hash.ts';
import {
  MAX_BLOCK_BYTES,
  MAX_CHAIN_ID_BYTES,
  MAX_ROUND,
  MAX_SIGNATURE_BYTES,
  MAX_VALIDATORS,
} from '../base/limits.ts';
import {
  always,
  bytes,
  bytesList,
  type Codec,
  int,
  int64,
  list,
  mapped,
  message,
  optional,
  text,
  uint,
} from '../base/proto.ts';
import { refuse } from '../base/wire.ts';
import { type BlockId, blockIdCodec } from './block-id.ts';
import type { BlockMeta, ChainState } from './chain-state.ts';
import { headerCodec, MAX_APP_HASH_BYTES } from './header.ts';
import { type KeyType, publicKeyCodec } from './keys.ts';
import type { ConsensusParams } from './params.ts';
import {
  type AbciEvent,
  type ExecTxResult,
  eventCodec,
  execTxResultCodec,
  type FinalizeBlockResponse,
  MAX_RESULT_ITEMS,
} from './results.ts';
import { type Time, timeCodec } from './time.ts';
import {
  type ValidatorSet,
  type ValidatorUpdate,
  validatorSetCodec,
  validatorSetFromWire,
  validatorSetToWire,
} from './validators.ts';

const NANOS = 1_000_000_000n;
const MAX_KEY_TYPES = 8;
const MAX_KEY_TYPE_BYTES = 32;

/** google.protobuf.Duration as nanoseconds. */
export const durationCodec: Codec<bigint> = mapped(
  message<{ readonly seconds: number; readonly nanos: number }>('Duration', {
    seconds: int(1),
    nanos: int(2),
  }),
  ({ seconds, nanos }) =>
    Math.abs(nanos) < 1e9 && seconds * nanos >= 0
      ? BigInt(seconds) * NANOS + BigInt(nanos)
      : refuse('Duration', `${nanos} ns do not fit ${seconds} s`),
  (duration) => ({ seconds: Number(duration / NANOS), nanos: Number(duration % NANOS) }),
);

function keyTypeOf(name: Uint8Array): KeyType {
  const type = fromUtf8(name);
  return type === 'ed25519' || type === 'secp256k1'
    ? type
    : refuse('ValidatorParams', 'unknown key type');
}

const validatorParamsCodec: Codec<ConsensusParams['validator']> = mapped(
  message<{ readonly names: readonly Uint8Array[] }>('ValidatorParams', {
    names: bytesList(1, MAX_KEY_TYPE_BYTES, MAX_KEY_TYPES),
  }),
  ({ names }) => ({ pubKeyTypes: names.map(keyTypeOf) }),
  ({ pubKeyTypes }) => ({ names: pubKeyTypes.map(utf8) }),
);

type WireParams = { readonly [K in keyof ConsensusParams]: ConsensusParams[K] | undefined };

const wireParamsCodec: Codec<WireParams> = message<WireParams>('ConsensusParams', {
  block: optional(
    1,
    message<ConsensusParams['block']>('BlockParams', { maxBytes: int(1), maxGas: int(2) }),
  ),
  evidence: optional(
    2,
    message<ConsensusParams['evidence']>('EvidenceParams', {
      maxAgeNumBlocks: int(1),
      maxAgeDuration: always(2, durationCodec),
      maxBytes: int(3),
    }),
  ),
  validator: optional(3, validatorParamsCodec),
  version: optional(4, message<ConsensusParams['version']>('VersionParams', { app: uint(1) })),
  abci: optional(
    5,
    message<ConsensusParams['abci']>('ABCIParams', { voteExtensionsEnableHeight: int(1) }),
  ),
});

/** tendermint.types.ConsensusParams with all its parts. */
export const consensusParamsCodec: Codec<ConsensusParams> = mapped(
  wireParamsCodec,
  ({ block, evidence, validator, version, abci }) =>
    block && evidence && validator && version && abci
      ? { block, evidence, validator, version, abci }
      : refuse('ConsensusParams', 'a part is missing'),
  (params) => params,
);

/** tendermint.types.ConsensusParams as a change: absent parts stay as they are. */
export const paramUpdatesCodec: Codec<Partial<ConsensusParams>> = mapped(
  wireParamsCodec,
  (wire): Partial<ConsensusParams> => ({
    ...(wire.block && { block: wire.block }),
    ...(wire.evidence && { evidence: wire.evidence }),
    ...(wire.validator && { validator: wire.validator }),
    ...(wire.version && { version: wire.version }),
    ...(wire.abci && { abci: wire.abci }),
  }),
  ({ block, evidence, validator, version, abci }) => ({
    block,
    evidence,
    validator,
    version,
    abci,
  }),
);

/** tendermint.abci.ValidatorUpdate. */
export const validatorUpdateCodec: Codec<ValidatorUpdate> = message<ValidatorUpdate>(
  'ValidatorUpdate',
  { publicKey: always(1, publicKeyCodec), power: int64(2) },
);

/** tendermint.abci.ResponseFinalizeBlock. */
export const finalizeBlockResponseCodec: Codec<FinalizeBlockResponse> =
  message<FinalizeBlockResponse>('ResponseFinalizeBlock', {
    events: list<AbciEvent>(1, eventCodec, MAX_RESULT_ITEMS),
    txResults: list<ExecTxResult>(2, execTxResultCodec, MAX_BLOCK_BYTES / 2),
    validatorUpdates: list<ValidatorUpdate>(3, validatorUpdateCodec, MAX_VALIDATORS),
    paramUpdates: optional(4, paramUpdatesCodec),
    appHash: bytes(5, MAX_APP_HASH_BYTES),
  });

/** tendermint.types.ValidatorSet as a value: proposer in the set, addresses derived from keys. */
export const storedValidatorSetCodec: Codec<ValidatorSet> = mapped(
  validatorSetCodec,
  validatorSetFromWire,
  validatorSetToWire,
);

/** The chain's state, numbered as tendermint.state.State. */
export const chainStateCodec: Codec<ChainState> = message<ChainState>('State', {
  chainId: text(2, MAX_CHAIN_ID_BYTES),
  lastHeight: uint(3),
  lastBlockId: always<BlockId>(4, blockIdCodec),
  lastTime: always<Time>(5, timeCodec),
  nextValidators: always<ValidatorSet>(6, storedValidatorSetCodec),
  validators: always<ValidatorSet>(7, storedValidatorSetCodec),
  lastValidators: optional(8, storedValidatorSetCodec),
  validatorsChangedHeight: uint(9),
  params: always<ConsensusParams>(10, consensusParamsCodec),
  paramsChangedHeight: uint(11),
  lastResultsHash: bytes(12, HASH_SIZE),
  appHash: bytes(13, MAX_APP_HASH_BYTES),
  initialHeight: uint(14),
});

/** tendermint.types.BlockMeta. */
export const blockMetaCodec: Codec<BlockMeta> = message<BlockMeta>('BlockMeta', {
  blockId: always(1, blockIdCodec),
  blockSize: uint(2),
  header: always(3, headerCodec),
  txCount: uint(4),
});

/** What a validator's key signed last. Steps: 1 proposal, 2 prevote, 3 precommit. */
export type LastSigned = {
  readonly height: number;
  readonly round: number;
  readonly step: number;
  readonly signBytes: Uint8Array;
  readonly signature: Uint8Array;
};

/** Most bytes of a vote's or proposal's sign bytes: about 190 with the longest chain id. */
const MAX_SIGN_BYTES = 512;

/** The double-sign guard's record, whose step is never 0. */
export const lastSignedCodec: Codec<LastSigned> = message<LastSigned>('LastSigned', {
  height: uint(1),
  round: uint(2, MAX_ROUND),
  step: uint(3, 3),
  signBytes: bytes(4, MAX_SIGN_BYTES),
  signature: bytes(5, MAX_SIGNATURE_BYTES),
});
