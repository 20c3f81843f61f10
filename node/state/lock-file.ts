/**
 * A lock that keeps two processes from one home and so from one key.
 *
 * Upholds: at most one living process holds the lock of a path on one machine. A lock left by a
 * process that is gone, even if its number was given to another one since, is taken over.
 * Absent here: locks across machines; the guard file travels with the key for that.
 *
 * @module
 */
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { LedgerError } from '../src/base/errors.ts';
import { errors, storageError } from './errors.ts';

/** Tries to take a lock that others may be taking over at the same time. */
const ATTEMPTS = 5;

/** When a process started, in ticks since boot, where the system tells; else empty. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return thrown instanceof Error && 'code' in thrown && thrown.code === 'EPERM';
  }
}

/** The process that holds the lock at `path`, if one does. */
export function lockHolder(path: string): number | undefined {
  let content: string;
  try {
    content = readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
  const [pid, start] = content.trim().split(' ');
  const holder = Number(pid);
  if (!Number.isSafeInteger(holder) || holder <= 0 || !isAlive(holder)) return undefined;
  return (start ?? '') === startOf(holder) ? holder : undefined;
}

/** Removes a stale lock; puts it back if another process took the lock over in between. */
function takeAway(path: string, aside: string): void {
  renameSync(path, aside);
  if (lockHolder(aside) !== undefined) linkSync(aside, path);
}

/** A held lock. */
export class FileLock {
  readonly #path: string;

  private constructor(path: string) {
    this.#path = path;
  }

  /** Takes the lock. @throws LedgerError storage/10 if a living process has it */
  static acquire(path: string): FileLock {
    const own = `${path}.${process.pid}`;
    try {
      writeFileSync(own, `${process.pid} ${startOf(process.pid)}\n`, { mode: 0o600 });
      for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
        try {
          linkSync(own, path);
          return new FileLock(path);
        } catch (thrown) {
          const pid = lockHolder(path);
          if (pid !== undefined) throw new LedgerError(errors.HomeInUse, { path, pid });
          if (attempt === ATTEMPTS) throw thrown;
          takeAway(path, `${own}.stale`);
        }
      }
    } catch (thrown) {
      throw storageError(thrown, path);
    } finally {
      rmSync(own, { force: true });
      rmSync(`${own}.stale`, { force: true });
    }
    throw new LedgerError(errors.HomeInUse, { path, pid: lockHolder(path) ?? 0 });
  }

  /** Gives the lock back. */
  release(): void {
    rmSync(this.#path, { force: true });
  }
}
