/**
 * Messages about spaces and grants: each is a call of the rules contract, made for its author.
 *
 * Upholds: what the contract does is what happens, and its log becomes the operation in the space's
 * log (heard.ts). Bounds and rights are the contract's to check; here only forms are.
 *
 * @module
 */
import { EMPTY } from '../../base/bytes.ts';
import { LedgerError, present } from '../../base/errors.ts';
import type { Codec } from '../../base/proto.ts';
import type {
  MsgCreateSpace,
  MsgFreezeSpace,
  MsgGrant,
  MsgRevoke,
  MsgTransferSpace,
  MsgUpdateSpace,
} from '../../gen/metatron/memory/v1/tx.ts';
import {
  type AminoFace,
  createSpaceFace,
  freezeSpaceFace,
  grantFace,
  revokeFace,
  transferSpaceFace,
  updateSpaceFace,
} from '../../types/amino-spaces.ts';
import {
  MSG_CREATE_SPACE_URL,
  MSG_FREEZE_SPACE_URL,
  MSG_GRANT_URL,
  MSG_REVOKE_URL,
  MSG_TRANSFER_SPACE_URL,
  MSG_UPDATE_SPACE_URL,
  SALT_BYTES,
} from '../../types/memory.ts';
import type { AccountId, Addresses } from '../addresses.ts';
import { GAS } from '../gas.ts';
import type { AminoMessage, Context, MessageType, RuledMessage } from '../module.ts';
import { type Argument, encodeCall, selectorOf } from '../rules/call.ts';
import type { Allowed, Question } from '../rules/question.ts';
import { decodeCosmos } from '../tx/decode.ts';
import { errors } from './errors.ts';
import { hear } from './heard.ts';
import {
  msgCreateSpaceCodec,
  msgCreateSpaceResponseCodec,
  msgFreezeSpaceCodec,
  msgGrantCodec,
  msgRevokeCodec,
  msgTransferSpaceCodec,
  msgUpdateSpaceCodec,
} from './wire-spaces.ts';

const ID_BYTES = 32;
const ADDRESS_BYTES = 20;
const NO_POLICY = new Uint8Array(ADDRESS_BYTES);
const NO_READS: readonly string[] = [];

/** How messages of one kind become calls of the contract. */
type Kind<M extends { readonly author: string }> = {
  readonly typeUrl: string;
  readonly face: AminoFace<M>;
  readonly codec: Codec<M>;
  /** The call. @throws LedgerError memory/1 */
  call(message: M, addresses: Addresses): Uint8Array;
  /** The response, by the space that the contract's log is about. */
  respond(space: Uint8Array): Uint8Array;
};

function checked(field: string, bytes: Uint8Array, size: number): Uint8Array {
  if (bytes.length === size) return bytes;
  throw new LedgerError(errors.BadField, { field, reason: `is not ${size} bytes` });
}

type Terms = Pick<MsgUpdateSpace, 'mode' | 'policy' | 'maxEntries' | 'maxBytes'>;

function termsOf({ mode, policy, maxEntries, maxBytes }: Terms): readonly Argument[] {
  if (mode < 0 || mode > 0xff) {
    throw new LedgerError(errors.BadField, { field: 'mode', reason: `${mode} is unknown` });
  }
  const address = policy.length === 0 ? NO_POLICY : checked('policy', policy, ADDRESS_BYTES);
  return [mode, address, maxEntries, maxBytes];
}

/** One message about a space. */
class SpaceMessage<M extends { readonly author: string }> implements RuledMessage {
  readonly module = 'memory';
  readonly typeUrl: string;
  readonly responseUrl: string;
  readonly signers: readonly AccountId[];
  readonly reads: readonly string[] = NO_READS;
  readonly #kind: Kind<M>;
  readonly #message: M;
  readonly #call: Uint8Array;

  constructor(kind: Kind<M>, message: M, addresses: Addresses) {
    this.typeUrl = kind.typeUrl;
    this.responseUrl = `${kind.typeUrl}Response`;
    this.signers = [addresses.id(message.author, 'invalid author address')];
    this.#kind = kind;
    this.#message = message;
    this.#call = kind.call(message, addresses);
  }

