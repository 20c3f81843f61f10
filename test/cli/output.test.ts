/**
 * What reaches the terminal: text of others is shown, and steers nothing.
 *
 * @module
 */
import { expect } from 'chai';
import fc from 'fast-check';
import { EXIT, fail, printResult, table, visible } from '../../node/src/cli/output.ts';
import { wrongUsage } from '../../node/src/ops/usage.ts';

/** What `printResult` writes when stdout is a terminal, or is not. */
function printed(terminal: boolean, json: boolean, text: string): string {
  const { stdout } = process;
  const before = Object.getOwnPropertyDescriptor(stdout, 'isTTY');
  const { write } = stdout;
  let out = '';
  Object.defineProperty(stdout, 'isTTY', { value: terminal, configurable: true });
  stdout.write = (chunk: string | Uint8Array): boolean => {
    out += String(chunk);
    return true;
  };
  try {
    printResult(json, { text }, () => text);
  } finally {
    stdout.write = write;
    if (before === undefined) Reflect.deleteProperty(stdout, 'isTTY');
    else Object.defineProperty(stdout, 'isTTY', before);
  }
  return out;
}

describe('output for people', () => {
  it('shows control characters of a field as escapes', () => {
    expect(visible('a\u001b[2Jb\rc\nd\te\u007f\u009b')).to.equal(
      'a\\x1b[2Jb\\x0dc\\x0ad\\x09e\\x7f\\x9b',
    );
    expect(visible('x\u202ey\u2028z')).to.equal('x\\u202ey\\u2028z');
    expect(visible('Tür, 記憶, 🗝')).to.equal('Tür, 記憶, 🗝');
  });

  it('keeps line breaks and tabs of longer text, and nothing else that steers', () => {
    expect(visible('a\n\tb\u001b[1A\r', 'lines')).to.equal('a\n\tb\\x1b[1A\\x0d');
  });

  it('leaves no control character in any cell', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' }), { minLength: 1 }), (row) => {
        expect(table([row])).not.to.match(/\p{Cc}/u);
      }),
    );
  });

  it('aligns columns by what is shown', () => {
    expect(
      table([
        ['key\u0007', 'v'],
        ['a', '1'],
      ]),
    ).to.equal('key\\x07  v\na        1');
  });

  it('escapes content on a terminal; a pipe gets it as it is; JSON is JSON', () => {
    const text = 'one\ntwo\u001b[2J\n';
    expect(printed(true, false, text)).to.equal('one\ntwo\\x1b[2J\n');
    expect(printed(false, false, text)).to.equal(text);
    expect(JSON.parse(printed(true, true, text))).to.deep.equal({ text });
  });
});

describe('exit codes', () => {
  /** What `fail` says of what `run` throws, and the exit code it sets. */
  function failing(run: () => void): { readonly text: string; readonly code: unknown } {
    const { stderr, exitCode } = process;
    const { write } = stderr;
    let text = '';
    stderr.write = (chunk: string | Uint8Array): boolean => {
      text += String(chunk);
      return true;
    };
    try {
      run();
    } catch (thrown) {
      fail(thrown);
    } finally {
      stderr.write = write;
    }
    const code = process.exitCode;
    process.exitCode = exitCode;
    return { text, code };
  }

  it('tell wrong usage from a refusal', () => {
    expect(failing(() => wrongUsage('name a key'))).to.deep.equal({
      text: 'error: name a key\n',
      code: EXIT.usage,
    });
    const refused = failing(() => {
      throw new RangeError('no');
    });
    expect(refused).to.deep.equal({ text: 'error: no\n', code: EXIT.refused });
  });
});
