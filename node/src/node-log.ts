/**
 * The log port by pino: JSON lines on stderr.
 *
 * The one place that names pino.
 *
 * @module
 */
import { destination, pino } from 'pino';
import { type LogFields, type Logger, SILENT } from './base/logger.ts';
import type { Config } from './config.ts';

/** A logger of a level and above; every line carries the node's name. */
export function createLogger(level: Config['log']['level'], moniker: string): Logger {
  if (level === 'silent') return SILENT;
  const out = pino(
    { level, base: { node: moniker }, timestamp: () => `,"time":"${new Date().toISOString()}"` },
    destination({ fd: 2, sync: true }),
  );
  return {
    debug: (message, fields: LogFields = {}) => out.debug(fields, message),
    info: (message, fields: LogFields = {}) => out.info(fields, message),
    warn: (message, fields: LogFields = {}) => out.warn(fields, message),
    error: (message, fields: LogFields = {}) => out.error(fields, message),
  };
}
