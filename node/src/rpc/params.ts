/**
 * Parameters of RPC methods: their kinds, and reading them from JSON and from URLs.
 *
 * Upholds: a method sees only values of the declared kinds; an absent or `null` parameter is
 * `undefined`. In JSON, bytes are base64 and hashes hex; in a URL both are 0xHEX or the bytes of a
 * quoted text, numbers are bare or quoted, and texts are quoted or 0xHEX.
 * Spec: CometBFT 0.38 rpc/jsonrpc/server/{http_json_handler,http_uri_handler}.go. JSON numbers are
 * taken as well as the strings that CometBFT asks for.
 *
 * @module
 */
import { fromHex, fromUtf8, utf8 } from '../base/bytes.ts';
import { badParams } from './errors.ts';

/** What a parameter may be. */
export type Kind = 'int' | 'text' | 'bytes' | 'hex' | 'bool' | 'json' | 'texts';

type Values = {
  readonly int: number;
  readonly text: string;
  readonly bytes: Uint8Array;
  readonly hex: Uint8Array;
  readonly bool: boolean;
  readonly json: unknown;
  readonly texts: readonly string[];
};

/** Parameters of a method by name, in the order of positional calls. */
export type Params = Readonly<Record<string, Kind>>;

/** The values of a call. */
export type Args<P extends Params> = { readonly [K in keyof P]: Values[P[K]] | undefined };

/** Most texts in a list of texts. */
const MAX_TEXTS = 100;

/** Bytes of canonical base64, faster than the portable decoder; `undefined` if it is not that. */
export function decodeBase64(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0) return undefined;
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}

function readInt(value: unknown): number | undefined {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
  if (typeof value !== 'string' || !/^-?\d{1,16}$/.test(value)) return undefined;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : undefined;
}

function readTexts(value: unknown): readonly string[] | undefined {
  if (!Array.isArray(value) || value.length > MAX_TEXTS) return undefined;
  return value.every((item) => typeof item === 'string') ? value : undefined;
}

const FROM_JSON: { readonly [K in Kind]: (value: unknown) => Values[K] | undefined } = {
  int: readInt,
  text: (value) => (typeof value === 'string' ? value : undefined),
  bytes: (value) => (typeof value === 'string' ? decodeBase64(value) : undefined),
  hex: (value) => (typeof value === 'string' ? fromHex(value) : undefined),
  bool: (value) => (typeof value === 'boolean' ? value : undefined),
  json: (value) => value,
  texts: readTexts,
};

const WANTED: Readonly<Record<Kind, string>> = {
  int: 'a whole number of type string',
  text: 'a value of type string',
  bytes: 'base64 of type string',
  hex: 'hex of type string',
  bool: 'a value of type bool',
  json: 'JSON',
  texts: `a list of at most ${MAX_TEXTS} strings`,
};

function fromJson(name: string, kind: Kind, value: unknown): unknown {
  if (value === undefined || value === null) return undefined;
  const read = FROM_JSON[kind](value);
  if (read !== undefined) return read;
  return badParams(`error converting json params to arguments: ${name} must be ${WANTED[kind]}`);
}

/**
 * Reads the `params` of a JSON-RPC request: an object, a list of all parameters, or nothing.
 *
 * @throws LedgerError rpc/1
 */
export function readJsonParams<P extends Params>(params: P, input: unknown): Args<P> {
  const out: Record<string, unknown> = {};
  if (Array.isArray(input)) {
    const names = Object.keys(params);
    if (input.length !== names.length && input.length !== 0) {
      badParams(
        'error converting json params to arguments: ' +
          `expected ${names.length} parameters ([${names.join(' ')}]), got ${input.length}`,
      );
    }
    for (const [i, name] of names.entries()) {
      out[name] = fromJson(name, params[name] as Kind, input[i]);
    }
  } else if (typeof input === 'object' && input !== null) {
    const given = input as Record<string, unknown>;
    for (const name in params) {
      const value = Object.hasOwn(given, name) ? given[name] : undefined;
      out[name] = fromJson(name, params[name] as Kind, value);
    }
  } else if (input !== undefined && input !== null) {
    badParams('unknown type for JSON params. Expected map or array');
  }
  return out as Args<P>;
}

function unquote(text: string): string | undefined {
  if (!text.startsWith('"') || !text.endsWith('"') || text.length < 2) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function fromUri(kind: Kind, text: string): unknown {
  const digits = /^0x/i.test(text) ? fromHex(text.slice(2)) : undefined;
  const quoted = unquote(text);
  switch (kind) {
    case 'int':
      return readInt(quoted ?? text);
    case 'text':
      return digits === undefined ? quoted : fromUtf8(digits);
    case 'bytes':
    case 'hex':
      return digits ?? (quoted === undefined ? undefined : utf8(quoted));
    case 'bool':
      return text === 'true' ? true : text === 'false' ? false : undefined;
    default:
      return FROM_JSON[kind](parsed(text));
  }
}

/** Reads the query of a URL. @throws LedgerError rpc/1 */
export function readUriParams<P extends Params>(params: P, query: URLSearchParams): Args<P> {
  const out: Record<string, unknown> = {};
  for (const name in params) {
    const text = query.get(name);
    if (text === null || text === '') continue;
    const kind = params[name] as Kind;
    const value = fromUri(kind, text);
    if (value === undefined) {
      badParams(
        `error converting http params to arguments: ${name} must be ${WANTED[kind]}, in quotes ` +
          'or as 0xHEX where it is text or bytes',
      );
    }
    out[name] = value;
  }
  return out as Args<P>;
}
