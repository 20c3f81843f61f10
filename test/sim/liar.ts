/**
 * A validator that lies: the real engine, whose messages are rewritten as they leave.
 *
 * It signs with its own key only. Odd peers get another truth than even ones.
 *
 * @module
 */
import { equalBytes, utf8 } from '../../node/src/base/bytes.ts';
import { LedgerError } from '../../node/src/base/errors.ts';
import { Collector, wholeBlockOf } from '../../node/src/engine/collector.ts';
import type { SigningKey } from '../../node/src/engine/ports.ts';
import { type Block, dataHash } from '../../node/src/types/block.ts';
import { type BlockId, isNil, NIL_BLOCK_ID } from '../../node/src/types/block-id.ts';
import {
  CHANNEL,
  type ChannelId,
  type ConsensusMessage,
  consensusMessageCodec,
} from '../../node/src/types/messages.ts';
import type { Part } from '../../node/src/types/part-set.ts';
import {
  type Proposal,
  proposalSignBytes,
  type Vote,
  voteSignBytes,
} from '../../node/src/types/vote.ts';
import type { Fault } from './faults.ts';
import type { Packet } from './net.ts';
import type { Prng } from './prng.ts';

/** What a liar needs. */
export type LiarParts = {
  readonly chainId: string;
  readonly key: SigningKey;
  readonly prng: Prng;
  /** Whether it lies in this way now. */
  readonly allows: (kind: Fault) => boolean;
  readonly struck: (kind: Fault) => void;
};

const GARBAGE_CHANNELS: readonly ChannelId[] = Object.values(CHANNEL);

/** Rewrites one validator's messages. */
export class Liar {
  readonly #parts: LiarParts;
  /** The last block it heard of, to vote for behind people's backs. */
  #heard: BlockId = NIL_BLOCK_ID;
  /** Its own proposal of now, and the other one for odd peers. */
  #proposal: Proposal | undefined;
  #other: { readonly proposal: Proposal; readonly part: Part } | undefined;
  /** Whether everybody gets the other block, which is then a false one. */
  #toAll = false;
  readonly #moods: Prng;

  constructor(parts: LiarParts) {
    this.#parts = parts;
    this.#moods = parts.prng.fork('moods');
  }

  #lies(kind: Fault, probability: number): boolean {
    const { allows, prng, struck } = this.#parts;
    if (!allows(kind) || !prng.chance(probability)) return false;
    struck(kind);
    return true;
  }

  /** What really leaves for one peer. */
  tamper(to: number, packet: Packet): readonly Packet[] {
    const garbage = this.#lies('garbage', 0.003) ? [this.#garbage(packet)] : [];
    if (packet.channel !== CHANNEL.vote && packet.channel !== CHANNEL.data) {
      return [packet, ...garbage];
    }
    const message = decode(packet.bytes);
    const said = message === undefined ? undefined : this.#rewrite(to, message);
    const packets = said?.map((each) => ({
      channel: packet.channel,
      bytes: consensusMessageCodec.encode(each),
    }));
    return [...(packets ?? [packet]), ...garbage];
  }

  #garbage(packet: Packet): Packet {
    const { prng } = this.#parts;
    const channel = prng.pick(GARBAGE_CHANNELS);
    if (prng.chance(0.5)) return { channel, bytes: prng.bytes(prng.int(0, 60)) };
    const bytes = packet.bytes.slice();
    if (bytes.length > 0) bytes[prng.int(0, bytes.length - 1)] = prng.int(0, 255);
    return { channel: packet.channel, bytes };
  }

  #rewrite(to: number, message: ConsensusMessage): readonly ConsensusMessage[] | undefined {
    switch (message.kind) {
      case 'vote':
        return this.#vote(to, message.value.vote);
      case 'proposal':
        this.#heard = message.value.proposal.blockId;
        return this.#proposed(to, message.value.proposal);
      case 'blockPart':
        return this.#part(to, message.value.part);
      default:
        return undefined;
    }
  }

  #vote(to: number, vote: Vote | undefined): readonly ConsensusMessage[] | undefined {
    const own = vote !== undefined && equalBytes(vote.validatorAddress, this.#parts.key.address);
    if (!own) return undefined;
    if (this.#lies('withhold', 0.3)) return [];
    const twin = this.#sign({ ...vote, blockId: isNil(vote.blockId) ? this.#heard : NIL_BLOCK_ID });
    if (isNil(vote.blockId) && isNil(this.#heard)) return undefined;
    if (this.#lies('voteTwice', 0.2)) return [say(vote), say(twin)];
    if (to % 2 === 1 && this.#lies('equivocate', 0.6)) return [say(twin)];
    return undefined;
  }

  #sign(vote: Vote): Vote {
    const { key, chainId } = this.#parts;
    return { ...vote, signature: key.sign(voteSignBytes(chainId, vote)) };
  }

  #proposed(to: number, proposal: Proposal): readonly ConsensusMessage[] | undefined {
    if (proposal.round !== this.#proposal?.round || proposal.height !== this.#proposal.height) {
      const { key, chainId } = this.#parts;
      const own = equalBytes(key.sign(proposalSignBytes(chainId, proposal)), proposal.signature);
      const twofold = own && this.#lies('doublePropose', 0.5);
      this.#proposal = twofold ? proposal : undefined;
      this.#other = undefined;
      this.#toAll = twofold && this.#moods.chance(0.3);
    }
    return this.#proposal !== undefined && this.#isFooled(to) ? [] : undefined;
  }

  #isFooled(to: number): boolean {
    return this.#toAll || to % 2 === 1;
  }

  #part(to: number, part: Part): readonly ConsensusMessage[] | undefined {
    const proposal = this.#proposal;
    if (proposal === undefined) return undefined;
    const { height, round, blockId } = proposal;
    if (blockId.partSetHeader.total !== 1) return undefined;
    const collector = new Collector();
    collector.begin(height, 1_000_000);
    collector.collect(blockId.partSetHeader);
    const whole = collector.add(part);
    if (typeof whole === 'string') return undefined;
    this.#other ??= this.#forge(proposal, whole.block);
    if (!this.#isFooled(to) || this.#other === undefined) return undefined;
    return [
      { kind: 'proposal', value: { proposal: this.#other.proposal } },
      { kind: 'blockPart', value: { height, round, part: this.#other.part } },
    ];
  }

  /** Another block with the same head but for one transaction more, and at times a false hash. */
  #forge(
    proposal: Proposal,
    block: Block,
  ): { readonly proposal: Proposal; readonly part: Part } | undefined {
    const { key, chainId, prng } = this.#parts;
    const txs = [...block.data.txs, utf8(`liar${proposal.height}.${proposal.round}=1`)];
    const broken = this.#toAll ? { appHash: prng.bytes(8) } : {};
    const header = { ...block.header, ...broken, dataHash: dataHash(txs) };
    const other = wholeBlockOf({ ...block, header, data: { txs } });
    const part = other.parts.get(0);
    if (part === undefined || other.parts.header.total !== 1) return undefined;
    const unsigned = { ...proposal, blockId: other.blockId };
    const signature = key.sign(proposalSignBytes(chainId, unsigned));
    return { proposal: { ...unsigned, signature }, part };
  }
}

function say(vote: Vote): ConsensusMessage {
  return { kind: 'vote', value: { vote } };
}

function decode(bytes: Uint8Array): ConsensusMessage | undefined {
  try {
    return consensusMessageCodec.decode(bytes);
  } catch (thrown) {
    if (thrown instanceof LedgerError) return undefined;
    throw thrown;
  }
}
