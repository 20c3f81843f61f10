/**
 * `npm run tidy`: fails on code that breaks the rules of the architecture.
 * `npm run tidy <folder>` looks at another tree of the same shape.
 *
 * The rules are in tidy/rules.ts, the layer table in tidy/layers.ts.
 *
 * @module
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { type Breach, RULES } from './tidy/rules.ts';
import { type Source, sourceOf } from './tidy/source.ts';

const FOLDERS: readonly string[] = ['node', 'scripts', 'test'];

function read(root: string): readonly Source[] {
  return FOLDERS.filter((folder) => existsSync(join(root, folder))).flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.(?:ts|mjs)$/.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name))
      .map((file) => {
        const path = file.slice(root.length + 1).replaceAll(sep, '/');
        return sourceOf(path, readFileSync(file, 'utf8'));
      }),
  );
}

/** Every breach in the tree under `root`, by rule, in the order of files and lines. */
export function tidy(root: string): readonly (Breach & { readonly rule: string })[] {
  const sources = read(root);
  return Object.entries(RULES)
    .flatMap(([rule, check]) => check(sources).map((breach) => ({ ...breach, rule })))
    .sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : a.line - b.line));
}

if (import.meta.main) {
  const breaches = tidy(process.argv[2] ?? process.cwd());
  for (const { path, line, rule, what } of breaches) {
    console.log(`${path}:${line} ${rule}: ${what}`);
  }
  console.log(breaches.length === 0 ? 'tidy' : `\n${breaches.length} breaches`);
  process.exitCode = breaches.length === 0 ? 0 : 1;
}
