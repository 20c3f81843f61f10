/**
 * Headers, commits and validators read from CometBFT's JSON.
 *
 * Upholds: what is not in its form is refused; nothing is trusted yet.
 * Spec: CometBFT 0.38 RPC, `commit` and `validators`.
 *
 * @module
 */
import { EMPTY, fromBase64, fromHex } from '../base/bytes.ts';
import type { BlockId } from '../types/block-id.ts';
import type { SimpleValidator } from '../types/bundles.ts';
import type { Commit, CommitSig } from '../types/commit.ts';
import type { Header } from '../types/header.ts';
import { parseTime, type Time } from '../types/time.ts';
import { malformed } from './errors.ts';

type Json = Readonly<Record<string, unknown>>;

/** A member that is an object. */
export function member(json: unknown, name: string): Json {
  const value = typeof json === 'object' && json !== null ? (json as Json)[name] : undefined;
  return typeof value === 'object' && value !== null ? (value as Json) : malformed(name);
}

/** A member that is a list; `null` is an empty one. */
export function items(json: Json, name: string): readonly unknown[] {
  const value = json[name] ?? [];
  return Array.isArray(value) ? value : malformed(name);
}

/** A member that is text; absent is empty. */
export function text(json: Json, name: string): string {
  const value = json[name] ?? '';
  return typeof value === 'string' ? value : malformed(name);
}

/** A member that is a whole number, as text or number; absent is 0. */
export function whole(json: Json, name: string): number {
  const value = Number(json[name] ?? 0);
  return Number.isSafeInteger(value) && value >= 0 ? value : malformed(name);
}

function hex(json: Json, name: string): Uint8Array {
  return fromHex(text(json, name)) ?? malformed(name);
}

/** A member that is base64; absent is empty. */
export function base64(json: Json, name: string): Uint8Array {
  return fromBase64(text(json, name)) ?? malformed(name);
}

function time(json: Json, name: string): Time {
  return parseTime(text(json, name)) ?? malformed(name);
}

function blockId(json: Json): BlockId {
  const parts = member(json, 'parts');
  const partSetHeader = { total: whole(parts, 'total'), hash: hex(parts, 'hash') };
  return { hash: hex(json, 'hash'), partSetHeader };
}

/** A header. */
export function headerFromJson(json: Json): Header {
  const version = member(json, 'version');
  return {
    version: { block: whole(version, 'block'), app: whole(version, 'app') },
    chainId: text(json, 'chain_id'),
    height: whole(json, 'height'),
    time: time(json, 'time'),
    lastBlockId: blockId(member(json, 'last_block_id')),
    lastCommitHash: hex(json, 'last_commit_hash'),
    dataHash: hex(json, 'data_hash'),
    validatorsHash: hex(json, 'validators_hash'),
    nextValidatorsHash: hex(json, 'next_validators_hash'),
    consensusHash: hex(json, 'consensus_hash'),
    appHash: hex(json, 'app_hash'),
    lastResultsHash: hex(json, 'last_results_hash'),
    evidenceHash: hex(json, 'evidence_hash'),
    proposerAddress: hex(json, 'proposer_address'),
  };
}

function commitSig(value: unknown): CommitSig {
  if (typeof value !== 'object' || value === null) return malformed('signatures');
  const json = value as Json;
  return {
    blockIdFlag: whole(json, 'block_id_flag'),
    validatorAddress: hex(json, 'validator_address'),
    timestamp: time(json, 'timestamp'),
    signature: json['signature'] === null ? EMPTY : base64(json, 'signature'),
  };
}

/** A commit. */
export function commitFromJson(json: Json): Commit {
  return {
    height: whole(json, 'height'),
    round: whole(json, 'round'),
    blockId: blockId(member(json, 'block_id')),
    signatures: items(json, 'signatures').map(commitSig),
  };
}

/** Ed25519 validators of a `validators` answer or a genesis document. */
export function validatorsFromJson(list: readonly unknown[]): readonly SimpleValidator[] {
  return list.map((value) => {
    const key = member(value, 'pub_key');
    const json = value as Json;
    const power = text(json, 'voting_power' in json ? 'voting_power' : 'power');
    if (!/^[1-9]\d{0,18}$/.test(power)) return malformed('voting_power');
    return { publicKey: base64(key, 'value'), power: BigInt(power) };
  });
}
