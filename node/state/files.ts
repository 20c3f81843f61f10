/**
 * Small durable-file helpers that the log, the guard and the lock share.
 *
 * @module
 */
import { closeSync, fdatasync, fsyncSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { storageError } from './errors.ts';

/** Makes the name of a new file durable: syncs the folder it is in. */
export function syncFolderOf(path: string): void {
  const fd = openSync(dirname(path), 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Makes what was written to a file durable, on another thread. @throws LedgerError storage/3, 5 */
export function syncData(fd: number, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    fdatasync(fd, (failed) => {
      if (failed === null) resolve();
      else reject(storageError(failed, path));
    });
  });
}
