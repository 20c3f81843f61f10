/**
 * The thread that runs what readers ask of the EVM: calls, estimates, traces.
 *
 * Upholds: it reads what is durable and writes nothing; one job at a time, one answer for each. It
 * yields the processor to consensus, where the system lets a thread have a priority of its own.
 * Used by: `node-calls.ts`.
 *
 * @module
 */
import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { StateReader } from '../state/reader.ts';
import { describe, present } from './base/errors.ts';
import { secp256k1Keys, verifySecp256k1 } from './crypto/secp256k1.ts';
import { getChain } from './ledger/chain.ts';
import type { CallAnswer, CallJob } from './ledger/ethereum/call-request.ts';
import { replay, TracedHost, traceCall } from './ledger/ethereum/replay.ts';
import { accessList, call, estimate } from './ledger/ethereum/simulate.ts';
import type { Base } from './ledger/overlay.ts';
import { Signatures } from './ledger/tx/signatures.ts';

/** What the thread is started with. */
export type CallWorkerData = { readonly database: string };

/** A numbered job. */
export type CallQuestion = { readonly id: number; readonly job: CallJob };

/** Its answer, or what went wrong: a defect, to be logged. */
export type CallReply = { readonly id: number } & (
  | { readonly answer: CallAnswer | { readonly kind: 'notKept'; readonly height: number } }
  | { readonly failure: string }
);

/** Said once, when jobs can be taken. */
export const READY = 'ready';

/** Nicer than what consensus runs on: a third of the time where both want all of it. */
const PRIORITY = 5;
const NO_HASH = new Uint8Array(32);

function yieldToOthers(): void {
  try {
    setPriority(PRIORITY);
  } catch {
    // The system does not let us: calls then compete with consensus on equal terms.
  }
}

class CallRunner {
  readonly #reader: StateReader;
  #host: TracedHost | undefined;

  constructor(reader: StateReader) {
    this.#reader = reader;
  }

  #hostOn(view: Base): TracedHost {
    const chain = present(getChain(view), 'record of the chain');
    const blockHash = (height: number): Uint8Array => this.#reader.blockHash(height) ?? NO_HASH;
    this.#host ??= new TracedHost(chain, view, secp256k1Keys, blockHash);
    return this.#host;
  }

  /** Loads what the first job would have to wait for. */
  async warmUp(): Promise<void> {
    const view = this.#reader.view(this.#reader.height);
    if (view !== undefined) await this.#hostOn(view).engine();
  }

  #run(job: CallJob, view: Base): Promise<CallAnswer> {
    const host = this.#hostOn(view);
    switch (job.kind) {
      case 'call':
        return call(host, view, job.request);
      case 'estimate':
        return estimate(host, view, job.request);
      case 'accessList':
        return accessList(host, view, job.request);
      case 'trace':
        return traceCall(host, view, job.request);
      case 'replay': {
        const chain = present(getChain(view), 'record of the chain');
        const signatures = new Signatures(verifySecp256k1);
        return replay({ host, chain, keys: secp256k1Keys, signatures, view }, job.request);
      }
    }
  }

  async answer({ id, job }: CallQuestion): Promise<CallReply> {
    const height = job.kind === 'replay' ? job.request.height - 1 : job.request.block.state;
    const notKept = { id, answer: { kind: 'notKept', height } } as const;
    try {
      const view = this.#reader.view(height);
      if (view === undefined) return notKept;
      const answer = await this.#run(job, view);
      return this.#reader.keeps(height) ? { id, answer } : notKept;
    } catch (thrown) {
      if (!this.#reader.keeps(height)) return notKept;
      return { id, failure: describe(thrown) };
    }
  }
}

const port = present(parentPort, 'parent of the worker');
const { database } = workerData as CallWorkerData;
const runner = new CallRunner(await StateReader.join(database));
await runner.warmUp();
// Not before: a start that had to yield would let those that wait for it wait for seconds.
yieldToOthers();
port.postMessage(READY);
port.on('message', (question: CallQuestion) => {
  void runner.answer(question).then((reply) => port.postMessage(reply));
});
