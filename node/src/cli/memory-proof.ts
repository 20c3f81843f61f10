/**
 * `metatron memory proof`: fetches what proves an entry, a key, a listing or a space's growth.
 *
 * @module
 */
import { existsSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Command } from 'commander';
import { type ErrorSpec, errorSpec, LedgerError } from '../base/errors.ts';
import { wrongUsage } from '../ops/usage.ts';
import type { ProofBundle } from '../types/bundles.ts';
import { entryIdOf, nodeOption, ownerOf, wholeNumber } from './options.ts';
import { explain, note } from './output.ts';

/** Refusals. */
export const errors: {
  readonly NotWritten: ErrorSpec<{ readonly file: string; readonly reason: string }>;
} = {
  NotWritten: errorSpec('proof-file', 1, 'client', (p) => `cannot write ${p.file}: ${p.reason}`),
};

type ProofOptions = {
  readonly node: string;
  readonly out?: string;
  readonly listing?: string;
  readonly owner?: string;
  readonly key?: string;
  readonly since?: number;
};

/** What is to be proven. */
type Wanted =
  | { readonly id: string }
  | { readonly listing: string }
  | { readonly owner: string; readonly key: string }
  | { readonly owner: string; readonly since: number };

/** @throws LedgerError usage/1 if that is not one thing */
function wanted(id: string | undefined, options: ProofOptions): Wanted {
  const { listing, owner, key, since } = options;
  const named = [id, listing, owner].filter((value) => value !== undefined);
  const ofOwner = [key, since].filter((value) => value !== undefined);
  if (named.length === 1 && ofOwner.length === (owner === undefined ? 0 : 1)) {
    if (id !== undefined) return { id };
    if (listing !== undefined) return { listing };
    if (owner !== undefined && key !== undefined) return { owner, key };
    if (owner !== undefined && since !== undefined) return { owner, since };
  }
  return wrongUsage(
    'say what to prove, one of: an entry by its id; --listing OWNER; --owner OWNER --key KEY; ' +
      '--owner OWNER --since HEIGHT',
  );
}

async function fetchProof(node: string, of: Wanted): Promise<ProofBundle> {
  const { growthProof, memoryClient, reading } = await import('../ops/memory-read.ts');
  const client = memoryClient(node);
  if ('id' in of) return await reading(of, client.proof(of.id));
  if ('listing' in of) return await reading({ owner: of.listing }, client.listingProof(of.listing));
  if ('since' in of) return await growthProof(node, of.owner, of.since);
  return await reading(of, client.headProof(of.owner, of.key));
}

async function proof(id: string | undefined, options: ProofOptions): Promise<void> {
  const { node, out } = options;
  const of = wanted(id, options);
  if (out !== undefined && !existsSync(dirname(out))) {
    const reason = `there is no folder ${dirname(out)}`;
    throw new LedgerError(errors.NotWritten, { file: out, reason });
  }
  const text = `${JSON.stringify(await fetchProof(node, of))}\n`;
  if (out === undefined) {
    process.stdout.write(text);
    return;
  }
  try {
    writeFileSync(out, text);
  } catch (cause) {
    throw new LedgerError(errors.NotWritten, { file: out, reason: explain(cause) }, cause);
  }
  note(`wrote ${out}; check it anywhere with: metatron verify ${out} --genesis GENESIS`);
}

/** Adds `memory proof`. */
export function registerProof(memory: Command): void {
  memory
    .command('proof')
    .argument('[id]', 'id of an entry', entryIdOf)
    .description('everything that proves an entry, as JSON for "metatron verify"')
    .option(
      '--listing <owner>',
      "prove all entries of an owner's space, or of a space by its id: none is left out",
      ownerOf('--listing'),
    )
    .option(
      '--owner <address>',
      'with --key or --since: whose space, or the id of a space',
      ownerOf('--owner'),
    )
    .option('--key <key>', "prove the key's newest entry instead, or that it has none")
    .option(
      '--since <height>',
      'prove instead that nothing was changed or removed since then',
      wholeNumber(1, 2 ** 53 - 1),
    )
    .option('--out <file>', 'write it to a file')
    .addOption(nodeOption())
    .action(proof);
}
