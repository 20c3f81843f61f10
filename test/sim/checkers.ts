/**
 * Those who watch from outside: what must hold whatever happens.
 *
 * They see every signature as it is made, every height as it is stored, and every disk. They use
 * nothing of the engine's own counting: quorums are worked out here, by multiplication.
 *
 * Upholds: the first violation is kept, with its checker's name.
 *
 * @module
 */
import { equalBytes, toHex } from '../../node/src/base/bytes.ts';
import { isNil } from '../../node/src/types/block-id.ts';
import type { CommittedHeight } from '../../node/src/types/chain-state.ts';
import type { ValidatorSet } from '../../node/src/types/validators.ts';
import { voteSignBytes } from '../../node/src/types/vote.ts';
import { type Statement, statementOf } from './canonical.ts';
import type { Keyring } from './keys.ts';

/** Names of the checkers. */
export type Checker =
  | 'agreement'
  | 'validity'
  | 'quorum'
  | 'appHash'
  | 'signatures'
  | 'durability'
  | 'polka'
  | 'lock'
  | 'rounds'
  | 'acknowledged'
  | 'progress'
  | 'peace'
  | 'running';

/** What was violated. */
export type Violation = { readonly checker: Checker; readonly what: string };

type Signed = Statement & { readonly node: number };

/** Power of every validator at genesis. */
export const GENESIS_POWER = 10;

const PREVOTE = 1;
const PRECOMMIT = 2;
const WORDS: Readonly<Record<number, string>> = { 1: 'prevotes', 2: 'precommits' };

/** Watches one run. */
export class Checkers {
  violation: Violation | undefined;
  readonly #chainId: string;
  readonly #keyring: Keyring;
  readonly #honest: ReadonlySet<number>;
  /** By height: the power of each node. The application takes power from equivocators. */
  readonly #powers = new Map<number, readonly number[]>();
  readonly #chain = new Map<number, { readonly block: string; readonly appHash: string }>();
  /** All signed votes of a height, by whomever. */
  readonly #signed = new Map<number, Signed[]>();
  readonly #slots = new Map<string, string>();
  readonly #txs = new Map<string, number>();
  readonly #acknowledged = new Map<number, number>();

  constructor(chainId: string, keyring: Keyring, honest: ReadonlySet<number>) {
    this.#chainId = chainId;
    this.#keyring = keyring;
    this.#honest = honest;
    const equal = keyring.keys.map(() => GENESIS_POWER);
    this.#powers.set(1, equal);
  }

  /** Notes a violation; the first one counts. */
  violate(checker: Checker, what: string): void {
    this.violation ??= { checker, what };
  }

  /** Highest height that somebody stored. */
  get height(): number {
    return this.#chain.size;
  }

