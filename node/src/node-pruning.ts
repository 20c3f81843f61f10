/**
 * Which old heights a node forgets, and when.
 *
 * Upholds: blocks stay for as long as evidence about them may be judged, in heights and in time;
 * application state stays for `storage.keepStates` heights; an archive keeps all. One pruning at a
 * time, every hundred heights, beside the chain's own work.
 *
 * @module
 */
import type { LevelChainStore } from '../state/chain-store.ts';
import type { LevelStateStore } from '../state/state-store.ts';
import type { Config } from './config.ts';
import type { ChainEvent } from './types/chain-events.ts';
import type { ChainState } from './types/chain-state.ts';

/** Heights between two prunings. */
const EVERY_HEIGHTS = 100;

/** What pruning works on. */
export type Prunable = {
  readonly chain: LevelChainStore;
  readonly state: LevelStateStore | undefined;
};

/** The lowest block to keep; 0 keeps all. */
function lowestBlock(chain: LevelChainStore, state: ChainState, keepBlocks: number): number {
  const { maxAgeNumBlocks, maxAgeDuration } = state.params.evidence;
  if (keepBlocks === 0) return 0;
  const lowest = state.lastHeight - Math.max(keepBlocks, maxAgeNumBlocks) + 1;
  const header = chain.meta(lowest)?.header;
  const old = header !== undefined && state.lastTime - header.time > maxAgeDuration;
  return old ? lowest : 0;
}

/** Follows the chain and prunes. @param failed - told of a disk that refuses */
export function createPruner(
  { chain, state }: Prunable,
  storage: Config['storage'],
  failed: (cause: unknown) => void,
): (event: ChainEvent) => void {
  let pruning = false;
  const prune = async (at: ChainState): Promise<void> => {
    const block = lowestBlock(chain, at, storage.keepBlocks);
    if (block > chain.base) await chain.prune(block);
    const record = at.lastHeight - storage.keepStates;
    if (state !== undefined && record > state.base) await state.prune(record);
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
