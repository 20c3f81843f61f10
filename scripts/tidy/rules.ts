/**
 * The rules of tidy: each looks at the sources and names what breaks it, by file and line.
 *
 * Upholds: what the architecture says about layers, libraries and pure code holds in the tree.
 * Absent here: what the linter and the compiler check already.
 *
 * @module
 */
import { posix } from 'node:path';
import {
  ENTRIES,
  LAYERS,
  LEDGER_FOUNDATION,
  LEDGER_MODULES,
  LIBRARIES,
  MAX_COLUMNS,
  MAX_LINES,
  ONLY_FOR,
  PURE_EXCEPTIONS,
} from './layers.ts';
import { lineAt, type Source } from './source.ts';

/** One breach of a rule. */
export type Breach = { readonly path: string; readonly line: number; readonly what: string };

/** A rule over all sources. */
export type Rule = (sources: readonly Source[]) => readonly Breach[];

/** A rule that needs one file at a time. */
function each(check: (source: Source) => readonly Breach[]): Rule {
  return (sources) => sources.filter((s) => !isGenerated(s.path)).flatMap(check);
}

function isGenerated(path: string): boolean {
  return path.startsWith('node/src/gen/');
}

function isWithin(path: string, folder: string): boolean {
  return path.startsWith(`${folder}/`);
}

/** The layer of a file: that of the deepest folder of the table which holds it. */
function layerOf(path: string): string | undefined {
  return Object.entries(LAYERS)
    .filter(([, { folder }]) => isWithin(path, folder))
    .sort(([, a], [, b]) => b.folder.length - a.folder.length)[0]?.[0];
}

function targetOf(from: string, specifier: string): string | undefined {
  return specifier.startsWith('.') ? posix.join(posix.dirname(from), specifier) : undefined;
}

const layers: Rule = each(({ path, imports }) => {
  const from = layerOf(path);
  if (from === undefined) return [];
  return imports.flatMap(({ specifier, line }) => {
    const target = targetOf(path, specifier);
    const to = target === undefined ? undefined : layerOf(target);
    if (to === undefined || to === from) return [];
    const allowed = LAYERS[from]?.mayImport ?? [];
    const open = ONLY_FOR[to]?.includes(from) ?? true;
    const may = (allowed.includes('*') && open) || allowed.includes(to);
    return may ? [] : [{ path, line, what: `${from} may not import ${to} (${specifier})` }];
  });
});

function moduleOf(path: string): string | undefined {
  const name = /^node\/src\/ledger\/([^/]+)\//.exec(path)?.[1];
  return name !== undefined && LEDGER_MODULES.includes(name) ? name : undefined;
}

const modules: Rule = each(({ path, imports }) => {
  const from = moduleOf(path);
  if (from === undefined) return [];
  return imports.flatMap(({ specifier, line }) => {
    const to = moduleOf(targetOf(path, specifier) ?? '');
    const what = `module ${from} may not import module ${to} (${specifier})`;
    const may = to === undefined || to === from || to === LEDGER_FOUNDATION;
    return may ? [] : [{ path, line, what }];
  });
});

function named(specifier: string, library: string): boolean {
  return library.endsWith('/')
    ? specifier.startsWith(library)
    : specifier === library || specifier.startsWith(`${library}/`);
}

const libraries: Rule = each(({ path, imports }) => {
  if (!isWithin(path, 'node')) return [];
  return imports.flatMap(({ specifier, line }) => {
    const homes = Object.entries(LIBRARIES).find(([library]) => named(specifier, library))?.[1];
    return homes === undefined || homes.some((folder) => isWithin(path, folder))
      ? []
      : [{ path, line, what: `${specifier} may only be named under ${homes.join(', ')}` }];
  });
});

