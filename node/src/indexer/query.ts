/**
 * CometBFT's event query language: conditions on attributes, joined by AND.
 *
 *     query     = condition {"AND" condition}
 *     condition = tag "EXISTS" | tag "CONTAINS" string
 *               | tag "=" (string | number | date | time)
 *               | tag ("<" | "<=" | ">" | ">=") (number | date | time)
 *     number    = digits ["." digits]      string = "'" … "'"
 *     date      = "DATE" YYYY-MM-DD        time   = "TIME" RFC 3339
 *
 * Upholds: numbers are compared exactly, whatever their size; an attribute's value counts as the
 * number it starts with (`8stake` is 8). Absent here: OR, NOT, negative numbers, as in CometBFT.
 * Spec: CometBFT 0.38 libs/pubsub/query/syntax/doc.go.
 *
 * Pure.
 *
 * @module
 */
import { type ErrorSpec, errorSpec, LedgerError } from '../base/errors.ts';
import { formatTime, parseTime } from '../types/time.ts';

/** Most characters of a query, as CometBFT's RPC bounds it. */
export const MAX_QUERY_LENGTH = 512;

/** Refusals of a query. */
export const errors: {
  readonly BadQuery: ErrorSpec<{ readonly reason: string }>;
  readonly TooBroad: ErrorSpec<{ readonly limit: number }>;
} = {
  BadQuery: errorSpec('index', 1, 'client', (p) => `failed to parse query: ${p.reason}`),
  TooBroad: errorSpec(
    'index',
    2,
    'client',
    (p) => `the query touches more than ${p.limit} entries: narrow it, for example by height`,
  ),
};

function refuse(reason: string): never {
  throw new LedgerError(errors.BadQuery, { reason });
}

/** A non-negative decimal number: `digits` × 10^−`scale`. */
export type Decimal = { readonly digits: bigint; readonly scale: number };

/** What an attribute is compared with; `text` is as written, without quotes. */
export type Operand =
  | { readonly kind: 'string'; readonly text: string }
  | { readonly kind: 'number'; readonly text: string; readonly value: Decimal }
  | { readonly kind: 'date' | 'time'; readonly text: string; readonly value: bigint };

/** Comparison operators. */
export type Comparison = '=' | '<' | '<=' | '>' | '>=';

/** One condition on the values of `tag`. */
export type Condition =
  | { readonly tag: string; readonly op: 'EXISTS' }
  | { readonly tag: string; readonly op: 'CONTAINS'; readonly operand: Operand }
  | { readonly tag: string; readonly op: Comparison; readonly operand: Operand };

/** A parsed query. `text` is as it was written. */
export type Query = { readonly text: string; readonly conditions: readonly Condition[] };

type Token =
  | { readonly kind: 'tag'; readonly text: string }
  | { readonly kind: 'word'; readonly text: 'AND' | 'CONTAINS' | 'EXISTS' }
  | { readonly kind: 'op'; readonly text: Comparison }
  | { readonly kind: 'operand'; readonly operand: Operand };

const SPACE = /\s*/y;
const LEXEME: RegExp = new RegExp(
  [
    /(?<op><=|>=|<|>|=)/u,
    /'(?<string>[^']*)'/u,
    /(?<number>\d+(?:\.\d+)?)/u,
    /(?<tag>[\p{L}_.][\p{L}\p{Nd}_.-]*)/u,
  ]
    .map((part) => part.source)
    .join('|'),
  'uy',
);
const DATE = /[ \t]+([12]\d{3}-\d{2}-\d{2})(?![\w.:+-])/y;
const TIME =
  /[ \t]+([12]\d{3}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2}))(?!\w)/y;
const MAX_DIGITS = 128;

/** The number a text starts with, if it starts with one of at most 128 characters. */
export function leadingNumber(text: string): Decimal | undefined {
  const match = /^\d+(?:\.\d+)?/.exec(text.slice(0, MAX_DIGITS + 1));
  if (match === null || match[0].length > MAX_DIGITS) return undefined;
  const [whole = '', fraction = ''] = match[0].split('.');
  return { digits: BigInt(whole + fraction), scale: fraction.length };
}

/** The instant of a `YYYY-MM-DD` that exists. */
function dateOf(text: string): bigint | undefined {
  const time = /^\d{4}-\d{2}-\d{2}$/.test(text) ? parseTime(`${text}T00:00:00Z`) : undefined;
  return time !== undefined && formatTime(time).startsWith(text) ? time : undefined;
}

/** The instant of an RFC 3339 text whose date exists. */
export function timeOf(text: string): bigint | undefined {
  return dateOf(text.slice(0, 10)) === undefined ? undefined : parseTime(text);
}

function compareDecimals(a: Decimal, b: Decimal): number {
  const left = a.digits * 10n ** BigInt(Math.max(0, b.scale - a.scale));
  const right = b.digits * 10n ** BigInt(Math.max(0, a.scale - b.scale));
  return left === right ? 0 : left < right ? -1 : 1;
}

/** A date or time behind its keyword, which ends at `at`. */
function instant(text: string, kind: 'date' | 'time', at: number): [Operand, number] {
  const pattern = kind === 'date' ? DATE : TIME;
  pattern.lastIndex = at;
  const literal = pattern.exec(text)?.[1];
  const value = literal && (kind === 'date' ? dateOf(literal) : timeOf(literal));
  if (typeof value !== 'bigint') return refuse(`no ${kind} at position ${at}`);
  return [{ kind, text: literal as string, value }, pattern.lastIndex];
}

