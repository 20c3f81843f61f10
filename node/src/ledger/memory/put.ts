/**
 * Message Put: one entry into a space; the signer's personal space unless another is named.
 *
 * Upholds: with an expected version, the write happens only if that is the current one, else the
 * loser learns the current version and nothing changes. Who may write where is the rules' to say.
 *
 * @module
 */
import { EMPTY, equalBytes, utf8, utf8Length } from '../../base/bytes.ts';
import { LedgerError } from '../../base/errors.ts';
import { sha256 } from '../../base/hash.ts';
import type { MsgPut } from '../../gen/metatron/memory/v1/tx.ts';
import { MSG_PUT_AMINO, putToAmino } from '../../types/amino.ts';
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
} from '../../types/memory.ts';
import type { AccountId, Addresses } from '../addresses.ts';
import { GAS } from '../gas.ts';
import type { RecordKey } from '../keys.ts';
import type {
  AminoMessage,
  Context,
  DecodedMessage,
  MessageType,
  RuledMessage,
} from '../module.ts';
import { once } from '../once.ts';
import { KIND, type Operation } from '../rules/call.ts';
import type { Question, SpaceRef } from '../rules/question.ts';
import { hasPolicy } from '../rules/state.ts';
import { decodeCosmos } from '../tx/decode.ts';
import { personalSpace, spaceRef, writeEntry } from './entries.ts';
import { errors } from './errors.ts';
import { getHead, getSpace, headAt } from './schema.ts';
import { msgPutCodec, msgPutResponseCodec } from './wire.ts';

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

const alone = once((author: AccountId): readonly AccountId[] => [author]);
const NO_NAMES: readonly string[] = [];
const NO_KEY: Uint8Array = EMPTY;

/** A put, with what its bytes alone say. */
class Put implements RuledMessage {
  readonly typeUrl = MSG_PUT_URL;
  readonly responseUrl = MSG_PUT_RESPONSE_URL;
  readonly module = 'memory';
  readonly signers: readonly AccountId[];
  readonly #author: AccountId;
  readonly #message: MsgPut;
  readonly #storedBytes: number;
  readonly #own: boolean;
  readonly #space: SpaceRef;
  #contentHash: Uint8Array | undefined;
  #keyHash: Uint8Array | undefined;
  #head: RecordKey | undefined;

  constructor(message: MsgPut, author: AccountId, storedBytes: number) {
    this.signers = alone(author);
    this.#author = author;
    this.#message = message;
    this.#storedBytes = storedBytes;
    const { space } = message;
    const personal = personalSpace(author);
    this.#own = space.length === 0 || equalBytes(space, personal.id);
    this.#space = this.#own ? personal : spaceRef(space);
  }

  amino(): AminoMessage {
    return { type: MSG_PUT_AMINO, value: putToAmino(this.#message) };
  }

  get reads(): readonly string[] {
    if (this.#message.expectedVersion !== undefined) {
      return this.#own ? [this.#space.log.name, this.#headKey().name] : [this.#headKey().name];
    }
    return this.#own ? [this.#space.log.name] : NO_NAMES;
  }

  plan(context: Context, question: Question): void {
    const { state, gas } = context;
    const { key } = this.#message;
    gas.charge(GAS.put + GAS.storedByte * this.#storedBytes, 'put');
    const step = question.stepOf(this.#space, this.#author);
    const first = step.entries === 0;
    if (first && this.#own) this.#openOwn(context, question);
    if (key !== '') this.#planVersion(context, question);
    if (first) {
      if (!this.#own) gas.charge(GAS.sharedSpace, 'shared space');
      step.mayAsk ||= hasPolicy(state, this.#space.id);
      if (step.mayAsk) gas.charge(GAS.policy, 'policy');
    }
    question.add(step, KIND.put, this.#storedBytes, () => this.#operation());
    if (!step.mayAsk) return;
    gas.charge(GAS.policyCall, 'policy');
    question.endBatch();
  }

  #operation(): Operation {
    return {
      kind: KIND.put,
      size: this.#storedBytes,
      keyHash: this.#message.key === '' ? NO_KEY : this.#hashOfKey(),
      contentHash: this.#hashOfContent(),
    };
  }

  /** A personal space comes to be with its owner's first write. */
  #openOwn({ state, gas }: Context, question: Question): void {
    const { id, log } = this.#space;
    if (question.written(log.name) > 0 || getSpace(state, id) !== undefined) return;
    gas.charge(GAS.newSpace, 'new space');
    question.write(log.name);
  }

  #planVersion({ state, gas }: Context, question: Question): void {
    gas.charge(GAS.head, 'head');
    const head = this.#headKey();
    const { key, expectedVersion } = this.#message;
    const current = getHead(state, head)?.version ?? 0n;
    const planned = current + BigInt(question.written(head.name));
    question.write(head.name);
    if (expectedVersion === undefined || expectedVersion === planned) return;
    throw new LedgerError(errors.VersionConflict, {
      key,
      expected: String(expectedVersion),
      current: String(planned),
    });
  }

  apply(context: Context): Uint8Array {
    const { key, type, eventTime, content, tags, sources } = this.#message;
    const space = this.#space;
    const sequence = context.sequenceOf(this.#author);
    const id = entryId(space.id, this.#author, sequence, context.messageIndex);
    const owner = this.#own ? this.#author : undefined;
    const { index, version } = writeEntry(context, space, owner, {
      id,
      author: this.#author,
      key,
      keyHash: key === '' ? NO_KEY : this.#hashOfKey(),
      type,
      eventTime,
      content,
      contentHash: this.#hashOfContent(),
      tags,
      sources,
    });
    return msgPutResponseCodec.encode({ id, index, version });
  }

  #hashOfContent(): Uint8Array {
    this.#contentHash ??= sha256(this.#message.content);
    return this.#contentHash;
  }

  #hashOfKey(): Uint8Array {
    this.#keyHash ??= sha256(utf8(this.#message.key));
    return this.#keyHash;
  }

  #headKey(): RecordKey {
    this.#head ??= headAt(this.#space.id, this.#hashOfKey());
    return this.#head;
  }
}
