/**
 * Threads that run calls for readers, and the queue before them.
 *
 * Upholds: nothing of this runs where consensus does. Jobs, and those that wait, are bounded; one
 * that takes too long ends with its thread, and a new thread goes on with the rest. Threads start
 * with the first job.
 *
 * @module
 */
import { Worker } from 'node:worker_threads';
import type { Logger } from './base/logger.ts';
import type { CallQuestion, CallReply, CallWorkerData, READY } from './node-calls-worker.ts';
import type { EthAnswer, EthCalls, EthJob } from './rpc/eth/ports.ts';

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
/** How long a job may wait for its turn, as a multiple of the time that one may run. */
const WAIT_FACTOR = 6;

type Job = {
  readonly job: EthJob;
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
  readonly #waiting: Job[] = [];
  #ids = 0;
  #stopped = false;

  /** @param database - the folder of the node's database, opened as shared */
  constructor(database: string, limits: CallLimits, logger: Logger) {
    this.#database = database;
    this.#limits = limits;
    this.#logger = logger;
  }

  run(job: EthJob): Promise<EthAnswer> {
    if (this.#stopped) return Promise.resolve({ kind: 'busy', reason: 'the node is stopping' });
    if (this.#waiting.length >= this.#limits.maxWaiting) {
      const reason = `more than ${this.#limits.maxWaiting} calls wait to be run`;
      return Promise.resolve({ kind: 'busy', reason });
    }
    const { promise, resolve, reject } = Promise.withResolvers<EthAnswer>();
    this.#waiting.push({ job, since: performance.now(), resolve, reject });
    this.#next();
    return promise;
  }

  /** Ends all threads; what waits is refused. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const { resolve } of this.#waiting.splice(0)) {
      resolve({ kind: 'busy', reason: 'the node is stopping' });
    }
    const threads = [...this.#threads];
    for (const thread of threads) {
      thread.running?.resolve({ kind: 'busy', reason: 'the node is stopping' });
      this.#end(thread);
    }
    await Promise.all(threads.map(({ worker }) => worker.terminate()));
  }

  #next(): void {
    while (this.#waiting.length > 0) {
      const thread = this.#idle();
      if (thread === undefined) return;
      const job = this.#waiting.shift();
      if (job !== undefined) this.#give(thread, job);
    }
  }

  #idle(): Thread | undefined {
    for (const thread of this.#threads) if (thread.running === undefined) return thread;
    return this.#threads.size < this.#limits.threads ? this.#start() : undefined;
  }

  #start(): Thread {
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
    return thread;
  }

  #give(thread: Thread, job: Job): void {
    const { timeoutMs } = this.#limits;
    if (performance.now() - job.since > WAIT_FACTOR * timeoutMs) {
      job.resolve({ kind: 'busy', reason: 'the call waited too long for its turn' });
      return;
    }
    thread.running = job;
    this.#allow(thread, thread.ready ? timeoutMs : START_MS);
    const question: CallQuestion = { id: this.#ids++, job: job.job };
    thread.worker.postMessage(question);
  }

  #allow(thread: Thread, ms: number): void {
    clearTimeout(thread.timer);
    thread.timer = setTimeout(() => this.#tooLong(thread), ms);
  }

  #said(thread: Thread, reply: CallReply | typeof READY): void {
    const job = thread.running;
    if (reply === 'ready') {
      thread.ready = true;
      if (job !== undefined) this.#allow(thread, this.#limits.timeoutMs);
      return;
    }
    clearTimeout(thread.timer);
    thread.running = undefined;
    if ('failure' in reply) job?.reject(new TypeError(reply.failure));
    else job?.resolve(reply.answer);
    this.#next();
  }

  #tooLong(thread: Thread): void {
    const job = thread.running;
    this.#end(thread);
    thread.worker.terminate().catch((thrown: unknown) => job?.reject(thrown));
    job?.resolve({ kind: 'timedOut', seconds: this.#limits.timeoutMs / 1_000 });
    this.#next();
  }

  #lost(thread: Thread, thrown: Error | undefined): void {
    if (!this.#threads.has(thread)) return;
    const job = thread.running;
    this.#end(thread);
    if (thrown !== undefined) this.#logger.warn('call thread ended', { reason: thrown.message });
    job?.resolve({ kind: 'fault', text: 'execution aborted (out of memory)' });
    this.#next();
  }

  #end(thread: Thread): void {
    clearTimeout(thread.timer);
    thread.running = undefined;
    this.#threads.delete(thread);
  }
}
