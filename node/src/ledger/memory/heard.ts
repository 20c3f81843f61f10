/**
 * What the rules contract and the door for contracts log, turned into operations of spaces.
 *
 * Upholds: every change of a space, whether a native message or a call of the EVM made it, stands
 * in the space's log; the record of a space has the owner and mode that the contract holds. Logs of
 * a transaction that succeeded only are heard, so nothing here can be refused.
 * Spec: contracts/interfaces, IMemoryRules and ILedger.
 *
 * @module
 */
import { equalBytes, fromUtf8, toHex, utf8 } from '../../base/bytes.ts';
import { invariant, present } from '../../base/errors.ts';
import { sha256 } from '../../base/hash.ts';
import type { EntryType, SpaceMode } from '../../gen/metatron/memory/v1/state.ts';
import { grantKey } from '../../types/memory.ts';
import { resolve } from '../auth/aliases.ts';
import { indexed, shown } from '../events.ts';
import { keccak256 } from '../keccak.ts';
import { named } from '../keys.ts';
import type { Overlay } from '../overlay.ts';
import { writeRecord } from '../record.ts';
import { numberAt } from '../rules/call.ts';
import type { ContractLog, SpaceRef } from '../rules/question.ts';
import { DOOR, RULES, spaceRules } from '../rules/state.ts';
import {
  appendLeaf,
  makeSpace,
  nextIndex,
  spaceRef,
  timestampOf,
  type Writing,
  writeEntry,
} from './entries.ts';
import { getSpace, setSpace } from './schema.ts';
import { changeOperationCodec, grantPlaceCodec, type SpaceChanges } from './wire-spaces.ts';

const WORD = 32;
const NONE: Uint8Array = new Uint8Array(0);

/** The part of a log that an event's parameters are read from. */
class Parameters {
  readonly #log: ContractLog;

  constructor(log: ContractLog) {
    this.#log = log;
  }

