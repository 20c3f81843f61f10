/**
 * Why a node stops, or does not start, because of its second opinion.
 *
 * @module
 */
import { type ErrorSpec, errorSpec, LedgerError } from '../base/errors.ts';

/** How to go on after a halt. */
export const GO_ON: string =
  'To go on, set evm.secondOpinion to report (or off) and start the node again; to be asked ' +
  'anew, delete the report first.';

/** Why a node with a second opinion stops or does not start. */
export const errors: {
  readonly EnginesDiffer: ErrorSpec<{ readonly what: string; readonly file: string }>;
  readonly OpinionPending: ErrorSpec<{ readonly file: string }>;
  readonly NoOpinion: ErrorSpec<{ readonly reason: string }>;
} = {
  EnginesDiffer: errorSpec(
    'node',
    3,
    'node',
    ({ what, file }) => `the two EVMs differ at ${what}; the report is ${file}. ${GO_ON}`,
  ),
  OpinionPending: errorSpec(
    'node',
    4,
    'client',
    ({ file }) => `the node stopped because its two EVMs differed: see ${file}. ${GO_ON}`,
  ),
  NoOpinion: errorSpec(
    'node',
    5,
    'client',
    ({ reason }) =>
      `the second EVM cannot be loaded (${reason}): run "npm run natives", or set ` +
      'evm.secondOpinion to off',
  ),
};

/** Whether a node stops, or does not start, because its two EVMs differ. */
export function isHalt(thrown: unknown): boolean {
  const isNew = LedgerError.is(thrown, errors.EnginesDiffer);
  return isNew || LedgerError.is(thrown, errors.OpinionPending);
}
