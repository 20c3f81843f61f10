/**
 * The refusals of module memory.
 *
 * Upholds: codes in codespace `memory` are consensus and never reused.
 *
 * @module
 */
import { type ErrorSpec, errorSpec } from '../../base/errors.ts';

/** The parameters of each refusal. */
export type MemoryErrors = {
  readonly BadField: { readonly field: string; readonly reason: string };
  readonly VersionConflict: {
    readonly key: string;
    readonly expected: string;
    readonly current: string;
  };
  readonly SpaceNotWritable: { readonly space: string };
  readonly EntryNotFound: { readonly id: string };
  readonly SpaceNotFound: { readonly space: string };
  readonly KeyNotFound: { readonly key: string };
};

/** Refusals in codespace `memory`. */
export const errors: { readonly [N in keyof MemoryErrors]: ErrorSpec<MemoryErrors[N]> } = {
  BadField: errorSpec('memory', 1, 'client', (p) => `${p.field} ${p.reason}`),
  VersionConflict: errorSpec(
    'memory',
    2,
    'client',
    (p) =>
      `version conflict on key ${JSON.stringify(p.key)}: ` +
      `expected version ${p.expected}, current version ${p.current}`,
  ),
  SpaceNotWritable: errorSpec('memory', 3, 'client', (p) => `no right to write space ${p.space}`),
  EntryNotFound: errorSpec('memory', 4, 'client', (p) => `entry ${p.id} not found`),
  SpaceNotFound: errorSpec('memory', 5, 'client', (p) => `space ${p.space} not found`),
  KeyNotFound: errorSpec('memory', 6, 'client', (p) => `key ${JSON.stringify(p.key)} not found`),
};
