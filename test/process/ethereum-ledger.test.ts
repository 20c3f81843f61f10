/**
 * One key on both sides of a real devnet: ethers signs, CosmJS reads, and the balances agree.
 *
 * @module
 */
import { StargateClient } from '@cosmjs/stargate';
import { expect } from 'chai';
import { Wallet } from 'ethers';
import { encodeBech32 } from '../../node/src/base/bech32.ts';
import { fromBase64, fromHex, toBase64, toHex } from '../../node/src/base/bytes.ts';
import { present } from '../../node/src/base/errors.ts';
import {
  QueryAccountRequest,
  QueryAccountResponse,
  QueryParamsResponse,
  QueryReceiptRequest,
  QueryReceiptResponse,
  QueryWrapRequest,
  QueryWrapResponse,
} from '../../node/src/gen/metatron/evm/v1/query.ts';
import { call, pick, pickText } from '../../node/src/ops/rpc-client.ts';
import { type Devnet, metatron, startDevnet, temporaryFolder, until } from './support.ts';

const bytes = (hex: string): Uint8Array => present(fromHex(hex.replace(/^0x/, '')), 'hex');

describe('Ethereum transactions on real processes', function () {
  this.timeout(240_000);
  const folder = temporaryFolder();
  let devnet: Devnet | undefined;
  let rpc = '';

  before(async () => {
    devnet = await startDevnet(folder.path, ['--validators', '2']);
    ({ rpc } = devnet.summary);
  });
  after(async () => {
    await devnet?.stop();
    folder.remove();
  });

  async function query(method: string, data: Uint8Array): Promise<Uint8Array> {
    const path = `/metatron.evm.v1.Query/${method}`;
    const answer = await call(rpc, 'abci_query', { path, data: toHex(data) });
    expect(pick(answer, 'response', 'code'), JSON.stringify(answer)).to.equal(0);
    return present(fromBase64(pickText(answer, 'response', 'value')), 'base64');
  }

  async function accountOf(address: string): Promise<QueryAccountResponse> {
    const request = QueryAccountRequest.encode({ address }).finish();
    return QueryAccountResponse.decode(await query('Account', request));
  }

  /** Sends a signed transaction and waits for its receipt. */
  async function send(raw: Uint8Array): Promise<QueryReceiptResponse['receipt']> {
    const wrapped = await query('Wrap', QueryWrapRequest.encode({ raw }).finish());
    const { tx, hash } = QueryWrapResponse.decode(wrapped);
    const sent = await call(rpc, 'broadcast_tx_sync', { tx: toBase64(tx) });
    expect(pick(sent, 'code'), JSON.stringify(sent)).to.equal(0);
    let receipt: QueryReceiptResponse['receipt'];
    await until('a receipt', 10_000, async () => {
      const answer = await query('Receipt', QueryReceiptRequest.encode({ hash }).finish());
      ({ receipt } = QueryReceiptResponse.decode(answer));
      return receipt !== undefined;
    });
    return receipt;
  }

  it('reach one account by both faces, also when its 0x face was funded first', async () => {
    const { accounts, chainId: text } = present(devnet, 'devnet').summary;
    const alice = present(accounts[0], 'alice');
    const fresh = Wallet.createRandom();
    const face = encodeBech32('metatron', bytes(fresh.address));
    const home = ['--devnet-home', folder.path, '--node', rpc];
    const paid = await metatron(['tx', 'send', face, '1000aphi', '--from', 'alice', ...home]);
    expect(paid.code, paid.stderr).to.equal(0);
    const { chainId } = QueryParamsResponse.decode(await query('Params', new Uint8Array(0)));
    const draft = { chainId, gasLimit: 21_000n, maxFeePerGas: 0n, maxPriorityFeePerGas: 0n };
    const first = { ...draft, nonce: 0, to: alice.evmAddress, value: 400n };
    const receipt = await send(bytes(await fresh.signTransaction(first)));
    expect([receipt?.status, receipt?.gasUsed]).to.deep.equal([1, 21_000n]);
    const cosmos = await StargateClient.connect(rpc);
    const account = await accountOf(fresh.address);
    expect([account.balance, account.nonce]).to.deep.equal(['600', 1n]);
    for (const address of [account.address, face]) {
      expect((await cosmos.getBalance(address, 'aphi')).amount).to.equal('600');
      expect((await cosmos.getAccount(address))?.sequence).to.equal(1);
    }
    const { api } = present(devnet, 'devnet').summary;
    for (const address of [account.address, face, fresh.address]) {
      const answer = await fetch(`${api}/v1/accounts/${address}`);
      const evmAddress = fresh.address.toLowerCase();
      expect(await answer.json()).to.include({ address: account.address, evmAddress });
    }
    const tx = `ethereum_tx.ethereumTxHash='0x${toHex(receipt?.hash ?? new Uint8Array(0))}'`;
    const found = await cosmos.searchTx(tx);
    expect(found.map(({ code }) => code)).to.deep.equal([0]);
    expect(text).to.not.equal('');
    cosmos.disconnect();
  });

  it('are found the same on every validator', async () => {
    const { nodes } = present(devnet, 'devnet').summary;
    const heights = nodes.map((node) => call(node.rpc, 'block', { height: '3' }));
    const hashes = (await Promise.all(heights)).map((b) =>
      pickText(b, 'block', 'header', 'app_hash'),
    );
    expect(new Set(hashes).size).to.equal(1);
  });
});
