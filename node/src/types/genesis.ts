/**
 * The genesis document: what every node of a chain starts from.
 *
 * Upholds: reading checks every value that consensus uses and names the bad one; writing gives
 * CometBFT's JSON (64-bit numbers as strings, hashes in upper-case hex) with all parameters.
 * The later Cosmos form with `consensus: { params, validators }` is read as well.
 * Absent here: the meaning of `app_state`, which is the application's.
 * Spec: CometBFT 0.38 types/genesis.go.
 *
 * @module
 */
import { fromBase64, fromHex, fromUtf8, toBase64, toUpperHex, utf8 } from '../base/bytes.ts';
import { describe, type ErrorSpec, errorSpec, LedgerError, present } from '../base/errors.ts';
import { sha256 } from '../base/hash.ts';
import { MAX_CHAIN_ID_BYTES } from '../base/limits.ts';
import { addressOf, type KeyType, type PublicKey, wellFormedKey } from './keys.ts';
import { type ConsensusParams, checkParams, DEFAULT_PARAMS } from './params.ts';
import { formatTime, parseTime, type Time, ZERO_TIME } from './time.ts';

/** A validator at genesis; `name` is for people. */
export type GenesisValidator = {
  readonly publicKey: PublicKey;
  readonly power: bigint;
  readonly name: string;
};

/** A checked genesis document. */
export type Genesis = {
  readonly genesisTime: Time;
  readonly chainId: string;
  readonly initialHeight: number;
  readonly params: ConsensusParams;
  /** May be empty if the application names the validators. */
  readonly validators: readonly GenesisValidator[];
  readonly appHash: Uint8Array;
  /** JSON text of `app_state`. */
  readonly appState: Uint8Array;
};

/** Refusals of a genesis document. */
export const errors: {
  readonly BadGenesis: ErrorSpec<{ readonly path: string; readonly reason: string }>;
} = {
  BadGenesis: errorSpec(
    'genesis',
    1,
    'client',
    (p) => `genesis: ${p.path === '' ? '' : `${p.path} `}${p.reason}`,
  ),
};

function refuse(path: string, reason: string): never {
  throw new LedgerError(errors.BadGenesis, { path, reason });
}

type Fields = ReadonlyMap<string, unknown>;

function fields(value: unknown, path: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return refuse(path, 'is not an object');
  }
  return new Map(Object.entries(value));
}

function text(from: Fields, name: string, path: string): string {
  const value = from.get(name);
  return typeof value === 'string' ? value : refuse(`${path}${name}`, 'is not a string');
}

/** An int64, as a decimal string or a number. */
function int64(from: Fields, name: string, path: string, initial: bigint): bigint {
  const value = from.get(name);
  if (value === undefined || value === null) return initial;
  const wellFormed =
    (typeof value === 'number' && Number.isSafeInteger(value)) ||
    (typeof value === 'string' && /^-?\d{1,19}$/.test(value));
  return wellFormed ? BigInt(value as string) : refuse(`${path}${name}`, 'is not a whole number');
}

function safe(value: bigint, path: string): number {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : refuse(path, `is out of range: ${value}`);
}

function section(from: Fields, name: string, path: string): Fields {
  const value = from.get(name);
  return value === undefined || value === null ? new Map() : fields(value, `${path}${name}`);
}

function readParams(value: unknown): ConsensusParams {
  if (value === undefined || value === null) return DEFAULT_PARAMS;
  const path = 'consensus_params.';
  const all = fields(value, 'consensus_params');
  const [block, evidence] = [section(all, 'block', path), section(all, 'evidence', path)];
  const validator = section(all, 'validator', path);
  const d = DEFAULT_PARAMS;
  const number = (from: Fields, part: string, name: string, initial: number): number =>
    safe(int64(from, name, `${path}${part}.`, BigInt(initial)), `${path}${part}.${name}`);
  const types = validator.get('pub_key_types') ?? d.validator.pubKeyTypes;
  if (!Array.isArray(types)) refuse(`${path}validator.pub_key_types`, 'is not a list');
  const params: ConsensusParams = {
    block: {
      maxBytes: number(block, 'block', 'max_bytes', d.block.maxBytes),
      maxGas: number(block, 'block', 'max_gas', d.block.maxGas),
    },
    evidence: {
      maxAgeNumBlocks: number(
        evidence,
        'evidence',
        'max_age_num_blocks',
        d.evidence.maxAgeNumBlocks,
      ),
      maxAgeDuration: int64(
        evidence,
        'max_age_duration',
        `${path}evidence.`,
        d.evidence.maxAgeDuration,
      ),
      maxBytes: number(evidence, 'evidence', 'max_bytes', d.evidence.maxBytes),
    },
    validator: { pubKeyTypes: types as readonly KeyType[] },
    version: { app: number(section(all, 'version', path), 'version', 'app', d.version.app) },
    abci: {
      voteExtensionsEnableHeight: number(
        section(all, 'abci', path),
        'abci',
        'vote_extensions_enable_height',
        0,
      ),
    },
  };
  checkParams(params);
  return params;
}

