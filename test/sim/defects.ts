/**
 * Defects of core and engine that the simulator must catch, each with the seed and the checker
 * that catch it. They are planted into the source as it is loaded; test/sim/defects.test.ts runs
 * them, and runs the sound code on the same seeds.
 *
 * @module
 */
import type { Checker } from './checkers.ts';
import type { Defect } from './plant.ts';

/** A defect, and who finds it where. */
export type PlantedDefect = Defect & { readonly seed: number; readonly caughtBy: Checker };

/** All of them. */
export const DEFECTS: readonly PlantedDefect[] = [
  {
    name: 'half the power is a quorum',
    file: 'node/src/types/validators.ts',
    find: 'return (total * 2n) / 3n + 1n;',
    replace: 'return total / 2n;',
    seed: 1,
    caughtBy: 'polka',
  },
  {
    name: 'a vote counts twice',
    file: 'node/consensus/vote-set.ts',
    find: 'sum: before.sum + signer.power,',
    replace: 'sum: before.sum + signer.power + signer.power,',
    seed: 1,
    caughtBy: 'polka',
  },
  {
    name: 'the lock is forgotten',
    file: 'node/consensus/transitions.ts',
    find: 'turn.set({ locked: { ...block, round: turn.state.round } });',
    replace: '',
    seed: 48,
    caughtBy: 'lock',
  },
  {
    name: 'a locked validator prevotes what is proposed',
    file: 'node/consensus/transitions.ts',
    find: 'if (locked !== undefined) vote(turn, VOTE_TYPE.prevote, locked.blockId);',
    replace: 'if (false) return;',
    seed: 48,
    caughtBy: 'lock',
  },
  {
    name: 'a precommit is signed before the log is durable',
    file: 'node/consensus/transitions.ts',
    find: 'persistLock(turn, type);',
    replace: '',
    seed: 1,
    caughtBy: 'durability',
  },
  {
    name: 'the guard saves nothing',
    file: 'node/src/engine/signer.ts',
    find: 'this.#saved = this.#guard.save(record);',
    replace: '',
    seed: 1,
    caughtBy: 'signatures',
  },
  {
    name: 'a polka of the round before is accepted',
    file: 'node/consensus/transitions.ts',
    find: 'const polka = prevotes(state, state.round)?.majority;',
    replace: `const polka =
    prevotes(state, state.round)?.majority ?? prevotes(state, state.round - 1)?.majority;`,
    seed: 48,
    caughtBy: 'polka',
  },
  {
    name: 'rounds are jumped without two thirds',
    file: 'node/consensus/rules.ts',
    find: `(s) => s.expired === 'precommitWait',`,
    replace: `(s) => s.expired === 'precommitWait' || s.expired === 'propose',`,
    seed: 1,
    caughtBy: 'rounds',
  },
  {
    name: 'peers that lag get no claim for a commit',
    file: 'node/src/engine/gossip.ts',
    find: 'if (commit !== undefined) this.#claim(peer, { ...commit, type: precommit });',
    replace: '',
    seed: 13,
    caughtBy: 'progress',
  },
  {
    name: 'the log is not folded after a restart',
    file: 'node/src/engine/wal-records.ts',
    find: 'else records?.push(record);',
    replace: 'else records?.pop();',
    seed: 3,
    caughtBy: 'progress',
  },
  {
    name: 'a false block is judged valid',
    file: 'node/src/engine/executor.ts',
    find: 'if (this.#valid.has(key)) return undefined;',
    replace: 'if (key.length > 0) return undefined;',
    seed: 46,
    caughtBy: 'validity',
  },
  {
    name: 'a height is told of before it is durable',
    file: 'node/src/engine/executor.ts',
    find: 'await store.commit(committed);',
    replace: 'setImmediate(() => void store.commit(committed));',
    seed: 1,
    caughtBy: 'acknowledged',
  },
];
