/**
 * Checks validators' signatures: at once if libsodium accepts, else by ZIP 215 in a worker thread.
 *
 * Upholds: the answer is always ZIP 215's. To a peer that asks for more than its share of slow
 * checks none is given: what it sent is passed over, and it is not taken for a liar, since it may
 * relay what another signed in a form that libsodium does not accept. What blocks and commits
 * contain is always decided.
 * Bounds: 20 slow checks a second for each peer, 100 for all peers together; those over the second
 * bound wait their turn, at most 20 for each peer.
 * What libsodium accepted is remembered, since the votes of a height come again in the next block's
 * commit: at most 4,096 signatures, each with the key and the bytes it was accepted for.
 *
 * @module
 */
import { Worker } from 'node:worker_threads';
import { equalBytes, latin1 } from '../base/bytes.ts';
import { type Logger, SILENT } from '../base/logger.ts';
import type { CheckSignature, LimitedCheck } from '../types/check-signature.ts';
import { fastAccepts, KEY_BYTES, SIGNATURE_BYTES } from './ed25519.ts';
import { zip215Accepts } from './zip215.ts';
import type { Answer, Question } from './zip215-worker.ts';

/** Slow checks a second that one peer may cause; also how many of its may wait. */
export const SLOW_CHECKS_PER_PEER = 20;
/** Slow checks a second that all peers together may cause. */
const SLOW_CHECKS_IN_ALL = 100;

/** Signatures remembered as accepted: some forty heights of fifty validators. */
const MAX_ACCEPTED = 4096;

/** Checks signatures; `close` ends its worker thread. */
export type SignatureChecker = {
  /** For blocks, commits and our own messages: always decides. */
  readonly check: CheckSignature;
  /** For what a peer sent: beyond its share of slow checks there is no answer. */
  checkFrom(peer: string): LimitedCheck;
  /** Forgets a peer that left. */
  forget(peer: string): void;
  close(): Promise<void>;
};

/** What a checker may be given. */
export type CheckerOptions = {
  readonly logger?: Logger;
  /** Milliseconds that only grow. */
  readonly monotonicMs?: () => number;
};

/** A bucket of tokens that refills at `perSecond` up to `perSecond`. */
export class TokenBucket {
  readonly #perSecond: number;
  #tokens: number;
  #at: number;

  constructor(perSecond: number, now: number) {
    this.#perSecond = perSecond;
    this.#tokens = perSecond;
    this.#at = now;
  }

  /** Takes a token if there is one. */
  take(now: number): boolean {
    this.#refill(now);
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  /** Milliseconds until there is a token. */
  waitMs(now: number): number {
    this.#refill(now);
    return this.#tokens >= 1 ? 0 : Math.ceil(((1 - this.#tokens) * 1000) / this.#perSecond);
  }

  #refill(now: number): void {
    const earned = ((now - this.#at) * this.#perSecond) / 1000;
    this.#tokens = Math.min(this.#perSecond, this.#tokens + Math.max(0, earned));
    this.#at = now;
  }
}

/** Signatures that libsodium accepted, the latest of them. */
class Accepted {
  readonly #of = new Map<
    string,
    { readonly publicKey: Uint8Array; readonly message: Uint8Array }
  >();

  /** Whether libsodium accepts this signature, now or before. */
  check(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
    const name = latin1(signature);
    const before = this.#of.get(name);
    if (before && equalBytes(before.message, message) && equalBytes(before.publicKey, publicKey)) {
      return true;
    }
    if (!fastAccepts(publicKey, message, signature)) return false;
    if (this.#of.size >= MAX_ACCEPTED) {
      for (const oldest of this.#of.keys()) {
        this.#of.delete(oldest);
        break;
      }
    }
    // Copies: a view would keep the whole message it was decoded from.
    this.#of.set(name, { publicKey: publicKey.slice(), message: message.slice() });
    return true;
  }
}

type Pending = { readonly question: Question; readonly settle: (valid: boolean) => void };

/** Decides in a worker thread; if that fails, here. */
class SlowPath {
  readonly #logger: Logger;
  readonly #pending = new Map<number, Pending>();
  #worker: Worker | undefined;
  #nextId = 0;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  decide(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    // Copies: a view would take the whole message it was decoded from along to the worker.
    const question: Question = {
      id: this.#nextId++,
      publicKey: new Uint8Array(publicKey),
      message: new Uint8Array(message),
      signature: new Uint8Array(signature),
    };
    this.#pending.set(question.id, { question, settle: resolve });
    this.#worker ??= this.#start();
    this.#worker.postMessage(question);
    return promise;
  }

  #start(): Worker {
    const worker = new Worker(new URL('./zip215-worker.ts', import.meta.url));
    worker.unref();
    worker.on('message', ({ id, valid }: Answer) => {
      this.#pending.get(id)?.settle(valid);
      this.#pending.delete(id);
    });
    worker.on('error', (error) => this.#lost(worker, error.message));
    worker.on('exit', (code) => this.#lost(worker, `exit code ${code}`));
    return worker;
  }

  /** Answers what the worker left unanswered. */
  #lost(worker: Worker, reason: string): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    this.#logger.warn('the signature worker ended', { reason, pending: this.#pending.size });
    for (const { question, settle } of this.#pending.values()) {
      settle(zip215Accepts(question.publicKey, question.message, question.signature));
    }
    this.#pending.clear();
  }

  async close(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    for (const { settle } of this.#pending.values()) settle(false);
    this.#pending.clear();
    await worker?.terminate();
  }
}

type Share = { readonly bucket: TokenBucket; waiting: number };

/** A checker with its own worker thread, which starts when it is first needed. */
export function createSignatureChecker(options: CheckerOptions = {}): SignatureChecker {
  const { logger = SILENT, monotonicMs = () => performance.now() } = options;
  const slow = new SlowPath(logger);
  const all = new TokenBucket(SLOW_CHECKS_IN_ALL, monotonicMs());
  const shares = new Map<string, Share>();
  const accepted = new Accepted();

  const shareOf = (peer: string): Share => {
    const share = shares.get(peer) ?? {
      bucket: new TokenBucket(SLOW_CHECKS_PER_PEER, monotonicMs()),
      waiting: 0,
    };
    shares.set(peer, share);
    return share;
  };

  const turn = async (share: Share): Promise<void> => {
    share.waiting++;
    for (let wait = all.waitMs(monotonicMs()); !all.take(monotonicMs()); ) {
      await new Promise((resolve) => setTimeout(resolve, wait));
      wait = all.waitMs(monotonicMs());
    }
    share.waiting--;
  };

  const withinShare = (peer: string): Share | undefined => {
    const share = shareOf(peer);
    const room = share.waiting < SLOW_CHECKS_PER_PEER;
    return room && share.bucket.take(monotonicMs()) ? share : undefined;
  };

  return {
    check: (publicKey, message, signature) =>
      hasForm(publicKey, signature) &&
      (accepted.check(publicKey, message, signature) || slow.decide(publicKey, message, signature)),
    checkFrom: (peer) => (publicKey, message, signature) => {
      if (!hasForm(publicKey, signature)) return false;
      if (accepted.check(publicKey, message, signature)) return true;
      const share = withinShare(peer);
      if (share === undefined) return undefined;
      return turn(share).then(() => slow.decide(publicKey, message, signature));
    },
    forget: (peer) => {
      shares.delete(peer);
    },
    close: () => slow.close(),
  };
}

function hasForm(publicKey: Uint8Array, signature: Uint8Array): boolean {
  return publicKey.length === KEY_BYTES && signature.length === SIGNATURE_BYTES;
}
