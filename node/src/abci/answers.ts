/**
 * Answers of an application that say nothing but what is given: the rest is empty.
 *
 * Pure.
 *
 * @module
 */
import { EMPTY } from '../base/bytes.ts';
import type { CheckTxResponse } from './application.ts';

/** A check that passes and tells nothing, with `fields` over it. */
export function checkAnswer(fields: Partial<CheckTxResponse>): CheckTxResponse {
  return {
    code: 0,
    data: EMPTY,
    log: '',
    info: '',
    gasWanted: 0,
    gasUsed: 0,
    events: [],
    codespace: '',
    sender: undefined,
    sequence: undefined,
    priority: 0,
    ...fields,
  };
}
