/**
 * `npx node scripts/check-lock.ts`: what package-lock.json lacks for other platforms, what in it is
 * deprecated, runs install scripts, wants another Node, or stands there in several versions.
 *
 * Fails if an optional package of some platform is missing or an entry has no integrity: such a
 * lock file installs on the machine that wrote it and breaks on another.
 *
 * @module
 */
import { readFileSync } from 'node:fs';

type Package = {
  readonly version?: string;
  readonly integrity?: string;
  readonly deprecated?: string;
  readonly hasInstallScript?: boolean;
  readonly optional?: boolean;
  readonly link?: boolean;
  readonly engines?: { readonly node?: string };
  readonly optionalDependencies?: Readonly<Record<string, string>>;
};

const file = process.argv[2] ?? 'package-lock.json';
const lock: { readonly packages: Readonly<Record<string, Package>> } = JSON.parse(
  readFileSync(file, 'utf8'),
);
const entries = Object.entries(lock.packages);

/** The name of a package from its path in the tree. */
function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
}

const missing = entries.flatMap(([path, entry]) =>
  Object.entries(entry.optionalDependencies ?? {})
    .filter(([name]) => !lock.packages[`node_modules/${name}`])
    .filter(([name]) => !lock.packages[`${path}/node_modules/${name}`])
    .map(([name, range]) => `${path} -> ${name}@${range}`),
);
const unproven = entries
  .filter(([path, entry]) => path !== '' && !entry.link && !entry.integrity)
  .map(([path]) => path);
const versions = new Map<string, Set<string>>();
for (const [path, { version }] of entries) {
  const name = nameOf(path);
  versions.set(name, (versions.get(name) ?? new Set<string>()).add(version ?? ''));
}

const facts: Readonly<Record<string, readonly string[]>> = {
  missing,
  'without integrity': unproven,
  deprecated: entries
    .filter(([, entry]) => entry.deprecated)
    .map(([path, entry]) => `${path}: ${entry.deprecated}`),
  'install scripts': entries
    .filter(([, entry]) => entry.hasInstallScript)
    .map(([path, entry]) => `${nameOf(path)}@${entry.version}`),
  'newer Node than 20': entries
    .filter(([, { engines }]) => />= ?2[2-9]/.test(engines?.node ?? ''))
    .filter(([, { engines }]) => !/(?:20|18|16|14)/.test(engines?.node ?? ''))
    .map(([path, entry]) => `${nameOf(path)}@${entry.version} ${entry.engines?.node}`),
  'several versions': [...versions]
    .filter(([, all]) => all.size > 1)
    .map(([name, all]) => `${name} ${[...all].join(' ')}`),
};

console.log(`${file}: ${entries.length} entries`);
for (const [fact, list] of Object.entries(facts)) {
  console.log(`\n${fact}: ${list.length}`);
  for (const line of list) console.log(`  ${line}`);
}
process.exitCode = missing.length + unproven.length > 0 ? 1 : 0;
