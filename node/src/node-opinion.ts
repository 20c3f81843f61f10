/**
 * What a node does about its second opinion: makes it, writes its reports, halts if it is to.
 *
 * Upholds: a difference is on the disk before the node stops; with `halt` a node that stopped for
 * one does not start again as if nothing had been: whoever runs it decides.
 *
 * @module
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { LedgerError, present } from './base/errors.ts';
import type { Logger } from './base/logger.ts';
import { loadEdr } from './ledger/evm/second-opinion/edr.ts';
import { Opinion, type OpinionReport } from './ledger/evm/second-opinion/opinion.ts';
import type { OpinionMode } from './ledger/evm/second-opinion/port.ts';
import { key, ROW } from './ledger/keys.ts';
import { errors, GO_ON } from './ops/halts.ts';
import { writeWhole } from './ops/home.ts';

/** Name of the report in a node's data folder. */
export const REPORT_FILE = 'second-opinion.json';

/** What it is made of. */
export type OpinionParts = {
  readonly mode: OpinionMode;
  /** The node's data folder. */
  readonly data: string;
  readonly store: { row(key: Uint8Array): Uint8Array | undefined };
  readonly logger: Logger;
  readonly failed: (cause: unknown) => void;
};

/** A difference in one sentence's worth of words. */
function summary({ height, first }: OpinionReport): string {
  const { transaction, field, where = '', ledger, edr } = first;
  const short = (text: string): string => (text.length > 80 ? `${text.slice(0, 77)}...` : text);
  const of = where === '' ? '' : ` of ${where}`;
  const values = `${short(ledger)} by ethereumjs, ${short(edr)} by EDR`;
  return `height ${height}, transaction ${transaction}: ${field}${of} is ${values}`;
}

/**
 * Makes the second opinion.
 *
 * @throws LedgerError node/4 if the node halted before, node/5 if the second EVM cannot be loaded
 */
export async function createOpinion(parts: OpinionParts): Promise<Opinion | undefined> {
  const { mode, data, store, logger, failed } = parts;
  if (mode === 'off') return undefined;
  const file = join(data, REPORT_FILE);
  if (mode === 'halt' && existsSync(file)) throw new LedgerError(errors.OpinionPending, { file });
  await loadEdr().catch((thrown: unknown) => {
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    throw new LedgerError(errors.NoOpinion, { reason }, thrown);
  });
  return new Opinion({
    mode,
    code: (hash) => present(store.row(key(ROW.code, hash)), 'code of an account'),
    differs: (report) => {
      const what = summary(report);
      const content = { ...report, what, howToGoOn: GO_ON };
      writeWhole(file, `${JSON.stringify(content, null, 2)}\n`);
      logger.error('the two EVMs differ', { what, file, mode });
      if (mode === 'halt') failed(new LedgerError(errors.EnginesDiffer, { what, file }));
    },
    note: (text, about) => logger.warn(text, about),
    failed,
    processBytes: () => process.memoryUsage.rss(),
    monotonicMs: () => performance.now(),
  });
}
