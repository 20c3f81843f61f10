/**
 * Message Put: one entry into the signer's personal space.
 *
 * Upholds: an entry, once written, is never changed; under a key, versions count up from 1 without
 * gaps; with an expected version, the write happens only if that is the current one, else the
 * loser learns the current version and nothing changes.
 * Absent here: spaces with other writers; only the owner writes to a personal space.
 *
 * @module
 */
import { equalBytes, toHex, u64be, utf8, utf8Length } from '../../base/bytes.ts';
import { LedgerError } from '../../base/errors.ts';
import { sha256 } from '../../base/hash.ts';
import { EMPTY_ROOT, leafHash } from '../../base/merkle.ts';
import type { Timestamp } from '../../gen/google/protobuf/timestamp.ts';
import type { MsgPut } from '../../gen/metatron/memory/v1/tx.ts';
import { MSG_PUT_AMINO, nanosTimestamp, putToAmino } from '../../types/amino.ts';
import {
  entryId,
  MAX_CONTENT_BYTES,
  MAX_KEY_BYTES,
  MAX_SOURCE_ID_BYTES,
  MAX_SOURCES,
  MAX_TAG_BYTES,
  MAX_TAGS,
  MSG_PUT_RESPONSE_URL,
  MSG_PUT_URL,
  personalSpaceId,
} from '../../types/memory.ts';
import type { AccountId, Addresses } from '../addresses.ts';
import { indexed, shown } from '../events.ts';
import { GAS } from '../gas.ts';
import { named, type RecordKey } from '../keys.ts';
import type { AminoMessage, Block, Context, DecodedMessage, MessageType } from '../module.ts';
import { once } from '../once.ts';
import { decodeCosmos } from '../tx/decode.ts';
import { errors } from './errors.ts';
import {
  entryRow,
  getHead,
  getSpace,
  headAt,
  operationRow,
  setHead,
  setSpace,
  versionRow,
} from './schema.ts';
import { msgPutCodec, msgPutResponseCodec, putOperationCodec, storedEntryCodec } from './wire.ts';

const NANOS_PER_SECOND = 1_000_000_000;
/** Seconds of 0001-01-01 and 9999-12-31: the range of google.protobuf.Timestamp. */
const MIN_SECONDS = -62_135_596_800n;
const MAX_SECONDS = 253_402_300_799n;
const LAST_TYPE = 6;

function badField(field: string, reason: string): never {
  throw new LedgerError(errors.BadField, { field, reason });
}

function checkText(field: string, text: string, max: number): number {
  const size = utf8Length(text);
  return size <= max ? size : badField(field, `has ${size} bytes, more than ${max}`);
}

/** Bytes that are kept for good besides the content. @throws LedgerError memory/1 */
function checkPut(put: MsgPut): number {
  if (put.space.length !== 0 && put.space.length !== 32) badField('space', 'is not 32 bytes');
  if (put.type < 1 || put.type > LAST_TYPE) badField('type', `${put.type} is unknown`);
  const size = put.content.length;
  if (size === 0) badField('content', 'is empty');
  if (size > MAX_CONTENT_BYTES) {
    badField('content', `has ${size} bytes, more than ${MAX_CONTENT_BYTES}`);
  }
  if (put.expectedVersion !== undefined && put.key === '') {
    badField('expected_version', 'needs a key');
  }
  const time = put.eventTime;
  if (time !== undefined) {
    const inRange = time.seconds >= MIN_SECONDS && time.seconds <= MAX_SECONDS;
    if (!inRange || time.nanos < 0 || time.nanos >= NANOS_PER_SECOND) {
      badField('event_time', 'is not a time of the years 1 to 9999');
    }
  }
  return checkText('key', put.key, MAX_KEY_BYTES) + checkTags(put.tags) + checkSources(put);
}

function checkTags(tags: readonly string[]): number {
  if (tags.length === 0) return 0;
  if (tags.length > MAX_TAGS) badField('tags', `are more than ${MAX_TAGS}`);
  if (new Set(tags).size !== tags.length) badField('tags', 'repeat');
  return tags.reduce((sum, tag) => {
    if (tag === '') badField('tags', 'contain an empty one');
    return sum + checkText('tag', tag, MAX_TAG_BYTES);
  }, 0);
}

function checkSources(put: MsgPut): number {
  if (put.sources.length > MAX_SOURCES) badField('sources', `are more than ${MAX_SOURCES}`);
  return put.sources.reduce((sum, { id, hash }) => {
    if (id === '') badField('source', 'has no id');
    if (hash.length !== 0 && hash.length !== 32) badField('source', 'has a hash not of 32 bytes');
    return sum + checkText('source id', id, MAX_SOURCE_ID_BYTES) + hash.length;
  }, 0);
}

/** metatron.memory.v1.MsgPut. */
export const put: MessageType = {
  typeUrl: MSG_PUT_URL,
  aminoName: MSG_PUT_AMINO,
  decode(bytes: Uint8Array, addresses: Addresses): DecodedMessage {
    const message = decodeCosmos(msgPutCodec, bytes);
    const author = addresses.id(message.author, 'invalid author address');
    return new Put(message, author, checkPut(message) + message.content.length);
  },
};

/** A personal space: its id, as a name and as text. */
type PersonalSpace = { readonly id: Uint8Array; readonly log: RecordKey; readonly hex: string };

const timestamps = new WeakMap<Block, Timestamp>();

