/**
 * The amino-JSON face of the messages about memory spaces, for SIGN_MODE_LEGACY_AMINO_JSON.
 *
 * Upholds: as in amino.ts: the ledger and its clients use this one conversion, empty fields are
 * left out, bytes are base64, 64-bit numbers are text.
 *
 * Pure; runs in a browser.
 *
 * @module
 */
import { EMPTY, fromBase64, toBase64 } from '../base/bytes.ts';
import type { SpaceMode } from '../gen/metatron/memory/v1/state.ts';
import type {
  MsgCreateSpace,
  MsgFreezeSpace,
  MsgGrant,
  MsgRevoke,
  MsgTransferSpace,
  MsgUpdateSpace,
} from '../gen/metatron/memory/v1/tx.ts';

/** Amino JSON of a message: its fields that are not empty. */
export type AminoJson = Readonly<Record<string, string | number | boolean>>;

/** How a message is shown to signers and read back. */
export type AminoFace<M> = {
  readonly name: string;
  toAmino(message: M): AminoJson;
  /** Text that is not base64 or a number is read as empty. */
  fromAmino(json: AminoJson): M;
};

type Value = string | number | boolean | bigint | Uint8Array;

function textOf(value: Value): string | number | boolean {
  if (typeof value === 'bigint') return String(value);
  return value instanceof Uint8Array ? toBase64(value) : value;
}

function isEmpty(value: Value): boolean {
  return value instanceof Uint8Array ? value.length === 0 : !value;
}

function toJson(message: Readonly<Record<string, Value>>): AminoJson {
  const fields = Object.entries(message).filter(([, value]) => !isEmpty(value));
  return Object.fromEntries(fields.map(([name, value]) => [name, textOf(value)]));
}

function text(json: AminoJson, name: string): string {
  return String(json[name] ?? '');
}

function bytes(json: AminoJson, name: string): Uint8Array {
  return fromBase64(text(json, name)) ?? EMPTY;
}

function big(json: AminoJson, name: string): bigint {
  return /^\d{1,20}$/.test(text(json, name)) ? BigInt(text(json, name)) : 0n;
}

function small(json: AminoJson, name: string): number {
  return Number(big(json, name));
}

type Terms = Pick<MsgUpdateSpace, 'mode' | 'policy' | 'maxEntries' | 'maxBytes'>;

function termsToJson({ mode, policy, maxEntries, maxBytes }: Terms): Record<string, Value> {
  return { mode, policy, max_entries: maxEntries, max_bytes: maxBytes };
}

function termsFrom(json: AminoJson): Terms {
  return {
    mode: small(json, 'mode') as SpaceMode,
    policy: bytes(json, 'policy'),
    maxEntries: big(json, 'max_entries'),
    maxBytes: big(json, 'max_bytes'),
  };
}

/** MsgCreateSpace. */
export const createSpaceFace: AminoFace<MsgCreateSpace> = {
  name: 'metatron/MsgCreateSpace',
  toAmino: ({ author, salt, ...terms }) => toJson({ author, salt, ...termsToJson(terms) }),
  fromAmino: (json) => ({
    author: text(json, 'author'),
    salt: bytes(json, 'salt'),
    ...termsFrom(json),
  }),
};

/** MsgUpdateSpace. */
export const updateSpaceFace: AminoFace<MsgUpdateSpace> = {
  name: 'metatron/MsgUpdateSpace',
  toAmino: ({ author, space, ...terms }) => toJson({ author, space, ...termsToJson(terms) }),
  fromAmino: (json) => ({
    author: text(json, 'author'),
    space: bytes(json, 'space'),
    ...termsFrom(json),
  }),
};

/** MsgTransferSpace. */
export const transferSpaceFace: AminoFace<MsgTransferSpace> = {
  name: 'metatron/MsgTransferSpace',
  toAmino: ({ author, space, to }) => toJson({ author, space, to }),
  fromAmino: (json) => ({
    author: text(json, 'author'),
    space: bytes(json, 'space'),
    to: text(json, 'to'),
  }),
};

/** MsgFreezeSpace. */
export const freezeSpaceFace: AminoFace<MsgFreezeSpace> = {
  name: 'metatron/MsgFreezeSpace',
  toAmino: ({ author, space, frozen }) => toJson({ author, space, frozen }),
  fromAmino: (json) => ({
    author: text(json, 'author'),
    space: bytes(json, 'space'),
    frozen: json['frozen'] === true,
  }),
};

/** MsgGrant. */
export const grantFace: AminoFace<MsgGrant> = {
  name: 'metatron/MsgGrant',
  toAmino: ({ author, space, subject, rights, expiry }) =>
    toJson({ author, space, subject, rights, expiry }),
  fromAmino: (json) => ({
    author: text(json, 'author'),
    space: bytes(json, 'space'),
    subject: text(json, 'subject'),
    rights: small(json, 'rights'),
    expiry: big(json, 'expiry'),
  }),
};

/** MsgRevoke. */
export const revokeFace: AminoFace<MsgRevoke> = {
  name: 'metatron/MsgRevoke',
  toAmino: ({ author, space, subject }) => toJson({ author, space, subject }),
  fromAmino: (json) => ({
    author: text(json, 'author'),
    space: bytes(json, 'space'),
    subject: text(json, 'subject'),
  }),
};
