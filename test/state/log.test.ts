/**
 * Logs at every size: roots, inclusion and consistency paths; a changed entry breaks them.
 *
 * @module
 */
import { expect } from 'chai';
import { toHex, utf8 } from '../../node/src/base/bytes.ts';
import {
  leafHash,
  merkleRoot,
  verifyConsistency,
  verifyMerkleProof,
} from '../../node/src/base/merkle.ts';
import {
  append,
  consistencyPath,
  decodeLog,
  EMPTY_LOG,
  encodeLog,
  inclusionPath,
  type LogState,
  logRoot,
  type ReadTile,
} from '../../node/state/log.ts';

/** Past the second level of tiles: 16 · 16 entries and some. */
const SIZES = 300;

/** A log with every entry of `entries`, appended in pieces of `piece`. */
class Log {
  log: LogState = EMPTY_LOG;
  readonly #tiles = new Map<string, Uint8Array>();

  constructor(entries: readonly Uint8Array[], piece: number) {
    for (let at = 0; at < entries.length; at += piece) {
      const { log, tiles } = append(this.log, entries.slice(at, at + piece));
      this.log = decodeLog(encodeLog(log));
      for (const { level, index, bytes } of tiles) this.#tiles.set(`${level}/${index}`, bytes);
    }
  }

  readonly read: ReadTile = (level, index) => this.#tiles.get(`${level}/${index}`);
}

const entries = Array.from({ length: SIZES }, (_, i) => utf8(`entry ${i}`));
const roots = Array.from({ length: SIZES + 1 }, (_, n) => merkleRoot(entries.slice(0, n)));

function rootAt(size: number, of: readonly Uint8Array[] = roots): Uint8Array {
  return of[size] ?? expect.fail(`no root of ${size}`);
}

describe('logs', () => {
  it('have RFC 6962 roots at every size, however entries come', () => {
    for (const piece of [1, 7, 16, 300]) {
      let log = EMPTY_LOG;
      while (log.size < SIZES) {
        const next = append(log, entries.slice(log.size, log.size + piece)).log;
        expect(next.size).to.equal(Math.min(log.size + piece, SIZES));
        log = decodeLog(encodeLog(next));
        expect(toHex(logRoot(log))).to.equal(toHex(rootAt(log.size)));
      }
    }
  });

  it('prove entries at every size, at their place only', () => {
    const { log, read } = new Log(entries, 5);
    for (let size = 1; size <= SIZES; size++) {
      for (const index of new Set([0, size >> 1, (size * 7) % size, size - 1])) {
        const entry = entries[index] ?? expect.fail();
        const aunts = inclusionPath(log, read, index, size);
        const proof = { total: size, index, leafHash: leafHash(entry), aunts };
        expect(verifyMerkleProof(proof, rootAt(size), entry)).to.equal(true);
        const other = { ...proof, index: (index + 1) % size };
        if (size > 1) expect(verifyMerkleProof(other, rootAt(size), entry)).to.equal(false);
      }
    }
  }).timeout(10_000);

  it('prove that every size goes on from every earlier one', () => {
    const { log, read } = new Log(entries, 11);
    for (let to = 0; to <= SIZES; to += to < 70 ? 1 : 23) {
      for (let from = 0; from <= to; from++) {
        const path = consistencyPath(log, read, from, to);
        expect(verifyConsistency(from, rootAt(from), to, rootAt(to), path)).to.equal(true);
      }
    }
  }).timeout(10_000);

  it('cannot show consistency when an earlier entry was changed, left out or moved', () => {
    const size = 60;
    const honest = entries.slice(0, size);
    for (let at = 0; at < 40; at++) {
      const changed = honest.with(at, utf8('changed'));
      const shorter = honest.toSpliced(at, 1);
      const moved = honest
        .with(at, honest[at + 1] ?? expect.fail())
        .with(at + 1, entries[at] as Uint8Array);
      for (const forged of [changed, shorter, moved]) {
        const { log, read } = new Log(forged, 16);
        const root = logRoot(log);
        const path = consistencyPath(log, read, 41, forged.length);
        expect(verifyConsistency(41, rootAt(41), forged.length, root, path)).to.equal(false);
        const own = merkleRoot(forged.slice(0, 41));
        expect(verifyConsistency(41, own, forged.length, root, path)).to.equal(true);
      }
    }
  });

  it('refuse entries and sizes that they do not have', () => {
    const { log, read } = new Log(entries.slice(0, 20), 20);
    for (const [index, size] of [
      [0, 21],
      [20, 20],
      [-1, 20],
      [0, 0],
    ] as const) {
      expect(() => inclusionPath(log, read, index, size)).to.throw('no such log entry');
    }
    for (const [from, to] of [
      [0, 21],
      [11, 10],
      [-1, 10],
    ] as const) {
      expect(() => consistencyPath(log, read, from, to)).to.throw('no such log entry');
    }
  });
});
