/**
 * The generated contracts are those of contracts/, and their storage lies where it was committed to
 * lie.
 *
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { present } from '../../node/src/base/errors.ts';
import { files } from '../../scripts/contracts.ts';
import { type Compiled, compile, type StorageLayout } from '../../scripts/solidity.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const LAYOUT = join(ROOT, 'contracts', 'storage-layout.txt');

/** A type by its name and size; what a struct has in it follows, indented. */
function typeLines(layout: StorageLayout, type: string, indent: string): readonly string[] {
  const { label, numberOfBytes, members } = present(layout.types?.[type], type);
  const inside = (members ?? []).flatMap((member) => [
    `${indent}  ${member.slot}+${member.offset} ${member.label}`,
    ...typeLines(layout, member.type, `${indent}  `),
  ]);
  return [`${indent}  ${label}, ${numberOfBytes} bytes`, ...inside];
}

/** The types that mappings and lists hold, and that no variable names by itself. */
function innerTypes(layout: StorageLayout): readonly string[] {
  return Object.entries(layout.types ?? {})
    .filter(([, { members }]) => members !== undefined)
    .map(([type]) => type)
    .sort();
}

function layoutOf({ name, storageLayout }: Compiled): readonly string[] {
  const variables = storageLayout.storage.map(
    ({ slot, offset, label, type }) =>
      `  ${slot}+${offset} ${label}: ${present(storageLayout.types?.[type], type).label}`,
  );
  const structs = innerTypes(storageLayout).flatMap((type) => typeLines(storageLayout, type, ''));
  return [name, ...variables, ...structs, ''];
}

describe('generated contracts', () => {
  let compiled: readonly Compiled[] = [];

  before(function () {
    this.timeout(120_000);
    compiled = compile(ROOT);
  });

  it('are what the sources compile to', () => {
    for (const [name, text] of files(ROOT, compiled)) {
      const committed = readFileSync(join(ROOT, 'node/src/gen/contracts', name), 'utf8');
      expect(committed === text, `${name} is stale: npm run generate`).to.equal(true);
    }
  });

  it('keep their variables where they were', () => {
    const byName = new Map(compiled.map((contract) => [contract.name, contract]));
    const kept = compiled.filter(({ file, bytecode, storageLayout }) => {
      const placed = bytecode !== '' && !file.startsWith('contracts/examples/');
      return placed && storageLayout.storage.length > 0;
    });
    const text = kept
      .map(({ name }) => layoutOf(present(byName.get(name), name)).join('\n'))
      .sort()
      .join('\n');
    // To change it on purpose, with a plan for the chains that exist: UPDATE=1.
    if (process.env['UPDATE'] === '1') writeFileSync(LAYOUT, text);
    expect(text).to.equal(readFileSync(LAYOUT, 'utf8'));
  });
});
