/**
 * A second opinion on headers and commits: from CometBFT's JSON to bytes to signatures, with
 * nothing of this project, only @noble.
 *
 * Spec: CometBFT 0.38 spec/core/data_structures.md, encoding.md.
 *
 * @module
 */
import { ed25519 } from '@noble/curves/ed25519.js';
import { sha256 } from '@noble/hashes/sha2.js';

type Json = Readonly<Record<string, unknown>>;
type Bytes = readonly number[];

const get = (json: unknown, ...path: readonly string[]): unknown =>
  path.reduce<unknown>((at, name) => (at as Json)[name], json);
const str = (json: unknown, ...path: readonly string[]): string => String(get(json, ...path));
const hex = (text: string): Bytes => [...Buffer.from(text, 'hex')];

function varint(value: bigint): Bytes {
  const out: number[] = [];
  let rest = BigInt.asUintN(64, value);
  for (; rest > 127n; rest >>= 7n) out.push(Number(rest & 127n) | 128);
  return [...out, Number(rest)];
}
const field = (n: number, bytes: Bytes): Bytes => [
  n * 8 + 2,
  ...varint(BigInt(bytes.length)),
  ...bytes,
];
const some = (n: number, bytes: Bytes): Bytes => (bytes.length === 0 ? [] : field(n, bytes));
const int = (n: number, value: bigint): Bytes => (value === 0n ? [] : [n * 8, ...varint(value)]);
function fixed(n: number, value: bigint): Bytes {
  if (value === 0n) return [];
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(value);
  return [n * 8 + 1, ...bytes];
}

function time(text: string): Bytes {
  const [, whole = '', part = ''] = /^(.*?)(?:\.(\d+))?Z$/.exec(text) ?? [];
  const seconds = BigInt(Math.floor(Date.parse(`${whole}Z`) / 1000));
  return [...int(1, seconds), ...int(2, BigInt(part.padEnd(9, '0')))];
}

function blockId(json: unknown): Bytes {
  const parts = [
    ...int(1, BigInt(str(json, 'parts', 'total'))),
    ...some(2, hex(str(json, 'parts', 'hash'))),
  ];
  return [...some(1, hex(str(json, 'hash'))), ...field(2, parts)];
}

function root(leaves: readonly Bytes[]): Uint8Array {
  if (leaves.length === 0) return sha256(new Uint8Array());
  if (leaves.length === 1) return sha256(Uint8Array.from([0, ...(leaves[0] as Bytes)]));
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  const [left, right] = [root(leaves.slice(0, split)), root(leaves.slice(split))];
  return sha256(Uint8Array.from([1, ...left, ...right]));
}

const HASHES = [
  'last_commit_hash',
  'data_hash',
  'validators_hash',
  'next_validators_hash',
  'consensus_hash',
  'app_hash',
  'last_results_hash',
  'evidence_hash',
  'proposer_address',
];

/** The hash of a header in CometBFT's JSON, in upper-case hex. */
function hashOfHeader(header: unknown): string {
  const version = ['block', 'app'].map((name, i) =>
    int(i + 1, BigInt(str(header, 'version', name) || '0')),
  );
  const leaves = [
    version.flat(),
    some(1, [...Buffer.from(str(header, 'chain_id'))]),
    int(1, BigInt(str(header, 'height'))),
    time(str(header, 'time')),
    blockId(get(header, 'last_block_id')),
    ...HASHES.map((name) => some(1, hex(str(header, name)))),
  ];
  return Buffer.from(root(leaves)).toString('hex').toUpperCase();
}

function signBytes(chainId: string, commit: unknown, signature: unknown): Uint8Array {
  const vote = [
    ...int(1, 2n),
    ...fixed(2, BigInt(str(commit, 'height'))),
    ...fixed(3, BigInt(str(commit, 'round'))),
    ...field(4, blockId(get(commit, 'block_id'))),
    ...field(5, time(str(signature, 'timestamp'))),
    ...field(6, [...Buffer.from(chainId)]),
  ];
  return Uint8Array.from([...varint(BigInt(vote.length)), ...vote]);
}

/**
 * Whether a header and commit hold by themselves, in CometBFT's JSON: the commit is for the header,
 * the header names the validators, and more than two thirds of their power signed; a signature that
 * is there must be right.
 */
export function holds(signedHeader: unknown, validators: readonly unknown[]): boolean {
  const [header, commit] = [get(signedHeader, 'header'), get(signedHeader, 'commit')];
  if (hashOfHeader(header) !== str(commit, 'block_id', 'hash')) return false;
  if (str(header, 'height') !== str(commit, 'height')) return false;
  const keys = validators.map((v) => Buffer.from(str(v, 'pub_key', 'value'), 'base64'));
  const powers = validators.map((v) => BigInt(str(v, 'voting_power')));
  const leaves = keys.map((key, i) => [
    ...field(1, field(1, [...key])),
    ...int(2, powers[i] ?? 0n),
  ]);
  const named = Buffer.from(root(leaves)).toString('hex').toUpperCase();
  if (named !== str(header, 'validators_hash')) return false;
  let signed = 0n;
  for (const [i, entry] of (get(commit, 'signatures') as readonly unknown[]).entries()) {
    if (str(entry, 'block_id_flag') !== '2') continue;
    const key = keys[i] ?? new Uint8Array(32);
    const address = Buffer.from(sha256(key)).toString('hex').slice(0, 40).toUpperCase();
    if (address !== str(entry, 'validator_address')) return false;
    const signature = Buffer.from(str(entry, 'signature'), 'base64');
    const message = signBytes(str(header, 'chain_id'), commit, entry);
    if (!ed25519.verify(signature, message, key, { zip215: true })) return false;
    signed += powers[i] ?? 0n;
  }
  return signed * 3n > powers.reduce((sum, power) => sum + power, 0n) * 2n;
}
