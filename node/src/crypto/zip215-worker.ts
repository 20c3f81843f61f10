/**
 * The worker thread that decides about signatures which the fast path did not accept.
 *
 * Upholds: one answer for each question, in order, under the question's number.
 * Used by: `signature-checker.ts`.
 *
 * @module
 */
import { parentPort } from 'node:worker_threads';
import { present } from '../base/errors.ts';
import { zip215Accepts } from './zip215.ts';

/** One signature to decide about. */
export type Question = {
  readonly id: number;
  readonly publicKey: Uint8Array;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
};

/** The decision. */
export type Answer = { readonly id: number; readonly valid: boolean };

const port = present(parentPort, 'parent of the worker');
port.on('message', ({ id, publicKey, message, signature }: Question) => {
  const answer: Answer = { id, valid: zip215Accepts(publicKey, message, signature) };
  port.postMessage(answer);
});
