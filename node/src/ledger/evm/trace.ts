/**
 * Tells a tracer of each call of a run, from the events of the library.
 *
 * Upholds: every `enter` has its `leave`, in the order of a stack.
 *
 * @module
 */
import type { EVMResult, Message } from '@ethereumjs/evm';
import { EMPTY, equalBytes } from '../../base/bytes.ts';
import type { LedgerEvm } from './ledger-evm.ts';
import type { EvmFrame, EvmTracer } from './types.ts';

function kindOf(message: Message, inStatic: boolean): EvmFrame['kind'] {
  if (message.to === undefined) return message.salt === undefined ? 'create' : 'create2';
  if (message.delegatecall) return 'delegatecall';
  if (!equalBytes(message.codeAddress.bytes, message.to.bytes)) return 'callcode';
  return message.isStatic && !inStatic ? 'staticcall' : 'call';
}

/** Starts telling. @returns what ends it */
export function trace(evm: LedgerEvm, tracer: EvmTracer): () => void {
  const statics: boolean[] = [];
  const enter = (message: Message): void => {
    const kind = kindOf(message, statics.at(-1) ?? false);
    statics.push(message.isStatic);
    tracer.enter({
      kind,
      depth: message.depth,
      from: kind === 'delegatecall' ? (message.to?.bytes ?? EMPTY) : message.caller.bytes,
      to: message.to === undefined ? undefined : message.codeAddress.bytes,
      value: message.value,
      input: message.data.slice(),
      gas: message.gasLimit,
    });
  };
  const leave = ({ execResult, createdAddress }: EVMResult): void => {
    statics.pop();
    tracer.leave({
      gasUsed: execResult.executionGasUsed,
      output: execResult.returnValue,
      created: createdAddress?.bytes,
      error: execResult.exceptionError?.error,
    });
  };
  evm.events.on('beforeMessage', enter);
  evm.events.on('afterMessage', leave);
  return () => {
    evm.events.off('beforeMessage', enter);
    evm.events.off('afterMessage', leave);
  };
}
