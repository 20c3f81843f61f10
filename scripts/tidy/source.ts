/**
 * Source text without its comments and strings, and the modules it names.
 *
 * Upholds: line numbers stay what they are; code inside template literals stays code.
 * Absent here: types and scopes. The rules of tidy need only words.
 *
 * @module
 */

/** A source file as the rules see it. */
export type Source = {
  /** Path from the root of the project, with `/`. */
  readonly path: string;
  readonly text: string;
  /** The text with comments blanked. */
  readonly uncommented: string;
  /** The text with comments and the contents of strings blanked. */
  readonly code: string;
  readonly imports: readonly Import[];
};

/** A module that a file names. */
export type Import = { readonly specifier: string; readonly line: number };

const TOKEN =
  /\/\/[^\n]*|\/\*[\s\S]*?\*\/|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`|\}|\{|\/(?![/*])/g;
const REGEX = /\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*/y;
/** After these a slash begins a regular expression, not a division. */
const BEFORE_REGEX = /(?:[=(,:[!&|?{};>\n]|\breturn|\bcase)\s*$/;

/** Where code begins inside a template literal. */
const HOLE = '$' + '{';

function blank(text: string): string {
  return text.replace(/[^\n]/g, ' ');
}

type Blanked = { readonly uncommented: string; readonly code: string };

/** Walks the text once; `depths` holds the brace depth of each template literal that is open. */
class Blanker {
  readonly #text: string;
  readonly #depths: number[] = [];
  #uncommented = '';
  #code = '';
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  run(): Blanked {
    TOKEN.lastIndex = 0;
    for (let match = TOKEN.exec(this.#text); match !== null; match = TOKEN.exec(this.#text)) {
      this.#keep(match.index);
      this.#token(match[0]);
      TOKEN.lastIndex = this.#at;
    }
    this.#keep(this.#text.length);
    return { uncommented: this.#uncommented, code: this.#code };
  }

  #keep(to: number): void {
    const piece = this.#text.slice(this.#at, to);
    this.#uncommented += piece;
    this.#code += piece;
    this.#at = to;
  }

  /** Takes the next `length` characters as a string or, with `comment`, as a comment. */
  #drop(length: number, comment: boolean): void {
    const piece = this.#text.slice(this.#at, this.#at + length);
    this.#uncommented += comment ? blank(piece) : piece;
    this.#code += blank(piece);
    this.#at += length;
  }

  #token(token: string): void {
    if (token.startsWith('//') || token.startsWith('/*')) this.#drop(token.length, true);
    else if (token === '/') this.#slash();
    else if (token === '`') this.#template(1);
    else if (token === '{') this.#brace(1);
    else if (token === '}' && this.#depths.at(-1) === this.#depth) {
      this.#depths.pop();
      this.#template(1);
    } else if (token === '}') this.#brace(-1);
    else this.#drop(token.length, false);
  }

  #brace(change: number): void {
    this.#depth += change;
    this.#keep(this.#at + 1);
  }

  #slash(): void {
    REGEX.lastIndex = this.#at;
    const isRegex = BEFORE_REGEX.test(this.#code.slice(-40));
    const match = isRegex ? REGEX.exec(this.#text) : null;
    if (match === null) this.#keep(this.#at + 1);
    else this.#drop(match[0].length, false);
  }

  /** Goes to the end of a template literal, or to the code inside it. */
  #template(opening: number): void {
    let end = this.#at + opening;
    while (end < this.#text.length) {
      if (this.#text[end] === '\\') end += 2;
      else if (this.#text[end] === '`') {
        end++;
        break;
      } else if (this.#text.startsWith(HOLE, end)) {
        this.#drop(end + 2 - this.#at, false);
        this.#depths.push(this.#depth);
        return;
      } else end++;
    }
    this.#drop(end - this.#at, false);
  }
}

/** The line, from 1, at a position of a text. */
export function lineAt(text: string, index: number): number {
  return text.slice(0, index).split('\n').length;
}

const NAMING = [
  String.raw`from\s*`,
  String.raw`import\s*\(\s*`,
  String.raw`import\s+`,
  String.raw`new URL\(\s*`,
  String.raw`resolve\(\s*`,
  String.raw`require\)?\(\s*`,
];
const IMPORT = new RegExp(String.raw`\b(?:${NAMING.join('|')})(['"])([^'"\n]+)\1`, 'g');

function importsOf(uncommented: string): readonly Import[] {
  return [...uncommented.matchAll(IMPORT)].map((match) => ({
    specifier: match[2] ?? '',
    line: lineAt(uncommented, match.index),
  }));
}

/** Reads a source text. */
export function sourceOf(path: string, text: string): Source {
  const { uncommented, code } = new Blanker(text).run();
  return { path, text, uncommented, code, imports: importsOf(uncommented) };
}
