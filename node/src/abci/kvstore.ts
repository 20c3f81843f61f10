/**
 * The key-value application: `key=value` transactions, as CometBFT's example kvstore has them.
 *
 * Upholds: answers, codes, events, query paths and application hash are those of the example at
 * 0.38, so that tools written for it work. It beats the example in one thing: a validator update
 * that would stop the chain (removing a stranger or the last one) is refused with code 3.
 * Absent here: proofs, which the example does not give either; sequences and senders.
 * Spec: cometbft 0.38 abci/example/kvstore.
 *
 * @module
 */
import { EMPTY, fromBase64, fromUtf8, toHex, utf8 } from '../base/bytes.ts';
import { MAX_TOTAL_POWER, MAX_VALIDATORS } from '../base/limits.ts';
import { type Codec, list, message, uint } from '../base/proto.ts';
import { Writer } from '../base/wire.ts';
import { addressOf } from '../types/keys.ts';
import {
  type AbciEvent,
  EMPTY_RESULT,
  type ExecTxResult,
  type FinalizeBlockResponse,
} from '../types/results.ts';
import { validatorUpdateCodec } from '../types/stored.ts';
import type { ValidatorUpdate } from '../types/validators.ts';
import { checkAnswer } from './answers.ts';
import type {
  Application,
  CheckTxRequest,
  CheckTxResponse,
  CommitResponse,
  FinalizeBlockRequest,
  Info,
  InitChainRequest,
  InitChainResponse,
  PrepareProposalRequest,
  ProcessProposalRequest,
  QueryRequest,
  QueryResponse,
} from './application.ts';

/** Result codes of the example. */
const KVSTORE_CODE = { ok: 0, invalidTxFormat: 2, unauthorized: 3 } as const;

/** Where the application keeps its pairs; a write is atomic, and durable if the store is. */
export type KeySpace = {
  get(key: Uint8Array): Uint8Array | undefined;
  write(pairs: readonly (readonly [key: Uint8Array, value: Uint8Array])[]): void;
};

/** A key space that lasts as long as the process. */
export class MemoryKeySpace implements KeySpace {
  readonly #pairs = new Map<string, Uint8Array>();

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#pairs.get(toHex(key));
  }

  write(pairs: readonly (readonly [key: Uint8Array, value: Uint8Array])[]): void {
    for (const [key, value] of pairs) this.#pairs.set(toHex(key), value);
  }
}

type Stored = {
  readonly size: number;
  readonly height: number;
  readonly validators: readonly ValidatorUpdate[];
};

const storedCodec: Codec<Stored> = message<Stored>('KvstoreState', {
  size: uint(1),
  height: uint(2),
  validators: list(3, validatorUpdateCodec, MAX_VALIDATORS),
});

const STATE_KEY = utf8('stateKey');
const PAIR_PREFIX = 'kvPairKey:';
const VALIDATOR_PREFIX = utf8('val=');
const EQUALS = 0x3d;
const COLON = 0x3a;
const HASH_BYTES = 8;

function pairKey(key: Uint8Array): Uint8Array {
  const out = new Uint8Array(PAIR_PREFIX.length + key.length);
  out.set(utf8(PAIR_PREFIX));
  out.set(key, PAIR_PREFIX.length);
  return out;
}

/** The hash of the example: the number of transactions as a zig-zag varint in eight bytes. */
export function kvstoreHash(size: number): Uint8Array {
  const varint = new Writer();
  varint.varint(size * 2);
  const out = new Uint8Array(HASH_BYTES);
  out.set(varint.finish().subarray(0, HASH_BYTES));
  return out;
}

function isValidatorTx(tx: Uint8Array): boolean {
  return VALIDATOR_PREFIX.every((byte, i) => tx[i] === byte);
}

