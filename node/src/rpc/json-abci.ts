/**
 * CometBFT's JSON of what the application answers: results, events, checks, queries.
 *
 * Upholds: answers of the application print all their fields; inside the `Tx` event a field that is
 * zero is left out, as in Go, where that value goes through another encoder.
 * Spec: CometBFT 0.38 abci/types/types.go (jsonpb, EmitDefaults) and libs/json/encoder.go.
 *
 * @module
 */
import type { CheckTxResponse, Info, QueryResponse } from '../abci/application.ts';
import type { MerkleProof } from '../base/merkle.ts';
import type { ConsensusParams } from '../types/params.ts';
import type { AbciEvent, EventAttribute, ExecTxResult } from '../types/results.ts';
import type { ValidatorUpdate } from '../types/validators.ts';
import { base64, base64OrNull, hex, type Json, type JsonObject, listOrNull } from './json.ts';

function attributeJson({ key, value, index }: EventAttribute): JsonObject {
  return { key, value, index };
}

/** An event of the application. */
export function eventJson(event: AbciEvent): JsonObject {
  return { type: event.type, attributes: event.attributes.map(attributeJson) };
}

/** A transaction's result with all fields. */
export function resultJson(result: ExecTxResult): JsonObject {
  return {
    code: result.code,
    data: base64OrNull(result.data),
    log: result.log,
    info: result.info,
    gas_wanted: String(result.gasWanted),
    gas_used: String(result.gasUsed),
    events: result.events.map(eventJson),
    codespace: result.codespace,
  };
}

/** A transaction's result without its zero fields, as the `Tx` event carries it. */
export function sparseResultJson(result: ExecTxResult): JsonObject {
  return {
    code: result.code || undefined,
    data: result.data.length === 0 ? undefined : base64(result.data),
    log: result.log || undefined,
    info: result.info || undefined,
    gas_wanted: result.gasWanted === 0 ? undefined : String(result.gasWanted),
    gas_used: result.gasUsed === 0 ? undefined : String(result.gasUsed),
    events: result.events.length === 0 ? undefined : result.events.map(eventJson),
    codespace: result.codespace || undefined,
  };
}

/** The answer to a check. */
export function checkTxJson(check: CheckTxResponse): JsonObject {
  return { ...resultJson(check), sender: '', priority: '0', mempoolError: '' };
}

/** The answer to a query; `proofOps` keeps its camel case. */
export function queryJson(answer: QueryResponse): JsonObject {
  const ops = answer.proofOps?.map((op) => ({
    type: op.type,
    key: base64OrNull(op.key),
    data: base64OrNull(op.data),
  }));
  return {
    code: answer.code,
    log: answer.log,
    info: answer.info,
    index: String(answer.index),
    key: base64OrNull(answer.key),
    value: base64OrNull(answer.value),
    proofOps: ops === undefined ? null : { ops },
    height: String(answer.height),
    codespace: answer.codespace,
  };
}

/** What the application says about itself; zero fields are left out. */
export function infoJson(info: Info): JsonObject {
  return {
    data: info.data || undefined,
    version: info.version || undefined,
    app_version: info.appVersion === 0 ? undefined : String(info.appVersion),
    last_block_height: info.lastHeight === 0 ? undefined : String(info.lastHeight),
    last_block_app_hash: info.lastAppHash.length === 0 ? undefined : base64(info.lastAppHash),
  };
}

/** A change of the validator set, in the shape of Go's oneof. */
function validatorUpdateJson(update: ValidatorUpdate): JsonObject {
  const { type, bytes } = update.publicKey;
  const name = type === 'ed25519' ? 'PublicKey_Ed25519' : 'PublicKey_Secp256K1';
  return {
    pub_key: { Sum: { type: `tendermint.crypto.${name}`, value: { [type]: base64(bytes) } } },
    power: update.power === 0n ? undefined : String(update.power),
  };
}

/** Changes of parameters; sections that did not change are absent. */
export function paramUpdatesJson(updates: Partial<ConsensusParams> | undefined): Json {
  if (updates === undefined) return null;
  const { block, evidence, validator, version, abci } = updates;
  return {
    block: block && { max_bytes: String(block.maxBytes), max_gas: String(block.maxGas) },
    evidence: evidence && {
      max_age_num_blocks: String(evidence.maxAgeNumBlocks),
      max_age_duration: String(evidence.maxAgeDuration),
      max_bytes: String(evidence.maxBytes),
    },
    validator: validator && { pub_key_types: [...validator.pubKeyTypes] },
    version: version && { app: version.app === 0 ? undefined : String(version.app) },
    abci: abci && {},
  };
}

/** Changes of the validator set, or `null` for none. */
export function validatorUpdatesJson(updates: readonly ValidatorUpdate[]): Json {
  return listOrNull(updates, validatorUpdateJson);
}

/** A transaction with its inclusion proof under the data hash. */
export function txProofJson(root: Uint8Array, tx: Uint8Array, proof: MerkleProof): JsonObject {
  return {
    root_hash: hex(root),
    data: base64(tx),
    proof: {
      total: String(proof.total),
      index: String(proof.index),
      leaf_hash: base64(proof.leafHash),
      aunts: proof.aunts.map(base64),
    },
  };
}
