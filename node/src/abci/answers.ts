/**
 * Answers of an application that say nothing but what is given: the rest is empty.
 *
 * Pure.
 *
 * @module
 */
import { EMPTY_RESULT } from '../types/results.ts';
import type { CheckTxResponse } from './application.ts';

/** A check that passes and tells nothing, with `fields` over it. */
export function checkAnswer(fields: Partial<CheckTxResponse>): CheckTxResponse {
  return { ...EMPTY_RESULT, sender: undefined, sequence: undefined, priority: 0, ...fields };
}
