/**
 * Addresses of peers known beyond the configured ones, and how they fared.
 *
 * Upholds: at most `MAX_ENTRIES` addresses, one per id; an address that worked is never replaced
 * by hearsay; when the book is full, the worst that never worked goes first.
 * Pure: time and randomness are handed in. The file around it is `book-file.ts`.
 *
 * @module
 */
import { formatAddress, ipAddress, type PeerAddress, parsePeerAddress } from './address.ts';

/** Most addresses kept, and most from one teller. */
export const MAX_ENTRIES = 1_000;
const MAX_PER_SOURCE = 250;
/** An address that never worked is forgotten after this many failures. */
const MAX_FAILURES = 10;

/** A known address. */
export type BookEntry = {
  readonly address: PeerAddress;
  /** Who told it: a peer id, or the peer itself. */
  readonly source: string;
  /** Unix milliseconds of the last session; 0 if there was none. */
  readonly workedAtMs: number;
  readonly failures: number;
};

/** The known addresses by peer id. */
export class AddressBook {
  readonly #entries: Map<string, BookEntry> = new Map();

  /** Number of addresses. */
  get size(): number {
    return this.#entries.size;
  }

  /** All addresses, oldest first. */
  entries(): BookEntry[] {
    return [...this.#entries.values()];
  }

  get(id: string): BookEntry | undefined {
    return this.#entries.get(id);
  }

  /** Adds what someone told; false if it is known, or there is no room for it. */
  hear(address: PeerAddress, source: string): boolean {
    const known = this.#entries.get(address.id);
    if (known !== undefined && !replaces(known, address, source)) return false;
    if (known === undefined) {
      const told = this.entries().filter((entry) => entry.source === source).length;
      if (told >= MAX_PER_SOURCE || !this.#makeRoom()) return false;
    }
    this.#entries.set(address.id, { address, source, workedAtMs: 0, failures: 0 });
    return true;
  }

  /** A session with the peer at this address came about. */
  worked(address: PeerAddress, nowMs: number): void {
    if (!this.#entries.has(address.id) && !this.#makeRoom()) return;
    this.#entries.set(address.id, { address, source: address.id, workedAtMs: nowMs, failures: 0 });
  }

  /** Dialing the peer failed. */
  failed(id: string): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    const failures = entry.failures + 1;
    if (failures >= MAX_FAILURES && entry.workedAtMs === 0) this.#entries.delete(id);
    else this.#entries.set(id, { ...entry, failures });
  }

  /** Forgets a peer. */
  remove(id: string): void {
    this.#entries.delete(id);
  }

  /**
   * A random choice of addresses for a peer that asks.
   *
   * @param random - uniform in [0, 1)
   */
  sample(count: number, except: string, random: () => number): PeerAddress[] {
    const pool = this.entries().filter((entry) => entry.address.id !== except);
    const chosen: PeerAddress[] = [];
    while (chosen.length < count && pool.length > 0) {
      const [entry] = pool.splice(Math.floor(random() * pool.length), 1);
      if (entry !== undefined) chosen.push(entry.address);
    }
    return chosen;
  }

  #makeRoom(): boolean {
    if (this.#entries.size < MAX_ENTRIES) return true;
    let worst: BookEntry | undefined;
    for (const entry of this.#entries.values()) {
      if (entry.workedAtMs > 0) continue;
      if (worst === undefined || entry.failures > worst.failures) worst = entry;
    }
    if (worst === undefined) return false;
    this.#entries.delete(worst.address.id);
    return true;
  }

  /** The book as JSON text. */
  toJson(): string {
    const addresses = this.entries().map((entry) => ({
      address: formatAddress(entry.address),
      source: entry.source,
      workedAtMs: entry.workedAtMs,
      failures: entry.failures,
    }));
    return `${JSON.stringify({ version: 1, addresses }, null, 1)}\n`;
  }

  /** Takes over what `json` holds; entries that are not valid are passed over. */
  load(json: string): number {
    const parsed: unknown = JSON.parse(json);
    const list: unknown = isRecord(parsed) ? parsed['addresses'] : undefined;
    if (!Array.isArray(list)) return 0;
    for (const item of list.slice(0, MAX_ENTRIES)) {
      const entry = readEntry(item);
      if (entry !== undefined) this.#entries.set(entry.address.id, entry);
    }
    return this.size;
  }
}

/** What a peer tells of itself replaces anything else; hearsay only what never worked and fails. */
function replaces(known: BookEntry, address: PeerAddress, source: string): boolean {
  if (source === address.id) return formatAddress(known.address) !== formatAddress(address);
  return known.workedAtMs === 0 && known.failures > 0;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function readEntry(item: unknown): BookEntry | undefined {
  if (!isRecord(item) || typeof item['address'] !== 'string') return undefined;
  const address = readAddress(item['address']);
  if (address === undefined || typeof item['source'] !== 'string') return undefined;
  const [workedAtMs, failures] = [item['workedAtMs'], item['failures']];
  if (!Number.isSafeInteger(workedAtMs) || !Number.isSafeInteger(failures)) return undefined;
  return {
    address,
    source: item['source'],
    workedAtMs: Number(workedAtMs),
    failures: Number(failures),
  };
}

function readAddress(text: string): PeerAddress | undefined {
  try {
    const { id, host, port } = parsePeerAddress(text);
    return ipAddress(id, host, port);
  } catch {
    return undefined;
  }
}
