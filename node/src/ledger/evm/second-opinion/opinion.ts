/**
 * The second opinion of a node: committed blocks in a queue, mirrors that follow them, and what is
 * done when the two EVMs differ.
 *
 * Upholds: it never changes state and is never waited for before a vote. With `halt` a node waits
 * at its next commit when the other EVM is `MAX_BEHIND` blocks behind; with `report` those blocks
 * are let go, which is said. A mirror that is full, or that failed, is followed by a fresh one: it
 * needs nothing but the next block. A block that a fresh mirror cannot take either is a difference.
 * Bounds: `MAX_BEHIND` blocks, and for each of two mirrors those of mirror.ts. Memory is watched:
 * a process above `MAX_PROCESS_BYTES` gets a fresh mirror sooner.
 *
 * @module
 */
import { describe, InvariantViolation } from '../../../base/errors.ts';
import type { Difference } from './compare.ts';
import { Mirror } from './mirror.ts';
import type { OpinionMode, SecondOpinion, SeenBlock, Unmirrored } from './port.ts';
import { dataOf } from './requests.ts';

/** Most blocks that it is behind; the ledger's own calls of a height are one by themselves. */
const MAX_BEHIND = 16;
/** Memory of the process above which a mirror that has grown is let go: 2 GiB. */
const MAX_PROCESS_BYTES = 2_147_483_648;
/** Most mirrors at once. */
const MAX_MIRRORS = 2;
/** Most differences in one report. */
const MAX_DIFFERENCES = 20;

/** What is said of a block on which the two differ. */
export type OpinionReport = {
  readonly height: number;
  /** The first difference, whose `ledger` and `edr` are the two values. */
  readonly first: Difference;
  readonly differences: readonly Difference[];
  /** Transactions of the block that were not compared, and why. */
  readonly unmirrored: readonly { readonly transaction: string; readonly reason: Unmirrored }[];
};

/** What it needs from the node. */
export type OpinionPorts = {
  readonly mode: Exclude<OpinionMode, 'off'>;
  /** The code of a hash that an account carries. */
  readonly code: (hash: Uint8Array) => Uint8Array;
  /** Called for every block that differs; with `halt` for the first only. */
  readonly differs: (report: OpinionReport) => void;
  /** Says something to whoever runs the node. */
  readonly note: (text: string, about: Readonly<Record<string, string | number>>) => void;
  /** Called once if this program is wrong. */
  readonly failed: (cause: unknown) => void;
  readonly processBytes: () => number;
  /** A clock that never goes back. */
  readonly monotonicMs: () => number;
};

/** What it has done since it began. */
export type OpinionCounts = {
  readonly blocks: number;
  readonly runs: number;
  /** Of the runs, those that were not compared. */
  readonly unmirrored: number;
  /** Blocks that were let go. */
  readonly dropped: number;
  /** Blocks that differ. */
  readonly differences: number;
  readonly mirrors: number;
  /** Time between a block's turn and its verdict. */
  readonly seconds: number;
};

function reportOf(seen: SeenBlock, differences: readonly Difference[]): OpinionReport | undefined {
  const [first] = differences;
  if (first === undefined) return undefined;
  const unmirrored = seen.runs.flatMap(({ hash, unmirrored: reason }) =>
    reason === undefined ? [] : [{ transaction: dataOf(hash), reason }],
  );
  const { height } = seen.block;
  return { height, first, differences: differences.slice(0, MAX_DIFFERENCES), unmirrored };
}

