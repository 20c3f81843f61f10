/**
 * The judge of bad input: the generated table of errors, and a tally of what was refused by what.
 *
 * Upholds: a refusal counts only if docs/errors.md declares it; every other answer is a failure
 * that is kept with its story.
 *
 * @module
 */
import { readFileSync } from 'node:fs';

/** The declared refusals. */
export type Declared = {
  /** Whether `space/code` is declared. */
  has(code: string): boolean;
  /** The `space/code` whose message a text fits; messages that are all parameter fit nothing. */
  of(text: string): string | undefined;
};

type Row = { readonly code: string; readonly pattern: RegExp };

const TABLE: URL = new URL('../../docs/errors.md', import.meta.url);
/** Least letters of its own that make a message recognizable. */
const OWN_LETTERS = 6;

function patternOf(message: string): RegExp {
  const parts = message.replaceAll('\\|', '|').split(/\{\w+\}/);
  return new RegExp(
    `^${parts.map((part) => part.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')).join('[^]*')}$`,
  );
}

/** Reads the table of errors. */
export function readDeclared(): Declared {
  const codes = new Set<string>();
  const rows: Row[] = [];
  let space = '';
  for (const line of readFileSync(TABLE, 'utf8').split('\n')) {
    space = /^## (\S+)$/.exec(line)?.[1] ?? space;
    const [, code, message = ''] =
      /^\| (-?\d+) \| \w+ \| \w+ \| (.*) \| `[^`]*` \|$/.exec(line) ?? [];
    if (code === undefined) continue;
    codes.add(`${space}/${code}`);
    const own = message.replace(/\{\w+\}/g, '').replace(/[^a-z]/gi, '');
    if (own.length < OWN_LETTERS) continue;
    rows.push({ code: `${space}/${code}`, pattern: patternOf(message) });
  }
  return {
    has: (code) => codes.has(code),
    of: (text) => rows.find(({ pattern }) => pattern.test(text))?.code,
  };
}

/** What a run of one kind of input came to. */
export type Outcome = {
  readonly sent: number;
  /** How often each declared code refused. */
  readonly refused: Readonly<Record<string, number>>;
  /** Connections that the node ended before either side could say a word. */
  readonly closed: number;
  /** Inputs that stayed valid, or asked for nothing that a node would refuse. */
  readonly harmless: number;
};

/** Codes that say no more than that something went wrong. */
const GENERIC: ReadonlySet<string> = new Set([
  'sdk/1',
  'jsonrpc/-32603',
  'jsonrpc/-32000',
  'http/500',
]);

/** Most stories of failures that are kept. */
const MAX_FAILURES = 40;

/** Counts answers. */
export class Tally {
  readonly #declared: Declared;
  readonly #kind: string;
  readonly #failures: string[];
  readonly #refused = new Map<string, number>();
  #sent = 0;
  #harmless = 0;
  #closed = 0;

  /** @param failures - takes the stories, of all kinds together */
  constructor(kind: string, declared: Declared, failures: string[]) {
    this.#kind = kind;
    this.#declared = declared;
    this.#failures = failures;
  }

  /** Inputs judged so far. */
  get sent(): number {
    return this.#sent;
  }

  /** An input was refused by `space/code`. */
  refused(code: string, story: string): void {
    if (!this.#declared.has(code) || GENERIC.has(code)) {
      const kind = GENERIC.has(code) ? 'generic' : 'undeclared';
      this.failed(`refused by the ${kind} ${code}: ${story}`);
      return;
    }
    this.#sent++;
    this.#refused.set(code, (this.#refused.get(code) ?? 0) + 1);
  }

  /** An input had its sender dropped; the log will tell the code. */
  dropped(): void {
    this.#sent++;
  }

  /** A drop that was counted already has this code in the log. */
  coded(code: string, story: string): void {
    if (!this.#declared.has(code)) this.failed(`dropped by the undeclared ${code}: ${story}`);
    this.#refused.set(code, (this.#refused.get(code) ?? 0) + 1);
  }

  /** An input had its connection ended where no word can be said. */
  closed(): void {
    this.#sent++;
    this.#closed++;
  }

  /** An input did no harm. */
  harmless(): void {
    this.#sent++;
    this.#harmless++;
  }

  /** An input was answered as it must not be. */
  failed(story: string): void {
    this.#sent++;
    if (this.#failures.length < MAX_FAILURES) {
      this.#failures.push(`${this.#kind}: ${story.slice(0, 400)}`);
    }
  }

  /** The sums. */
  outcome(): Outcome {
    const refused = Object.fromEntries([...this.#refused].sort(([a], [b]) => (a < b ? -1 : 1)));
    return { sent: this.#sent, refused, closed: this.#closed, harmless: this.#harmless };
  }
}
