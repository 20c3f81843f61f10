/**
 * Evidence that is known and not yet in a block.
 *
 * Upholds: only verified evidence is kept, proposed or passed on; evidence that a block carried is
 * never proposed again; what expired is forgotten. Bounded in number.
 * Absent here: sending to peers (gossip.ts).
 * Spec: CometBFT evidence/pool.go.
 *
 * @module
 */
import { toHex } from '../base/bytes.ts';
import { type ErrorSpec, errorSpec, LedgerError } from '../base/errors.ts';
import type { ChainState } from '../types/chain-state.ts';
import { afterwards, type CheckSignature, type Eventually } from '../types/check-signature.ts';
import {
  type Evidence,
  type EvidenceList,
  evidenceHash,
  evidenceHeight,
  evidenceListCodec,
} from '../types/evidence.ts';
import {
  duplicateVote,
  type EvidenceContext,
  isExpired,
  verifyEvidence,
} from '../types/verify-evidence.ts';
import type { Verified, Vote } from '../types/vote.ts';
import type { ChainStore } from './ports.ts';

/** Most pieces of evidence held at once. */
const MAX_PENDING = 1_000;
/** Most pairs of conflicting votes that wait for their height to be decided. */
const MAX_CONFLICTS = 100;

/** Refusals of evidence that is valid on its own. */
export const errors: {
  readonly Committed: ErrorSpec<Record<never, never>>;
  readonly Repeated: ErrorSpec<Record<never, never>>;
  readonly PoolFull: ErrorSpec<Record<never, never>>;
} = {
  Committed: errorSpec('evidence', 20, 'peer', () => 'the evidence is in a block already'),
  Repeated: errorSpec('evidence', 21, 'peer', () => 'the block carries evidence twice'),
  PoolFull: errorSpec('evidence', 22, 'node', () => 'too much evidence is pending'),
};

type Conflict = { readonly first: Verified<Vote>; readonly second: Verified<Vote> };

/** Bytes of a list of evidence in a block. */
export function evidenceListBytes(evidence: readonly Evidence[]): number {
  return evidence.length === 0 ? 0 : evidenceListCodec.encode({ evidence }).length;
}

/** The pool. One per node; owned by the engine's loop. */
export class EvidencePool {
  readonly #store: ChainStore;
  readonly #check: CheckSignature;
  readonly #pending = new Map<string, Evidence>();
  #conflicts: Conflict[] = [];
  #state: ChainState;

  constructor(store: ChainStore, check: CheckSignature, state: ChainState) {
    this.#store = store;
    this.#check = check;
    this.#state = state;
    for (const evidence of store.pendingEvidence()) {
      this.#pending.set(toHex(evidenceHash(evidence)), evidence);
    }
  }

  /** All pending evidence by height, then hash: the order in which it is proposed. */
  pending(): readonly Evidence[] {
    return [...this.#pending]
      .sort(
        ([a, x], [b, y]) => evidenceHeight(x) - evidenceHeight(y) || (a < b ? -1 : a > b ? 1 : 0),
      )
      .map(([, evidence]) => evidence);
  }

  /** Pending evidence for a block, as much as `maxBytes` holds. */
  proposable(maxBytes: number): readonly Evidence[] {
    const list: Evidence[] = [];
    for (const evidence of this.pending()) {
      if (evidenceListBytes([...list, evidence]) > maxBytes) break;
      list.push(evidence);
    }
    return list;
  }

  /**
   * Takes evidence from a peer or a client.
   *
   * @param check - the peer's share of signature checks, if a peer sent it
   * @returns whether it is new, or why it is refused
   */
  async add(
    evidence: Evidence,
    check: CheckSignature = this.#check,
  ): Promise<boolean | LedgerError> {
    // Evidence of a height we have not reached cannot be judged yet.
    if (evidenceHeight(evidence) > this.#state.lastHeight) return false;
    const form = await this.#judge(evidence, check);
    if (form !== undefined) return form;
    const hash = evidenceHash(evidence);
    const key = toHex(hash);
    if (this.#pending.has(key) || this.#store.isEvidenceCommitted(hash)) return false;
    if (this.#pending.size >= MAX_PENDING) return new LedgerError(errors.PoolFull, {});
    await this.#store.savePendingEvidence(evidence);
    this.#pending.set(key, evidence);
    return true;
  }

  /** Notes that a validator voted twice; becomes evidence once that height is decided. */
  conflict(first: Verified<Vote>, second: Verified<Vote>): void {
    if (this.#conflicts.length < MAX_CONFLICTS) this.#conflicts.push({ first, second });
  }

  /** Why a block's evidence is refused, if it is. */
  async judgeBlock(list: EvidenceList): Promise<LedgerError | undefined> {
    const seen = new Set<string>();
    for (const evidence of list.evidence) {
      const hash = evidenceHash(evidence);
      const key = toHex(hash);
      if (seen.has(key)) return new LedgerError(errors.Repeated, {});
      seen.add(key);
      if (this.#store.isEvidenceCommitted(hash)) return new LedgerError(errors.Committed, {});
      // Light-client evidence is judged again: what it says depends on the height reached.
      if (this.#pending.has(key) && evidence.kind === 'duplicateVote') continue;
      const refusal = await this.#judge(evidence, this.#check);
      if (refusal !== undefined) return refusal;
    }
    return undefined;
  }

  /** Moves on to the state after a block with `committed` evidence in it. */
  async advance(state: ChainState, committed: EvidenceList): Promise<void> {
    this.#state = state;
    for (const evidence of committed.evidence) {
      this.#pending.delete(toHex(evidenceHash(evidence)));
    }
    const context = this.#context();
    for (const [key, evidence] of this.#pending) {
      const height = evidenceHeight(evidence);
      if (isExpired(context, height, evidence.value.timestamp)) this.#pending.delete(key);
    }
    const ripe = this.#conflicts.filter(({ first }) => first.height <= state.lastHeight);
    this.#conflicts = this.#conflicts.filter(({ first }) => first.height > state.lastHeight);
    for (const { first, second } of ripe) await this.#accuse(first, second);
  }

  async #accuse(first: Verified<Vote>, second: Verified<Vote>): Promise<void> {
    const time = this.#store.meta(first.height)?.header.time;
    const validators = this.#store.validators(first.height);
    if (time === undefined || validators === undefined) return;
    const value = duplicateVote(first, second, time, validators);
    if (value !== undefined) await this.add({ kind: 'duplicateVote', value });
  }

  #judge(evidence: Evidence, check: CheckSignature): Eventually<LedgerError | undefined> {
    const context = { ...this.#context(), check };
    return afterwards(verifyEvidence(context, evidence), (refusal) => refusal);
  }

  #context(): EvidenceContext {
    const store = this.#store;
    const { chainId, lastHeight, lastTime, params } = this.#state;
    return {
      chainId,
      check: this.#check,
      lastHeight,
      lastTime,
      params: params.evidence,
      signedHeader: (height) => {
        const header = store.meta(height)?.header;
        const commit = store.commitOf(height) ?? store.seenCommit(height);
        return header && commit && { header, commit };
      },
      validators: (height) => store.validators(height),
    };
  }
}
