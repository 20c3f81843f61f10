/**
 * Asking the application for REST's answers: queries whose refusals become problems.
 *
 * @module
 */
import * as z from 'zod';
import type { QueryResponse } from '../../abci/application.ts';
import { EMPTY, fromHex, fromUtf8 } from '../../base/bytes.ts';
import { LedgerError } from '../../base/errors.ts';
import type { RpcPorts } from '../ports.ts';
import { errors } from './endpoint.ts';
import { DEFAULT_LIMIT, MAX_LIMIT } from './schemas.ts';

/** Asks the application at a height; 0 is the last. @throws LedgerError rest/2 if it refuses */
export async function ask(
  ports: RpcPorts,
  path: string,
  data: Uint8Array,
  height = 0,
): Promise<QueryResponse> {
  const answer = await ports.app.query({ path, data, height, prove: false });
  if (answer.code === 0) return answer;
  const { code, codespace, log } = answer;
  throw new LedgerError(errors.Query, { code, codespace, log });
}

const jsonObject = z.record(z.string(), z.unknown());

/** A transaction as the application reads it; `null` if it cannot. */
export async function decodeTx(
  ports: RpcPorts,
  tx: Uint8Array,
): Promise<Readonly<Record<string, unknown>> | null> {
  const answer = await ports.app.query({ path: '/tx/decode', data: tx, height: 0, prove: false });
  const text = answer.code === 0 ? fromUtf8(answer.value) : undefined;
  if (text === undefined || text === '') return null;
  const parsed = jsonObject.safeParse(parseJson(text));
  return parsed.success ? parsed.data : null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A space as queries name it: by its id in lower-case hex, or by the owner of a personal one. */
export function where(owner: string): { readonly space: Uint8Array; readonly owner: string } {
  const space = /^[0-9a-f]{64}$/.test(owner) ? fromHex(owner) : undefined;
  return space === undefined ? { space: EMPTY, owner } : { space, owner: '' };
}

/** @throws LedgerError rest/1 */
export function badParams(reason: string): never {
  throw new LedgerError(errors.BadParams, { reason });
}

/** Parameters that several endpoints take. */
export const param: {
  readonly height: z.ZodType<number>;
  readonly limit: z.ZodType<number>;
  readonly hash: z.ZodType<string>;
  readonly address: z.ZodType<string>;
  readonly account: z.ZodType<string>;
  readonly key: z.ZodType<string>;
  readonly cursor: z.ZodType<string | undefined>;
} = {
  height: z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER),
  limit: z.coerce.number().int().min(1).max(MAX_LIMIT).default(DEFAULT_LIMIT),
  hash: z.string().regex(/^[0-9A-Fa-f]{64}$/, 'is not 64 hex digits'),
  address: z.string().regex(/^[0-9a-z]{8,90}$/, 'is no bech32 address'),
  account: z
    .string()
    .regex(/^([0-9a-z]{8,90}|0x[0-9A-Fa-f]{40})$/, 'is neither bech32 nor 0x and 40 hex digits'),
  key: z.string().min(1).max(256),
  cursor: z
    .string()
    .regex(/^\d{1,16}(\.\d{1,10})?$/, 'is no cursor of an earlier page')
    .optional(),
};