/** A block's time, made once per block. */
function timestampOf(block: Block): Timestamp {
  const known = timestamps.get(block);
  if (known !== undefined) return known;
  const fresh = nanosTimestamp(block.time);
  timestamps.set(block, fresh);
  return fresh;
}

const personalSpace = once((author): PersonalSpace => {
  const id = personalSpaceId(author);
  return { id, log: named(id), hex: toHex(id) };
});
const alone = once((author: AccountId): readonly AccountId[] => [author]);

/** Where an entry goes: the place in its log, and under a key its version and the key's record. */
type Place = {
  readonly space: PersonalSpace;
  readonly index: number;
  readonly version: number;
  readonly head: RecordKey | undefined;
};

/** A put, with what its bytes alone say. */
class Put implements DecodedMessage {
  readonly typeUrl = MSG_PUT_URL;
  readonly responseUrl = MSG_PUT_RESPONSE_URL;
  readonly module = 'memory';
  readonly signers: readonly AccountId[];
  readonly #author: AccountId;
  readonly #message: MsgPut;
  readonly #storedBytes: number;
  #contentHash: Uint8Array | undefined;
  #keyHash: Uint8Array | undefined;

  constructor(message: MsgPut, author: AccountId, storedBytes: number) {
    this.signers = alone(author);
    this.#author = author;
    this.#message = message;
    this.#storedBytes = storedBytes;
  }

  amino(): AminoMessage {
    return { type: MSG_PUT_AMINO, value: putToAmino(this.#message) };
  }

  execute(context: Context): Uint8Array {
    const { state } = context;
    const { key, content } = this.#message;
    context.gas.charge(GAS.put + GAS.storedByte * this.#storedBytes, 'put');
    const place = this.#place(context);
    const { space, version } = place;
    const { id: spaceId } = space;
    const sequence = context.sequenceOf(this.#author);
    const id = entryId(spaceId, this.#author, sequence, context.messageIndex);
    const { index } = place;
    const leaf = this.#leaf(context, id, spaceId, version);
    state.append(space.log, leaf);
    state.putRow(operationRow(spaceId, index), leaf);
    const stored = { space: spaceId, index, content };
    state.putRow(entryRow(id), storedEntryCodec.borrow(stored, state.keep));
    if (place.head !== undefined) {
      setHead(state, place.head, {
        version: BigInt(version),
        index: BigInt(index),
        leafHash: leafHash(leaf),
        entryId: id,
      });
      state.putRow(versionRow(spaceId, this.#hashOfKey(), version), u64be(index));
    }
    emitPut(context, key, id, place);
    return msgPutResponseCodec.encode({ id, index, version });
  }

  #place(context: Context): Place {
    const space = openSpace(context, this.#author, this.#message.space);
    const head = this.#message.key === '' ? undefined : headAt(space.id, this.#hashOfKey());
    const version = head === undefined ? 1 : nextVersion(context, head, this.#message);
    const size = Number(getSpace(context.state, space.id)?.size ?? 0n);
    return { space, index: size + context.state.appended(space.log), version, head };
  }

  /** The operation as the space's log carries it. */
  #leaf(context: Context, id: Uint8Array, space: Uint8Array, version: number): Uint8Array {
    const { block, state } = context;
    const { key, type, eventTime, content, tags, sources } = this.#message;
    this.#contentHash ??= sha256(content);
    const put = {
      id,
      space,
      key,
      version,
      author: this.#author,
      type,
      eventTime,
      contentHash: this.#contentHash,
      contentSize: content.length,
      tags,
      sources,
    };
    const operation = { height: block.height, blockTime: timestampOf(block), put };
    return putOperationCodec.borrow(operation, state.keep);
  }

  #hashOfKey(): Uint8Array {
    this.#keyHash ??= sha256(utf8(this.#message.key));
    return this.#keyHash;
  }
}

/** The space that is written to; made on its owner's first write. */
function openSpace(context: Context, author: AccountId, wanted: Uint8Array): PersonalSpace {
  const space = personalSpace(author);
  if (wanted.length > 0 && !equalBytes(wanted, space.id)) {
    throw new LedgerError(errors.SpaceNotWritable, { space: toHex(wanted) });
  }
  if (getSpace(context.state, space.id) === undefined) {
    context.gas.charge(GAS.newSpace, 'new space');
    setSpace(context.state, space.id, {
      owner: author,
      mode: 0,
      createdHeight: BigInt(context.block.height),
      size: 0n,
      root: EMPTY_ROOT,
    });
  }
  return space;
}

function nextVersion(context: Context, head: RecordKey, message: MsgPut): number {
  context.gas.charge(GAS.head, 'head');
  const current = getHead(context.state, head)?.version ?? 0n;
  if (message.expectedVersion !== undefined && message.expectedVersion !== current) {
    throw new LedgerError(errors.VersionConflict, {
      key: message.key,
      expected: String(message.expectedVersion),
      current: String(current),
    });
  }
  return Number(current) + 1;
}

function emitPut(context: Context, key: string, id: Uint8Array, place: Place): void {
  const entry = indexed('id', toHex(id));
  const space = shown('space', place.space.hex);
  const index = shown('index', String(place.index));
  const version = shown('version', String(place.version));
  context.emit(
    'memory_put',
    key === ''
      ? [entry, space, index, version]
      : [entry, space, indexed('key', key), index, version],
    1,
  );
}
