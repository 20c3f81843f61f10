/**
 * What `metatron verify` says of a proof that holds: the claim, and everything it rests on.
 *
 * Upholds: nothing is said that the proof does not show. An account's 0x address is no part of a
 * proof; accounts stand in bech32, as the chain writes their ids.
 *
 * @module
 */
import { encodeBech32 } from '../base/bech32.ts';
import { EMPTY, fromHex, fromUtf8, toBase64, toHex } from '../base/bytes.ts';
import type { Trusted } from '../client/anchor.ts';
import type { ProvenAt, ProvenState } from '../client/bundle.ts';
import type { ProvenLog, Shown } from '../client/proof.ts';
import { personalSpaceId } from '../types/memory.ts';
import { formatTime } from '../types/time.ts';
import { table } from './output.ts';

/** Who vouches for the proof, and how addresses are written. */
export type Seen = Trusted & {
  /** Who says that these are the validators, as in `the node at … says`. */
  readonly source: string;
  readonly prefix: string;
  /** Whose space it is by `--owner`, which was checked. */
  readonly owner: string | undefined;
};

type Facts = Readonly<Record<string, string | number>>;

function addressOf(id: string, { prefix }: Seen): string {
  return encodeBech32(prefix, fromHex(id) ?? EMPTY);
}

function stateJson({ provenHeight, provenTime }: ProvenState): object {
  return { provenHeight, provenTime: formatTime(provenTime) };
}

function entryJson(proven: ProvenAt, seen: Seen): object {
  const { id, author, space, index, height, blockTime, entry, content } = proven;
  const text = fromUtf8(content);
  return {
    id,
    author: addressOf(author, seen),
    authorId: author,
    space,
    index,
    height,
    time: formatTime(blockTime),
    ...stateJson(proven),
    key: entry.key,
    version: Number(entry.version),
    tags: entry.tags,
    contentHash: toHex(entry.contentHash),
    content: text,
    contentBase64: text === undefined ? toBase64(content) : undefined,
  };
}

function logJson(log: ProvenLog): object {
  return { ...log, time: formatTime(log.time) };
}

/** The result for programs. */
export function resultOf(shown: Shown, seen: Seen): object {
  const { proves, entries, listing, absent, growth } = shown;
  return {
    valid: true,
    proves,
    chainId: seen.chainId,
    validatorsHash: toHex(seen.validatorsHash),
    entries: entries.map((entry) => entryJson(entry, seen)),
    ...(listing && {
      listing: { ...listing, owner: addressOf(listing.owner, seen), ...stateJson(listing) },
    }),
    ...(absent && { absent: { ...absent, ...stateJson(absent) } }),
    ...(growth && {
      growth: {
        ...growth,
        owner: addressOf(growth.owner, seen),
        from: logJson(growth.from),
        to: logJson(growth.to),
      },
    }),
  };
}

function claimOf({ proves, entries }: Shown): string {
  const [entry] = entries;
  switch (proves) {
    case 'entry':
      return 'this entry stands in the log of the space';
    case 'head':
      return `this entry is the newest version (${entry?.entry.version}) under its key`;
    case 'absence':
      return 'there is no entry under this key in the space';
    case 'listing':
      return entries.length === 0
        ? 'the space holds no entry'
        : `the space holds exactly the entries below (${entries.length}): none is left out`;
    case 'consistency':
      return 'between these heights the log of the space only grew: nothing was changed or removed';
    default:
      return proves satisfies never;
  }
}

/** A space's id, and whose it is as far as that is shown. @param account - id in hex */
function spaceText(space: string, account: string | undefined, seen: Seen): string {
  const id = fromHex(account ?? '');
  const own = id !== undefined && toHex(personalSpaceId(id)) === space;
  if (own) return `${space}, the own space of ${addressOf(toHex(id), seen)}`;
  return seen.owner === undefined || seen.owner === space
    ? space
    : `${space}, the own space of ${seen.owner}`;
}

function stateText({ provenHeight, provenTime }: ProvenState): string {
  return (
    `after block ${provenHeight}, by the header of block ${provenHeight + 1} ` +
    `of ${formatTime(provenTime)}`
  );
}

function logText({ height, time, size, root }: ProvenLog): string {
  const state = stateText({ provenHeight: height, provenTime: time });
  return `${state}: ${size} operations, root ${root}`;
}

function rangeText(size: number, entries: number): string {
  if (size === 0) return 'its whole log, which is empty';
  return `its whole log: operations 0 to ${size - 1}, ${entries} of them entries`;
}

/** What the proof is about as a whole. */
function subjectOf({ entries, listing, absent, growth }: Shown, seen: Seen): Facts {
  const [entry] = entries;
  if (listing !== undefined) {
    const { space, owner, size } = listing;
    return {
      space: spaceText(space, owner, seen),
      owner: addressOf(owner, seen),
      range: rangeText(size, entries.length),
      state: stateText(listing),
    };
  }
  if (absent !== undefined) {
    const space = spaceText(absent.space, undefined, seen);
    return { space, key: JSON.stringify(absent.key), state: stateText(absent) };
  }
  if (growth !== undefined) {
    const { space, owner, from, to } = growth;
    return {
      space: spaceText(space, owner, seen),
      owner: addressOf(owner, seen),
      from: logText(from),
      to: logText(to),
    };
  }
  if (entry === undefined) return {};
  return { space: spaceText(entry.space, entry.author, seen), state: stateText(entry) };
}

function entryFacts(proven: ProvenAt, seen: Seen): Facts {
  const { id, author, index, height, blockTime, entry, content } = proven;
  return {
    id,
    author: `${addressOf(author, seen)} (id 0x${author})`,
    key: entry.key === '' ? '(none)' : `${JSON.stringify(entry.key)}, version ${entry.version}`,
    written: `in block ${height} of ${formatTime(blockTime)}, at ${index} of the log`,
    content: fromUtf8(content) ?? `(base64) ${toBase64(content)}`,
  };
}

function lines(facts: Facts): string {
  return table(Object.entries(facts).map(([name, value]) => [name, String(value)]));
}

/** The result for people. */
export function factsOf(shown: Shown, seen: Seen): string {
  const { chainId, validatorsHash, source } = seen;
  const whole = {
    ...subjectOf(shown, seen),
    chain: chainId,
    validators: `${toHex(validatorsHash)}, as ${source}`,
  };
  return [
    `the proof holds: ${claimOf(shown)}`,
    lines(whole),
    ...shown.entries.map((entry) => lines(entryFacts(entry, seen))),
  ].join('\n\n');
}
