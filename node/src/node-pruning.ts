/**
 * Which old heights a node forgets, and when.
 *
 * Upholds: blocks stay for as long as evidence about them may be judged, in heights and in time,
 * and for as long as a contract may ask for their hashes;
 * application state stays for `storage.keepStates` heights and `storage.keepStateHours` hours of
 * block time, whichever is more; an archive keeps all. Index entries go before the blocks that say
 * which ones they are. One pruning at a time, every hundred
 * heights, beside the chain's own work.
 *
 * @module
 */
import type { LevelChainStore } from '../state/chain-store.ts';
import type { LevelStateStore } from '../state/state-store.ts';
import type { Config } from './config.ts';
import type { ChainIndex } from './indexer/chain-index.ts';
import type { ChainEvent } from './types/chain-events.ts';
import type { ChainState } from './types/chain-state.ts';

/** Heights between two prunings. */
const EVERY_HEIGHTS = 100;

/** Blocks whose hashes contracts may ask for (BLOCKHASH), and the one before. */
const BLOCK_HASHES = 257;

/** Most heights of application state that one pruning forgets. */
const MAX_STATES_PER_PRUNING = 1_000;

/** Nanoseconds in an hour. */
const HOUR = 3_600_000_000_000n;

type Chain = Pick<LevelChainStore, 'base' | 'meta' | 'prune'>;

/** What pruning works on. */
export type Prunable = {
  readonly chain: Chain;
  readonly index: Pick<ChainIndex, 'prune'>;
  readonly state: Pick<LevelStateStore, 'base' | 'prune'> | undefined;
};

/** The lowest block to keep; 0 keeps all. */
function lowestBlock(chain: Chain, state: ChainState, keepBlocks: number): number {
  const { maxAgeNumBlocks, maxAgeDuration } = state.params.evidence;
  if (keepBlocks === 0) return 0;
  const kept = Math.max(keepBlocks, maxAgeNumBlocks, BLOCK_HASHES);
  const lowest = state.lastHeight - kept + 1;
  const header = chain.meta(lowest)?.header;
  const old = header !== undefined && state.lastTime - header.time > maxAgeDuration;
  return old ? lowest : 0;
}

/** The lowest height whose application state stays, found from the one that is lowest now. */
function lowestState(
  chain: Chain,
  at: ChainState,
  base: number,
  { keepStates, keepStateHours }: Config['storage'],
): number {
  const oldest = at.lastTime - BigInt(keepStateHours) * HOUR;
  const limit = Math.min(at.lastHeight - keepStates, base + MAX_STATES_PER_PRUNING);
  let lowest = base;
  for (; lowest < limit; lowest++) {
    const header = chain.meta(lowest)?.header;
    if (header !== undefined && header.time >= oldest) break;
  }
  return lowest;
}

/** Follows the chain and prunes. @param failed - told of a disk that refuses */
export function createPruner(
  { chain, index, state }: Prunable,
  storage: Config['storage'],
  failed: (cause: unknown) => void,
): (event: ChainEvent) => void {
  let pruning = false;
  const prune = async (at: ChainState): Promise<void> => {
    const block = lowestBlock(chain, at, storage.keepBlocks);
    if (block > chain.base) {
      await index.prune(chain.base, block);
      await chain.prune(block);
    }
    if (state === undefined) return;
    const record = lowestState(chain, at, state.base, storage);
    if (record > state.base) await state.prune(record);
  };
  return (event) => {
    if (storage.archive || pruning || event.kind !== 'committed') return;
    const at = event.height.state;
    if (at.lastHeight % EVERY_HEIGHTS !== 0) return;
    pruning = true;
    prune(at)
      .catch(failed)
      .finally(() => {
        pruning = false;
      });
  };
}
