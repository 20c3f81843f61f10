/**
 * Signing with a validator's key behind the double-sign guard.
 *
 * Upholds: for one height, round and step the key never signs two different things. What is asked
 * again gets the signature it got before, with the time it was made for; the guard's record is
 * durable before a signature leaves. A refusal is an answer, not a failure: the core goes on
 * without that vote.
 * Absent here: the record's file (node/state) and the key (node/src/crypto).
 * Spec: CometBFT privval/file.go.
 *
 * @module
 */
import { equalBytes } from '../base/bytes.ts';
import { Reader } from '../base/wire.ts';
import { blockIdCodec, NIL_BLOCK_ID } from '../types/block-id.ts';
import { type Time, timeCodec } from '../types/time.ts';
import {
  type Proposal,
  proposalSignBytes,
  VOTE_TYPE,
  type Vote,
  voteSignBytes,
} from '../types/vote.ts';
import type { GuardRecord, GuardStore, SigningKey } from './ports.ts';

/** The guard's numbers of what is signed; not those of a round's steps. */
export const SIGN_STEP = { proposal: 1, prevote: 2, precommit: 3 } as const;

/** Field of the timestamp in canonical votes and in canonical proposals. */
const TIME_FIELD = { vote: 5, proposal: 6 } as const;
/** Field of the block id in canonical votes. */
const BLOCK_ID_FIELD = 4;

/** A signature and the time it covers. */
type Signed = { readonly signature: Uint8Array; readonly timestamp: Time };

/** A message inside sign bytes of ours; undefined if the field is not there. */
function fieldIn(signBytes: Uint8Array, field: number): Uint8Array | undefined {
  const input = new Reader(signBytes, 'sign bytes');
  input.varint();
  while (input.at < input.end) {
    const head = input.varint();
    const wire = head % 8;
    if (wire === 0) input.varint64();
    else if (wire === 1) input.fixed64();
    else {
      const body = input.delimited(signBytes.length, 'field');
      if (Math.floor(head / 8) === field) return body;
    }
  }
  return undefined;
}

function timestampIn(signBytes: Uint8Array, field: number): Time | undefined {
  const body = fieldIn(signBytes, field);
  return body && timeCodec.decode(body);
}

function stepOf(type: number): number {
  if (type === VOTE_TYPE.prevote) return SIGN_STEP.prevote;
  return type === VOTE_TYPE.precommit ? SIGN_STEP.precommit : SIGN_STEP.proposal;
}

/** A place in which the key signs at most one thing. */
type Slot = Pick<GuardRecord, 'height' | 'round' | 'step'>;

function compareSlots(a: Slot, b: Slot): number {
  return a.height - b.height || a.round - b.round || a.step - b.step;
}

/** A key that signs votes and proposals of one chain, each at most once. */
export class Signer {
  readonly address: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly #chainId: string;
  readonly #key: SigningKey;
  readonly #guard: GuardStore;
  #last: GuardRecord | undefined;
  /** Resolves when `#last` is durable. */
  #saved: Promise<void> = Promise.resolve();
  /** A height at which nothing is signed: what led to its signatures is lost. */
  #silentAt = 0;

  constructor(chainId: string, key: SigningKey, guard: GuardStore) {
    this.address = key.address;
    this.publicKey = key.publicKey;
    this.#chainId = chainId;
    this.#key = key;
    this.#guard = guard;
    this.#last = guard.load();
  }

  /**
   * Falls silent at `height` if the guard knows a signature there that nobody remembers asking for:
   * records of the log were lost, and perhaps a lock with them. Before round 0's precommit nothing
   * was locked (node/consensus/transitions.ts): then nothing is lost but what the guard knows.
   */
  requireAsked(
    height: number,
    asked: readonly { readonly round: number; readonly type: number }[],
  ): void {
    const last = this.#last;
    if (last?.height !== height) return;
    if (last.round === 0 && last.step < SIGN_STEP.precommit) return;
    const known = asked.some(({ round, type }) => {
      return round === last.round && stepOf(type) === last.step;
    });
    if (!known) this.#silentAt = height;
  }

  /**
   * Signs a vote.
   *
   * @returns the signed vote, its timestamp perhaps an earlier one; a prevote of round 0 that was
   *   signed before for another block is given again, since nothing can be locked yet and peers may
   *   wait for it; undefined if the guard refused
   * @throws whatever the guard's store throws: nothing was signed and the node must stop
   */
  async signVote(vote: Omit<Vote, 'signature'>): Promise<Vote | undefined> {
    const signed = await this.#sign(vote, stepOf(vote.type), TIME_FIELD.vote, (timestamp) =>
      voteSignBytes(this.#chainId, { ...vote, timestamp }),
    );
    return signed === undefined ? this.#earlierPrevote(vote) : { ...vote, ...signed };
  }

  /** What the guard holds for this slot, and the time it covers if that can be read. */
  #held(
    slot: Slot,
    timeField: number,
  ): { readonly record: GuardRecord; readonly timestamp: Time | undefined } | undefined {
    const record = this.#last;
    if (record === undefined || compareSlots(record, slot) !== 0) return undefined;
    return { record, timestamp: timestampIn(record.signBytes, timeField) };
  }

  async #earlierPrevote(vote: Omit<Vote, 'signature'>): Promise<Vote | undefined> {
    const { height, round, type } = vote;
    if (type !== VOTE_TYPE.prevote || round !== 0 || height === this.#silentAt) return undefined;
    const held = this.#held({ height, round, step: stepOf(type) }, TIME_FIELD.vote);
    if (held?.timestamp === undefined) return undefined;
    const { timestamp, record } = held;
    const { signBytes, signature } = record;
    const id = fieldIn(signBytes, BLOCK_ID_FIELD);
    const blockId = id === undefined ? NIL_BLOCK_ID : blockIdCodec.decode(id);
    const earlier = { ...vote, blockId, timestamp };
    if (!equalBytes(voteSignBytes(this.#chainId, earlier), signBytes)) return undefined;
    await this.#saved;
    return { ...earlier, signature };
  }

  /** Signs a proposal; as `signVote`. */
  async signProposal(proposal: Omit<Proposal, 'signature'>): Promise<Proposal | undefined> {
    const signed = await this.#sign(
      proposal,
      SIGN_STEP.proposal,
      TIME_FIELD.proposal,
      (timestamp) => proposalSignBytes(this.#chainId, { ...proposal, timestamp }),
    );
    return signed && { ...proposal, ...signed };
  }

  async #sign(
    slot: { readonly height: number; readonly round: number; readonly timestamp: Time },
    step: number,
    timeField: number,
    bytesAt: (timestamp: Time) => Uint8Array,
  ): Promise<Signed | undefined> {
    const { height, round, timestamp } = slot;
    if (height === this.#silentAt) return undefined;
    const held = this.#held({ height, round, step }, timeField);
    if (held !== undefined) {
      const { record, timestamp: before } = held;
      const same = before !== undefined && equalBytes(bytesAt(before), record.signBytes);
      await this.#saved;
      return same ? { signature: record.signature, timestamp: before } : undefined;
    }
    const last = this.#last;
    if (last !== undefined && compareSlots(last, { height, round, step }) >= 0) return undefined;
    const signBytes = bytesAt(timestamp);
    const signature = this.#key.sign(signBytes);
    const record = { height, round, step, signBytes, signature };
    // At once: what is asked while it is being saved must not be another thing.
    this.#last = record;
    this.#saved = this.#guard.save(record);
    await this.#saved;
    return { signature, timestamp };
  }
}
