/**
 * The node as RPC sees it: each port of rpc/ports.ts, read from the part that knows.
 *
 * Upholds: nothing is decided here; every function reads or passes on.
 *
 * @module
 */
import { base58 } from '@scure/base';
import type { State } from '../consensus/state.ts';
import type { Application } from './abci/application.ts';
import { EMPTY, toHex, toUpperHex } from './base/bytes.ts';
import { sha256Truncated } from './base/hash.ts';
import type { Config } from './config.ts';
import type { Engine } from './engine/engine.ts';
import type { PeerState } from './engine/peer-state.ts';
import type { ChainIndex } from './indexer/chain-index.ts';
import type { EventBus } from './indexer/event-bus.ts';
import { APP_VERSION } from './ledger/ledger.ts';
import { ADVERTISED } from './net/channels.ts';
import type { Host } from './net/host.ts';
import type { PeerStatus } from './net/status.ts';
import type { KeyPair } from './ops/home.ts';
import type {
  ChainReader,
  NodeDescription,
  PeerRoundView,
  PeerView,
  RoundView,
  RoundVotes,
  RpcPorts,
} from './rpc/ports.ts';
import type { Genesis } from './types/genesis.ts';
import { genesisText } from './types/genesis.ts';
import { MILLISECOND, type Time } from './types/time.ts';
import { VOTE_TYPE } from './types/vote.ts';

/** What RPC is built from. */
export type RpcParts = {
  readonly engine: Engine;
  readonly application: Application;
  readonly chain: ChainReader;
  readonly host: Host;
  readonly index: ChainIndex;
  readonly bus: EventBus;
  readonly genesis: Genesis;
  readonly config: Config;
  readonly nodeKey: KeyPair;
  readonly validatorKey: KeyPair;
};

/** Bytes of an Ed25519 key at the end of its peer id. */
const KEY_BYTES = 32;

/** CometBFT's name of a node: 20 bytes of its key's hash, in hex. */
function nodeId(publicKey: Uint8Array): string {
  return toHex(sha256Truncated(publicKey));
}

function ourselves({ config, nodeKey, host }: RpcParts): NodeDescription {
  return {
    id: nodeId(nodeKey.publicKey),
    listenAddress: host.listening()[0] ?? config.p2p.listen,
    moniker: config.moniker,
    appVersion: config.app === 'ledger' ? APP_VERSION : 1,
    channels: toUpperHex(ADVERTISED),
    rpcAddress: config.rpc.listen,
  };
}

function peerRound(peer: PeerState): PeerRoundView {
  const { round, polRound, lastCommitRound } = peer;
  const started = Date.now() - Math.round(performance.now() - peer.startedAt);
  return {
    height: peer.height,
    round,
    step: peer.step,
    startTime: BigInt(started) * MILLISECOND,
    hasProposal: peer.hasProposal,
    partSetHeader: peer.partSetHeader,
    parts: peer.parts,
    polRound,
    pol: peer.knownVotes(polRound, VOTE_TYPE.prevote),
    prevotes: peer.knownVotes(round, VOTE_TYPE.prevote),
    precommits: peer.knownVotes(round, VOTE_TYPE.precommit),
    lastCommitRound,
    lastCommit: peer.knownLastCommit,
    usefulVotes: peer.usefulVotes,
    usefulParts: peer.usefulParts,
  };
}

function peerView(peer: PeerStatus, state: PeerState | undefined): PeerView {
  const { info } = peer;
  return {
    node: {
      id: nodeId(base58.decode(peer.id).slice(-KEY_BYTES)),
      listenAddress: info.listenAddr,
      moniker: info.moniker,
      appVersion: info.protocolVersion.app,
      channels: toUpperHex(info.channels),
      rpcAddress: info.other.rpcAddress,
    },
    outbound: peer.direction === 'outbound',
    remoteIp: peer.remoteIp,
    connectedMs: peer.ageMs,
    sentBytes: peer.channels.reduce((sum, channel) => sum + channel.sentBytes, 0),
    receivedBytes: peer.receivedBytes,
    round: state && peerRound(state),
  };
}

function roundVotes(core: State): readonly RoundVotes[] {
  return [...core.votes.rounds]
    .sort(([a], [b]) => a - b)
    .map(([round, { prevotes, precommits }]) => ({
      round,
      prevotes: prevotes.votes,
      precommits: precommits.votes,
    }));
}

function roundView(core: State, lastTime: Time): RoundView | undefined {
  if (core.height === 0) return undefined;
  const { height, round, step, validators, proposal, locked, valid } = core;
  return {
    height,
    round,
    step,
    startTime: lastTime,
    commitTime: lastTime,
    validators,
    proposal,
    proposalBlockHash: core.block?.blockId.hash ?? EMPTY,
    lockedRound: locked?.round ?? -1,
    lockedBlockHash: locked?.blockId.hash ?? EMPTY,
    validRound: valid?.round ?? -1,
    validBlockHash: valid?.blockId.hash ?? EMPTY,
    votes: roundVotes(core),
  };
}

/** The ports of the RPC server. */
export function rpcPorts(parts: RpcParts): RpcPorts {
  const { engine, application, chain, host, index, bus, genesis, config } = parts;
  return {
    chainId: genesis.chainId,
    node: ourselves(parts),
    validatorKey: { type: 'ed25519', bytes: parts.validatorKey.publicKey },
    genesis: genesisText(genesis),
    chain,
    app: application,
    pool: {
      get size() {
        return engine.pending.txs;
      },
      get byteSize() {
        return engine.pending.bytes;
      },
      list: (limit) => engine.pendingTxs(limit),
      submit: (tx) => engine.submitTx(tx),
    },
    consensus: {
      get catchingUp() {
        return engine.catchingUp;
      },
      round: () => roundView(engine.round.core, engine.chain.lastTime),
      submitEvidence: async (evidence) => {
        await engine.submitEvidence(evidence);
      },
    },
    net: {
      get listening() {
        return host.listening().length > 0;
      },
      get listeners() {
        return host.listening();
      },
      peers: () => {
        const known = new Map(engine.peers.map((peer) => [peer.id, peer]));
        return host.status().peers.map((peer) => peerView(peer, known.get(peer.id)));
      },
    },
    index,
    bus,
    unsafe: config.rpc.unsafe
      ? {
          flushMempool: () => engine.flushMempool(),
          dialSeeds: (addresses) => dial(host, addresses),
          dialPeers: (addresses) => dial(host, addresses),
        }
      : undefined,
  };
}

function dial(host: Host, addresses: readonly string[]): void {
  for (const address of addresses) host.addAddress(address);
}
