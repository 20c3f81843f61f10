/**
 * The protocol itself: errors, batches, blocks by every name, logs and filters, proofs, fees.
 *
 * @module
 */
import {
  ics23,
  tendermintSpec as SPEC,
  verifyMembership,
  verifyNonMembership,
} from '@confio/ics23';
import { expect } from 'chai';
import type { EthNet, RawAnswer } from './eth-net.ts';

type Block = { readonly number: string; readonly hash: string; readonly stateRoot: string };
type Proof = {
  readonly balance: string;
  readonly storageHash: string;
  readonly accountProof: readonly string[];
  readonly storageProof: readonly { readonly value: string; readonly proof: readonly string[] }[];
};

function bytes(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex.slice(2), 'hex'));
}

/** What an ICS-23 proof proves under a root, by the unmodified verifier. */
function provenBy(
  proof: Uint8Array,
  root: Uint8Array,
): { readonly what: 'existence' | 'absence' | 'nothing'; readonly value: string } {
  const decoded = ics23.CommitmentProof.decode(proof);
  const { exist, nonexist } = decoded;
  const value = exist?.value ?? new Uint8Array(0);
  const text = new TextDecoder().decode(value);
  if (exist?.key && verifyMembership(decoded, SPEC, root, exist.key, value)) {
    return { what: 'existence', value: text };
  }
  const absent = nonexist?.key && verifyNonMembership(decoded, SPEC, root, nonexist.key);
  return { what: absent === true ? 'absence' : 'nothing', value: text };
}

