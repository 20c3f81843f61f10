/**
 * The kinds of faults, and which of them a seed brings.
 *
 * Upholds: at most f validators are faulty at once, counted as Byzantine ones: liars, or nodes
 * whose durable log is damaged (they lose what they promised). Crashes, torn writes, slow and
 * broken networks, and wrong clocks may strike everybody.
 *
 * @module
 */
import type { Prng } from './prng.ts';

/** Every kind of fault that is counted. */
export const FAULTS = [
  'delay',
  'drop',
  'repeat',
  'reorder',
  'partition',
  'disconnect',
  'crash',
  'tornWrite',
  'corruptWal',
  'truncateWal',
  'skew',
  'equivocate',
  'voteTwice',
  'doublePropose',
  'withhold',
  'garbage',
] as const;

/** One kind of fault. */
export type Fault = (typeof FAULTS)[number];

/** Faults that only a liar commits. */
export const LIES: readonly Fault[] = [
  'equivocate',
  'voteTwice',
  'doublePropose',
  'withhold',
  'garbage',
];

/** How often each kind struck. */
export type FaultCounts = Readonly<Record<Fault, number>>;

/** No fault yet. */
export function noFaults(): Record<Fault, number> {
  return Object.fromEntries(FAULTS.map((kind) => [kind, 0])) as Record<Fault, number>;
}

/** Who may be faulty, and in which ways. */
export type FaultPlan = {
  readonly kinds: ReadonlySet<Fault>;
  /** Validators that lie. */
  readonly liars: readonly number[];
  /** Validators whose log may be damaged. */
  readonly damaged: readonly number[];
};

/** Draws a plan. @param without - kinds that are left out, to shorten a story */
export function drawFaults(prng: Prng, nodes: number, without: readonly Fault[] = []): FaultPlan {
  const drawn = FAULTS.filter(() => prng.chance(0.6));
  const f = Math.floor((nodes - 1) / 3);
  const faulty = prng.shuffle([...Array(nodes).keys()]).slice(0, f);
  const lie = prng.chance(0.6);
  const kinds = new Set(drawn.filter((kind) => !without.includes(kind)));
  return { kinds, liars: lie ? faulty : [], damaged: lie ? [] : faulty };
}
