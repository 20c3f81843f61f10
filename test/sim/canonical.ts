/**
 * What a signature covers, read from its bytes: for those who watch from outside.
 *
 * @module
 */

import { toHex } from '../../node/src/base/bytes.ts';
import {
  always,
  bytes,
  type Codec,
  int,
  message,
  optional,
  sfixed64,
  text,
  uint,
} from '../../node/src/base/proto.ts';
import { Reader } from '../../node/src/base/wire.ts';
import { type PartSetHeader, partSetHeaderCodec } from '../../node/src/types/block-id.ts';
import { type Time, timeCodec } from '../../node/src/types/time.ts';

type CanonicalId = { readonly hash: Uint8Array; readonly partSetHeader: PartSetHeader };

const idCodec: Codec<CanonicalId> = message<CanonicalId>('id', {
  hash: bytes(1, 32),
  partSetHeader: always(2, partSetHeaderCodec),
});

type Canonical = {
  readonly type: number;
  readonly height: number;
  readonly round: number;
  readonly blockId: CanonicalId | undefined;
  readonly time: Time;
  readonly chainId: string;
};

const voteCodec: Codec<Canonical> = message<Canonical>('vote', {
  type: uint(1),
  height: sfixed64(2),
  round: sfixed64(3),
  blockId: optional(4, idCodec),
  time: always(5, timeCodec),
  chainId: text(6, 50),
});

const proposalCodec: Codec<Canonical & { readonly polRound: number }> = message('proposal', {
  type: uint(1),
  height: sfixed64(2),
  round: sfixed64(3),
  polRound: int(4),
  blockId: optional(5, idCodec),
  time: always(6, timeCodec),
  chainId: text(7, 50),
});

/** A signed statement: type 1 prevote, 2 precommit, 32 proposal. `block` is '' for nil. */
export type Statement = {
  readonly type: number;
  readonly height: number;
  readonly round: number;
  readonly block: string;
};

/** Reads sign bytes. */
export function statementOf(signBytes: Uint8Array): Statement {
  const input = new Reader(signBytes, 'sign bytes');
  const body = input.delimited(signBytes.length, 'statement');
  const codec: Codec<Canonical> = body[1] === 32 ? proposalCodec : voteCodec;
  const { type, height, round, blockId } = codec.decode(body);
  return { type, height, round, block: blockId === undefined ? '' : toHex(blockId.hash) };
}
