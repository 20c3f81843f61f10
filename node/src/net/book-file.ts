/**
 * The address book's file.
 *
 * Upholds: the file is replaced whole or not at all; a damaged file is reported and replaced, since
 * peers tell the addresses again.
 *
 * @module
 */
import { randomUUID } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { describe } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { AddressBook } from './address-book.ts';

/** Fills `book` from `path`; a missing file is an empty book. */
export async function loadBook(path: string, book: AddressBook, log: Logger): Promise<void> {
  try {
    book.load(await readFile(path, 'utf8'));
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return;
    log.warn('address book is unreadable and starts empty', { path, cause: describe(thrown) });
  }
}

/** Writes `book` to `path`; failing is reported and costs only what was learnt. */
export async function saveBook(path: string, book: AddressBook, log: Logger): Promise<void> {
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    await writeFile(temporary, book.toJson(), { mode: 0o600 });
    await rename(temporary, path);
  } catch (thrown) {
    log.warn('address book was not written', { path, cause: describe(thrown) });
    await rm(temporary, { force: true });
  }
}
