/**
 * Peers that were dropped, looked up in the nodes' logs.
 *
 * Upholds: every drop stands in the node's log, with a declared code.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DevnetSummary } from '../../node/src/ops/devnet.ts';
import { pickText } from '../../node/src/ops/rpc-client.ts';
import type { Tally } from './bad-input-judge.ts';

/** Who was dropped, by whom, after what. */
export type Dropped = { readonly peer: string; readonly home: string; readonly story: string };

const PAUSE_MS = 100;

/** The whole lines of a node's log. */
function logOf(home: string): readonly string[] {
  return readFileSync(join(home, 'node.log'), 'utf8').split('\n').slice(0, -1);
}

/** The drops of one worker. */
export class Drops {
  readonly #net: DevnetSummary;
  readonly #tally: Tally;
  readonly #dropped: Dropped[] = [];

  constructor(net: DevnetSummary, tally: Tally) {
    this.#net = net;
    this.#tally = tally;
  }

  /** Keeps one to be looked up. */
  note(dropped: Dropped): void {
    this.#dropped.push(dropped);
  }

  /** Looks all of them up, waiting at most `ms` for the last lines to be written. */
  async compare(ms: number): Promise<void> {
    const missing = new Set(this.#dropped.splice(0));
    const deadline = performance.now() + ms;
    while (missing.size > 0 && performance.now() < deadline) {
      const codes = this.#codes();
      for (const dropped of [...missing]) {
        const code = codes.get(dropped.peer);
        if (code === undefined) continue;
        this.#tally.coded(code, dropped.story);
        missing.delete(dropped);
      }
      if (missing.size > 0) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
    for (const { peer, home, story } of missing) {
      const lines = logOf(home).filter((line) => line.includes(peer));
      this.#tally.failed(`no code for the drop after ${story}; the log: ${lines.join(' ')}`);
    }
  }

  /** The codes in all logs, by peer. */
  #codes(): ReadonlyMap<string, string> {
    const codes = new Map<string, string>();
    for (const { home } of this.#net.nodes) {
      for (const line of logOf(home).filter((text) => text.includes('"code":"'))) {
        const entry: unknown = JSON.parse(line);
        codes.set(pickText(entry, 'peer'), pickText(entry, 'code'));
      }
    }
    return codes;
  }
}
