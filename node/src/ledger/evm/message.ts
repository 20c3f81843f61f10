/**
 * What one frame is to run, and how it ended.
 *
 * Upholds: plain data; gas is a bigint, as what a reader's call is given may be above what a number
 * holds.
 *
 * @module
 */
import type { EvmFrame } from './types.ts';

/** A call or a creation. */
export type Message = {
  readonly kind: EvmFrame['kind'];
  /** 0 for the call or creation that a run begins with. */
  readonly depth: number;
  /** CALLER, and who pays the value. */
  readonly caller: Uint8Array;
  /** Whose storage the code sees; of a creation the address to be. */
  readonly self: Uint8Array;
  /** Whose code runs. */
  readonly codeAt: Uint8Array;
  /** CALLVALUE; a delegate call shows that of the frame above and moves nothing. */
  readonly value: bigint;
  /** Input, or init code. A call's lies in the memory of the frame above, which waits. */
  readonly data: Uint8Array;
  readonly gas: bigint;
  readonly isStatic: boolean;
  /** Runs instead of the code of `codeAt`. */
  readonly code: Uint8Array | undefined;
};

/** How a message ended. */
export type Ending = {
  /** Why it failed, in the library's words. */
  readonly error: string | undefined;
  readonly gasUsed: bigint;
  /** What it returned, or what it reverted with. */
  readonly output: Uint8Array;
  /** The address of a creation, also of a failed one. */
  readonly created: Uint8Array | undefined;
};

/** Whether a message makes a contract. */
export function isCreation({ kind }: Message): boolean {
  return kind === 'create' || kind === 'create2';
}
