/**
 * Headers with their commits and validators, fetched from a node.
 *
 * @module
 */
import { LedgerError } from '../base/errors.ts';
import type { Signed, SimpleValidator } from '../types/bundles.ts';
import { hashOfValidators, type Trusted } from './anchor.ts';
import {
  commitFromJson,
  headerFromJson,
  items,
  member,
  text,
  validatorsFromJson,
  whole,
} from './comet-json.ts';
import { errors } from './errors.ts';
import type { Rpc } from './rpc.ts';

const PER_PAGE = 100;
const MAX_PAGES = 100;
const POLL_MS = 100;

/** The header of `height` (0: the latest) with commit and validators. */
export async function fetchSigned(rpc: Rpc, height: number): Promise<Signed> {
  const at = height === 0 ? {} : { height: String(height) };
  const signed = member(await rpc('commit', at), 'signed_header');
  const header = headerFromJson(member(signed, 'header'));
  const commit = commitFromJson(member(signed, 'commit'));
  return { header, commit, validators: await fetchValidators(rpc, header.height) };
}

/** The validators of `height`. */
export async function fetchValidators(
  rpc: Rpc,
  height: number,
): Promise<readonly SimpleValidator[]> {
  const validators: SimpleValidator[] = [];
  for (let page = 1; page <= MAX_PAGES; page++) {
    const params = {
      height: String(height),
      page: String(page),
      per_page: String(PER_PAGE),
    };
    const answer = member({ answer: await rpc('validators', params) }, 'answer');
    validators.push(...validatorsFromJson(items(answer, 'validators')));
    if (validators.length >= whole(answer, 'total')) break;
  }
  return validators;
}

/**
 * The newest header, once it is above `height`: it commits to the state after that.
 *
 * @param waitMs - how long to wait for it, in milliseconds
 * @throws LedgerError rpc-client/1 if it does not come
 */
export async function signedAfter(rpc: Rpc, height: number, waitMs: number): Promise<Signed> {
  for (let waited = 0; ; waited += POLL_MS) {
    const status = member(await rpc('status', {}), 'sync_info');
    const latest = whole(status, 'latest_block_height');
    if (latest > height) return await fetchSigned(rpc, latest);
    if (waited >= waitMs) {
      const reason = `no header above height ${height} after ${waitMs} ms`;
      throw new LedgerError(errors.Rpc, { method: 'status', reason });
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** What a genesis document lets a client trust: the chain and its first validators. */
export function trustGenesis(genesis: unknown): Trusted {
  const json = member({ genesis }, 'genesis');
  const validators = validatorsFromJson(items(json, 'validators'));
  return { chainId: text(json, 'chain_id'), validatorsHash: hashOfValidators(validators) };
}

/** Trust in whatever a node says: for a node of one's own. */
export async function trustNode(rpc: Rpc): Promise<Trusted> {
  const { header, validators } = await fetchSigned(rpc, 0);
  return { chainId: header.chainId, validatorsHash: hashOfValidators(validators) };
}