/** The second opinion. */
export class Opinion implements SecondOpinion {
  readonly #ports: OpinionPorts;
  readonly #queue: SeenBlock[] = [];
  readonly #waiting: (() => void)[] = [];
  /** By the gas limit of their blocks: the ledger's own calls have one of their own. */
  readonly #mirrors = new Map<bigint, Mirror>();
  readonly #counts = {
    blocks: 0,
    runs: 0,
    unmirrored: 0,
    dropped: 0,
    differences: 0,
    mirrors: 0,
    seconds: 0,
  };
  #running = false;
  #stopped = false;

  constructor(ports: OpinionPorts) {
    this.#ports = ports;
  }

  /** What it has done so far; grows as it goes on. */
  get counts(): OpinionCounts {
    return this.#counts;
  }

  /** Blocks that wait for their verdict. */
  get behind(): number {
    return this.#queue.length;
  }

  block(seen: SeenBlock): void {
    if (this.#stopped || seen.runs.length === 0) return;
    if (this.#queue.length >= MAX_BEHIND && this.#ports.mode === 'report') {
      const blocks = this.#queue.splice(1).length;
      this.#counts.dropped += blocks;
      this.#ports.note('the second EVM was too far behind: blocks are not compared', { blocks });
    }
    this.#queue.push(seen);
    if (!this.#running) void this.#drain();
  }

  ready(): Promise<void> {
    if (this.#ports.mode === 'report' || this.#queue.length < MAX_BEHIND) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Resolves when every block it was handed is judged. */
  async settled(): Promise<void> {
    while (this.#running) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Judges no more blocks. */
  stop(): void {
    this.#stopped = true;
    this.#queue.length = 0;
    this.#mirrors.clear();
    this.#wake();
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  async #drain(): Promise<void> {
    this.#running = true;
    try {
      for (let seen = this.#queue[0]; seen !== undefined; seen = this.#queue[0]) {
        const since = this.#ports.monotonicMs();
        const report = reportOf(seen, await this.#judge(seen));
        this.#counts.seconds += (this.#ports.monotonicMs() - since) / 1_000;
        this.#queue.shift();
        this.#count(seen);
        if (report !== undefined && !this.#stopped) this.#differ(report);
        this.#wake();
      }
    } catch (thrown) {
      this.stop();
      this.#ports.failed(thrown);
    } finally {
      this.#running = false;
      this.#wake();
    }
  }

  #count({ runs }: SeenBlock): void {
    this.#counts.blocks++;
    this.#counts.runs += runs.length;
    this.#counts.unmirrored += runs.filter(({ unmirrored }) => unmirrored !== undefined).length;
  }

  #differ(report: OpinionReport): void {
    this.#counts.differences++;
    this.#mirrors.clear();
    if (this.#ports.mode === 'halt') this.stop();
    this.#ports.differs(report);
  }

  async #judge(seen: SeenBlock): Promise<readonly Difference[]> {
    try {
      return await (await this.#following(seen)).run(seen);
    } catch (thrown) {
      if (thrown instanceof InvariantViolation) throw thrown;
      const { height } = seen.block;
      this.#ports.note('the second EVM starts anew', { height, reason: describe(thrown) });
      this.#mirrors.clear();
    }
    try {
      return await (await this.#following(seen)).run(seen);
    } catch (thrown) {
      if (thrown instanceof InvariantViolation) throw thrown;
      this.#mirrors.clear();
      const place = { height: seen.block.height, run: 0, transaction: '' };
      return [{ ...place, field: 'execution', ledger: 'ran', edr: describe(thrown) }];
    }
  }

  /** The mirror that takes the block: the last one, or a fresh one. */
  async #following({ block, chainId }: SeenBlock): Promise<Mirror> {
    const { gasLimit } = block;
    const known = this.#mirrors.get(gasLimit);
    const isLarge = known?.hasGrown === true && this.#ports.processBytes() > MAX_PROCESS_BYTES;
    if (isLarge) this.#ports.note('the process is large: the second EVM starts anew', {});
    if (known !== undefined && !known.isFull && !isLarge) return known;
    const mirror = await Mirror.open({ chainId, gasLimit, code: this.#ports.code });
    this.#counts.mirrors++;
    if (this.#mirrors.size >= MAX_MIRRORS) this.#mirrors.clear();
    this.#mirrors.set(gasLimit, mirror);
    return mirror;
  }
}
