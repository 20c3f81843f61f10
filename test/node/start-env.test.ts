/**
 * What `start` sets for the allocators, as the process that goes on has it.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { temporaryFolder } from '../process/support.ts';

const COMMAND = fileURLToPath(new URL('../../node/bin/metatron.mjs', import.meta.url));
/** Each process of a command says what it has. */
const SAY = [
  'const { MIMALLOC_PURGE_DELAY: delay, MALLOC_ARENA_MAX: arenas } = process.env;',
  'process.stderr.write(delay + " " + arenas + "\\n");',
].join('');

describe('variables of a node', () => {
  function heard(args: readonly string[], env: Readonly<Record<string, string>>): string[] {
    const options = `--import=data:text/javascript,${encodeURIComponent(SAY)}`;
    const { MIMALLOC_PURGE_DELAY: _, MALLOC_ARENA_MAX: __, ...outer } = process.env;
    const { stderr } = spawnSync(process.execPath, [COMMAND, ...args], {
      env: { ...outer, ...env, NODE_OPTIONS: options },
      encoding: 'utf8',
    });
    return stderr.split('\n').filter((line) => /^(\w+) (\w+)$/.test(line));
  }

  it('are set by start alone, and never in place of those that are set', () => {
    const folder = temporaryFolder();
    const start = ['start', '--home', join(folder.path, 'nothing')];
    expect(heard(start, {}).at(-1)).to.equal('10000 2');
    expect(heard(start, { MALLOC_ARENA_MAX: '3' }).at(-1)).to.equal('10000 3');
    expect(heard(['--version'], {}).at(-1)).to.equal('undefined undefined');
    folder.remove();
  }).timeout(30_000);
});