  #isQuorum(height: number, nodes: ReadonlySet<number>): boolean {
    const powers = this.#powers.get(height) ?? [];
    const power = [...nodes].reduce((sum, node) => sum + (powers[node] ?? 0), 0);
    return 3 * power > 2 * powers.reduce((sum, each) => sum + each, 0);
  }

  #powersIn({ validators }: ValidatorSet): readonly number[] {
    return this.#keyring.keys.map(({ address }) => {
      return Number(validators.find((v) => equalBytes(v.address, address))?.power ?? 0n);
    });
  }

  #voters(height: number, test: (vote: Signed) => boolean): ReadonlySet<number> {
    const votes = this.#signed.get(height) ?? [];
    return new Set(votes.filter(test).map((vote) => vote.node));
  }

  /**
   * A key signs.
   *
   * @param unsynced - bytes of the node's log that are not durable
   * @returns what it says, in words
   */
  signing(node: number, signBytes: Uint8Array, unsynced: number): string {
    const statement = statementOf(signBytes);
    const { height, round, type, block } = statement;
    if (this.#honest.has(node)) {
      // Before round 0's precommit no lock can be lost with the log.
      const mayBeLocked = round > 0 || type === PRECOMMIT;
      if (mayBeLocked && unsynced > 0) {
        this.violate('durability', `n${node} signs while ${unsynced} bytes of its log may be lost`);
      }
      this.#checkSlot(node, statement);
      if (type === PREVOTE) this.#checkLock(node, statement);
      if (type === PRECOMMIT && block !== '') this.#checkPolka(node, statement);
      if (round > 0) this.#checkRound(node, statement);
    }
    if (type <= PRECOMMIT) {
      const votes = this.#signed.get(height) ?? [];
      votes.push({ ...statement, node });
      this.#signed.set(height, votes);
      this.#signed.delete(height - 50);
    }
    return `${WORDS[type] ?? 'proposes'} ${name(block)} at ${height}/${round}`;
  }

  /** A vote of an honest node leaves it. */
  sending(node: number, signBytes: Uint8Array): void {
    const statement = statementOf(signBytes);
    const { type, height, round, block } = statement;
    if (this.#slots.get(`${node}/${height}/${round}/${type}`) === block) return;
    const what = `${WORDS[type]} ${name(block)} at ${height}/${round}`;
    this.violate('signatures', `n${node} ${what}, of which its guard knows nothing`);
  }

  #checkSlot(node: number, { type, height, round, block }: Statement): void {
    const slot = `${node}/${height}/${round}/${type}`;
    const before = this.#slots.get(slot);
    this.#slots.set(slot, before ?? block);
    if (before !== undefined && before !== block) {
      this.violate('signatures', `n${node} signs ${name(block)} after ${name(before)} at ${slot}`);
    }
  }

  /** A precommit for a block needs a polka for it in its round. */
  #checkPolka(node: number, { height, round, block }: Statement): void {
    const voters = this.#voters(height, (v) => {
      return v.type === PREVOTE && v.round === round && v.block === block;
    });
    if (!this.#isQuorum(height, voters)) {
      this.violate('polka', `n${node} precommits ${name(block)} at ${height}/${round} without one`);
    }
  }

  /** Who precommitted a block prevotes nothing else until a later polka for something else. */
  #checkLock(node: number, { height, round, block }: Statement): void {
    const mine = (this.#signed.get(height) ?? []).filter((vote) => {
      return vote.node === node && vote.type === PRECOMMIT && vote.block !== '';
    });
    const lock = mine.findLast((vote) => vote.round < round);
    if (lock === undefined || lock.block === block) return;
    for (let later = lock.round + 1; later <= round; later++) {
      if (this.#hasPolkaAgainst(height, later, lock.block)) return;
    }
    const what = `n${node} prevotes ${name(block)} at ${height}/${round}`;
    this.violate('lock', `${what}, locked on ${name(lock.block)} since round ${lock.round}`);
  }

  #hasPolkaAgainst(height: number, round: number, block: string): boolean {
    const votes = (this.#signed.get(height) ?? []).filter((vote) => {
      return vote.type === PREVOTE && vote.round === round && vote.block !== block;
    });
    return [...new Set(votes.map((vote) => vote.block))].some((other) => {
      return this.#isQuorum(
        height,
        new Set(votes.filter((vote) => vote.block === other).map((vote) => vote.node)),
      );
    });
  }

  /** A round begins with two thirds of votes of it, or of precommits of the one before. */
  #checkRound(node: number, { height, round }: Statement): void {
    const enough = [
      [round, PREVOTE],
      [round, PRECOMMIT],
      [round - 1, PRECOMMIT],
    ].some(([r, type]) => {
      return this.#isQuorum(
        height,
        this.#voters(height, (v) => v.round === r && v.type === type),
      );
    });
    if (!enough) this.violate('rounds', `n${node} is at ${height}/${round} without two thirds`);
  }

  /** A height is about to be durable at an honest node. */
  storing(node: number, committed: CommittedHeight): void {
    const { block, blockId, state } = committed;
    const { height } = block.header;
    const known = this.#chain.get(height);
    const now = { block: toHex(blockId.hash), appHash: toHex(state.appHash) };
    this.#chain.set(height, known ?? now);
    if (known === undefined) this.#powers.set(height + 1, this.#powersIn(state.validators));
    if (known !== undefined && known.block !== now.block) {
      const blocks = `${name(now.block)}, others ${name(known.block)}`;
      this.violate('agreement', `n${node} decides ${height}: ${blocks}`);
    } else if (known !== undefined && known.appHash !== now.appHash) {
      this.violate('appHash', `n${node} has another application hash after ${height}`);
    }
    this.#checkCommit(node, committed);
    this.#checkBlock(node, committed);
    for (const tx of block.data.txs) {
      const key = toHex(tx);
      if (!this.#txs.has(key)) this.#txs.set(key, height);
    }
  }

  /** Two thirds really signed the block. */
  #checkCommit(node: number, { blockId, seenCommit, block }: CommittedHeight): void {
    const { height } = block.header;
    const voters = new Set<number>();
    for (const sig of seenCommit.signatures) {
      if (sig.blockIdFlag !== 2) continue;
      const { validatorAddress: address, timestamp, signature } = sig;
      const index = this.#keyring.keys.findIndex((key) => equalBytes(key.address, address));
      const key = this.#keyring.keys[index];
      const { round } = seenCommit;
      const vote = { type: PRECOMMIT, height, round, blockId, timestamp };
      const bytes = voteSignBytes(this.#chainId, vote);
      if (key !== undefined && this.#keyring.check(key.publicKey, bytes, signature)) {
        voters.add(index);
      }
    }
    if (seenCommit.height !== height || !this.#isQuorum(height, voters)) {
      this.violate('quorum', `n${node} decides ${height} with ${voters.size} valid signatures`);
    }
  }

  /** The block follows the chain, and carries what its header says of the chain. */
  #checkBlock(node: number, { block, blockId }: CommittedHeight): void {
    const { height, appHash, lastBlockId } = block.header;
    const before = this.#chain.get(height - 1);
    const linked =
      before === undefined ? isNil(lastBlockId) : before.block === toHex(lastBlockId.hash);
    if (!linked || isNil(blockId))
      this.violate('validity', `n${node}: block ${height} is not linked`);
    if (before !== undefined && before.appHash !== toHex(appHash)) {
      this.violate('validity', `n${node}: block ${height} carries a false application hash`);
    }
    const malformed = block.data.txs.some((tx) => !tx.includes(0x3d));
    if (malformed) this.violate('validity', `n${node}: block ${height} carries an invalid tx`);
  }

  /** A node told its clients of a height. @param stored - the height its disk holds */
  acknowledged(node: number, height: number, stored: number): void {
    this.#acknowledged.set(node, Math.max(height, this.#acknowledged.get(node) ?? 0));
    if (stored < height) {
      this.violate('acknowledged', `n${node} tells of ${height}, but its disk holds ${stored}`);
    }
  }

  /** A node starts from its disk. */
  starting(node: number, stored: number): void {
    const told = this.#acknowledged.get(node) ?? 0;
    if (stored < told) {
      this.violate('acknowledged', `n${node} starts at ${stored} after it told of ${told}`);
    }
  }

  /** The height at which a transaction was committed first. */
  heightOf(tx: Uint8Array): number | undefined {
    return this.#txs.get(toHex(tx));
  }
}

function name(block: string): string {
  return block === '' ? 'nil' : block.slice(0, 8);
}
