/**
 * The log port: what any part may say about what it does. node-log.ts provides pino.
 *
 * Upholds: keys, plaintext and whole messages are never fields. Pure layers do not log; their
 * drivers do.
 *
 * @module
 */

/** Named values of a log line. */
export type LogFields = Readonly<Record<string, string | number | boolean | bigint | undefined>>;

/** Writes structured log lines by level. */
export type Logger = {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
};

const ignore = (): void => undefined;

/** A logger that says nothing, for tests and tools. */
export const SILENT: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };
