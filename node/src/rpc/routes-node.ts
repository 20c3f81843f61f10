/**
 * JSON-RPC methods about this node: status, network, genesis, consensus state; and unsafe ones.
 *
 * Spec: CometBFT 0.38 rpc/core/{status,net,consensus,health}.go.
 *
 * @module
 */

import { EMPTY } from '../base/bytes.ts';
import { LedgerError } from '../base/errors.ts';
import { addressOf } from '../types/keys.ts';
import { formatTime, ZERO_TIME } from '../types/time.ts';
import { indexOfValidator } from '../types/validators.ts';
import { badParams, errors } from './errors.ts';
import { hex, type Json, type JsonObject, publicKeyJson } from './json.ts';
import { peerJson, peerRoundJson, roundJson, simpleRoundJson } from './json-consensus.ts';
import type { NodeDescription, RpcPorts, UnsafeActions } from './ports.ts';
import { type Routes, required, route } from './route.ts';

/** What the node calls itself; clients choose their decoder by the first two numbers. */
export const COMET_VERSION = '0.38.25';
/** Versions of the protocols, as CometBFT counts them. */
const P2P_PROTOCOL = 8;
const BLOCK_PROTOCOL = 11;
/** Bytes of a chunk of the genesis file. */
const GENESIS_CHUNK_BYTES = 16 * 1_048_576;

/** A node's description in CometBFT's shape. */
function nodeJson(chainId: string, node: NodeDescription): JsonObject {
  return {
    protocol_version: {
      p2p: String(P2P_PROTOCOL),
      block: String(BLOCK_PROTOCOL),
      app: String(node.appVersion),
    },
    id: node.id,
    listen_addr: node.listenAddress,
    network: chainId,
    version: COMET_VERSION,
    channels: node.channels,
    moniker: node.moniker,
    other: { tx_index: 'on', rpc_address: node.rpcAddress },
  };
}

function syncJson({ chain, consensus }: RpcPorts): JsonObject {
  const latest = chain.meta(chain.height);
  const earliest = chain.meta(chain.base);
  const state = chain.state();
  return {
    latest_block_hash: hex(latest?.blockId.hash ?? EMPTY),
    latest_app_hash: hex(state?.appHash ?? EMPTY),
    latest_block_height: String(chain.height),
    latest_block_time: formatTime(latest?.header.time ?? ZERO_TIME),
    earliest_block_hash: hex(earliest?.blockId.hash ?? EMPTY),
    earliest_app_hash: hex(earliest?.header.appHash ?? EMPTY),
    earliest_block_height: String(chain.base),
    earliest_block_time: formatTime(earliest?.header.time ?? ZERO_TIME),
    catching_up: consensus.catchingUp,
  };
}

function status(ports: RpcPorts): JsonObject {
  const { chain, validatorKey } = ports;
  const address = addressOf(validatorKey);
  const set = chain.validators(chain.height + 1) ?? chain.state()?.validators;
  const at = set === undefined ? -1 : indexOfValidator(set, address);
  return {
    node_info: nodeJson(ports.chainId, ports.node),
    sync_info: syncJson(ports),
    validator_info: {
      address: hex(address),
      pub_key: publicKeyJson(validatorKey),
      voting_power: String(set?.validators[at]?.power ?? 0n),
    },
  };
}

function unsafeRoutes(actions: UnsafeActions): Routes {
  return {
    dial_seeds: route({ seeds: 'texts' }, (p) => {
      const seeds = required(p.seeds, 'seeds');
      if (seeds.length === 0) badParams('no seeds provided');
      actions.dialSeeds(seeds);
      return { log: 'Dialing seeds in progress. See /net_info for details' };
    }),
    dial_peers: route({ peers: 'texts', persistent: 'bool' }, (p) => {
      const peers = required(p.peers, 'peers');
      if (peers.length === 0) badParams('no peers provided');
      actions.dialPeers(peers, p.persistent ?? false);
      return { log: 'Dialing peers in progress. See /net_info for details' };
    }),
    unsafe_flush_mempool: route({}, () => {
      actions.flushMempool();
      return {};
    }),
  };
}

/** The methods, over the ports; unsafe ones only if their port is there. */
export function nodeRoutes(ports: RpcPorts): Routes {
  const { genesis, net, consensus, chainId } = ports;
  const parsedGenesis = JSON.parse(genesis) as Json;
  const chunks = Math.max(1, Math.ceil(Buffer.byteLength(genesis) / GENESIS_CHUNK_BYTES));
  const round = () => {
    const view = consensus.round();
    if (view !== undefined) return view;
    throw new LedgerError(errors.Unavailable, { reason: 'consensus has not started' });
  };
  return {
    health: route({}, () => ({})),
    status: route({}, () => status(ports)),
    net_info: route({}, () => {
      const peers = net.peers();
      return {
        listening: net.listening,
        listeners: [...net.listeners],
        n_peers: String(peers.length),
        peers: peers.map((peer) => peerJson(nodeJson(chainId, peer.node), peer)),
      };
    }),
    genesis: route({}, () => {
      if (chunks > 1) badParams('genesis response is large, please use the genesis_chunked API');
      return { genesis: parsedGenesis };
    }),
    genesis_chunked: route({ chunk: 'int' }, (p) => {
      const chunk = p.chunk ?? 0;
      if (chunk < 0 || chunk >= chunks) {
        badParams(`there are ${chunks - 1} chunks, ${chunk} is invalid`);
      }
      const from = chunk * GENESIS_CHUNK_BYTES;
      const data = Buffer.from(genesis).subarray(from, from + GENESIS_CHUNK_BYTES);
      return { chunk: String(chunk), total: String(chunks), data: data.toString('base64') };
    }),
    consensus_state: route({}, () => ({ round_state: simpleRoundJson(round()) })),
    dump_consensus_state: route({}, () => ({
      round_state: roundJson(round()),
      peers: net.peers().flatMap(({ node: { id, listenAddress }, round: state }) => {
        if (state === undefined) return [];
        return [{ node_address: `${id}@${listenAddress}`, peer_state: peerRoundJson(state) }];
      }),
    })),
    ...(ports.unsafe === undefined ? {} : unsafeRoutes(ports.unsafe)),
  };
}