const KEY_NAMES: Readonly<Record<string, KeyType>> = {
  'tendermint/PubKeyEd25519': 'ed25519',
};

function readValidator(value: unknown, index: number): GenesisValidator {
  const path = `validators.${index}.`;
  const all = fields(value, `validators.${index}`);
  const key = fields(all.get('pub_key'), `${path}pub_key`);
  const type = KEY_NAMES[text(key, 'type', `${path}pub_key.`)];
  const bytes = fromBase64(text(key, 'value', `${path}pub_key.`));
  if (type === undefined || bytes === undefined) {
    return refuse(`${path}pub_key`, 'is not a tendermint/PubKeyEd25519');
  }
  const publicKey: PublicKey = { type, bytes };
  if (!wellFormedKey(publicKey)) refuse(`${path}pub_key`, 'does not have 32 bytes');
  const stated = all.get('address') ?? '';
  if (stated !== '' && stated !== toUpperHex(addressOf(publicKey))) {
    refuse(`${path}address`, 'is not the address of its key');
  }
  const power = int64(all, 'power', path, 0n);
  if (power <= 0n) refuse(`${path}power`, 'is not above 0');
  const name = all.get('name');
  return { publicKey, power, name: typeof name === 'string' ? name : '' };
}

/**
 * Reads a genesis file.
 *
 * @param json - the file's text
 * @throws LedgerError genesis/1 or params/1, naming the value
 */
export function parseGenesis(json: string): Genesis {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw new LedgerError(errors.BadGenesis, { path: '', reason: describe(cause) }, cause);
  }
  const all = fields(value, '');
  const consensus = section(all, 'consensus', '');
  const genesisTime = parseTime(text(all, 'genesis_time', ''));
  if (genesisTime === undefined) return refuse('genesis_time', 'is not RFC 3339');
  // CometBFT reads this as «now», so that nodes would disagree.
  if (genesisTime === ZERO_TIME) refuse('genesis_time', 'is the zero time');
  const chainId = text(all, 'chain_id', '');
  const size = utf8(chainId).length;
  if (size === 0 || size > MAX_CHAIN_ID_BYTES) {
    refuse('chain_id', `has ${size} bytes, not 1 to ${MAX_CHAIN_ID_BYTES}`);
  }
  const initialHeight = safe(int64(all, 'initial_height', '', 1n), 'initial_height');
  if (initialHeight < 0) refuse('initial_height', 'is below 0');
  const validators = all.get('validators') ?? consensus.get('validators') ?? [];
  if (!Array.isArray(validators)) return refuse('validators', 'is not a list');
  const appHash = fromHex(String(all.get('app_hash') ?? ''));
  if (appHash === undefined) return refuse('app_hash', 'is not hex');
  return {
    genesisTime,
    chainId,
    initialHeight: Math.max(1, initialHeight),
    params: readParams(all.get('consensus_params') ?? consensus.get('params')),
    validators: validators.map(readValidator),
    appHash,
    appState: utf8(JSON.stringify(all.get('app_state') ?? {})),
  };
}

/** CometBFT's JSON value of a genesis; `appState` is the parsed `app_state`. */
export function genesisJson(genesis: Omit<Genesis, 'appState'>, appState: unknown): object {
  const { params } = genesis;
  return {
    genesis_time: formatTime(genesis.genesisTime),
    chain_id: genesis.chainId,
    initial_height: String(genesis.initialHeight),
    consensus_params: {
      block: {
        max_bytes: String(params.block.maxBytes),
        max_gas: String(params.block.maxGas),
      },
      evidence: {
        max_age_num_blocks: String(params.evidence.maxAgeNumBlocks),
        max_age_duration: String(params.evidence.maxAgeDuration),
        max_bytes: String(params.evidence.maxBytes),
      },
      validator: { pub_key_types: params.validator.pubKeyTypes },
      version: { app: String(params.version.app) },
      abci: { vote_extensions_enable_height: String(params.abci.voteExtensionsEnableHeight) },
    },
    validators: genesis.validators.map((v) => ({
      address: toUpperHex(addressOf(v.publicKey)),
      pub_key: { type: 'tendermint/PubKeyEd25519', value: toBase64(v.publicKey.bytes) },
      power: String(v.power),
      name: v.name,
    })),
    app_hash: toUpperHex(genesis.appHash),
    app_state: appState,
  };
}

/** The genesis document as one line of JSON; equal for documents that differ in layout only. */
export function genesisText(genesis: Genesis): string {
  const appState: unknown = JSON.parse(present(fromUtf8(genesis.appState), 'app_state'));
  return JSON.stringify(genesisJson(genesis, appState));
}

/** The name of a genesis: 32 bytes that nodes compare before anything else. */
export function genesisHash(genesis: Genesis): Uint8Array {
  return sha256(utf8(genesisText(genesis)));
}
