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
import {
  MsgCreateSpace,
  MsgFreezeSpace,
  MsgGrant,
  MsgPut,
  MsgRevoke,
  MsgTransferSpace,
  MsgUpdateSpace,
} from '../gen/metatron/memory/v1/tx.ts';
import { type AminoMsgPut, MSG_PUT_AMINO, putFromAmino, putToAmino } from '../types/amino.ts';
import {
  type AminoFace,
  createSpaceFace,
  freezeSpaceFace,
  grantFace,
  revokeFace,
  transferSpaceFace,
  updateSpaceFace,
} from '../types/amino-spaces.ts';
import {
  MSG_CREATE_SPACE_URL,
  MSG_FREEZE_SPACE_URL,
  MSG_GRANT_URL,
  MSG_PUT_URL,
  MSG_REVOKE_URL,
  MSG_TRANSFER_SPACE_URL,
  MSG_UPDATE_SPACE_URL,
} from '../types/memory.ts';

/**
 * Message types for a CosmJS `Registry`: `new Registry([...defaultRegistryTypes, ...memoryTypes])`.
 *
 * The assertion says only that the two type declarations of one writer, for CommonJS and for ES
 * modules, are the same.
 */
export const memoryTypes: readonly [string, GeneratedType][] = [
  [MSG_PUT_URL, MsgPut as unknown as GeneratedType],
  [MSG_CREATE_SPACE_URL, MsgCreateSpace as unknown as GeneratedType],
  [MSG_UPDATE_SPACE_URL, MsgUpdateSpace as unknown as GeneratedType],
  [MSG_TRANSFER_SPACE_URL, MsgTransferSpace as unknown as GeneratedType],
  [MSG_FREEZE_SPACE_URL, MsgFreezeSpace as unknown as GeneratedType],
  [MSG_GRANT_URL, MsgGrant as unknown as GeneratedType],
  [MSG_REVOKE_URL, MsgRevoke as unknown as GeneratedType],
];

function converter<M>({ name, toAmino, fromAmino }: AminoFace<M>): AminoConverters[string] {
  return { aminoType: name, toAmino, fromAmino };
}

/** Converters for CosmJS `AminoTypes`. */
export const memoryAminoConverters: AminoConverters = {
  [MSG_PUT_URL]: {
    aminoType: MSG_PUT_AMINO,
    toAmino: (put: MsgPut): AminoMsgPut => putToAmino(put),
    fromAmino: (put: AminoMsgPut): MsgPut => putFromAmino(put),
  },
  [MSG_CREATE_SPACE_URL]: converter(createSpaceFace),
  [MSG_UPDATE_SPACE_URL]: converter(updateSpaceFace),
  [MSG_TRANSFER_SPACE_URL]: converter(transferSpaceFace),
  [MSG_FREEZE_SPACE_URL]: converter(freezeSpaceFace),
  [MSG_GRANT_URL]: converter(grantFace),
  [MSG_REVOKE_URL]: converter(revokeFace),
};