function tokenOf(text: string, at: number): [Token, number] {
  LEXEME.lastIndex = at;
  const groups = LEXEME.exec(text)?.groups;
  if (groups === undefined) return refuse(`unexpected character at position ${at}`);
  const end = LEXEME.lastIndex;
  if (groups['op'] !== undefined) return [{ kind: 'op', text: groups['op'] as Comparison }, end];
  if (groups['string'] !== undefined) {
    return [{ kind: 'operand', operand: { kind: 'string', text: groups['string'] } }, end];
  }
  const digits = groups['number'];
  if (digits !== undefined) {
    const value = leadingNumber(digits);
    if (value === undefined) return refuse(`a number has more than ${MAX_DIGITS} digits`);
    return [{ kind: 'operand', operand: { kind: 'number', text: digits, value } }, end];
  }
  const tag = groups['tag'] as string;
  if (tag === 'AND' || tag === 'CONTAINS' || tag === 'EXISTS') {
    return [{ kind: 'word', text: tag }, end];
  }
  if (tag === 'DATE' || tag === 'TIME') {
    const [operand, next] = instant(text, tag === 'DATE' ? 'date' : 'time', end);
    return [{ kind: 'operand', operand }, next];
  }
  return [{ kind: 'tag', text: tag }, end];
}

/** The tokens of a text. @throws LedgerError index/1 at the first character that is none */
export function scan(text: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  for (;;) {
    SPACE.lastIndex = at;
    SPACE.exec(text);
    at = SPACE.lastIndex;
    if (at >= text.length) return tokens;
    const [token, end] = tokenOf(text, at);
    tokens.push(token);
    at = end;
  }
}

/** Parses one condition that starts at token `at`; returns it and where the next token stands. */
function conditionAt(tokens: readonly Token[], at: number): [Condition, number] {
  const tag = tokens[at];
  const op = tokens[at + 1];
  if (tag?.kind !== 'tag') return refuse('a condition starts with a tag');
  if (op?.kind === 'word' && op.text === 'EXISTS') {
    return [{ tag: tag.text, op: 'EXISTS' }, at + 2];
  }
  const next = tokens[at + 2];
  if (next?.kind !== 'operand') return refuse(`${tag.text} is compared with no value`);
  const { operand } = next;
  if (op?.kind === 'word' && op.text === 'CONTAINS') {
    if (operand.kind !== 'string') refuse('CONTAINS takes a string');
    return [{ tag: tag.text, op: 'CONTAINS', operand }, at + 3];
  }
  if (op?.kind !== 'op') return refuse(`no operator after ${tag.text}`);
  if (operand.kind === 'string' && op.text !== '=') refuse(`${op.text} does not take a string`);
  return [{ tag: tag.text, op: op.text, operand }, at + 3];
}

/** Parses a query of at most 512 characters. @throws LedgerError index/1 if it is not one */
export function parseQuery(text: string): Query {
  if (text.length > MAX_QUERY_LENGTH) refuse(`more than ${MAX_QUERY_LENGTH} characters`);
  const tokens = scan(text);
  const conditions: Condition[] = [];
  let at = 0;
  do {
    const [condition, next] = conditionAt(tokens, at);
    conditions.push(condition);
    at = next + 1;
    const joint = tokens[next];
    if (joint !== undefined && !(joint.kind === 'word' && joint.text === 'AND')) {
      refuse('conditions are joined by AND');
    }
    if (joint === undefined) return { text, conditions };
  } while (at <= tokens.length);
  return refuse('AND is followed by nothing');
}

/** Whether comparing to `operand` gave `order` (negative, zero, positive) as `op` asks. */
export function holds(op: Comparison, order: number): boolean {
  switch (op) {
    case '=':
      return order === 0;
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    default:
      return order >= 0;
  }
}

/** The order of an attribute's value against an operand; `undefined` if they cannot be compared. */
function orderOf(value: string, operand: Operand): number | undefined {
  if (operand.kind === 'string') return value === operand.text ? 0 : 1;
  if (operand.kind === 'number') {
    const number = leadingNumber(value);
    return number && compareDecimals(number, operand.value);
  }
  const time = operand.kind === 'date' ? dateOf(value) : timeOf(value);
  if (time === undefined) return undefined;
  return time === operand.value ? 0 : time < operand.value ? -1 : 1;
}

/** Whether one value of the condition's tag satisfies it. */
export function matchesValue(condition: Condition, value: string): boolean {
  if (condition.op === 'EXISTS') return true;
  if (condition.op === 'CONTAINS') return value.includes(condition.operand.text);
  const order = orderOf(value, condition.operand);
  return order !== undefined && holds(condition.op, order);
}

/** Attribute values by `type.key`. */
export type Attributes = ReadonlyMap<string, readonly string[]>;

/** Whether some value of each condition's tag satisfies it; `type EXISTS` asks for the type. */
export function matches(query: Query, attributes: Attributes): boolean {
  return query.conditions.every((condition) => {
    const values = attributes.get(condition.tag);
    if (values?.some((value) => matchesValue(condition, value))) return true;
    return condition.op === 'EXISTS' && hasType(condition.tag, attributes);
  });
}

function hasType(type: string, attributes: Attributes): boolean {
  for (const key of attributes.keys()) {
    if (key.slice(0, key.lastIndexOf('.')) === type) return true;
  }
  return false;
}
