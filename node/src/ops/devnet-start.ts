/**
 * Waits until a devnet is up: every validator runs and has committed block 1.
 *
 * Upholds: it is given up only after a while in which nothing moved, since a busy machine starts
 * four validators slowly; then the refusal says where each of them stands.
 *
 * @module
 */
import { describe, LedgerError } from '../base/errors.ts';
import type { DevnetNode } from './devnet.ts';
import { errors } from './devnet-plan.ts';
import { call, latestHeight, pickText } from './rpc-client.ts';

/** A validator that is being started. */
export type Starting = { readonly moniker: string; readonly ready: Promise<DevnetNode> };

/** What is asked of the world while waiting. */
export type StartPorts = {
  /** Milliseconds that only grow. */
  nowMs(): number;
  pause(ms: number): Promise<void>;
  /** A node's newest height. */
  height(rpc: string): Promise<number>;
  /** Where a node stands, in words. */
  stand(rpc: string): Promise<string>;
  progress(text: string): void;
};

/** Seconds in which no validator started and none committed a block. */
export const PATIENCE_SECONDS = 60;
/** Milliseconds between two looks. */
const LOOK_MS = 40;

/** Ports to real nodes. */
export function startPorts(progress: (text: string) => void): StartPorts {
  return {
    nowMs: () => performance.now(),
    pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    height: latestHeight,
    stand: standOf,
    progress,
  };
}

async function standOf(rpc: string): Promise<string> {
  const [round, net] = await Promise.all([call(rpc, 'consensus_state'), call(rpc, 'net_info')]);
  const place = pickText(round, 'round_state', 'height/round/step');
  return `at height/round/step ${place} with ${pickText(net, 'n_peers')} peers`;
}

/** One validator on its way to its first block. */
class Follower {
  readonly moniker: string;
  node: DevnetNode | undefined;
  hasBlock = false;
  /** Why it does not start. */
  refusal: { readonly cause: unknown } | undefined;

  constructor({ moniker, ready }: Starting, started: () => void) {
    this.moniker = moniker;
    ready.then(
      (node) => {
        this.node = node;
        started();
      },
      (cause: unknown) => {
        this.refusal = { cause };
      },
    );
  }

  /** Looks at it. @returns whether it has its first block since the last look */
  async look(ports: StartPorts): Promise<boolean> {
    if (this.refusal !== undefined) throw this.refusal.cause;
    if (this.node === undefined || this.hasBlock) return false;
    this.hasBlock = (await ports.height(this.node.rpc).catch(() => 0)) >= 1;
    return this.hasBlock;
  }

  /** Where it stands, in words. */
  async stand(ports: StartPorts): Promise<string> {
    if (this.node === undefined) return `${this.moniker} has not started`;
    if (this.hasBlock) return `${this.moniker} has a block`;
    return `${this.moniker} ${await ports.stand(this.node.rpc).catch(describe)}`;
  }
}

/**
 * Waits for the first block of every validator.
 *
 * @throws what refused the start of one; LedgerError devnet/6; the signal's reason
 */
export async function firstBlocks(
  starting: readonly Starting[],
  home: string,
  signal: AbortSignal,
  ports: StartPorts,
): Promise<readonly DevnetNode[]> {
  let movedAt = ports.nowMs();
  const moved = (): void => {
    movedAt = ports.nowMs();
  };
  const followers = starting.map((each) => new Follower(each, moved));
  for (;;) {
    signal.throwIfAborted();
    for (const follower of followers) if (await follower.look(ports)) moved();
    const done = followers.flatMap(({ node, hasBlock }) => (node && hasBlock ? [node] : []));
    if (done.length === followers.length) return done;
    if (ports.nowMs() - movedAt > PATIENCE_SECONDS * 1_000) {
      const stand = (await Promise.all(followers.map((each) => each.stand(ports)))).join('; ');
      throw new LedgerError(errors.NotReady, { seconds: PATIENCE_SECONDS, stand, home });
    }
    const up = followers.filter(({ node }) => node !== undefined).length;
    ports.progress(`waiting for the first block: ${up} of ${followers.length} validators run`);
    await ports.pause(LOOK_MS);
  }
}
