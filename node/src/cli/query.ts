/**
 * `metatron query`: what a node says about the chain.
 *
 * Upholds: `--json` prints the node's own answer; the text for people is a digest of it. An answer
 * of the application that carries a code is printed and exits 1.
 *
 * @module
 */
import type { Command } from 'commander';
import { describe, type ErrorSpec, errorSpec, LedgerError } from '../base/errors.ts';
import { abiOption, jsonOption, nodeOption, wholeNumber } from './options.ts';
import { EXIT, printResult, table } from './output.ts';

/** What a node does not have. */
export const errors: {
  readonly NoBlockYet: ErrorSpec<{ readonly height: number; readonly latest: string }>;
  readonly Pruned: ErrorSpec<{ readonly height: number; readonly oldest: string }>;
  readonly NoTx: ErrorSpec<{ readonly hash: string }>;
} = {
  NoBlockYet: errorSpec(
    'query',
    1,
    'client',
    (p) => `there is no block ${p.height} yet: the newest of this node is ${p.latest}`,
  ),
  Pruned: errorSpec(
    'query',
    2,
    'client',
    (p) =>
      `this node keeps block ${p.height} no longer: its oldest is ${p.oldest}; ` +
      'ask a node that keeps more with --node',
  ),
  NoTx: errorSpec(
    'query',
    3,
    'client',
    (p) =>
      `no transaction ${p.hash} in a block of this node: it may still wait ` +
      '("metatron query rpc unconfirmed_txs"), or it was sent to another chain (see --node)',
  ),
};

type Options = { readonly node: string; readonly json?: true };

/** A route, its parameters, and the fields that people see: label and path. */
type View = {
  readonly method: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly fields: readonly (readonly [label: string, ...path: (string | number)[]])[];
};

/**
 * @param refused - says a refusal of the node better, from the node's reason
 * @param worded - says a field's text better
 */
async function show(
  view: View,
  options: Options,
  refused: (reason: string) => LedgerError | undefined = () => undefined,
  worded: (label: string, text: string) => string | Promise<string> = (_, text) => text,
): Promise<void> {
  const { call, errors: client, pickText } = await import('../ops/rpc-client.ts');
  const answer = await call(options.node, view.method, view.params).catch((thrown: unknown) => {
    const better = LedgerError.is(thrown, client.Refused) && refused(thrown.params.reason);
    throw better || thrown;
  });
  const rows = view.fields.map(async ([label, ...path]) => [
    label,
    await worded(label, pickText(answer, ...path)),
  ]);
  const cells = await Promise.all(rows);
  printResult(options.json === true, answer, () => table(cells));
}

function status(options: Options): Promise<void> {
  const fields: View['fields'] = [
    ['chain', 'node_info', 'network'],
    ['moniker', 'node_info', 'moniker'],
    ['version', 'node_info', 'version'],
    ['height', 'sync_info', 'latest_block_height'],
    ['block', 'sync_info', 'latest_block_hash'],
    ['app hash', 'sync_info', 'latest_app_hash'],
    ['time', 'sync_info', 'latest_block_time'],
    ['validator', 'validator_info', 'address'],
    ['power', 'validator_info', 'voting_power'],
  ];
  return show({ method: 'status', fields }, options);
}

/** Why a node has no block of this height. */
function noBlock(height: number, reason: string): LedgerError | undefined {
  const latest = /current blockchain height (\d+)/.exec(reason)?.[1];
  if (latest !== undefined) return new LedgerError(errors.NoBlockYet, { height, latest });
  const oldest = /lowest height is (\d+)/.exec(reason)?.[1];
  return oldest === undefined ? undefined : new LedgerError(errors.Pruned, { height, oldest });
}

function block(height: number | undefined, options: Options): Promise<void> {
  const header = ['block', 'header'] as const;
  const params = height === undefined ? {} : { height: String(height) };
  const fields: View['fields'] = [
    ['height', ...header, 'height'],
    ['hash', 'block_id', 'hash'],
    ['time', ...header, 'time'],
    ['proposer', ...header, 'proposer_address'],
    ['app hash', ...header, 'app_hash'],
    ['last results', ...header, 'last_results_hash'],
  ];
  return show({ method: 'block', params, fields }, options, (reason) =>
    height === undefined ? undefined : noBlock(height, reason),
  );
}

type TxOptions = Options & { readonly abi: readonly string[] };

async function tx(hash: string, options: TxOptions): Promise<void> {
  const { fromHex, toBase64 } = await import('../base/bytes.ts');
  const { wrongUsage } = await import('../ops/usage.ts');
  const bytes = fromHex(hash.replace(/^0x/, ''));
  if (bytes?.length !== 32) {
    return wrongUsage(`"${hash}" is no hash of a transaction, which has 64 hex digits`);
  }
  const fields: View['fields'] = [
    ['hash', 'hash'],
    ['height', 'height'],
    ['index', 'index'],
    ['code', 'tx_result', 'code'],
    ['log', 'tx_result', 'log'],
    ['gas wanted', 'tx_result', 'gas_wanted'],
    ['gas used', 'tx_result', 'gas_used'],
  ];
  const { inWords, readErrors } = await import('../ops/refusals.ts');
  const abi = await readErrors(options.abi);
  const view = { method: 'tx', params: { hash: toBase64(bytes) }, fields };
  const missing = (reason: string): LedgerError | undefined =>
    /not found/.test(reason) ? new LedgerError(errors.NoTx, { hash }) : undefined;
  await show(view, options, missing, (label, text) =>
    label === 'log' ? inWords(text, abi) : text,
  );
}

