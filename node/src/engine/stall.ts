/**
 * Says in the log why no block is made, when one is due and does not come.
 *
 * Upholds: an idle chain, which waits for transactions, is not a stall; the pauses between the
 * lines of one stall double, so a chain that stands for days fills no disk.
 * Absent here: doing anything about it; gossip.ts repairs, the core's timeouts go on.
 *
 * @module
 */
import { precommits, prevotes, type State } from '../../consensus/state.ts';
import { STEP } from '../../consensus/types.ts';
import type { VoteSet } from '../../consensus/vote-set.ts';
import { toHex } from '../base/bytes.ts';
import type { Logger } from '../base/logger.ts';
import type { Collector } from './collector.ts';
import type { PeerState } from './peer-state.ts';
import type { Clock, PeerId } from './ports.ts';

/** A block that is due for so long is late; and the longest pause between two lines. */
const LATE_MS = 10_000;
const MAX_PAUSE_MS = 600_000;
/** Most validators that a line names, and characters of each address. */
const MAX_NAMED = 8;
const NAME_CHARS = 8;

/** What is looked at. */
export type StallParts = {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly collector: Collector;
  readonly peers: ReadonlyMap<PeerId, PeerState>;
  readonly core: () => State;
  /** Whether the core rests, so that no block is due from it. */
  readonly paused: () => boolean;
};

/** Watches one core. */
export class Stall {
  readonly #parts: StallParts;
  /** The height whose block is due, since when, and the pause before the next line. */
  #due: { readonly height: number; readonly at: number; pauseMs: number; lineAt: number };

  constructor(parts: StallParts) {
    this.#parts = parts;
    this.#due = { height: 0, at: 0, pauseMs: 0, lineAt: 0 };
  }

  /** Looks, and says what is to be said. */
  tick(): void {
    const { clock, logger, peers, core, paused } = this.#parts;
    const state = core();
    const { height, round, step } = state;
    if (paused() || isIdle(state)) {
      this.#due = { ...this.#due, height: 0 };
      return;
    }
    const now = clock.monotonicMs();
    if (height !== this.#due.height) {
      this.#due = { height, at: now, pauseMs: LATE_MS, lineAt: now + LATE_MS };
    }
    const due = this.#due;
    if (now < due.lineAt) return;
    const seconds = Math.floor((now - due.at) / 1_000);
    due.pauseMs = Math.min(2 * due.pauseMs, MAX_PAUSE_MS);
    due.lineAt = now + due.pauseMs;
    const { collector } = this.#parts;
    const waitsFor = awaited(state, collector);
    logger.warn('no block yet', { height, round, step, seconds, peers: peers.size, waitsFor });
  }
}

/** Round 0 has not begun to look for a block: there is nothing to put into one. */
function isIdle({ height, round, step }: State): boolean {
  return height === 0 || (round === 0 && step <= STEP.newRound);
}

/** What would let the core go on. */
function awaited(core: State, collector: Collector): string {
  const { step, round, validators } = core;
  switch (step) {
    case STEP.newHeight:
    case STEP.newRound:
      return 'the start of the round';
    case STEP.propose:
      return core.proposal === undefined
        ? `the proposal of ${nameOf(validators.proposer.address)}`
        : blockOf(collector);
    case STEP.prevote:
    case STEP.prevoteWait:
      return votes('prevotes', prevotes(core, round));
    case STEP.precommit:
    case STEP.precommitWait:
      return votes('precommits', precommits(core, round));
    case STEP.commit:
      return blockOf(collector);
  }
}

function blockOf({ current }: Collector): string {
  return `the block: ${current?.count ?? 0} of ${current?.header.total ?? 0} parts are here`;
}

function votes(kind: string, set: VoteSet | undefined): string {
  if (set === undefined) return kind;
  const { validators, totalPower } = set.validators;
  const missing = validators.filter((_, index) => set.votes[index] === undefined);
  const names = missing.slice(0, MAX_NAMED).map(({ address }) => nameOf(address));
  const more = missing.length > names.length ? ` and ${missing.length - names.length} more` : '';
  const who = missing.length === 0 ? 'that agree' : `of ${names.join(', ')}${more}`;
  return `${kind} ${who} (power ${set.sum} of ${totalPower} is here)`;
}

function nameOf(address: Uint8Array): string {
  return toHex(address).slice(0, NAME_CHARS).toUpperCase();
}
