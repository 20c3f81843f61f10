/**
 * The ledger's contracts in a new chain: their constructors run at their fixed addresses.
 *
 * Genesis section `contracts`: `governors` (addresses with 0x, as the EVM knows them),
 * `delay_seconds` before what they decided takes effect, `max_entries` and `max_bytes` of a space.
 * Without governors nobody governs: the one member is the system caller, which has no key.
 * Spec: docs/contracts.md.
 *
 * @module
 */
import { compareBytes, concatBytes, fromHex, toHex } from '../../base/bytes.ts';
import { invariant, present } from '../../base/errors.ts';
import { ADDRESS_BYTES } from '../../base/limits.ts';
import * as auditLog from '../../gen/contracts/audit-log.ts';
import * as coSignPolicy from '../../gen/contracts/co-sign-policy.ts';
import * as governors from '../../gen/contracts/governors.ts';
import * as door from '../../gen/contracts/ledger.ts';
import * as ledgerAccess from '../../gen/contracts/ledger-access.ts';
import * as memoryRules from '../../gen/contracts/memory-rules.ts';
import * as minReputationPolicy from '../../gen/contracts/min-reputation-policy.ts';
import * as rateLimitPolicy from '../../gen/contracts/rate-limit-policy.ts';
import * as reputation from '../../gen/contracts/reputation.ts';
import { SYSTEM_CALLER } from '../../gen/contracts/system.ts';
import { badGenesis, count, list, object, text } from '../genesis.ts';
import { encodeCall } from './call.ts';
import { addressBytes } from './state.ts';
import type { SystemPlace } from './system.ts';

/** Name of the section of app_state. */
export const CONTRACTS_SECTION = 'contracts';

const NAMES = ['governors', 'delay_seconds', 'max_entries', 'max_bytes'];
const MAX_GOVERNORS = 100;
const DAY_SECONDS = 86_400;
const MAX_DELAY_SECONDS = 4_294_967_295;
const MAX_ENTRIES = 1_000_000_000;
const MAX_BYTES = 1_099_511_627_776;

/** More than a constructor needs. */
const CONSTRUCTOR_GAS = 100_000_000n;
const NO_SELECTOR = new Uint8Array(0);
const WORD = 32;

type Settings = {
  readonly governors: readonly Uint8Array[];
  readonly delaySeconds: number;
  readonly maxEntries: number;
  readonly maxBytes: number;
};

function governorOf(value: unknown): Uint8Array {
  const hex = text(value, 'contracts.governors');
  const address = hex.startsWith('0x') ? fromHex(hex.slice(2).toLowerCase()) : undefined;
  if (address?.length === ADDRESS_BYTES && address.some((byte) => byte !== 0)) return address;
  return badGenesis(`contracts.governors has ${hex}, which is no address 0x…`);
}

function governorsOf(value: unknown): readonly Uint8Array[] {
  const all = list(value, 'contracts.governors').map(governorOf);
  if (all.length > MAX_GOVERNORS) badGenesis(`contracts.governors has more than ${MAX_GOVERNORS}`);
  if (new Set(all.map(toHex)).size !== all.length) badGenesis('contracts.governors repeat');
  return all.length === 0 ? [addressBytes(SYSTEM_CALLER)] : all.toSorted(compareBytes);
}

function settingsOf(section: unknown, ignored: (what: string) => void): Settings {
  const contracts = object(section, CONTRACTS_SECTION);
  for (const name of Object.keys(contracts)) {
    if (!NAMES.includes(name)) ignored(`contracts.${name}`);
  }
  const delaySeconds = count(contracts['delay_seconds'], 'contracts.delay_seconds', DAY_SECONDS);
  if (delaySeconds < 1 || delaySeconds > MAX_DELAY_SECONDS) {
    badGenesis('contracts.delay_seconds is not within 1 and 2^32 - 1');
  }
  return {
    governors: governorsOf(contracts['governors']),
    delaySeconds,
    maxEntries: count(contracts['max_entries'], 'contracts.max_entries', MAX_ENTRIES),
    maxBytes: count(contracts['max_bytes'], 'contracts.max_bytes', MAX_BYTES),
  };
}

type Code = { readonly address: string; readonly creationCode: string };
type Creation = readonly [code: Code, values: readonly (number | Uint8Array)[]];

function creations(settings: Settings): readonly Creation[] {
  const members = settings.governors;
  return [
    [ledgerAccess, [settings.delaySeconds]],
    [governors, [WORD, members.length, ...members]],
    [memoryRules, [settings.maxEntries, settings.maxBytes]],
    [reputation, []],
    [auditLog, []],
    [door, []],
    [minReputationPolicy, []],
    [rateLimitPolicy, []],
    [coSignPolicy, []],
  ];
}

/** Makes the contracts. @throws LedgerError genesis/2 if the section is malformed */
export async function makeContracts(
  { host, block, state }: SystemPlace,
  section: unknown,
  ignored: (what: string) => void,
): Promise<void> {
  const settings = settingsOf(section, ignored);
  const engine = await host.engine();
  const evmBlock = host.block(state, block);
  const from = addressBytes(SYSTEM_CALLER);
  for (const [{ address, creationCode }, values] of creations(settings)) {
    const code = present(fromHex(creationCode.slice(2)), 'code of a contract');
    const { status, error, returned } = await engine.createAt(state, evmBlock, {
      at: addressBytes(address),
      from,
      value: 0n,
      data: concatBytes(code, encodeCall(NO_SELECTOR, values)),
      gasLimit: CONSTRUCTOR_GAS,
    });
    invariant(status === 1, `the contract at ${address} is made: ${error} ${toHex(returned)}`);
  }
}
