/**
 * The index of blocks and transactions: by hash, by height, and by the attributes of their events.
 *
 * Upholds: `stage` writes into the height's batch, at most three entries a block, one a transaction
 * and one for each value that an attribute with `index` set has in the block. A failed transaction
 * never hides an earlier success of the same bytes. Transactions and results are not stored again:
 * an entry says where they are.
 * `prune` removes what `stage` wrote, while the blocks are still there to say what that was.
 * Absent here: evaluating queries (search.ts).
 * Spec: CometBFT 0.38 state/txindex/kv.
 *
 * @module
 */
import { latin1, readU64be, u64be } from '../base/bytes.ts';
import { txHashes } from '../types/block.ts';
import type { CommittedHeight } from '../types/chain-state.ts';
import type { AbciEvent, TxResult } from '../types/results.ts';
import {
  type AttributeKind,
  countKey,
  hashKey,
  KIND,
  keptValue,
  locationValue,
  placesValue,
  readU32be,
  tagPrefix,
  u32be,
  valueKey,
} from './keys.ts';
import type { BlockSource, KeySpace } from './ports.ts';

/** Where a transaction stands in the chain. */
export type TxLocation = { readonly height: number; readonly index: number };

/** A height as read back for its transactions. */
type ReadHeight = Pick<CommittedHeight, 'block' | 'results'>;

/** Heights kept decoded, newest first, and the most transactions they may hold together. */
const RECENT_HEIGHTS = 8;
const RECENT_TXS = 5_000;
/** Heights whose entries are removed in one write. */
const PRUNE_CHUNK = 10;
/** Tags whose key prefix is remembered. */
const KNOWN_TAGS = 1_024;

/** Where a value occurs in a block: index and event, in turns. */
type Values = Map<string, { readonly value: string; readonly places: number[] }>;

/** What a block's attributes say: per type of event, per key, per kept value. */
type Tags = Map<string, Map<string, Values>>;

function collect(into: Tags, index: number, events: readonly AbciEvent[]): void {
  for (let event = 0; event < events.length; event++) {
    const { type, attributes } = events[event] as AbciEvent;
    if (type === '') continue;
    for (const attribute of attributes) {
      if (!attribute.index || attribute.key === '') continue;
      occur(valuesOf(into, type, attribute.key), attribute.value, index, event);
    }
  }
}

function valuesOf(tags: Tags, type: string, key: string): Values {
  const keys = tags.get(type) ?? new Map<string, Values>();
  if (keys.size === 0) tags.set(type, keys);
  const values: Values = keys.get(key) ?? new Map();
  if (values.size === 0) keys.set(key, values);
  return values;
}

function occur(values: Values, value: string, index: number, event: number): void {
  const kept = keptValue(value);
  const known = values.get(kept);
  if (known === undefined) values.set(kept, { value, places: [index, event] });
  else known.places.push(index, event);
}

/** Reads and stages index entries. */
export class ChainIndex {
  readonly #space: KeySpace;
  readonly #source: BlockSource;
  readonly #recent: Map<number, ReadHeight> = new Map();
  readonly #prefixes: Map<string, Uint8Array> = new Map();

  constructor(space: KeySpace, source: BlockSource) {
    this.#space = space;
    this.#source = source;
  }

  /** The entries themselves, for searching. */
  get space(): KeySpace {
    return this.#space;
  }

  /** Stages the entries of a decided height. */
  stage(committed: CommittedHeight): void {
    const { block, blockId, results } = committed;
    const { height } = block.header;
    const { txs } = block.data;
    this.#space.stage(hashKey(KIND.blockHash, blockId.hash), u64be(height));
    if (txs.length > 0) this.#space.stage(countKey(height), u32be(txs.length));
    const blockTags: Tags = new Map();
    collect(blockTags, 0, results.events);
    this.#stageTags(KIND.block, height, blockTags);
    const tags: Tags = new Map();
    const { txResults } = results;
    const failures = txResults.some(({ code }) => code !== 0);
    const succeeded = new Set<string>();
    for (const [index, hash] of txHashes(txs).entries()) {
      const result = txResults[index];
      if (result === undefined) continue;
      if (failures) {
        const name = latin1(hash);
        if (result.code === 0) succeeded.add(name);
        else if (succeeded.has(name) || this.#hasSuccess(hash)) continue;
      }
      this.#space.stage(hashKey(KIND.txHash, hash), locationValue(height, index));
      collect(tags, index, result.events);
    }
    this.#stageTags(KIND.tx, height, tags);
    this.#remember(height, { block, results });
  }

  #stageTags(kind: AttributeKind, height: number, tags: Tags): void {
    for (const [type, keys] of tags) {
      for (const [key, values] of keys) {
        const prefix = this.#prefix(kind, `${type}.${key}`);
        for (const { value, places } of values.values()) {
          this.#space.stage(valueKey(prefix, value, height), placesValue(places));
        }
      }
    }
  }

