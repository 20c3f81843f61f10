/**
 * CometBFT's JSON of published events: `"data":…,"events":…` of a subscription's messages.
 *
 * Upholds: the text of an event is the same for all subscribers, so it is built once; only the
 * request's id and query around it differ.
 * Spec: CometBFT 0.38 types/events.go (type names and fields), rpc/core/events.go.
 *
 * @module
 */
import type { BusEvent, BusPayload } from '../indexer/event-bus.ts';
import type { CommittedHeight } from '../types/chain-state.ts';
import {
  base64,
  blockIdJson,
  blockJson,
  evidenceJson,
  headerJson,
  type JsonObject,
  validatorJson,
  voteJson,
} from './json.ts';
import {
  eventJson,
  paramUpdatesJson,
  resultJson,
  sparseResultJson,
  validatorUpdatesJson,
} from './json-abci.ts';

function newBlockJson({ block, blockId, results }: CommittedHeight): JsonObject {
  return {
    block: blockJson(block),
    block_id: blockIdJson(blockId),
    result_finalize_block: {
      events: results.events.length === 0 ? undefined : results.events.map(eventJson),
      tx_results: results.txResults.length === 0 ? undefined : results.txResults.map(resultJson),
      validator_updates:
        results.validatorUpdates.length === 0
          ? undefined
          : validatorUpdatesJson(results.validatorUpdates),
      consensus_param_updates:
        results.paramUpdates === undefined ? undefined : paramUpdatesJson(results.paramUpdates),
      app_hash: results.appHash.length === 0 ? undefined : base64(results.appHash),
    },
  };
}

function txJson({ block, results }: CommittedHeight, index: number): JsonObject {
  const tx = block.data.txs[index];
  const result = results.txResults[index];
  return {
    TxResult: {
      height: String(block.header.height),
      index: index === 0 ? undefined : index,
      tx: tx === undefined ? undefined : base64(tx),
      result: result === undefined ? {} : sparseResultJson(result),
    },
  };
}

/** Validators whose power the height changed, as they stand in the set that will hold. */
function changedValidators({ results, state }: CommittedHeight): JsonObject {
  const changed = new Set(results.validatorUpdates.map((u) => base64(u.publicKey.bytes)));
  const now = state.nextValidators.validators;
  return {
    validator_updates: now.filter((v) => changed.has(base64(v.publicKey.bytes))).map(validatorJson),
  };
}

function dataOf(payload: BusPayload): readonly [type: string, value: JsonObject] {
  switch (payload.name) {
    case 'NewBlock':
      return ['NewBlock', newBlockJson(payload.height)];
    case 'NewBlockHeader':
      return ['NewBlockHeader', { header: headerJson(payload.height.block.header) }];
    case 'NewBlockEvents': {
      const { block, results } = payload.height;
      return [
        'NewBlockEvents',
        {
          height: String(block.header.height),
          events: results.events.map(eventJson),
          num_txs: String(block.data.txs.length),
        },
      ];
    }
    case 'ValidatorSetUpdates':
      return ['ValidatorSetUpdates', changedValidators(payload.height)];
    case 'Tx':
      return ['Tx', txJson(payload.height, payload.index)];
    case 'NewEvidence': {
      const { block } = payload.height;
      const evidence = block.evidence.evidence[payload.index];
      return [
        'NewEvidence',
        {
          evidence: evidence === undefined ? null : evidenceJson(evidence),
          height: String(block.header.height),
        },
      ];
    }
    case 'Vote':
      return ['Vote', { Vote: voteJson(payload.event.vote) }];
    default: {
      const { name, height, round, step } = payload.event;
      const type = name === 'NewRound' || name === 'CompleteProposal' ? name : 'RoundState';
      return [type, { height: String(height), round, step }];
    }
  }
}

/** The members `data` and `events` of the message about an event, without braces. */
export function eventText(event: BusEvent): string {
  const [type, value] = dataOf(event.payload);
  const data = JSON.stringify({ type: `tendermint/event/${type}`, value });
  const events: Record<string, readonly string[]> = {};
  for (const [tag, values] of event.attributes) events[tag] = values;
  return `"data":${data},"events":${JSON.stringify(events)}`;
}