/** `val=base64key!power`; undefined if it is not that. */
function parseValidatorTx(tx: Uint8Array): ValidatorUpdate | undefined {
  const [key, power, more] = (fromUtf8(tx.subarray(VALIDATOR_PREFIX.length)) ?? '').split('!');
  if (key === undefined || power === undefined || more !== undefined) return undefined;
  const bytes = fromBase64(key);
  if (bytes?.length !== 32 || !/^\d{1,19}$/.test(power)) return undefined;
  const value = BigInt(power);
  return value > MAX_TOTAL_POWER
    ? undefined
    : { publicKey: { type: 'ed25519', bytes }, power: value };
}

/** Position of the only separator, which may not be first or last; −1 if there is none such. */
function separatorAt(tx: Uint8Array): number {
  let at = -1;
  for (let i = 0; i < tx.length; i++) {
    if (tx[i] !== EQUALS && tx[i] !== COLON) continue;
    if (at >= 0) return -1;
    at = i;
  }
  return at > 0 && at < tx.length - 1 ? at : -1;
}

function isValidTx(tx: Uint8Array): boolean {
  return isValidatorTx(tx) ? parseValidatorTx(tx) !== undefined : separatorAt(tx) > 0;
}

function readable(bytes: Uint8Array): string {
  return fromUtf8(bytes) ?? toHex(bytes);
}

function appEvent(creator: string, key: string): AbciEvent {
  return {
    type: 'app',
    attributes: [
      { key: 'creator', value: creator, index: true },
      { key: 'key', value: key, index: true },
      { key: 'index_key', value: 'index is working', index: true },
      { key: 'noindex_key', value: 'index is working', index: false },
    ],
  };
}

function txResult(code: number, log: string, events: readonly AbciEvent[]): ExecTxResult {
  return { ...EMPTY_RESULT, code, log, events };
}

type Staged = {
  readonly size: number;
  readonly height: number;
  readonly pairs: readonly (readonly [Uint8Array, Uint8Array])[];
  readonly validators: ReadonlyMap<string, ValidatorUpdate>;
};

/** The application over a key space; durable if the key space is. */
export class KvstoreApplication implements Application {
  readonly #space: KeySpace;
  readonly #retainBlocks: number;
  #size: number;
  #height: number;
  #validators: ReadonlyMap<string, ValidatorUpdate>;
  #staged: Staged | undefined;

  /** @param retainBlocks - blocks that `commit` asks the engine to keep; 0 keeps all */
  constructor(space: KeySpace = new MemoryKeySpace(), retainBlocks = 0) {
    this.#space = space;
    this.#retainBlocks = retainBlocks;
    const stored = space.get(STATE_KEY);
    const state: Stored =
      stored === undefined ? { size: 0, height: 0, validators: [] } : storedCodec.decode(stored);
    this.#size = state.size;
    this.#height = state.height;
    this.#validators = new Map(state.validators.map((v) => [toHex(addressOf(v.publicKey)), v]));
  }

  info(): Promise<Info> {
    return Promise.resolve({
      data: `{"size":${this.#size}}`,
      version: '2.0.0',
      appVersion: 1,
      lastHeight: this.#height,
      lastAppHash: kvstoreHash(this.#size),
    });
  }

  initChain(request: InitChainRequest): Promise<InitChainResponse> {
    this.#validators = new Map(request.validators.map((v) => [toHex(addressOf(v.publicKey)), v]));
    return Promise.resolve({
      params: undefined,
      validators: [],
      appHash: kvstoreHash(this.#size),
    });
  }

  checkTx({ tx }: CheckTxRequest): CheckTxResponse {
    const valid = isValidTx(tx);
    const code = valid ? KVSTORE_CODE.ok : KVSTORE_CODE.invalidTxFormat;
    return checkAnswer({ code, gasWanted: valid ? 1 : 0 });
  }

  prepareProposal(request: PrepareProposalRequest): Promise<readonly Uint8Array[]> {
    const txs = request.txs.filter(isValidTx).map((tx) => {
      const at = separatorAt(tx);
      if (tx[at] !== COLON) return tx;
      const replaced = tx.slice();
      replaced[at] = EQUALS;
      return replaced;
    });
    return Promise.resolve(txs);
  }

  processProposal(request: ProcessProposalRequest): Promise<boolean> {
    return Promise.resolve(request.txs.every(isValidTx));
  }

  finalizeBlock(request: FinalizeBlockRequest): Promise<FinalizeBlockResponse> {
    const updates = new Map<string, ValidatorUpdate>();
    const validators = new Map(this.#validators);
    const pairs: (readonly [Uint8Array, Uint8Array])[] = [];
    const change = (update: ValidatorUpdate): boolean => {
      const id = toHex(addressOf(update.publicKey));
      const removes = update.power === 0n;
      if (removes && (!this.#validators.has(id) || validators.size <= 1)) return false;
      if (removes) validators.delete(id);
      else validators.set(id, update);
      updates.set(id, update);
      return true;
    };
    for (const { type, address } of request.misbehavior) {
      const known = validators.get(toHex(address));
      if (type === 'duplicateVote' && known !== undefined) {
        change({ publicKey: known.publicKey, power: known.power > 0n ? known.power - 1n : 0n });
      }
    }
    const txResults = request.txs.map((tx) => this.#execute(tx, change, pairs));
    this.#staged = {
      size: this.#size + request.txs.length,
      height: request.height,
      pairs,
      validators,
    };
    return Promise.resolve({
      events: [],
      txResults,
      validatorUpdates: [...updates.values()],
      paramUpdates: undefined,
      appHash: kvstoreHash(this.#staged.size),
    });
  }

  #execute(
    tx: Uint8Array,
    change: (update: ValidatorUpdate) => boolean,
    pairs: (readonly [Uint8Array, Uint8Array])[],
  ): ExecTxResult {
    if (isValidatorTx(tx)) {
      const update = parseValidatorTx(tx);
      if (update === undefined) return txResult(KVSTORE_CODE.invalidTxFormat, '', []);
      if (!change(update)) return txResult(KVSTORE_CODE.unauthorized, 'cannot be removed', []);
      const text = readable(tx);
      const [key = text, value = text, more] = text.split('=');
      return more === undefined
        ? txResult(0, '', [appEvent('Cosmoshi Netowoko', key), appEvent('Cosmoshi', value)])
        : txResult(0, '', [appEvent('Cosmoshi Netowoko', text), appEvent('Cosmoshi', text)]);
    }
    const at = separatorAt(tx);
    if (at < 0 || tx[at] !== EQUALS) return txResult(KVSTORE_CODE.invalidTxFormat, '', []);
    const key = tx.subarray(0, at);
    const value = tx.subarray(at + 1);
    pairs.push([pairKey(key), value.slice()]);
    return txResult(0, '', [
      appEvent('Cosmoshi Netowoko', readable(key)),
      appEvent('Cosmoshi', readable(value)),
    ]);
  }

  commit(): Promise<CommitResponse> {
    const staged = this.#staged;
    if (staged === undefined) return Promise.resolve({ retainHeight: 0 });
    const { size, height, pairs, validators } = staged;
    const state = storedCodec.encode({ size, height, validators: [...validators.values()] });
    this.#space.write([...pairs, [STATE_KEY, state]]);
    this.#size = size;
    this.#height = height;
    this.#validators = validators;
    this.#staged = undefined;
    const keep = this.#retainBlocks;
    return Promise.resolve({ retainHeight: keep > 0 && height >= keep ? height - keep + 1 : 0 });
  }

  query(request: QueryRequest): Promise<QueryResponse> {
    const { data, path, prove } = request;
    const base = { code: 0, info: '', proofOps: undefined, codespace: '', key: data };
    if (path === '/val') {
      const update = [...this.#validators.values()].find(
        (v) => toHex(v.publicKey.bytes) === toHex(data),
      );
      const value = update === undefined ? EMPTY : validatorUpdateCodec.encode(update);
      return Promise.resolve({ ...base, log: '', index: 0, value, height: 0 });
    }
    const value = this.#space.get(pairKey(data));
    return Promise.resolve({
      ...base,
      log: value === undefined ? 'does not exist' : 'exists',
      index: prove ? -1 : 0,
      value: value ?? EMPTY,
      height: this.#height,
    });
  }
}
