/**
 * `metatron tx`: transactions other than memory writes.
 *
 * Upholds: the result is printed after the transaction is in a block, unless `--async` says not to
 * wait; then it says that nothing is promised yet.
 *
 * @module
 */
import { type Command, Option } from 'commander';
import { abiOption, jsonOption, nodeOption } from './options.ts';
import { note, printResult } from './output.ts';
import { openSigner, type SignOptions, withSigner } from './signer.ts';

type Outcome = { readonly hash: string; readonly height: number; readonly gasUsed: number };

/** Prints a transaction that is in a block. */
export function printCommitted(json: boolean, tx: Outcome, more: object = {}): void {
  const { hash, height, gasUsed } = tx;
  printResult(json, { hash, height, gasUsed, ...more }, () =>
    [
      `hash    ${hash}`,
      `height  ${height}`,
      `gas     ${gasUsed}`,
      ...Object.entries(more).map(([name, value]) => `${name.padEnd(7)} ${String(value)}`),
    ].join('\n'),
  );
}

type SendOptions = SignOptions & { readonly json?: true };

async function send(to: string, coins: string, options: SendOptions): Promise<void> {
  const [
    { sendMessage },
    { parseCoins },
    { checkAddress, wrongUsage },
    { addressOn },
    { nodeRpc },
  ] = await Promise.all([
    import('../ops/transaction.ts'),
    import('../ops/coins.ts'),
    import('../ops/usage.ts'),
    import('../client/accounts.ts'),
    import('../ops/rpc-client.ts'),
  ]);
  checkAddress(to, 'the receiver');
  const amount = parseCoins(coins);
  if (amount.length === 0) wrongUsage('say what to send, such as 1000aphi');
  const signer = await openSigner(options);
  const receiver = await addressOn(nodeRpc(options.node), to);
  const done = await signer.deliver([sendMessage(signer.address, receiver, amount)]);
  printCommitted(options.json === true, done);
}

type BroadcastOptions = {
  readonly node: string;
  readonly encoding: 'hex' | 'base64' | 'text';
  readonly async?: true;
  readonly abi: readonly string[];
  readonly json?: true;
};

async function broadcast(tx: string, options: BroadcastOptions): Promise<void> {
  const chain = await import('../ops/chain-client.ts');
  const { readNamed } = await import('../ops/named-file.ts');
  const text = tx.startsWith('@') ? readNamed(tx.slice(1), 'the transaction') : tx;
  const bytes = chain.bytesFromText(text, options.encoding);
  const { readErrors, toldWith } = await import('../ops/refusals.ts');
  const abi = await readErrors(options.abi);
  if (options.async === true) {
    const hash = await toldWith(abi, chain.broadcast(options.node, bytes));
    printResult(options.json === true, { hash }, () => `hash    ${hash}`);
    note('It passed the check of one node; that promises nothing about a block.');
    return;
  }
  printCommitted(options.json === true, await toldWith(abi, chain.deliver(options.node, bytes)));
}

/** Adds `tx` and its subcommands. */
export function registerTx(program: Command): void {
  const tx = program
    .command('tx')
    .description('send coins, or a transaction that was signed elsewhere')
    .addHelpText(
      'after',
      '\nExamples:\n  metatron tx send metatron1… 1000aphi --from alice\n' +
        '  metatron tx send 0x… 1000aphi --from alice\n' +
        '  metatron tx broadcast @signed.b64\n' +
        '  metatron tx broadcast --encoding text name=satoshi     (kvstore)',
    );
  withSigner(
    tx.command('send <to> <coins>').description('send coins to an address, metatron1… or 0x…'),
  )
    .addOption(jsonOption())
    .action(send);
  tx.command('broadcast <tx>')
    .description('send a signed transaction: the bytes, or @FILE')
    .addOption(
      new Option('--encoding <encoding>', 'how the bytes are written')
        .choices(['base64', 'hex', 'text'])
        .default('base64'),
    )
    .option('--async', 'return after the check, before it is in a block')
    .addOption(abiOption())
    .addOption(nodeOption())
    .addOption(jsonOption())
    .action(broadcast);
}
