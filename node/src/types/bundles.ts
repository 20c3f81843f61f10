/**
 * Proof bundles as JSON: what a node or a client hands out, and `metatron verify` reads.
 *
 * Bytes are canonical base64, whole numbers are JSON numbers, powers are decimal text. Every
 * bundle ends in anchors: record → ICS-23 proof → app hash in the next header → commit →
 * validators. client/ fetches and checks them; rpc/ serves them.
 *
 * @module
 */
import { toBase64 } from '../base/bytes.ts';
import { type Commit, commitCodec } from './commit.ts';
import { type Header, headerCodec } from './header.ts';

/** Names of the forms. */
export const ENTRY_PROOF = 'metatron/entry-proof/1';
export const LISTING_PROOF = 'metatron/listing-proof/1';
export const HEAD_PROOF = 'metatron/head-proof/1';
export const ABSENCE_PROOF = 'metatron/absence-proof/1';
export const CONSISTENCY_PROOF = 'metatron/consistency-proof/1';

/** What a header commits to of a validator. */
export type SimpleValidator = { readonly publicKey: Uint8Array; readonly power: bigint };

/** A header, its commit and who signed it. */
export type Signed = {
  readonly header: Header;
  readonly commit: Commit;
  readonly validators: readonly SimpleValidator[];
};

/** From a record of the state up to signed validators. */
export type AnchorJson = {
  readonly chainId: string;
  /** The state's height; `header` is of the next one. */
  readonly height: number;
  /** cosmos.ics23.v1.CommitmentProof of the record, or of its absence. */
  readonly stateProof: string;
  /** tendermint.types.Header and Commit. */
  readonly header: string;
  readonly commit: string;
  readonly validators: readonly { readonly publicKey: string; readonly power: string }[];
};

/** A space's id and its record's bytes. */
export type SpaceJson = { readonly id: string; readonly record: string };

/** One log entry: the leaf's bytes and the content that they name by its hash. */
export type EntryJson = { readonly leaf: string; readonly content: string };

/** This entry, with this content, stands at this place in the space's log. */
export type EntryProof = {
  readonly format: typeof ENTRY_PROOF;
  readonly index: number;
  readonly entry: EntryJson;
  readonly space: SpaceJson;
  /** RFC 6962 inclusion path, from the leaf up. */
  readonly logPath: readonly string[];
  readonly anchor: AnchorJson;
};

/** These are all entries of the space, in order. */
export type ListingProof = {
  readonly format: typeof LISTING_PROOF;
  readonly entries: readonly EntryJson[];
  readonly space: SpaceJson;
  readonly anchor: AnchorJson;
};

/** This entry is the newest version under its key. */
export type HeadProof = {
  readonly format: typeof HEAD_PROOF;
  /** The space's id. */
  readonly space: string;
  readonly key: string;
  /** The record of the head. */
  readonly head: string;
  readonly entry: EntryJson;
  readonly anchor: AnchorJson;
};

/** There is no entry under this key. */
export type AbsenceProof = {
  readonly format: typeof ABSENCE_PROOF;
  readonly space: string;
  readonly key: string;
  readonly anchor: AnchorJson;
};

/** A space's log at one height, as the chain vouches for it. */
export type LogAtJson = { readonly record: string; readonly anchor: AnchorJson };

/** Between two heights entries were only added: nothing was changed or removed. */
export type ConsistencyProof = {
  readonly format: typeof CONSISTENCY_PROOF;
  readonly space: string;
  readonly from: LogAtJson;
  readonly to: LogAtJson;
  /** RFC 6962 consistency path. */
  readonly path: readonly string[];
};

/** Any bundle. */
export type ProofBundle = EntryProof | ListingProof | HeadProof | AbsenceProof | ConsistencyProof;

/** The JSON of an anchor: the state before `signed`, and the proof of a record in it. */
export function anchorJson(stateProof: Uint8Array, signed: Signed): AnchorJson {
  const { header, commit, validators } = signed;
  return {
    chainId: header.chainId,
    height: header.height - 1,
    stateProof: toBase64(stateProof),
    header: toBase64(headerCodec.encode(header)),
    commit: toBase64(commitCodec.encode(commit)),
    validators: validators.map(({ publicKey, power }) => ({
      publicKey: toBase64(publicKey),
      power: String(power),
    })),
  };
}
