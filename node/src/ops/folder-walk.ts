/**
 * What lies under a folder, at any depth.
 *
 * Upholds: symbolic links are among it and are not followed.
 *
 * @module
 */
import { type Dirent, readdirSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Everything under a folder, folders included.
 *
 * @param enters - whether to look into a folder of this name; into all if it is left out
 */
export function* entriesUnder(
  folder: string,
  enters: (name: string) => boolean = () => true,
): Generator<Dirent> {
  const folders = [folder];
  for (let at = folders.pop(); at !== undefined; at = folders.pop()) {
    for (const entry of readdirSync(at, { withFileTypes: true })) {
      if (entry.isDirectory() && enters(entry.name)) folders.push(join(at, entry.name));
      yield entry;
    }
  }
}
