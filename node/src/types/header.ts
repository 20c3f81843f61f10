/**
 * Block headers and their hash, which is the block's hash.
 *
 * Upholds: hash and bytes are CometBFT's, block protocol 11. A decoded header is well formed on the
 * wire but not yet valid; `block-checks.ts` comes next.
 * Spec: CometBFT spec/core/data_structures.md, "Header"; spec/core/encoding.md.
 *
 * @module
 */
import { HASH_SIZE } from '../base/hash.ts';
import { ADDRESS_BYTES, MAX_CHAIN_ID_BYTES } from '../base/limits.ts';
import { merkleRoot } from '../base/merkle.ts';
import { always, bytes, type Codec, int, message, text, uint } from '../base/proto.ts';
import { type BlockId, blockIdCodec } from './block-id.ts';
import { type Time, timeCodec } from './time.ts';

/** CometBFT's block protocol. */
export const BLOCK_PROTOCOL = 11;

/** Protocol versions a header names. */
export type ConsensusVersion = { readonly block: number; readonly app: number };

/** tendermint.version.Consensus. */
const consensusVersionCodec: Codec<ConsensusVersion> = message<ConsensusVersion>('Consensus', {
  block: uint(1),
  app: uint(2),
});

/** A block's header. Hashes are empty or 32 bytes; `appHash` is the application's own. */
export type Header = {
  readonly version: ConsensusVersion;
  readonly chainId: string;
  readonly height: number;
  readonly time: Time;
  readonly lastBlockId: BlockId;
  readonly lastCommitHash: Uint8Array;
  readonly dataHash: Uint8Array;
  readonly validatorsHash: Uint8Array;
  readonly nextValidatorsHash: Uint8Array;
  readonly consensusHash: Uint8Array;
  readonly appHash: Uint8Array;
  readonly lastResultsHash: Uint8Array;
  readonly evidenceHash: Uint8Array;
  readonly proposerAddress: Uint8Array;
};

/** Most bytes of an application hash. */
export const MAX_APP_HASH_BYTES = 64;

/** tendermint.types.Header. */
export const headerCodec: Codec<Header> = message<Header>('Header', {
  version: always(1, consensusVersionCodec),
  chainId: text(2, MAX_CHAIN_ID_BYTES),
  height: uint(3),
  time: always(4, timeCodec),
  lastBlockId: always(5, blockIdCodec),
  lastCommitHash: bytes(6, HASH_SIZE),
  dataHash: bytes(7, HASH_SIZE),
  validatorsHash: bytes(8, HASH_SIZE),
  nextValidatorsHash: bytes(9, HASH_SIZE),
  consensusHash: bytes(10, HASH_SIZE),
  appHash: bytes(11, MAX_APP_HASH_BYTES),
  lastResultsHash: bytes(12, HASH_SIZE),
  evidenceHash: bytes(13, HASH_SIZE),
  proposerAddress: bytes(14, ADDRESS_BYTES),
});

const bytesValue = message<{ readonly value: Uint8Array }>('BytesValue', {
  value: bytes(1, MAX_APP_HASH_BYTES),
});
const stringValue = message<{ readonly value: string }>('StringValue', {
  value: text(1, MAX_CHAIN_ID_BYTES),
});
const int64Value = message<{ readonly value: number }>('Int64Value', { value: int(1) });

/** The 14 leaves a header's hash is taken over, in order. */
function headerLeaves(header: Header): Uint8Array[] {
  return [
    consensusVersionCodec.encode(header.version),
    stringValue.encode({ value: header.chainId }),
    int64Value.encode({ value: header.height }),
    timeCodec.encode(header.time),
    blockIdCodec.encode(header.lastBlockId),
    ...[
      header.lastCommitHash,
      header.dataHash,
      header.validatorsHash,
      header.nextValidatorsHash,
      header.consensusHash,
      header.appHash,
      header.lastResultsHash,
      header.evidenceHash,
      header.proposerAddress,
    ].map((value) => bytesValue.encode({ value })),
  ];
}

/** The hash of a header: the block's hash. 32 bytes. */
export function headerHash(header: Header): Uint8Array {
  return merkleRoot(headerLeaves(header));
}
