/**
 * Module memory's messages and records on the wire, read strictly.
 *
 * The types are those that the .proto files generate; these codecs write the same bytes and read
 * nothing else, at a fraction of the cost.
 * Upholds: what decodes is canonical. Bounds of fields are the message's business (put.ts): here
 * only the transaction's size bounds them.
 * Spec: metatron/memory/v1/tx.proto, state.proto.
 *
 * @module
 */
import type { Field } from '../../base/field.ts';
import {
  bytes,
  type Codec,
  int32,
  int64,
  list,
  message,
  optional,
  optionalUint64,
  term,
  text,
  textList,
  uint,
  uint64,
} from '../../base/proto.ts';
import type { Timestamp } from '../../gen/google/protobuf/timestamp.ts';
import type {
  Entry,
  Head,
  Source,
  Space,
  StoredEntry,
} from '../../gen/metatron/memory/v1/state.ts';
import type { MsgPut, MsgPutResponse } from '../../gen/metatron/memory/v1/tx.ts';
import { MAX_TX_BYTES } from '../tx/wire.ts';

const MAX = MAX_TX_BYTES;

/** A list as the generated types declare it. */
function mutable<T>(field: Field<readonly T[]>): Field<T[]> {
  return field as unknown as Field<T[]>;
}

/** An enumeration as the generated types declare it; as in proto3, any int32 is read. */
export function enumeration<E extends number>(number: number): Field<E> {
  return int32(number) as unknown as Field<E>;
}

/** google.protobuf.Timestamp. */
export const timestampCodec: Codec<Timestamp> = message<Timestamp>('Timestamp', {
  seconds: int64(1),
  nanos: int32(2),
});

const sourceCodec: Codec<Source> = message<Source>('Source', {
  id: text(1, MAX),
  hash: bytes(2, MAX),
});

/** metatron.memory.v1.MsgPut. */
export const msgPutCodec: Codec<MsgPut> = message<MsgPut>('MsgPut', {
  author: term(1, MAX),
  space: bytes(2, MAX),
  key: text(3, MAX),
  type: enumeration(4),
  content: bytes(5, MAX),
  tags: mutable(textList(6, MAX, MAX)),
  expectedVersion: optionalUint64(7),
  eventTime: optional(8, timestampCodec),
  sources: mutable(list(9, sourceCodec, MAX)),
});

/** metatron.memory.v1.MsgPutResponse as it is written. */
export type WrittenResponse = Pick<MsgPutResponse, 'id'> & {
  readonly index: number;
  readonly version: number;
};

/** metatron.memory.v1.MsgPutResponse as it is written. */
export const msgPutResponseCodec: Codec<WrittenResponse> = message<WrittenResponse>(
  'MsgPutResponse',
  { id: bytes(1, 32), index: uint(2), version: uint(3) },
);

/** An entry as it is written: its numbers are whole and below 2^53. */
type WrittenEntry = Omit<Entry, 'version' | 'contentSize'> & {
  readonly version: number;
  readonly contentSize: number;
};

const entryCodec: Codec<WrittenEntry> = message<WrittenEntry>('Entry', {
  id: bytes(1, 32),
  space: bytes(2, 32),
  key: text(3, MAX),
  version: uint(4),
  author: bytes(5, MAX),
  type: enumeration(6),
  eventTime: optional(7, timestampCodec),
  contentHash: bytes(8, 32),
  contentSize: uint(9),
  tags: mutable(textList(10, MAX, MAX)),
  sources: mutable(list(11, sourceCodec, MAX)),
});

/** metatron.memory.v1.Operation whose kind is `put`. */
export type PutOperation = {
  readonly height: number;
  readonly blockTime: Timestamp | undefined;
  readonly put: WrittenEntry | undefined;
};

/** metatron.memory.v1.Operation whose kind is `put`. */
export const putOperationCodec: Codec<PutOperation> = message<PutOperation>('Operation', {
  height: uint(1),
  blockTime: optional(2, timestampCodec),
  put: optional(3, entryCodec),
});

/** metatron.memory.v1.StoredEntry as it is written. */
export type WrittenStoredEntry = Omit<StoredEntry, 'index'> & { readonly index: number };

/** metatron.memory.v1.StoredEntry as it is written. */
export const storedEntryCodec: Codec<WrittenStoredEntry> = message<WrittenStoredEntry>(
  'StoredEntry',
  {
    space: bytes(1, 32),
    index: uint(2),
    content: bytes(3, MAX),
  },
);

/** metatron.memory.v1.Space. */
export const spaceCodec: Codec<Space> = message<Space>('Space', {
  owner: bytes(1, MAX),
  mode: enumeration(2),
  createdHeight: uint64(3),
  size: uint64(4),
  root: bytes(5, 32),
});

/** metatron.memory.v1.Head. */
export const headCodec: Codec<Head> = message<Head>('Head', {
  version: uint64(1),
  index: uint64(2),
  leafHash: bytes(3, 32),
  entryId: bytes(4, 32),
});