async function validators(options: Options): Promise<void> {
  const { call, pick, pickText } = await import('../ops/rpc-client.ts');
  const answer = await call(options.node, 'validators', { per_page: '100' });
  const list = pick(answer, 'validators');
  const rows = (Array.isArray(list) ? list : []).map((v: unknown) => [
    pickText(v, 'address'),
    pickText(v, 'voting_power'),
    pickText(v, 'proposer_priority'),
  ]);
  printResult(options.json === true, answer, () =>
    table([['address', 'power', 'priority'], ...rows]),
  );
}

async function account(text: string, options: Options): Promise<void> {
  const [chain, { accountOn }, { nodeRpc }] = await Promise.all([
    import('../ops/chain-client.ts'),
    import('../client/accounts.ts'),
    import('../ops/rpc-client.ts'),
  ]);
  const { accountNumber, sequence } = await chain.account(options.node, text);
  const { address, evmAddress } = await accountOn(nodeRpc(options.node), text);
  printResult(options.json === true, { address, evmAddress, accountNumber, sequence }, () =>
    table([
      ['address', address],
      ['evm address', evmAddress ?? '(the chain has not seen its key yet)'],
      ['account number', String(accountNumber)],
      ['sequence', String(sequence)],
    ]),
  );
}

async function balance(address: string, options: Options): Promise<void> {
  const { balances } = await import('../ops/chain-client.ts');
  const coins = await balances(options.node, address);
  printResult(options.json === true, { address, balances: coins }, () =>
    coins.length === 0 ? 'nothing' : table(coins.map((c) => [c.amount, c.denom])),
  );
}

type AbciOptions = Options & { readonly height: number; readonly prove?: true };

async function abci(path: string, data: string, options: AbciOptions): Promise<void> {
  const { call, pickText } = await import('../ops/rpc-client.ts');
  const { fromHex } = await import('../base/bytes.ts');
  const { wrongUsage } = await import('../ops/usage.ts');
  if (fromHex(data) === undefined) wrongUsage(`data is hex, unlike "${data}"`);
  const { height, prove } = options;
  const params = { path, data, height: String(height), prove: prove === true };
  const answer = await call(options.node, 'abci_query', params);
  if (Number(pickText(answer, 'response', 'code')) !== 0) process.exitCode = EXIT.refused;
  printResult(options.json === true, answer, () => JSON.stringify(answer, null, 2));
}

async function raw(method: string, params: string | undefined, options: Options): Promise<void> {
  const { call } = await import('../ops/rpc-client.ts');
  const { wrongUsage } = await import('../ops/usage.ts');
  let named: unknown;
  try {
    named = JSON.parse(params ?? '{}');
  } catch (cause) {
    wrongUsage(`params are no JSON (${describe(cause)}); write them as '{"height":"1"}'`, cause);
  }
  if (typeof named !== 'object' || named === null) {
    return wrongUsage(`params are a JSON object such as '{"height":"1"}', unlike ${params}`);
  }
  const answer = await call(options.node, method, named as Readonly<Record<string, unknown>>);
  printResult(options.json === true, answer, () => JSON.stringify(answer, null, 2));
}

/** Adds `query` and its subcommands. */
export function registerQuery(program: Command): void {
  const query = program
    .command('query')
    .alias('q')
    .description('ask a node about the chain')
    .addHelpText(
      'after',
      '\nExamples:\n  metatron query status\n  metatron query block 12 --json\n' +
        '  metatron query balance metatron1…\n' +
        '  metatron query rpc tx_search \'{"query":"tx.height=5"}\'',
    );
  const command = (name: string, what: string): Command =>
    query.command(name).description(what).addOption(nodeOption()).addOption(jsonOption());
  command('status', 'the node and its newest block').action(status);
  query
    .command('block')
    .description('a block; the newest if no height is given')
    .argument('[height]', 'height', wholeNumber(1, Number.MAX_SAFE_INTEGER))
    .addOption(nodeOption())
    .addOption(jsonOption())
    .action(block);
  command('tx <hash>', 'a transaction by its hash').addOption(abiOption()).action(tx);
  command('validators', 'the validators of the next block').action(validators);
  command('account <address>', 'both addresses, number and sequence of an account').action(account);
  command('balance <address>', 'what an account holds').action(balance);
  command('abci <path> [data]', 'an ABCI query; data in hex; exits 1 if its code is not 0')
    .option('--height <height>', 'height to read; 0 is the newest', wholeNumber(0, 2 ** 53 - 1), 0)
    .option('--prove', 'ask for a proof')
    .action((path: string, data: string | undefined, options: AbciOptions) =>
      abci(path, data ?? '', options),
    );
  command('rpc <method> [params]', 'any route of the RPC; params are a JSON object').action(raw);
}
