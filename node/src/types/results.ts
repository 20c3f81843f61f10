/**
 * What executing a block gives: transaction results, events, and the hash over the results.
 *
 * Upholds: only code, data, gas wanted and gas used are hashed; log, events and codespace are for
 * people and indexes.
 * Spec: tendermint.abci.ExecTxResult, Event (0.38); last_results_hash in spec/core.
 *
 * @module
 */
import { EMPTY } from '../base/bytes.ts';
import type { LedgerError } from '../base/errors.ts';
import { MAX_BLOCK_BYTES } from '../base/limits.ts';
import { leafHash, rootOfHashes } from '../base/merkle.ts';
import { bool, bytes, type Codec, int, list, message, text, uint } from '../base/proto.ts';
import type { ConsensusParams } from './params.ts';
import type { ValidatorUpdate } from './validators.ts';

/** One attribute of an event; `index` asks the indexer to make it searchable. */
export type EventAttribute = {
  readonly key: string;
  readonly value: string;
  readonly index: boolean;
};

/** Something that happened, for subscribers and the index. Searched as `type.key`. */
export type AbciEvent = { readonly type: string; readonly attributes: readonly EventAttribute[] };

/** Most bytes of one text in a result. */
export const MAX_TEXT = 1_048_576;
/** Most items in one list of a result. */
export const MAX_RESULT_ITEMS = 1_000_000;

/** tendermint.abci.EventAttribute. */
const eventAttributeCodec: Codec<EventAttribute> = message<EventAttribute>('EventAttribute', {
  key: text(1, MAX_TEXT),
  value: text(2, MAX_TEXT),
  index: bool(3),
});

/** tendermint.abci.Event. */
export const eventCodec: Codec<AbciEvent> = message<AbciEvent>('Event', {
  type: text(1, MAX_TEXT),
  attributes: list(2, eventAttributeCodec, MAX_RESULT_ITEMS),
});

/** Result of one transaction. `code` 0 is success. */
export type ExecTxResult = {
  readonly code: number;
  readonly data: Uint8Array;
  readonly log: string;
  readonly info: string;
  readonly gasWanted: number;
  readonly gasUsed: number;
  readonly events: readonly AbciEvent[];
  readonly codespace: string;
};

/** A success that says nothing; what others are made of. */
export const EMPTY_RESULT: ExecTxResult = {
  code: 0,
  data: EMPTY,
  log: '',
  info: '',
  gasWanted: 0,
  gasUsed: 0,
  events: [],
  codespace: '',
};

/** The result of a refused transaction. */
export function refused(error: LedgerError, gasWanted: number, gasUsed: number): ExecTxResult {
  const { code, space: codespace, message: log } = error;
  return { ...EMPTY_RESULT, code, log, gasWanted, gasUsed, codespace };
}

/** tendermint.abci.ExecTxResult. */
export const execTxResultCodec: Codec<ExecTxResult> = message<ExecTxResult>('ExecTxResult', {
  code: uint(1, 0xffff_ffff),
  data: bytes(2, MAX_BLOCK_BYTES),
  log: text(3, MAX_TEXT),
  info: text(4, MAX_TEXT),
  gasWanted: int(5),
  gasUsed: int(6),
  events: list(7, eventCodec, MAX_RESULT_ITEMS),
  codespace: text(8, MAX_TEXT),
});

type Hashed = Pick<ExecTxResult, 'code' | 'data' | 'gasWanted' | 'gasUsed'>;

const hashedResultCodec: Codec<Hashed> = message<Hashed>('ExecTxResult', {
  code: uint(1, 0xffff_ffff),
  data: bytes(2, MAX_BLOCK_BYTES),
  gasWanted: int(5),
  gasUsed: int(6),
});

/** The hash of a block's results, which the next header carries. */
export function resultsHash(results: readonly ExecTxResult[]): Uint8Array {
  return rootOfHashes(results.map((result) => hashedResultCodec.borrow(result, leafHash)));
}

/** Where a transaction ended up. */
export type TxResult = {
  readonly height: number;
  readonly index: number;
  readonly tx: Uint8Array;
  readonly result: ExecTxResult;
};

/** What the application answers to a decided block. */
export type FinalizeBlockResponse = {
  readonly events: readonly AbciEvent[];
  /** One per transaction, in order. */
  readonly txResults: readonly ExecTxResult[];
  /** In force two heights later. */
  readonly validatorUpdates: readonly ValidatorUpdate[];
  /** In force at the next height. */
  readonly paramUpdates: Partial<ConsensusParams> | undefined;
  readonly appHash: Uint8Array;
};
