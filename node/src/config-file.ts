/**
 * Reading a configuration: the file of a home, the environment over it, and the printed reference.
 *
 * Upholds: precedence, lowest first, is defaults, `config/config.json` in the home, environment
 * variables `METATRON__SECTION__KEY`. A variable that names no key is refused.
 * docs/config.md is printed from here (`configReference`).
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { describe, LedgerError } from './base/errors.ts';
import { type Config, type ConfigKey, configKeys, errors, parseConfig } from './config.ts';

/** Environment name of a key: METATRON__CONSENSUS__PROPOSE_MS. */
export function environmentName(path: readonly string[]): string {
  const words = path.map((part) => part.replace(/[A-Z]/g, (c) => `_${c}`).toUpperCase());
  return ['METATRON', ...words].join('__');
}

function fromText(text: string, kind: ConfigKey['kind']): unknown {
  if (kind === 'list') return text === '' ? [] : text.split(',');
  if (kind === 'number') return /^-?\d+$/.test(text) ? Number(text) : text;
  if (kind === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  return text;
}

/**
 * Lays the environment over a configuration file's content.
 *
 * @throws LedgerError config/1 for a METATRON__ variable that names no key
 */
function overlayEnvironment(
  base: unknown,
  environment: Readonly<Record<string, string | undefined>>,
): unknown {
  const known = new Map(configKeys().map((k) => [environmentName(k.path), k]));
  let out = base;
  for (const [name, text] of Object.entries(environment)) {
    if (!name.startsWith('METATRON__') || text === undefined) continue;
    const found = known.get(name);
    if (found === undefined) {
      const reason = 'no such key; docs/config.md lists them';
      throw new LedgerError(errors.BadKey, { source: 'environment', path: name, reason });
    }
    out = withValue(out, found.path, fromText(text, found.kind));
  }
  return out;
}

function withValue(base: unknown, path: readonly string[], value: unknown): unknown {
  const [head, ...rest] = path;
  if (head === undefined) return value;
  const object = typeof base === 'object' && base !== null ? Object.entries(base) : [];
  const inner = new Map<string, unknown>(object);
  inner.set(head, withValue(inner.get(head), rest, value));
  return Object.fromEntries(inner);
}

/**
 * The configuration in force: the file, with the environment over it, with defaults below it.
 *
 * @param file - a JSON file; its absence is an error of the file system
 * @throws LedgerError config/1 or config/2
 */
export function loadConfig(
  file: string,
  environment: Readonly<Record<string, string | undefined>>,
): Config {
  const text = readFileSync(file, 'utf8');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new LedgerError(errors.NotJson, { file, reason: describe(cause) }, cause);
  }
  parseConfig(value, file);
  return parseConfig(overlayEnvironment(value, environment), `${file} with the environment`);
}

/** docs/config.md, from the schema. */
export function configReference(): string {
  const rows = configKeys().map((k) => {
    const initial = JSON.stringify(k.initial);
    return `| \`${k.path.join('.')}\` | \`${initial}\` | ${k.unit} | ${k.help} |`;
  });
  return [
    '# Configuration',
    '',
    'Printed from the schema in `node/src/config.ts` by `npx metatron config --markdown`;',
    'a test compares the two.',
    '',
    'A node reads `config/config.json` in its home. Every key may be left out. A value counts in',
    'this order, the last one wins: the default below, the file, the environment. The variable of',
    '`consensus.proposeMs` is `METATRON__CONSENSUS__PROPOSE_MS`; a list is separated by commas.',
    'An unknown key or variable stops the start with its name.',
    '',
    '| Key | Default | Unit | What it does |',
    '|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}
