/**
 * Refusals of the storage: each says what is wrong on this machine and what its owner can do.
 *
 * Upholds: whoever opens a store either gets one that is whole or one of these. All but the
 * requests for log entries that do not exist stop the node.
 *
 * @module
 */
import { describe, type ErrorSpec, errorSpec, LedgerError } from '../src/base/errors.ts';

type Place = { readonly path: string };
type Reason = Place & { readonly reason: string };

/** Refusals of node/state. */
export const errors: {
  readonly Locked: ErrorSpec<Place>;
  readonly Denied: ErrorSpec<Reason>;
  readonly DiskFull: ErrorSpec<Reason>;
  readonly Damaged: ErrorSpec<Reason>;
  readonly DiskFailed: ErrorSpec<Reason>;
  readonly NewerFormat: ErrorSpec<Place & { readonly found: number; readonly known: number }>;
  readonly WalDamaged: ErrorSpec<Place & { readonly offset: number; readonly reason: string }>;
  readonly GuardMissing: ErrorSpec<Place & { readonly height: number }>;
  readonly GuardDamaged: ErrorSpec<Place>;
  readonly HomeInUse: ErrorSpec<Place & { readonly pid: number }>;
  readonly NoSuchEntry: ErrorSpec<{ readonly reason: string }>;
  readonly NotAFolder: ErrorSpec<Place>;
} = {
  Locked: errorSpec(
    'storage',
    1,
    'node',
    (p) =>
      `another process has the database ${p.path} open; stop that process, or start this node ` +
      'with another home',
  ),
  Denied: errorSpec(
    'storage',
    2,
    'node',
    (p) =>
      `no permission to use ${p.path} (${p.reason}); let the user of this process read ` +
      'and write it and its folder',
  ),
  DiskFull: errorSpec(
    'storage',
    3,
    'node',
    (p) =>
      `no space left to write ${p.path} (${p.reason}); free space or raise the file size limit, ` +
      'then start the node again: nothing that was reported as committed is lost',
  ),
  Damaged: errorSpec(
    'storage',
    4,
    'node',
    (p) =>
      `${p.path} is damaged: ${p.reason}. It is not repaired, since a repair could drop records ` +
      'unseen; restore it from a backup, or move this folder away, keep the guard file of the ' +
      'signing key where it is, and let the node fetch the chain from its peers again',
  ),
  DiskFailed: errorSpec(
    'storage',
    5,
    'node',
    (p) => `reading or writing ${p.path} failed (${p.reason}); check the disk, then start again`,
  ),
  NewerFormat: errorSpec(
    'storage',
    6,
    'node',
    (p) =>
      `${p.path} was written in format ${p.found}, and this program knows format ${p.known}; run ` +
      'the version that wrote it, or fetch the chain from peers into another home',
  ),
  WalDamaged: errorSpec(
    'storage',
    7,
    'node',
    (p) =>
      `the write-ahead log ${p.path} is damaged at byte ${p.offset} (${p.reason}) although what ` +
      'follows was synced; check the disk, restore the file from a backup, or, if this is not a ' +
      'validator, delete it and start again',
  ),
  GuardMissing: errorSpec(
    'storage',
    8,
    'node',
    (p) =>
      `${p.path} is missing, but this node has stored height ${p.height}: without it the key ` +
      'could sign twice. Put the file back from where the key was last used; only if the key ' +
      'never signed on this chain, run `metatron unsafe-reset` and start from the first height',
  ),
  GuardDamaged: errorSpec(
    'storage',
    9,
    'node',
    (p) =>
      `${p.path} is damaged: no whole record of what this key signed last. Put back a copy that ` +
      'is not older than the last signature, or use another key',
  ),
  HomeInUse: errorSpec(
    'storage',
    10,
    'node',
    (p) =>
      `process ${p.pid} uses this home (${p.path}); stop it first: two processes with one key ` +
      'would sign against each other',
  ),
  NoSuchEntry: errorSpec('storage', 11, 'client', (p) => `no such log entry: ${p.reason}`),
  NotAFolder: errorSpec(
    'storage',
    12,
    'node',
    (p) => `a file stands where ${p.path} needs a folder; move the file away, then start again`,
  ),
};

const FULL = /ENOSPC|EDQUOT|EFBIG|No space left|File too large|quota/i;
const DENIED = /EACCES|EPERM|EROFS|Permission denied|not permitted|Read-only file system/i;

function textOf(thrown: unknown): string {
  const parts: string[] = [];
  for (let at: unknown = thrown; at !== undefined && parts.length < 5; ) {
    const code = at instanceof Error && 'code' in at ? `${String(at.code)}: ` : '';
    parts.push(code + describe(at));
    at = at instanceof Error ? at.cause : undefined;
  }
  return parts.join('; ');
}

/** What a failure of the file system or of Level means to the owner of this machine. */
export function storageError(thrown: unknown, path: string): LedgerError {
  if (thrown instanceof LedgerError) return thrown;
  const reason = textOf(thrown);
  if (/LEVEL_LOCKED/.test(reason)) return new LedgerError(errors.Locked, { path }, thrown);
  if (FULL.test(reason)) return new LedgerError(errors.DiskFull, { path, reason }, thrown);
  if (DENIED.test(reason)) return new LedgerError(errors.Denied, { path, reason }, thrown);
  if (/EEXIST.*mkdir|ENOTDIR/.test(reason))
    return new LedgerError(errors.NotAFolder, { path }, thrown);
  if (/LEVEL_CORRUPTION|Corruption|does not exist \(create/i.test(reason)) {
    return new LedgerError(errors.Damaged, { path, reason }, thrown);
  }
  return new LedgerError(errors.DiskFailed, { path, reason }, thrown);
}
