/**
 * The inputs of the core as the write-ahead log keeps them.
 *
 * Upholds: `decodeInput(encodeInput(input))` is the input again; anything but canonical bytes
 * is refused. The log is this node's own: the votes in it were verified before they were written,
 * so decoding makes `Verified` values.
 * Absent here: files, checksums, syncing, and blocks' bytes, which the engine logs in parts.
 *
 * @module
 */
import { LedgerError } from '../src/base/errors.ts';
import { MAX_ROUND } from '../src/base/limits.ts';
import {
  always,
  bool,
  type Codec,
  int64,
  mapped,
  message,
  optional,
  text,
  uint,
  union,
} from '../src/base/proto.ts';
import { errors } from '../src/base/wire.ts';
import { type BlockId, blockIdCodec } from '../src/types/block-id.ts';
import { type Commit, commitCodec } from '../src/types/commit.ts';
import {
  type ValidatorSet,
  validatorSetCodec,
  validatorSetFromWire,
} from '../src/types/validators.ts';
import {
  type Proposal,
  proposalCodec,
  type Verified,
  type Vote,
  type VoteType,
  voteCodec,
} from '../src/types/vote.ts';
import type { Input, TimedStep, Timeout } from './types.ts';

/** Most bytes of a peer's id in a record. */
export const MAX_PEER_ID_BYTES = 128;

type InputOf<K extends Input['kind']> = Omit<Extract<Input, { kind: K }>, 'kind'>;

const validators: Codec<ValidatorSet> = mapped(
  validatorSetCodec,
  (wire) => {
    const set = validatorSetFromWire(wire);
    if (set.totalPower === wire.totalPower) return set;
    throw new LedgerError(errors.Malformed, { message: 'ValidatorSet', reason: 'wrong total' });
  },
  (set) => set,
);

type Last = { readonly validators: ValidatorSet; readonly commit: Commit };

const lastCodec: Codec<Last> = message<Last>('wal.Last', {
  validators: always(1, validators),
  commit: always(2, commitCodec),
});

const verifiedVote: Codec<Verified<Vote>> = mapped(
  voteCodec,
  (vote) => vote as Verified<Vote>,
  (vote) => vote,
);

const verifiedProposal: Codec<Verified<Proposal>> = mapped(
  proposalCodec,
  (proposal) => proposal as Verified<Proposal>,
  (proposal) => proposal,
);

const TIMED_STEPS: readonly TimedStep[] = [
  'newHeight',
  'newRound',
  'propose',
  'prevoteWait',
  'precommitWait',
];

type WireTimeout = { readonly height: number; readonly round: number; readonly step: number };

const timeoutCodec: Codec<InputOf<'timeout'>> = mapped(
  message<WireTimeout>('wal.Timeout', {
    height: uint(1),
    round: uint(2, MAX_ROUND),
    step: uint(3, TIMED_STEPS.length - 1),
  }),
  ({ height, round, step }) => ({
    timeout: { height, round, step: TIMED_STEPS[step] as Timeout['step'] },
  }),
  ({ timeout }) => ({ ...timeout, step: TIMED_STEPS.indexOf(timeout.step) }),
);

const claimCodec: Codec<InputOf<'majorityClaim'>> = mapped(
  message<Omit<InputOf<'majorityClaim'>, 'type'> & { readonly type: number }>('wal.Claim', {
    peer: text(1, MAX_PEER_ID_BYTES),
    height: uint(2),
    round: uint(3, MAX_ROUND),
    type: uint(4, 2),
    blockId: always(5, blockIdCodec),
  }),
  (wire) => ({ ...wire, type: wire.type as VoteType }),
  (claim) => claim,
);

type Named = { readonly height: number; readonly blockId: BlockId; readonly time: bigint };

const blockCodec: Codec<Named> = message<Named>('wal.Block', {
  height: uint(1),
  blockId: always(2, blockIdCodec),
  time: int64(3),
});

type Wire = {
  readonly [K in Input['kind']]: { readonly kind: K; readonly value: InputOf<K> };
}[Input['kind']];

const wireCodec: Codec<Wire> = union<Wire>('wal.Input', {
  newHeight: [
    1,
    message<InputOf<'newHeight'>>('wal.NewHeight', {
      height: uint(1),
      validators: always(2, validators),
      last: optional(3, lastCodec),
      proofBlock: bool(4),
    }),
  ],
  txsAvailable: [2, message<InputOf<'txsAvailable'>>('wal.TxsAvailable', { height: uint(1) })],
  timeout: [3, timeoutCodec],
  proposal: [
    4,
    message<InputOf<'proposal'>>('wal.Proposal', { proposal: always(1, verifiedProposal) }),
  ],
  block: [5, blockCodec],
  vote: [
    6,
    message<InputOf<'vote'>>('wal.Vote', {
      vote: always(1, verifiedVote),
      peer: text(2, MAX_PEER_ID_BYTES),
    }),
  ],
  majorityClaim: [7, claimCodec],
  built: [
    8,
    message<InputOf<'built'>>('wal.Built', {
      height: uint(1),
      round: uint(2, MAX_ROUND),
      blockId: always(3, blockIdCodec),
      time: int64(4),
    }),
  ],
  validated: [
    9,
    message<InputOf<'validated'>>('wal.Validated', {
      height: uint(1),
      round: uint(2, MAX_ROUND),
      blockId: always(3, blockIdCodec),
      valid: bool(4),
    }),
  ],
  signedProposal: [
    10,
    message<InputOf<'signedProposal'>>('wal.SignedProposal', {
      proposal: optional(1, verifiedProposal),
    }),
  ],
  signedVote: [
    11,
    message<InputOf<'signedVote'>>('wal.SignedVote', { vote: optional(1, verifiedVote) }),
  ],
});

/** The bytes of an input. */
export function encodeInput(input: Input): Uint8Array {
  const { kind, ...value } = input;
  return wireCodec.encode({ kind, value } as Wire);
}

/**
 * The input of its bytes.
 *
 * @throws LedgerError codec/1 on anything but canonical bytes, validators/1 on an empty set
 */
export function decodeInput(encoded: Uint8Array): Input {
  const { kind, value } = wireCodec.decode(encoded);
  return { kind, ...value } as Input;
}
