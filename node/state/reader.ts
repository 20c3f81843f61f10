/**
 * Reads a node's database from another thread of its process: kept states, hashes of blocks.
 *
 * Upholds: nothing is written, and nothing is read that is not durable. A state that is pruned
 * while it is read may be read wrongly: a reader asks `keeps` again when it is done.
 *
 * @module
 */
import { readU64be } from '../src/base/bytes.ts';
import { blockMetaCodec } from '../src/types/stored.ts';
import { Database } from './database.ts';
import { heightKey, SPACE } from './spaces.ts';
import { HEAD_KEY } from './state-open.ts';
import { STATE_BASE_KEY } from './state-prune.ts';
import { LevelStateView } from './state-view.ts';

/** A reader. */
export class StateReader {
  readonly #db: Database;

  private constructor(db: Database) {
    this.#db = db;
  }

  /** Joins the database in folder `path`, which another thread has open. */
  static async join(path: string): Promise<StateReader> {
    return new StateReader(await Database.join(path));
  }

  #heightIn(key: Uint8Array): number {
    const bytes = this.#db.get(SPACE.meta, key);
    return bytes === undefined ? 0 : readU64be(bytes);
  }

  /** The newest durable height. */
  get height(): number {
    return this.#heightIn(HEAD_KEY);
  }

  /** Whether the state after `height` is there. */
  keeps(height: number): boolean {
    return height >= this.#heightIn(STATE_BASE_KEY) && height <= this.height;
  }

  /** The state after `height`, if it is kept; without proofs. */
  view(height: number): Pick<LevelStateView, 'height' | 'get' | 'row'> | undefined {
    if (!this.keeps(height)) return undefined;
    return new LevelStateView(this.#db, height, () => Promise.reject(new TypeError('no tree')));
  }

  /** The hash of a stored block. */
  blockHash(height: number): Uint8Array | undefined {
    const meta = this.#db.get(SPACE.metas, heightKey(height));
    return meta && blockMetaCodec.decode(meta).blockId.hash;
  }

  /** Leaves the database. */
  close(): Promise<void> {
    return this.#db.close();
  }
}
