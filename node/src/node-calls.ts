/**
 * Threads that run calls for readers, and the queue before them.
 *
 * Upholds: nothing of this runs where consensus does. Jobs, and those that wait, are bounded, and
 * addresses take turns; one that takes too long ends with its thread, and the rest goes on at once:
 * one thread more than may run is kept ready. Threads start with the first job.
 *
 * @module
 */
import { Worker } from 'node:worker_threads';
import { describe } from './base/errors.ts';
import type { Logger } from './base/logger.ts';
import { FairQueue } from './node-calls-queue.ts';
import type { CallQuestion, CallReply, CallWorkerData, READY } from './node-calls-worker.ts';
import type { EthAnswer, EthCalls, EthJob, EthTurn } from './rpc/eth/ports.ts';

/** How many, how long. */
export type CallLimits = {
  readonly threads: number;
  readonly maxWaiting: number;
  readonly timeoutMs: number;
};

/** Heap of a thread, in MiB; a call that needs more ends with its thread. */
const HEAP_MIB = 512;
/** How long a thread may take to start, in milliseconds. */
const START_MS = 30_000;
/** How long a request may wait for its turns, as a multiple of the time that one may run. */
const WAIT_FACTOR = 6;

const STOPPING: EthAnswer = { kind: 'busy', reason: 'the node is stopping' };

type Job = {
  readonly job: EthJob;
  readonly turn: EthTurn;
  readonly since: number;
  readonly resolve: (answer: EthAnswer) => void;
  readonly reject: (cause: unknown) => void;
};

type Thread = {
  readonly worker: Worker;
  ready: boolean;
  running: Job | undefined;
  timer: NodeJS.Timeout | undefined;
};

/** Runs calls. */
export class CallThreads implements EthCalls {
  readonly #database: string;
  readonly #limits: CallLimits;
  readonly #logger: Logger;
  readonly #threads = new Set<Thread>();
  readonly #waiting: FairQueue<Job>;
  #ids = 0;
  #timedOut = 0;
  #stopped = false;

  /** @param database - the folder of the node's database, opened as shared */
  constructor(database: string, limits: CallLimits, logger: Logger) {
    this.#database = database;
    this.#limits = limits;
    this.#waiting = new FairQueue(limits.maxWaiting);
    this.#logger = logger;
  }

  /** How many run. */
  get running(): number {
    return [...this.#threads].filter(({ running }) => running !== undefined).length;
  }

  /** How many wait for a thread. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** How many were ended because they took too long. */
  get timedOut(): number {
    return this.#timedOut;
  }

  run(job: EthJob, turn: EthTurn): Promise<EthAnswer> {
    if (this.#stopped) return Promise.resolve(STOPPING);
    const { promise, resolve, reject } = Promise.withResolvers<EthAnswer>();
    const waiting: Job = { job, turn, since: performance.now(), resolve, reject };
    const refused = this.#waiting.add(turn.address, waiting);
    const reason = `more than ${this.#limits.maxWaiting} calls wait to be run`;
    refused?.resolve({ kind: 'busy', reason });
    this.#next();
    return promise;
  }

  /** Ends all threads; what waits is refused. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#refuseWaiting(STOPPING);
    const threads = [...this.#threads];
    for (const thread of threads) {
      thread.running?.resolve(STOPPING);
      this.#end(thread);
    }
    await Promise.all(threads.map(({ worker }) => worker.terminate()));
  }

  #refuseWaiting(answer: EthAnswer): void {
    for (let job = this.#waiting.take(); job !== undefined; job = this.#waiting.take()) {
      job.resolve(answer);
    }
  }

  #next(): void {
    if (this.#stopped) return;
    while (this.#waiting.size > 0) {
      const thread = this.#free();
      if (thread === undefined) break;
      const job = this.#waiting.take();
      if (job !== undefined) this.#give(thread, job);
    }
    this.#keepSpare();
  }

  /** A thread that may take a job now. */
  #free(): Thread | undefined {
    if (this.running >= this.#limits.threads) return undefined;
    return [...this.#threads].find((thread) => thread.ready && thread.running === undefined);
  }

  #keepSpare(): void {
    const threads = [...this.#threads];
    if (threads.some((thread) => thread.running === undefined)) return;
    if (threads.length <= this.#limits.threads) this.#start();
  }

  #start(): void {
    const data: CallWorkerData = { database: this.#database };
    const worker = new Worker(new URL('./node-calls-worker.ts', import.meta.url), {
      workerData: data,
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB },
    });
    worker.unref();
    const thread: Thread = { worker, ready: false, running: undefined, timer: undefined };
    this.#threads.add(thread);
    worker.on('message', (said: CallReply | typeof READY) => this.#said(thread, said));
    worker.on('error', (thrown) => this.#lost(thread, thrown));
    worker.on('exit', () => this.#lost(thread, undefined));
    this.#allow(thread, START_MS);
  }

  #give(thread: Thread, { job, turn, since, resolve, reject }: Job): void {
    const { timeoutMs } = this.#limits;
    turn.waited(performance.now() - since);
    if (turn.signal.aborted) resolve({ kind: 'busy', reason: 'nobody waits for the answer' });
    else if (turn.waitedMs > WAIT_FACTOR * timeoutMs) {
      resolve({ kind: 'busy', reason: 'the call waited too long for its turn' });
    } else {
      thread.running = { job, turn, since, resolve, reject };
      this.#allow(thread, Math.max(Math.min(turn.leftMs, timeoutMs), 1));
      const question: CallQuestion = { id: this.#ids++, job };
      thread.worker.postMessage(question);
    }
  }

  #allow(thread: Thread, ms: number): void {
    clearTimeout(thread.timer);
    thread.timer = setTimeout(() => this.#tooLong(thread), ms);
  }

  #said(thread: Thread, reply: CallReply | typeof READY): void {
    clearTimeout(thread.timer);
    if (reply === 'ready') thread.ready = true;
    else {
      const job = thread.running;
      thread.running = undefined;
      if ('failure' in reply) job?.reject(new TypeError(reply.failure));
      else job?.resolve(reply.answer);
    }
    this.#next();
  }

  #tooLong(thread: Thread): void {
    const job = thread.running;
    this.#end(thread);
    thread.worker.terminate().catch((thrown: unknown) => {
      this.#logger.warn('call thread did not end', { reason: describe(thrown) });
    });
    if (job !== undefined) this.#timedOut++;
    job?.resolve({ kind: 'timedOut', seconds: this.#limits.timeoutMs / 1_000 });
    this.#goOn(thread);
  }

  #lost(thread: Thread, thrown: Error | undefined): void {
    if (!this.#threads.has(thread)) return;
    const job = thread.running;
    this.#end(thread);
    if (thrown !== undefined) this.#logger.warn('call thread ended', { reason: thrown.message });
    job?.resolve({ kind: 'fault', text: 'execution aborted (out of memory)' });
    this.#goOn(thread);
  }

  /** A thread that never was ready is not started again before the next job. */
  #goOn({ ready }: Thread): void {
    if (ready) this.#next();
    else if (this.#threads.size === 0) {
      this.#refuseWaiting({ kind: 'busy', reason: 'no thread for calls could be started' });
    }
  }

  #end(thread: Thread): void {
    clearTimeout(thread.timer);
    thread.running = undefined;
    this.#threads.delete(thread);
  }
}