  amino(): AminoMessage {
    const { name, toAmino } = this.#kind.face;
    return { type: name, value: toAmino(this.#message) };
  }

  plan({ gas }: Context, question: Question): void {
    gas.charge(GAS.spaceChange, 'space');
    question.action(present(this.signers[0], 'author of a message'), this.#call);
  }

  apply(context: Context, allowed: Allowed): Uint8Array {
    return this.#kind.respond(present(hear(context, allowed.next()), 'space of a log'));
  }
}

function typeOf<M extends { readonly author: string }>(kind: Kind<M>): MessageType {
  return {
    typeUrl: kind.typeUrl,
    aminoName: kind.face.name,
    decode: (bytes, addresses) => {
      return new SpaceMessage(kind, decodeCosmos(kind.codec, bytes), addresses);
    },
  };
}

/** How messages about a space that there is become calls: its id is the first argument. */
type Change<M extends { readonly author: string }> = Omit<Kind<M>, 'call' | 'respond'> & {
  /** The method, and its arguments after the id. @throws LedgerError memory/1 */
  method(message: M, addresses: Addresses): readonly [selector: Uint8Array, ...Argument[]];
};

function changeOf<M extends { readonly author: string; readonly space: Uint8Array }>({
  method,
  ...kind
}: Change<M>): MessageType {
  return typeOf({
    ...kind,
    call: (message, addresses) => {
      const space = checked('space', message.space, ID_BYTES);
      const [selector, ...rest] = method(message, addresses);
      return encodeCall(selector, [space, ...rest]);
    },
    respond: () => EMPTY,
  });
}

const CREATE = selectorOf('createSpace(bytes32,uint8,address,uint64,uint64)');
const UPDATE = selectorOf('updateSpace(bytes32,uint8,address,uint64,uint64)');
const TRANSFER = selectorOf('transferSpace(bytes32,address)');
const FREEZE = selectorOf('freeze(bytes32)');
const UNFREEZE = selectorOf('unfreeze(bytes32)');
const GRANT = selectorOf('grant(bytes32,address,uint256,uint256)');
const REVOKE = selectorOf('revoke(bytes32,address)');

/** The messages about spaces. */
export const spaceMessages: readonly MessageType[] = [
  typeOf<MsgCreateSpace>({
    typeUrl: MSG_CREATE_SPACE_URL,
    face: createSpaceFace,
    codec: msgCreateSpaceCodec,
    call: (message) =>
      encodeCall(CREATE, [checked('salt', message.salt, SALT_BYTES), ...termsOf(message)]),
    respond: (space) => msgCreateSpaceResponseCodec.encode({ space }),
  }),
  changeOf<MsgUpdateSpace>({
    typeUrl: MSG_UPDATE_SPACE_URL,
    face: updateSpaceFace,
    codec: msgUpdateSpaceCodec,
    method: (message) => [UPDATE, ...termsOf(message)],
  }),
  changeOf<MsgTransferSpace>({
    typeUrl: MSG_TRANSFER_SPACE_URL,
    face: transferSpaceFace,
    codec: msgTransferSpaceCodec,
    method: ({ to }, addresses) => [TRANSFER, addresses.id(to, 'invalid address of the new owner')],
  }),
  changeOf<MsgFreezeSpace>({
    typeUrl: MSG_FREEZE_SPACE_URL,
    face: freezeSpaceFace,
    codec: msgFreezeSpaceCodec,
    method: ({ frozen }) => [frozen ? FREEZE : UNFREEZE],
  }),
  changeOf<MsgGrant>({
    typeUrl: MSG_GRANT_URL,
    face: grantFace,
    codec: msgGrantCodec,
    method: ({ subject, rights, expiry }, addresses) => [
      GRANT,
      addresses.id(subject, 'invalid subject address'),
      rights,
      expiry,
    ],
  }),
  changeOf<MsgRevoke>({
    typeUrl: MSG_REVOKE_URL,
    face: revokeFace,
    codec: msgRevokeCodec,
    method: ({ subject }, addresses) => [REVOKE, addresses.id(subject, 'invalid subject address')],
  }),
];