/** The tests. */
export function protocolTests(net: EthNet): void {
  it('answers malformed requests with the codes of JSON-RPC', async () => {
    const cases: readonly (readonly [body: string, code: number])[] = [
      ['{', -32_700],
      ['[]', -32_600],
      ['1', -32_600],
      ['{"jsonrpc":"1.0","id":1,"method":"eth_chainId"}', -32_600],
      ['{"jsonrpc":"2.0","id":1}', -32_600],
      ['{"jsonrpc":"2.0","id":1,"method":"eth_nothing"}', -32_601],
      ['{"jsonrpc":"2.0","id":1,"method":"eth_subscribe","params":["newHeads"]}', -32_601],
      ['{"jsonrpc":"2.0","id":1,"method":"eth_getBalance"}', -32_602],
      ['{"jsonrpc":"2.0","id":1,"method":"eth_getBalance","params":{}}', -32_602],
      ['{"jsonrpc":"2.0","id":1,"method":"eth_getBalance","params":["0x12"]}', -32_602],
      ['{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[1]}', -32_602],
      ['{"jsonrpc":"2.0","id":1,"method":"eth_sendRawTransaction","params":["0x00"]}', -32_000],
    ];
    for (const [body, code] of cases) {
      const answer = (await net.post(body)) as RawAnswer;
      expect(answer.error?.code, body).to.equal(code);
    }
    const none = await net.post('{"jsonrpc":"2.0","method":"eth_chainId"}');
    expect(none).to.equal(undefined);
  });

  it('keeps web pages and large bodies out', async () => {
    const body = '{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}';
    const headers = { 'content-type': 'application/json', origin: 'https://elsewhere.example' };
    const page = await fetch(net.url, { method: 'POST', headers, body });
    expect([page.status, await page.text()].join(' ')).to.match(/^403 .*evm\.origins/);
    const large = await fetch(net.url, { method: 'POST', body: ' '.repeat(3_000_000) });
    expect(large.status).to.equal(413);
    expect((await fetch(net.url)).status).to.equal(200);
    expect((await fetch(`${net.url}/elsewhere`, { method: 'POST', body })).status).to.equal(404);
  });

  it('answers a batch in order, and refuses one that is too large', async () => {
    const request = (id: unknown) => ({ jsonrpc: '2.0', id, method: 'eth_chainId', params: [] });
    const ids = [7, 'x', null];
    const answers = (await net.post(JSON.stringify(ids.map(request)))) as readonly RawAnswer[];
    expect(answers.map(({ id }) => id)).to.deep.equal(ids);
    const chainId = `0x${net.devnet.summary.evmChainId?.toString(16)}`;
    expect(answers.map(({ result }) => result)).to.deep.equal([chainId, chainId, chainId]);
    const many = Array.from({ length: 101 }, (_, i) => request(i));
    const refused = (await net.post(JSON.stringify(many))) as RawAnswer;
    expect(refused.error).to.deep.equal({ code: -32_600, message: 'batch too large' });
  });

  it('knows a block by number, hash, tag and EIP-1898 object', async () => {
    const block = await net.result<Block>('eth_getBlockByNumber', '0x2', false);
    expect(await net.result('eth_getBlockByHash', block.hash, false)).to.deep.equal(block);
    const who = net.account(2).evmAddress;
    const refs = ['0x2', { blockNumber: '0x2' }, { blockHash: block.hash }, block.hash, 'earliest'];
    const balances = await Promise.all(refs.map((ref) => net.result('eth_getBalance', who, ref)));
    expect(new Set(balances).size).to.equal(1);
    for (const tag of ['latest', 'safe', 'finalized', 'pending', undefined]) {
      expect(await net.result('eth_getTransactionCount', who, tag)).to.equal('0x0');
    }
    expect(await net.result('eth_getBlockByNumber', '0xffffff', false)).to.equal(null);
    const { error } = await net.raw('eth_getBalance', who, '0xffffff');
    expect(error).to.deep.equal({ code: -32_000, message: 'header not found' });
    const first = await net.result<Block>('eth_getBlockByNumber', 'earliest', false);
    expect(first.number).to.equal('0x1');
  });

  it('proves balances and slots with ICS-23 under the next stateRoot', async () => {
    const who = net.account(2).evmAddress;
    const height = Number(await net.result<string>('eth_blockNumber')) - 1;
    const at = `0x${height.toString(16)}`;
    const proof = await net.result<Proof>('eth_getProof', who, ['0x0'], at);
    const next = `0x${(height + 1).toString(16)}`;
    const { stateRoot } = await net.result<Block>('eth_getBlockByNumber', next, false);
    expect(proof.storageHash).to.equal(stateRoot);
    const root = bytes(stateRoot);
    const said = [...proof.accountProof, proof.storageProof[0]?.proof[0] ?? '0x'].map((hex) =>
      provenBy(bytes(hex), root),
    );
    expect(said.map(({ what }) => what)).to.deep.equal([
      'existence',
      'existence',
      'absence',
      'existence',
      'absence',
    ]);
    expect(said[1]?.value).to.include(BigInt(proof.balance).toString());
    expect(proof.storageProof[0]?.value).to.equal('0x0');
  });

  it('filters blocks, logs and pending transactions for those who poll', async () => {
    const blocks = await net.result<string>('eth_newBlockFilter');
    const pending = await net.result<string>('eth_newPendingTransactionFilter');
    const logs = await net.result<string>('eth_newFilter', { address: net.account(0).evmAddress });
    const sent = await net.wallet(2).sendTransaction({
      to: net.account(0).evmAddress,
      value: 1n,
      gasLimit: 21_000,
    });
    const receipt = await sent.wait();
    expect(await net.result('eth_getFilterChanges', blocks)).to.include(receipt?.blockHash);
    expect(await net.result('eth_getFilterChanges', pending)).to.include(sent.hash);
    expect(await net.result('eth_getFilterChanges', logs)).to.deep.equal([]);
    expect(await net.result('eth_getFilterLogs', logs)).to.deep.equal([]);
    expect(await net.result('eth_uninstallFilter', blocks)).to.equal(true);
    expect(await net.result('eth_uninstallFilter', blocks)).to.equal(false);
    const { error } = await net.raw('eth_getFilterChanges', blocks);
    expect(error).to.deep.equal({ code: -32_000, message: 'filter not found' });
  });

  it('tells prices, receipts of blocks and who the node is', async () => {
    const history = await net.result<{ baseFeePerGas: string[]; gasUsedRatio: number[] }>(
      'eth_feeHistory',
      '0x3',
      'latest',
      [10, 90],
    );
    expect([history.baseFeePerGas.length, history.gasUsedRatio.length]).to.deep.equal([4, 3]);
    const bad = await net.raw('eth_feeHistory', '0x3', 'latest', [90, 10]);
    expect(bad.error?.code).to.equal(-32_000);
    const sent = await net.wallet(2).sendTransaction({ to: net.account(0).evmAddress, value: 1n });
    const receipt = await sent.wait();
    const number = `0x${receipt?.blockNumber.toString(16)}`;
    const receipts = await net.result<{ transactionHash: string }[]>(
      'eth_getBlockReceipts',
      number,
    );
    expect(receipts.map((one) => one.transactionHash)).to.include(sent.hash);
    expect(await net.result('eth_accounts')).to.deep.equal([]);
    expect(await net.result('eth_syncing')).to.equal(false);
    expect(await net.result('net_version')).to.equal(String(net.devnet.summary.evmChainId));
    expect(await net.result('web3_clientVersion')).to.match(/^metatron-ledger\/v/);
    const range = await net.raw('eth_getLogs', { fromBlock: '0x5', toBlock: '0x2' });
    expect(range.error?.code).to.equal(-32_602);
  });
}
