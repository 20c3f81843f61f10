/**
 * Messages about spaces, and the operations that they leave in a space's log, on the wire.
 *
 * Upholds: as in wire.ts: what decodes is canonical.
 * Spec: metatron/memory/v1/tx.proto, state.proto.
 *
 * @module
 */
import {
  bool,
  bytes,
  type Codec,
  message,
  optional,
  term,
  uint,
  uint64,
} from '../../base/proto.ts';
import type { Timestamp } from '../../gen/google/protobuf/timestamp.ts';
import type {
  Grant,
  GrantPlace,
  Revocation,
  SpaceFreeze,
  SpaceTerms,
  SpaceTransfer,
} from '../../gen/metatron/memory/v1/state.ts';
import type {
  MsgCreateSpace,
  MsgCreateSpaceResponse,
  MsgFreezeSpace,
  MsgGrant,
  MsgRevoke,
  MsgTransferSpace,
  MsgUpdateSpace,
} from '../../gen/metatron/memory/v1/tx.ts';
import { MAX_TX_BYTES } from '../tx/wire.ts';
import { enumeration, timestampCodec } from './wire.ts';

const MAX = MAX_TX_BYTES;
const UINT32 = 0xffff_ffff;

/** metatron.memory.v1.MsgCreateSpace. */
export const msgCreateSpaceCodec: Codec<MsgCreateSpace> = message<MsgCreateSpace>(
  'MsgCreateSpace',
  {
    author: term(1, MAX),
    salt: bytes(2, MAX),
    mode: enumeration(3),
    policy: bytes(4, MAX),
    maxEntries: uint64(5),
    maxBytes: uint64(6),
  },
);

/** metatron.memory.v1.MsgCreateSpaceResponse. */
export const msgCreateSpaceResponseCodec: Codec<MsgCreateSpaceResponse> =
  message<MsgCreateSpaceResponse>('MsgCreateSpaceResponse', { space: bytes(1, 32) });

/** metatron.memory.v1.MsgUpdateSpace. */
export const msgUpdateSpaceCodec: Codec<MsgUpdateSpace> = message<MsgUpdateSpace>(
  'MsgUpdateSpace',
  {
    author: term(1, MAX),
    space: bytes(2, MAX),
    mode: enumeration(3),
    policy: bytes(4, MAX),
    maxEntries: uint64(5),
    maxBytes: uint64(6),
  },
);

/** metatron.memory.v1.MsgTransferSpace. */
export const msgTransferSpaceCodec: Codec<MsgTransferSpace> = message<MsgTransferSpace>(
  'MsgTransferSpace',
  { author: term(1, MAX), space: bytes(2, MAX), to: term(3, MAX) },
);

/** metatron.memory.v1.MsgFreezeSpace. */
export const msgFreezeSpaceCodec: Codec<MsgFreezeSpace> = message<MsgFreezeSpace>(
  'MsgFreezeSpace',
  { author: term(1, MAX), space: bytes(2, MAX), frozen: bool(3) },
);

/** metatron.memory.v1.MsgGrant. */
export const msgGrantCodec: Codec<MsgGrant> = message<MsgGrant>('MsgGrant', {
  author: term(1, MAX),
  space: bytes(2, MAX),
  subject: term(3, MAX),
  rights: uint(4, UINT32),
  expiry: uint64(5),
});

/** metatron.memory.v1.MsgRevoke. */
export const msgRevokeCodec: Codec<MsgRevoke> = message<MsgRevoke>('MsgRevoke', {
  author: term(1, MAX),
  space: bytes(2, MAX),
  subject: term(3, MAX),
});

/** Everything that changes a space and stands in its log, by its name in Operation. */
export type SpaceChanges = {
  readonly created: SpaceTerms;
  readonly updated: SpaceTerms;
  readonly transferred: SpaceTransfer;
  readonly frozen: SpaceFreeze;
  readonly granted: Grant;
  readonly revoked: Revocation;
};

/** metatron.memory.v1.Operation of a change of a space: one of the changes is present. */
export type ChangeOperation = {
  readonly height: number;
  readonly blockTime: Timestamp | undefined;
} & Partial<SpaceChanges>;

const termsCodec: Codec<SpaceTerms> = message<SpaceTerms>('SpaceTerms', {
  space: bytes(1, 32),
  owner: bytes(2, 20),
  mode: enumeration(3),
  policy: bytes(4, 20),
  maxEntries: uint64(5),
  maxBytes: uint64(6),
});

/** metatron.memory.v1.Operation of a change of a space. */
export const changeOperationCodec: Codec<ChangeOperation> = message<ChangeOperation>('Operation', {
  height: uint(1),
  blockTime: optional(2, timestampCodec),
  created: optional(4, termsCodec),
  updated: optional(5, termsCodec),
  transferred: optional(
    6,
    message<SpaceTransfer>('SpaceTransfer', {
      space: bytes(1, 32),
      from: bytes(2, 20),
      to: bytes(3, 20),
    }),
  ),
  frozen: optional(
    7,
    message<SpaceFreeze>('SpaceFreeze', {
      space: bytes(1, 32),
      frozen: bool(2),
      by: bytes(3, 20),
      byGovernors: bool(4),
    }),
  ),
  granted: optional(
    8,
    message<Grant>('Grant', {
      space: bytes(1, 32),
      subject: bytes(2, 20),
      rights: uint(3, UINT32),
      expiry: uint64(4),
      by: bytes(5, 20),
    }),
  ),
  revoked: optional(
    9,
    message<Revocation>('Revocation', {
      space: bytes(1, 32),
      subject: bytes(2, 20),
      by: bytes(3, 20),
    }),
  ),
});

/** metatron.memory.v1.GrantPlace. */
export const grantPlaceCodec: Codec<GrantPlace> = message<GrantPlace>('GrantPlace', {
  number: uint64(1),
});
