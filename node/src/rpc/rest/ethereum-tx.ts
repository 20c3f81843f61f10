/**
 * The Ethereum transaction that a committed transaction carries, and what it did, for people.
 *
 * Upholds: what is told is what the block holds: the transaction's own bytes, its receipt and its
 * result.
 *
 * @module
 */
import { Transaction } from 'ethers';
import { EMPTY, equalBytes } from '../../base/bytes.ts';
import type { Log, Receipt } from '../../gen/metatron/evm/v1/state.ts';
import { MsgEthereumTx, MsgEthereumTxResponse } from '../../gen/metatron/evm/v1/tx.ts';
import type { TxResult } from '../../types/results.ts';
import type { EthQueries } from '../eth/queries.ts';
import { data } from '../eth/values.ts';
import type { EthereumAnswer, LogAnswer } from './contract-schemas.ts';
import { decodeCall, decodeError, decodeEvent } from './contract-words.ts';
import { carriedMessage, firstAnswer } from './cosmos.ts';

const MSG_ETHEREUM_TX = '/metatron.evm.v1.MsgEthereumTx';

/** The Ethereum transaction in a transaction, if it carries one. */
function carriedBytes(tx: Uint8Array): Uint8Array | undefined {
  const message = carriedMessage(tx);
  if (message?.typeUrl !== MSG_ETHEREUM_TX) return undefined;
  return MsgEthereumTx.decode(message.value).raw;
}

/** EIP-7702: what the code of an account that delegated begins with. */
const DELEGATION: Uint8Array = Uint8Array.of(0xef, 0x01, 0x00);

/** Whether a code only names the account whose code runs. */
export function isDelegation(code: Uint8Array): boolean {
  return equalBytes(code.subarray(0, DELEGATION.length), DELEGATION);
}

/** Whose code runs in place of this one, if it is a delegation. */
export function delegateOf(code: Uint8Array): Uint8Array | undefined {
  return isDelegation(code) ? code.subarray(DELEGATION.length) : undefined;
}

/** An event. @param logIndex - its place among the logs of the block */
export function logAnswer(log: Log, logIndex: number): LogAnswer {
  const [address, topics, body] = [data(log.address), log.topics.map(data), data(log.data)];
  return {
    address,
    topics,
    data: body,
    logIndex,
    decoded: decodeEvent(address, topics, body),
  };
}

function outcomeOf(receipt: Receipt, result: Uint8Array): EthereumAnswer['outcome'] {
  const { value } = firstAnswer(result) ?? { value: EMPTY };
  const returned = data(MsgEthereumTxResponse.decode(value).returned);
  const failed = receipt.status !== 1;
  return {
    status: receipt.status,
    gasUsed: String(receipt.gasUsed),
    effectiveGasPrice: receipt.effectiveGasPrice,
    created: receipt.created.length === 0 ? null : data(receipt.created),
    returned,
    error: failed ? receipt.error : null,
    decodedError: failed ? decodeError(returned) : null,
    logs: receipt.logs.map((log, i) => logAnswer(log, receipt.firstLogIndex + i)),
  };
}

/** The Ethereum transaction that `found` carries; `null` if it carries none. */
export async function ethereumOf(
  queries: EthQueries,
  { tx, height, index, result }: TxResult,
): Promise<EthereumAnswer | null> {
  const raw = carriedBytes(tx);
  if (raw === undefined) return null;
  const parsed = Transaction.from(data(raw));
  const hash = parsed.hash ?? '0x';
  // A transaction that was refused in this block may have run in another one.
  const receipt = await queries.receipt(Buffer.from(hash.slice(2), 'hex'));
  const ran = receipt?.height === BigInt(height) && receipt.blockIndex === index;
  const to = parsed.to?.toLowerCase();
  return {
    hash,
    type: parsed.type ?? 0,
    chainId: String(parsed.chainId),
    nonce: parsed.nonce,
    from: (parsed.from ?? '0x').toLowerCase(),
    to: to ?? null,
    value: String(parsed.value),
    input: parsed.data,
    call: decodeCall(to, parsed.data),
    gasLimit: String(parsed.gasLimit),
    maxFeePerGas: String(parsed.maxFeePerGas ?? parsed.gasPrice ?? 0n),
    maxPriorityFeePerGas: String(parsed.maxPriorityFeePerGas ?? parsed.gasPrice ?? 0n),
    outcome: ran ? outcomeOf(receipt, result.data) : null,
  };
}
