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
import { equalBytes, toHex, u64be, utf8Length } from '../../base/bytes.ts';
import { LedgerError } from '../../base/errors.ts';
import { sha256 } from '../../base/hash.ts';
import { EMPTY_ROOT, leafHash } from '../../base/merkle.ts';
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
import type { Context, DecodedMessage, MessageType } from '../module.ts';
import { once } from '../once.ts';
import { decodeCosmos } from '../tx/decode.ts';
import { errors } from './errors.ts';
import {
  entryRow,
  getHead,
  getSpace,
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
  responseUrl: MSG_PUT_RESPONSE_URL,
  aminoName: MSG_PUT_AMINO,
  decode(bytes: Uint8Array, addresses: Addresses): DecodedMessage {
    const message = decodeCosmos(msgPutCodec, bytes);
    const author = addresses.id(message.author, 'invalid author address');
    const stored = checkPut(message) + message.content.length;
    return {
      typeUrl: MSG_PUT_URL,
      module: 'memory',
      signers: [author],
      amino: () => ({ type: MSG_PUT_AMINO, value: putToAmino(message) }),
      execute: (context) => execute(context, author, message, stored),
    };
  },
};

const personalSpace = once(personalSpaceId);
const hexOf = once(toHex);

/** The space that is written to; made on its owner's first write. */
function openSpace(context: Context, author: AccountId, wanted: Uint8Array): [Uint8Array, number] {
  const id = personalSpace(author);
  if (wanted.length > 0 && !equalBytes(wanted, id)) {
    throw new LedgerError(errors.SpaceNotWritable, { space: toHex(wanted) });
  }
  const space = getSpace(context.state, id);
  if (space === undefined) {
    context.gas.charge(GAS.newSpace, 'new space');
    const createdHeight = BigInt(context.block.height);
    setSpace(context.state, id, {
      owner: author,
      mode: 0,
      createdHeight,
      size: 0n,
      root: EMPTY_ROOT,
    });
  }
  return [id, Number(space?.size ?? 0n) + context.state.appended(id)];
}

function nextVersion(context: Context, space: Uint8Array, message: MsgPut): number {
  if (message.key === '') return 1;
  context.gas.charge(GAS.head, 'head');
  const current = getHead(context.state, space, message.key)?.version ?? 0n;
  if (message.expectedVersion !== undefined && message.expectedVersion !== current) {
    throw new LedgerError(errors.VersionConflict, {
      key: message.key,
      expected: String(message.expectedVersion),
      current: String(current),
    });
  }
  return Number(current) + 1;
}

function execute(
  context: Context,
  author: AccountId,
  message: MsgPut,
  storedBytes: number,
): Uint8Array {
  const { state, block } = context;
  context.gas.charge(GAS.put + GAS.storedByte * storedBytes, 'put');
  const [space, index] = openSpace(context, author, message.space);
  const version = nextVersion(context, space, message);
  const id = entryId(space, author, context.sequenceOf(author), context.messageIndex);
  const operation = {
    height: BigInt(block.height),
    blockTime: nanosTimestamp(block.time),
    put: {
      id,
      space,
      key: message.key,
      version: BigInt(version),
      author,
      type: message.type,
      eventTime: message.eventTime,
      contentHash: sha256(message.content),
      contentSize: BigInt(message.content.length),
      tags: message.tags,
      sources: message.sources,
    },
  };
  const leaf = putOperationCodec.borrow(operation, state.keep);
  state.append(space, leaf);
  state.putRow(operationRow(space, index), leaf);
  const stored = { space, index: BigInt(index), content: message.content };
  state.putRow(entryRow(id), storedEntryCodec.borrow(stored, state.keep));
  if (message.key !== '') {
    const head = {
      version: BigInt(version),
      index: BigInt(index),
      leafHash: leafHash(leaf),
      entryId: id,
    };
    setHead(state, space, message.key, head);
    state.putRow(versionRow(space, message.key, version), u64be(index));
  }
  emitPut(context, message, id, space, index, version);
  return msgPutResponseCodec.encode({ id, index: BigInt(index), version: BigInt(version) });
}

function emitPut(
  context: Context,
  message: MsgPut,
  id: Uint8Array,
  space: Uint8Array,
  index: number,
  version: number,
): void {
  context.emit('memory_put', [
    indexed('id', toHex(id)),
    shown('space', hexOf(space)),
    ...(message.key === '' ? [] : [indexed('key', message.key)]),
    shown('index', String(index)),
    shown('version', String(version)),
  ]);
}
