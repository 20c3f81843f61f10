/**
 * Tidy finds every kind of breach where it was planted, and nothing in a clean tree.
 *
 * @module
 */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { sourceOf } from '../../scripts/tidy/source.ts';
import { tidy } from '../../scripts/tidy.ts';

const HEAD = '/**\n * A file.\n *\n * @module\n */\n';

/** A small clean tree; every file of it is reached from the entry. */
const CLEAN: Readonly<Record<string, string>> = {
  'node/src/cli/main.ts': `${HEAD}import '../node.ts';\n`,
  'node/src/node.ts': `${HEAD}import './engine/engine.ts';\nimport '../state/store.ts';\n`,
  'node/src/engine/engine.ts': `${HEAD}import '../../consensus/core.ts';\n`,
  'node/consensus/core.ts': `${HEAD}import '../src/types/vote.ts';\n`,
  'node/src/types/vote.ts': `${HEAD}import '../base/bytes.ts';\n`,
  'node/src/base/bytes.ts': HEAD,
  'node/state/store.ts': `${HEAD}import 'level';\n`,
};

let root = '';

function plant(files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries({ ...CLEAN, ...files })) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
}

const found = (): string[] => tidy(root).map((b) => `${b.path}:${b.line} ${b.rule}`);

/** A file that the entry reaches. */
function reached(path: string, text: string): Record<string, string> {
  return {
    [path]: text,
    'node/src/cli/main.ts': `${HEAD}import '../node.ts';\nimport '../../../${path}';\n`,
  };
}

describe('tidy', () => {
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'tidy-'));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  it('finds nothing in a clean tree', () => {
    plant({});
    expect(found()).to.deep.equal([]);
  });

  const breaches: readonly (readonly [path: string, text: string, expected: string])[] = [
    ['node/src/types/a.ts', "import '../net/b.ts';", 'node/src/types/a.ts:6 layers'],
    ['node/consensus/a.ts', "export * from '../state/b.ts';", 'node/consensus/a.ts:6 layers'],
    ['node/src/rpc/a.ts', "await import('../ledger/b.ts');", 'node/src/rpc/a.ts:6 layers'],
    ['node/src/ops/a.ts', "import '../cli/main.ts';", 'node/src/ops/a.ts:6 layers'],
    [
      'node/src/ledger/memory/a.ts',
      "import '../bank/b.ts';",
      'node/src/ledger/memory/a.ts:6 modules',
    ],
    ['node/src/engine/a.ts', "import 'level';", 'node/src/engine/a.ts:6 libraries'],
    ['node/src/engine/a.ts', "import '@libp2p/tcp';", 'node/src/engine/a.ts:6 libraries'],
    ['node/src/ops/a.ts', "import 'express';", 'node/src/ops/a.ts:6 libraries'],
    ['node/src/types/a.ts', "import 'node:fs';", 'node/src/types/a.ts:6 pure'],
    ['node/src/ledger/a.ts', 'const t = Date.now();', 'node/src/ledger/a.ts:6 pure'],
    ['node/src/ledger/a.ts', 'const t = new Date();', 'node/src/ledger/a.ts:6 pure'],
    ['node/src/mempool/a.ts', 'const r = Math.random();', 'node/src/mempool/a.ts:6 pure'],
    ['node/src/abci/a.ts', 'setTimeout(f, 1);', 'node/src/abci/a.ts:6 pure'],
    ['node/src/ledger/a.ts', '\n\nconst e = Math.exp(2);', 'node/src/ledger/a.ts:8 pure'],
    ['node/src/ledger/a.ts', `const s = \`\${Math.sqrt(2)}\`;`, 'node/src/ledger/a.ts:6 pure'],
    ['node/src/net/a.ts', "throw new Error('no');", 'node/src/net/a.ts:6 errors'],
    ['node/src/net/a.ts', `// ${'x'.repeat(98)}`, 'node/src/net/a.ts:6 size'],
    ['node/src/net/a.ts', '\n'.repeat(400), 'node/src/net/a.ts:401 size'],
    ['node/src/net/a.ts', '\nexport const a = 1;', 'node/src/net/a.ts:7 docs'],
    ['node/src/net/a.ts', `// ${'TO'}DO: later`, 'node/src/net/a.ts:6 notes'],
  ];
  for (const [path, text, expected] of breaches) {
    it(`finds ${expected.split(' ')[1]} in ${path}: ${text.trim().slice(0, 30)}`, () => {
      plant(reached(path, `${HEAD}${text}\n`));
      expect(found()).to.deep.equal([expected]);
    });
  }

  it('finds files without a head and files that nothing imports', () => {
    plant({ 'node/src/net/lonely.ts': 'const a = 1;\n' });
    expect(found()).to.deep.equal([
      'node/src/net/lonely.ts:1 head',
      'node/src/net/lonely.ts:1 dead',
    ]);
  });

  it('leaves alone what only looks like a breach', () => {
    const harmless = [
      '// Date.now() and Math.random() in a comment',
      "const text = 'Date.now() // not a comment';",
      'const pattern = /setTimeout`"\\//;',
      'const half = 4 / 2 / 1;',
      'const when = new Date(0);',
      'const root = Math.floor(1.5);',
      `const made = \`throw new Error \${\`inner \${half}\`} process.env\`;`,
      "import type { B } from '../base/bytes.ts';",
    ];
    plant(reached('node/src/types/a.ts', `${HEAD}${harmless.join('\n')}\n`));
    expect(found()).to.deep.equal([]);
  });

  it('lets a worker be named by its URL, and generated code be', () => {
    plant({
      ...reached(
        'node/src/crypto/a.ts',
        `${HEAD}new Worker(new URL('./worker.ts', import.meta.url));\n`,
      ),
      'node/src/crypto/worker.ts': HEAD,
      'node/src/gen/made.ts': 'throw new Error("generated");\n',
    });
    expect(found()).to.deep.equal([]);
  });

  it('keeps the lines of a source when it blanks it', () => {
    const text = `a /* x\n y */ b\n\`t\n\${c}\n\`; // d\n"e" / f\n`;
    const { code, uncommented } = sourceOf('a.ts', text);
    expect(code.split('\n').length).to.equal(text.split('\n').length);
    expect(code.replace(/\s+/g, '')).to.equal('abc;/f');
    expect(uncommented.replace(/\s+/g, '')).to.equal(`ab\`t\${c}\`;"e"/f`);
  });
});
