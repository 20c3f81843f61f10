/**
 * The command line's help: every command has it, with a description for every option.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { Command } from 'commander';
import { registerBench } from '../../node/src/cli/bench.ts';
import { registerDevnet } from '../../node/src/cli/devnet.ts';
import { registerKeys } from '../../node/src/cli/keys.ts';
import { registerMemory } from '../../node/src/cli/memory.ts';
import { registerNode } from '../../node/src/cli/node-commands.ts';
import { explain } from '../../node/src/cli/output.ts';
import { registerQuery } from '../../node/src/cli/query.ts';
import { registerSim } from '../../node/src/cli/sim.ts';
import { registerTx } from '../../node/src/cli/tx.ts';
import { registerVerify } from '../../node/src/cli/verify.ts';

function program(): Command {
  const all = new Command('metatron');
  for (const register of [
    registerDevnet,
    registerNode,
    registerKeys,
    registerMemory,
    registerTx,
    registerQuery,
    registerVerify,
    registerBench,
    registerSim,
  ]) {
    register(all);
  }
  return all;
}

function* below(command: Command): Iterable<Command> {
  yield command;
  for (const child of command.commands) yield* below(child);
}

function fullHelp(command: Command): string {
  let text = '';
  command.configureOutput({
    writeOut: (part) => {
      text += part;
    },
  });
  command.outputHelp();
  return text;
}

describe('help', () => {
  it('describes every command and option', () => {
    for (const command of program().commands.flatMap((child) => [...below(child)])) {
      expect(command.description(), command.name()).not.to.equal('');
      for (const option of command.options) {
        expect(option.description, `${command.name()} ${option.flags}`).not.to.equal('');
      }
    }
  });

  it('shows examples with every top command', () => {
    for (const command of program().commands) {
      expect(fullHelp(command), command.name()).to.match(
        /\nExamples?:\n {2}(METATRON\S+ )?metatron /,
      );
    }
  });

  it('is the list that the README gives', () => {
    const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
    const table = readme.slice(readme.indexOf('## Commands'), readme.indexOf('Each has `--help`'));
    for (const command of program().commands) {
      expect(table, command.name()).to.contain(`\`${command.name()}\``.replace('`', ''));
    }
  });
});

describe('explanations', () => {
  const withCode = (code: string, more: object = {}): Error =>
    Object.assign(new Error('raw'), { code }, more);

  it('say what to do, without a stack', () => {
    const port = explain(withCode('EADDRINUSE', { address: '127.0.0.1', port: 26_657 }));
    expect(port).to.match(/port 127\.0\.0\.1:26657 is in use: stop what uses it/);
    expect(explain(withCode('ENOSPC', { path: '/data' }))).to.match(
      /disk is full.*free some space/,
    );
    expect(explain(withCode('EACCES', { path: '/data' }))).to.match(/no permission for \/data/);
    const wrapped = new Error('outer', { cause: withCode('EFBIG') });
    expect(explain(wrapped)).to.match(/ulimit -f/);
  });

  it('show the stack of a defect only', () => {
    expect(explain(new TypeError('x is undefined'))).to.match(/defect.*\n\s+at /s);
    expect(explain(new Error('plain'))).to.equal('plain');
  });
});