  /** An indexed parameter, from 1. */
  topic(index: number): Uint8Array {
    return present(this.#log.topics[index], 'topic of a log');
  }

  topicAddress(index: number): Uint8Array {
    return this.topic(index).subarray(12);
  }

  number(index: number): number {
    return numberAt(this.#log.data, index * WORD);
  }

  big(index: number): bigint {
    const at = index * WORD + WORD - 8;
    return new DataView(this.#log.data.buffer, this.#log.data.byteOffset).getBigUint64(at);
  }

  /** An address; empty for the zero address. */
  address(index: number): Uint8Array {
    const bytes = this.#log.data.slice(index * WORD + 12, (index + 1) * WORD);
    return bytes.every((byte) => byte === 0) ? NONE : bytes;
  }

  bytes(index: number): Uint8Array {
    return this.#bytesAt(this.number(index));
  }

  text(index: number): string {
    return present(fromUtf8(this.bytes(index)), 'text that the contract checked');
  }

  texts(index: number): readonly string[] {
    const { data } = this.#log;
    const at = this.number(index) + WORD;
    return Array.from({ length: numberAt(data, at - WORD) }, (_, i) =>
      present(
        fromUtf8(this.#bytesAt(at + numberAt(data, at + i * WORD))),
        'text that the contract checked',
      ),
    );
  }

  #bytesAt(at: number): Uint8Array {
    const { data } = this.#log;
    const size = numberAt(data, at);
    invariant(at + WORD + size <= data.length, 'bytes of a log lie within it');
    return data.slice(at + WORD, at + WORD + size);
  }
}

/** The record of a space that an operation is on; made now if the EVM opened a personal space. */
function opened(writing: Writing, space: SpaceRef): boolean {
  const { state } = writing;
  if (getSpace(state, space.id) !== undefined) return true;
  const rules = spaceRules(state, space.id);
  // Whoever revokes its own rights may name a space that does not exist.
  if (rules === undefined) return false;
  makeSpace(writing, space, resolve(state, rules.owner), rules.mode as SpaceMode);
  return true;
}

type Name = keyof SpaceChanges;
type Change = { readonly [N in Name]: { readonly name: N; readonly value: SpaceChanges[N] } }[Name];

/** Appends a change to a space's log and tells of it. */
function append(writing: Writing, space: SpaceRef, { name, value }: Change): number {
  const { block, state, emit } = writing;
  const index = nextIndex(state, space);
  const operation = { height: block.height, blockTime: timestampOf(block), [name]: value };
  appendLeaf(state, space, index, changeOperationCodec.borrow(operation, state.keep));
  emit(`memory_${name}`, [indexed('space', space.hex), shown('index', String(index))]);
  return index;
}

function terms(parameters: Parameters, space: Uint8Array, owner: Uint8Array) {
  return {
    space,
    owner,
    mode: parameters.number(0) as SpaceMode,
    policy: parameters.address(1),
    maxEntries: parameters.big(2),
    maxBytes: parameters.big(3),
  };
}

type Hear = (writing: Writing, parameters: Parameters, space: SpaceRef) => void;

function setMode(state: Overlay, { id }: SpaceRef, mode: number): void {
  const record = present(getSpace(state, id), 'record of a space');
  if (record.mode !== mode) setSpace(state, id, { ...record, mode: mode as SpaceMode });
}

const created: Hear = (writing, parameters, space) => {
  const owner = resolve(writing.state, parameters.topicAddress(2)).slice();
  makeSpace(writing, space, owner, parameters.number(0) as SpaceMode);
  append(writing, space, { name: 'created', value: terms(parameters, space.id, owner) });
};

const updated: Hear = (writing, parameters, space) => {
  setMode(writing.state, space, parameters.number(0));
  append(writing, space, { name: 'updated', value: terms(parameters, space.id, NONE) });
};

const transferred: Hear = (writing, parameters, space) => {
  const { state } = writing;
  const from = resolve(state, parameters.topicAddress(2)).slice();
  const to = resolve(state, parameters.topicAddress(3)).slice();
  setSpace(state, space.id, { ...present(getSpace(state, space.id), 'space'), owner: to });
  append(writing, space, { name: 'transferred', value: { space: space.id, from, to } });
};

function freezing(frozen: boolean): Hear {
  return (writing, parameters, space) => {
    const by = resolve(writing.state, parameters.topicAddress(2)).slice();
    const byGovernors = parameters.number(0) === 1;
    const value = { space: space.id, frozen, by, byGovernors };
    append(writing, space, { name: 'frozen', value });
  };
}

const granted: Hear = (writing, parameters, space) => {
  const { state } = writing;
  const subject = parameters.topicAddress(2).slice();
  const by = resolve(state, parameters.topicAddress(3)).slice();
  const [rights, expiry] = [parameters.number(0), parameters.big(1)];
  const value = { space: space.id, subject, rights, expiry, by };
  const index = append(writing, space, { name: 'granted', value });
  const at = named(grantKey(space.id, subject));
  writeRecord(state, at, grantPlaceCodec, { number: BigInt(index) + 1n });
};

const revoked: Hear = (writing, parameters, space) => {
  const { state } = writing;
  const subject = parameters.topicAddress(2).slice();
  const by = resolve(state, parameters.topicAddress(3)).slice();
  append(writing, space, { name: 'revoked', value: { space: space.id, subject, by } });
  const at = grantKey(space.id, subject);
  if (state.get(at) !== undefined) state.set(at, undefined);
};

function topicOf(signature: string): string {
  return toHex(keccak256(utf8(signature)));
}

const CREATED = topicOf('SpaceCreated(bytes32,address,uint8,address,uint64,uint64)');

const HEARD: ReadonlyMap<string, Hear> = new Map([
  [CREATED, created],
  [topicOf('SpaceUpdated(bytes32,uint8,address,uint64,uint64)'), updated],
  [topicOf('SpaceTransferred(bytes32,address,address)'), transferred],
  [topicOf('SpaceFrozen(bytes32,address,bool)'), freezing(true)],
  [topicOf('SpaceUnfrozen(bytes32,address,bool)'), freezing(false)],
  [topicOf('Granted(bytes32,address,uint256,uint256,address)'), granted],
  [topicOf('Revoked(bytes32,address,address)'), revoked],
]);

const PUT_REQUESTED = topicOf(
  'PutRequested(bytes32,bytes32,address,uint64,uint8,string,bytes,string[])',
);

/** An entry that a contract asked for; the rules have allowed it. */
function put(writing: Writing, parameters: Parameters): void {
  const { state } = writing;
  const space = spaceRef(parameters.topic(2).slice());
  const exists = opened(writing, space);
  invariant(exists, 'a space that the rules know has a record');
  const [key, content] = [parameters.text(2), parameters.bytes(3)];
  writeEntry(writing, space, undefined, {
    id: parameters.topic(1).slice(),
    author: resolve(state, parameters.topicAddress(3)).slice(),
    key,
    keyHash: key === '' ? NONE : sha256(utf8(key)),
    type: parameters.number(1) as EntryType,
    eventTime: undefined,
    content,
    contentHash: sha256(content),
    tags: parameters.texts(4),
    sources: [],
  });
}

/**
 * Takes note of a log of a successful call.
 *
 * @returns the space that it is about, if it is about one
 */
export function hear(writing: Writing, log: ContractLog): Uint8Array | undefined {
  const [topic] = log.topics;
  if (topic === undefined) return undefined;
  const parameters = new Parameters(log);
  if (equalBytes(log.address, DOOR)) {
    if (toHex(topic) === PUT_REQUESTED) put(writing, parameters);
    return undefined;
  }
  if (!equalBytes(log.address, RULES)) return undefined;
  const name = toHex(topic);
  const change = HEARD.get(name);
  if (change === undefined) return undefined;
  const space = spaceRef(parameters.topic(1).slice());
  if (name === CREATED || opened(writing, space)) change(writing, parameters, space);
  return space.id;
}

/** Hears all logs of an Ethereum transaction that succeeded. */
export function hearAll(writing: Writing, logs: readonly ContractLog[]): void {
  for (const log of logs) hear(writing, log);
}
