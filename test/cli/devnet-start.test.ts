/**
 * Waiting for a devnet that starts, with a clock of our own.
 *
 * @module
 */
import { expect } from 'chai';
import type { DevnetNode } from '../../node/src/ops/devnet.ts';
import {
  firstBlocks,
  PATIENCE_SECONDS,
  type Starting,
  type StartPorts,
} from '../../node/src/ops/devnet-start.ts';

const SECOND = 1_000;

function nodeOf(moniker: string): DevnetNode {
  const at = `http://${moniker}`;
  return { moniker, pid: 1, home: moniker, rpc: at, api: at, p2p: '', evm: '' };
}

/** Validators that start, and have a block, at given seconds. */
class Slow {
  #now = 0;
  readonly #due: { readonly at: number; readonly run: () => void }[] = [];
  readonly #blockAt: Map<string, number> = new Map();

  validator(moniker: string, startsAt: number, blockAt: number): Starting {
    const { promise, resolve } = Promise.withResolvers<DevnetNode>();
    this.at(startsAt, () => resolve(nodeOf(moniker)));
    this.#blockAt.set(`http://${moniker}`, blockAt * SECOND);
    return { moniker, ready: promise };
  }

  at(seconds: number, run: () => void): void {
    this.#due.push({ at: seconds * SECOND, run });
  }

  get ports(): StartPorts {
    return {
      nowMs: () => this.#now,
      pause: (ms) => {
        this.#now += ms;
        for (const { at, run } of this.#due) if (at <= this.#now && at > this.#now - ms) run();
        return Promise.resolve();
      },
      height: (rpc) => Promise.resolve(this.#now >= (this.#blockAt.get(rpc) ?? 0) ? 1 : 0),
      stand: () => Promise.resolve('at height/round/step 1/3/4 with 2 peers'),
      progress: () => {},
    };
  }

  get seconds(): number {
    return this.#now / SECOND;
  }
}

describe('a devnet that starts', () => {
  const never = Number.POSITIVE_INFINITY;
  const signal = new AbortController().signal;

  it('is waited for as long as something moves, however slow it is', async () => {
    const slow = new Slow();
    const starting = [40, 90, 140].map((at, i) => slow.validator(`node${i}`, at, 180 + 50 * i));
    const nodes = await firstBlocks(starting, 'home', signal, slow.ports);
    expect(nodes.map(({ moniker }) => moniker)).to.deep.equal(['node0', 'node1', 'node2']);
    expect(slow.seconds).to.be.within(280, 281);
  });

  it('is given up when nothing moves, with a word on where everybody stands', async () => {
    const slow = new Slow();
    const starting = [
      slow.validator('node0', 1, 2),
      slow.validator('node1', 30, never),
      slow.validator('node2', never, never),
    ];
    const refusal = await firstBlocks(starting, 'home', signal, slow.ports).catch(String);
    expect(refusal).to.include(
      `nothing moved for ${PATIENCE_SECONDS} s and a first block is missing (node0 has a block; ` +
        'node1 at height/round/step 1/3/4 with 2 peers; node2 has not started): read the logs',
    );
    expect(slow.seconds).to.be.within(30 + PATIENCE_SECONDS, 31 + PATIENCE_SECONDS);
  });

  it('ends with the reason of a validator that refuses to start, or of who stops it', async () => {
    const slow = new Slow();
    const refuses = { moniker: 'node1', ready: Promise.reject(new TypeError('no key')) };
    const starting = [slow.validator('node0', 1, 2), refuses];
    const refusal = await firstBlocks(starting, 'home', signal, slow.ports).catch(String);
    expect(refusal).to.equal('TypeError: no key');
    const abort = new AbortController();
    slow.at(5, () => abort.abort(new TypeError('Ctrl-C')));
    const waiting = [slow.validator('node2', never, never)];
    const stopped = await firstBlocks(waiting, 'home', abort.signal, slow.ports).catch(String);
    expect(stopped).to.equal('TypeError: Ctrl-C');
  });
});
