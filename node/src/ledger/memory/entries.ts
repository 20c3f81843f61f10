/**
 * Writing an entry that the rules have allowed: its leaf, its rows, the head of its key.
 *
 * Upholds: an entry, once written, is never changed; under a key, versions count up from 1 without
 * gaps. Nothing here can fail: what could be refused was refused before.
 *
 * @module
 */
import { toHex, u64be } from '../../base/bytes.ts';
import { invariant } from '../../base/errors.ts';
import { EMPTY_ROOT } from '../../base/merkle.ts';
import type { Timestamp } from '../../gen/google/protobuf/timestamp.ts';
import type { EntryType, Source, SpaceMode } from '../../gen/metatron/memory/v1/state.ts';
import { nanosTimestamp } from '../../types/amino.ts';
import { personalSpaceId } from '../../types/memory.ts';
import type { AccountId } from '../addresses.ts';
import { indexed, shown } from '../events.ts';
import { named } from '../keys.ts';
import type { Block, Emit } from '../module.ts';
import { once } from '../once.ts';
import type { Overlay } from '../overlay.ts';
import type { SpaceRef } from '../rules/question.ts';
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
import { putOperationCodec, storedEntryCodec } from './wire.ts';

/** What an entry is written with. */
export type Writing = {
  readonly block: Block;
  readonly state: Overlay;
  readonly emit: Emit;
};

/** An entry that is to be written. */
export type NewEntry = {
  readonly id: Uint8Array;
  readonly author: AccountId;
  readonly key: string;
  /** SHA-256 of the key; of one with a key only. */
  readonly keyHash: Uint8Array;
  readonly type: EntryType;
  readonly eventTime: Timestamp | undefined;
  readonly content: Uint8Array;
  readonly contentHash: Uint8Array;
  readonly tags: readonly string[];
  readonly sources: readonly Source[];
};

/** Where an entry went. */
export type WrittenAt = { readonly index: number; readonly version: number };

const timestamps = new WeakMap<Block, Timestamp>();

/** A block's time, made once per block. */
export function timestampOf(block: Block): Timestamp {
  const known = timestamps.get(block);
  if (known !== undefined) return known;
  const fresh = nanosTimestamp(block.time);
  timestamps.set(block, fresh);
  return fresh;
}

/** A space by its id. */
export function spaceRef(id: Uint8Array): SpaceRef {
  return { id, log: named(id), hex: toHex(id) };
}

/** An account's personal space. */
export const personalSpace: (account: AccountId) => SpaceRef = once((account) =>
  spaceRef(personalSpaceId(account)),
);

/** Writes the record of a new space. */
export function makeSpace(
  { block, state }: Pick<Writing, 'block' | 'state'>,
  { id }: SpaceRef,
  owner: AccountId,
  mode: SpaceMode = 0,
): void {
  setSpace(state, id, {
    owner,
    mode,
    createdHeight: BigInt(block.height),
    size: 0n,
    root: EMPTY_ROOT,
  });
}

/** Where the next operation of a space goes. */
export function nextIndex(state: Overlay, space: SpaceRef): number {
  return Number(getSpace(state, space.id)?.size ?? 0n) + state.appended(space.log);
}

/** Appends an operation to a space's log. @returns the leaf's hash */
export function appendLeaf(
  state: Overlay,
  space: SpaceRef,
  index: number,
  leaf: Uint8Array,
): Uint8Array {
  state.putRow(operationRow(space.id, index), leaf);
  return state.append(space.log, leaf);
}

/**
 * Writes an entry.
 *
 * @param owner - whose personal space it is, which then may come to be now; else it has a record
 */
export function writeEntry(
  writing: Writing,
  space: SpaceRef,
  owner: AccountId | undefined,
  entry: NewEntry,
): WrittenAt {
  const { block, state } = writing;
  const { id, key, keyHash, content } = entry;
  const record = getSpace(state, space.id);
  if (record === undefined) {
    invariant(owner !== undefined, 'a space that the rules know has a record');
    makeSpace(writing, space, owner);
  }
  const index = Number(record?.size ?? 0n) + state.appended(space.log);
  const head = key === '' ? undefined : headAt(space.id, keyHash);
  const version = head === undefined ? 1 : Number(getHead(state, head)?.version ?? 0n) + 1;
  const leaf = leafOf(block, state, space, entry, version);
  const hash = appendLeaf(state, space, index, leaf);
  const stored = { space: space.id, index, content };
  state.putRow(entryRow(id), storedEntryCodec.borrow(stored, state.keep));
  if (head !== undefined) {
    setHead(state, head, {
      version: BigInt(version),
      index: BigInt(index),
      leafHash: hash,
      entryId: id,
    });
    state.putRow(versionRow(space.id, keyHash, version), u64be(index));
  }
  emitPut(writing.emit, space, entry, { index, version });
  return { index, version };
}

/** The operation as the space's log carries it. */
function leafOf(
  block: Block,
  state: Overlay,
  space: SpaceRef,
  entry: NewEntry,
  version: number,
): Uint8Array {
  const { id, key, author, type, eventTime, content, contentHash, tags, sources } = entry;
  const put = {
    id,
    space: space.id,
    key,
    version,
    author,
    type,
    eventTime,
    contentHash,
    contentSize: content.length,
    tags: tags as string[],
    sources: sources as Source[],
  };
  const operation = { height: block.height, blockTime: timestampOf(block), put };
  return putOperationCodec.borrow(operation, state.keep);
}

function emitPut(emit: Emit, space: SpaceRef, { id, key }: NewEntry, at: WrittenAt): void {
  const entry = indexed('id', toHex(id));
  const where = shown('space', space.hex);
  const index = shown('index', String(at.index));
  const version = shown('version', String(at.version));
  emit(
    'memory_put',
    key === ''
      ? [entry, where, index, version]
      : [entry, where, indexed('key', key), index, version],
    1,
  );
}
