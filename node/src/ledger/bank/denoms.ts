/**
 * The denominations that there are, so that all of an account's coins can be found.
 *
 * Upholds: every denomination that has a supply is in the list. Genesis alone makes denominations.
 * Layout: metatron.ledger.v1 Denoms; absent if the base denomination is the only one.
 *
 * @module
 */
import { type Codec, message, textList } from '../../base/proto.ts';
import { BASE_DENOM } from '../denom.ts';
import { KEY, key, named } from '../keys.ts';
import { once } from '../once.ts';
import {
  type MutableRecords,
  type RecordCodec,
  type Records,
  readRecord,
  writeRecord,
} from '../record.ts';

/** Most denominations a chain has. */
export const MAX_DENOMS = 1_000;
const MAX_DENOM_BYTES = 128;

type Denoms = { readonly denoms: readonly string[] };

const wireCodec: Codec<Denoms> = message<Denoms>('Denoms', {
  denoms: textList(1, MAX_DENOM_BYTES, MAX_DENOMS),
});
const codec: RecordCodec<Denoms> = {
  encode: (value) => wireCodec.encode(value),
  decode: once((bytes) => wireCodec.decode(bytes)),
};

const DENOMS_KEY = named(key(KEY.denoms));
const BASE_ONLY: readonly string[] = [BASE_DENOM];

/** All denominations. */
export function getDenoms(state: Records): readonly string[] {
  return readRecord(state, DENOMS_KEY, codec)?.denoms ?? BASE_ONLY;
}

/** Writes the list. @param denoms - at most `MAX_DENOMS` */
export function setDenoms(state: MutableRecords, denoms: readonly string[]): void {
  if (denoms.every((denom) => denom === BASE_DENOM)) return;
  writeRecord(state, DENOMS_KEY, codec, { denoms });
}
