/**
 * The ledger's message types for CosmJS: protobuf for SIGN_MODE_DIRECT, amino JSON for the rest.
 *
 * Upholds: what CosmJS signs with these the ledger verifies, because both use the same generated
 * codecs and the same conversion (types/amino.ts).
 *
 * @module
 */

import type { GeneratedType } from '@cosmjs/proto-signing';
import type { AminoConverters } from '@cosmjs/stargate';
import { MsgPut } from '../gen/metatron/memory/v1/tx.ts';
import { type AminoMsgPut, MSG_PUT_AMINO, putFromAmino, putToAmino } from '../types/amino.ts';
import { MSG_PUT_URL } from '../types/memory.ts';

/**
 * Message types for a CosmJS `Registry`: `new Registry([...defaultRegistryTypes, ...memoryTypes])`.
 *
 * The assertion says only that the two type declarations of one writer, for CommonJS and for ES
 * modules, are the same.
 */
export const memoryTypes: readonly [string, GeneratedType][] = [
  [MSG_PUT_URL, MsgPut as unknown as GeneratedType],
];

/** Converters for CosmJS `AminoTypes`. */
export const memoryAminoConverters: AminoConverters = {
  [MSG_PUT_URL]: {
    aminoType: MSG_PUT_AMINO,
    toAmino: (put: MsgPut): AminoMsgPut => putToAmino(put),
    fromAmino: (put: AminoMsgPut): MsgPut => putFromAmino(put),
  },
};
