/**
 * Small durable-file helpers that the log, the guard and the lock share.
 *
 * @module
 */
import { closeSync, fsyncSync, openSync } from 'node:fs';
import { dirname } from 'node:path';

/** Makes the name of a new file durable: syncs the folder it is in. */
export function syncFolderOf(path: string): void {
  const fd = openSync(dirname(path), 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