  /** Removes the entries of heights from `from` to below `to`, whose blocks are still stored. */
  async prune(from: number, to: number): Promise<void> {
    for (let start = from; start < to; start += PRUNE_CHUNK) {
      const keys: Uint8Array[] = [];
      const end = Math.min(start + PRUNE_CHUNK, to);
      for (let height = start; height < end; height++) keys.push(...this.#keysOf(height));
      await this.#space.remove(keys);
    }
  }

  /** The keys of a stored height's entries. */
  *#keysOf(height: number): Generator<Uint8Array> {
    const block = this.#source.block(height);
    const results = this.#source.results(height);
    const hash = this.#source.block(height + 1)?.header.lastBlockId.hash;
    if (hash !== undefined) yield hashKey(KIND.blockHash, hash);
    if (block === undefined || results === undefined) return;
    yield countKey(height);
    for (const txHash of txHashes(block.data.txs)) {
      // The same bytes may stand in a later block as well.
      if (this.locate(txHash)?.height === height) yield hashKey(KIND.txHash, txHash);
    }
    const [blockTags, txTags]: [Tags, Tags] = [new Map(), new Map()];
    collect(blockTags, 0, results.events);
    for (const [index, { events }] of results.txResults.entries()) collect(txTags, index, events);
    yield* this.#tagKeys(KIND.block, height, blockTags);
    yield* this.#tagKeys(KIND.tx, height, txTags);
  }

  *#tagKeys(kind: AttributeKind, height: number, tags: Tags): Generator<Uint8Array> {
    for (const [type, keys] of tags) {
      for (const [key, values] of keys) {
        const prefix = this.#prefix(kind, `${type}.${key}`);
        for (const { value } of values.values()) yield valueKey(prefix, value, height);
      }
    }
  }

  #prefix(kind: AttributeKind, tag: string): Uint8Array {
    const name = `${kind}${tag}`;
    const known = this.#prefixes.get(name);
    if (known !== undefined) return known;
    if (this.#prefixes.size >= KNOWN_TAGS) this.#prefixes.clear();
    const prefix = tagPrefix(kind, tag);
    this.#prefixes.set(name, prefix);
    return prefix;
  }

  #hasSuccess(hash: Uint8Array): boolean {
    const at = this.locate(hash);
    return at !== undefined && this.#read(at.height)?.results.txResults[at.index]?.code === 0;
  }

  #remember(height: number, read: ReadHeight): void {
    this.#recent.delete(height);
    this.#recent.set(height, read);
    let txs = 0;
    for (const { block } of this.#recent.values()) txs += block.data.txs.length;
    for (const [oldest, { block }] of this.#recent) {
      const full = this.#recent.size > RECENT_HEIGHTS || txs > RECENT_TXS;
      if (!full || this.#recent.size === 1) return;
      this.#recent.delete(oldest);
      txs -= block.data.txs.length;
    }
  }

  #read(height: number): ReadHeight | undefined {
    const recent = this.#recent.get(height);
    if (recent !== undefined) return recent;
    const block = this.#source.block(height);
    const results = this.#source.results(height);
    if (block === undefined || results === undefined) return undefined;
    this.#remember(height, { block, results });
    return { block, results };
  }

  /** Where the transaction with this hash stands, if it was committed. */
  locate(hash: Uint8Array): TxLocation | undefined {
    const entry = this.#space.get(hashKey(KIND.txHash, hash));
    if (entry === undefined) return undefined;
    return { height: readU64be(entry), index: readU32be(entry, 8) };
  }

  /** The transaction at a place and its result; `undefined` if its height was pruned. */
  txAt(at: TxLocation): TxResult | undefined {
    const read = this.#read(at.height);
    const tx = read?.block.data.txs[at.index];
    const result = read?.results.txResults[at.index];
    return tx === undefined || result === undefined ? undefined : { ...at, tx, result };
  }

  /** All transactions of a height, for proofs under its data hash. */
  txsOf(height: number): readonly Uint8Array[] {
    return this.#read(height)?.block.data.txs ?? [];
  }

  /** The height of the block with this hash. */
  heightOf(blockHash: Uint8Array): number | undefined {
    const entry = this.#space.get(hashKey(KIND.blockHash, blockHash));
    return entry && readU64be(entry);
  }
}