const IMPURE: readonly (readonly [pattern: RegExp, what: string])[] = [
  [/\bDate\.now\b|\bnew Date\(\s*\)|\bperformance\.|\bhrtime\b/g, 'a clock'],
  [/\bMath\.random\b|\brandom(?:UUID|Bytes|Int)\b|\bgetRandomValues\b/g, 'a random number'],
  [/\bset(?:Timeout|Interval|Immediate)\b|\bqueueMicrotask\b/g, 'a timer'],
  [/\bprocess\.|\bawait fetch\(|\bconsole\.|\bnew Worker\b/g, 'input or output'],
  [
    /\bMath\.(?:a?(?:sin|cos|tan)h?|atan2|exp|expm1|log(?:2|10|1p)?|pow|sqrt|cbrt|hypot)\b/g,
    'mathematics whose result differs between machines',
  ],
  [/\btoLocale\w*\b|\blocaleCompare\b|\bIntl\./g, 'the locale of the machine'],
];

const pure: Rule = each(({ path, code, imports }) => {
  if (LAYERS[layerOf(path) ?? '']?.pure !== true) return [];
  const uses = IMPURE.flatMap(([pattern, what]) =>
    [...code.matchAll(pattern)].map((match) => ({
      path,
      line: lineAt(code, match.index),
      what: `${what} in a pure layer (${match[0].trim()})`,
    })),
  );
  const builtIns = imports
    .filter(({ specifier }) => specifier.startsWith('node:'))
    .filter(({ specifier }) => !PURE_EXCEPTIONS[path]?.includes(specifier))
    .map(({ specifier, line }) => ({ path, line, what: `${specifier} in a pure layer` }));
  return [...uses, ...builtIns];
});

const head: Rule = each(({ path, text }) => {
  const body = text.replace(/^#![^\n]*\n/, '');
  return /^\/\*\*\n/.test(body) ? [] : [{ path, line: 1, what: 'no head comment' }];
});

const size: Rule = each(({ path, text }) => {
  const lines = text.split('\n');
  const count = text.endsWith('\n') ? lines.length - 1 : lines.length;
  const most = MAX_LINES[path.split('/')[0] ?? ''] ?? Number.POSITIVE_INFINITY;
  const long = lines
    .map((line, index) => ({ line: index + 1, columns: [...line].length }))
    .filter(({ columns }) => columns > MAX_COLUMNS)
    .map(({ line, columns }) => ({ path, line, what: `${columns} columns, over ${MAX_COLUMNS}` }));
  const tall = count > most ? [{ path, line: most + 1, what: `${count} lines, over ${most}` }] : [];
  return [...tall, ...long];
});

const errors: Rule = each(({ path, code }) => {
  if (!isWithin(path, 'node')) return [];
  return [...code.matchAll(/\bthrow new (?:Type|Range|Syntax)?Error\b/g)].map((match) => ({
    path,
    line: lineAt(code, match.index),
    what: `${match[0]}: use LedgerError with a declared code, or invariant`,
  }));
});

/** The end of a docstring, or an export in one line: constants of a group share one docstring. */
const DOCUMENTED = /(?:\*\/|^export (?:const|type) .*;)$/;

const docs: Rule = each(({ path, text }) => {
  if (!isWithin(path, 'node')) return [];
  const lines = text.split('\n');
  return lines.flatMap((line, index) => {
    const name = /^export (?:async )?(?:function|const|type|class) (\w+)/.exec(line)?.[1];
    const documented = name === undefined || DOCUMENTED.test(lines[index - 1]?.trimEnd() ?? '');
    return documented ? [] : [{ path, line: index + 1, what: `${name} has no docstring` }];
  });
});

const notes: Rule = each(({ path, text }) =>
  [...text.matchAll(/\b(?:TO)DO\b|\bFIX(?:ME)\b/g)].map((match) => ({
    path,
    line: lineAt(text, match.index),
    what: `${match[0]}: open work belongs in an issue`,
  })),
);

const dead: Rule = (sources) => {
  const imported = new Set(
    sources.flatMap(({ path, imports }) => imports.map((i) => targetOf(path, i.specifier))),
  );
  return sources
    .filter(({ path }) => !ENTRIES.some((entry) => entry.test(path)) && !imported.has(path))
    .map(({ path }) => ({ path, line: 1, what: 'nothing imports this file' }));
};

/** All rules by name. */
export const RULES: Readonly<Record<string, Rule>> = {
  layers,
  modules,
  libraries,
  pure,
  head,
  size,
  errors,
  docs,
  notes,
  dead,
};
