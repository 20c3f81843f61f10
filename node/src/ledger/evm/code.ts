/**
 * Code by its hash: rows of earlier blocks, what this block deployed, and a bounded memory of both.
 *
 * Upholds: a code has one array, so that what is worked out about it can be remembered by that
 * array; a row is written once, at the end of the run, and only if an account carries the code.
 * Absent here: which account has which code (records.ts).
 *
 * @module
 */
import { equalBytes, latin1 } from '../../base/bytes.ts';
import { present } from '../../base/errors.ts';
import { keccak256 } from '../keccak.ts';
import type { RecordKey } from '../keys.ts';
import type { Overlay } from '../overlay.ts';
import { codeRow } from './records.ts';

/** Most bytes of code remembered from run to run. */
const MAX_REMEMBERED_BYTES = 4_194_304;
/**
 * Most bytes of code remembered within a run, so that no code is read or analysed twice: a block
 * that calls as many contracts as its gas allows needs less.
 */
const MAX_RUN_BYTES = 67_108_864;

/** A code that an overlay's block deployed, and the index of its row there, if it has one. */
type Deployed = { readonly hash: Uint8Array; readonly code: Uint8Array; row: number };

/** Codes by hash, the oldest forgotten when there are too many bytes of them. */
class CodeMemory {
  readonly #codes = new Map<string, Uint8Array>();
  readonly #most: number;
  #bytes = 0;

  constructor(mostBytes: number) {
    this.#most = mostBytes;
  }

  get(name: string): Uint8Array | undefined {
    return this.#codes.get(name);
  }

  add(name: string, code: Uint8Array): void {
    if (this.#codes.has(name)) return;
    this.#bytes += code.length;
    this.#codes.set(name, code);
    for (const [oldest, { length }] of this.#codes) {
      if (this.#bytes <= this.#most || oldest === name) return;
      this.#codes.delete(oldest);
      this.#bytes -= length;
    }
  }

  clear(): void {
    this.#codes.clear();
    this.#bytes = 0;
  }
}

/** Codes by hash. */
export class CodeStore {
  readonly #memory = new CodeMemory(MAX_REMEMBERED_BYTES);
  readonly #run = new CodeMemory(MAX_RUN_BYTES);
  readonly #deployed = new WeakMap<Overlay, Map<string, Deployed>>();
  /** Codes of this run by the record that names them. */
  readonly #put: { readonly contract: RecordKey; readonly code: Deployed }[] = [];
  #overlay: Overlay | undefined;

  /** Starts a run. */
  begin(overlay: Overlay): void {
    this.#overlay = overlay;
    this.#put.length = 0;
  }

  /** Ends a run. */
  end(): void {
    this.#run.clear();
  }

  /** Writes the rows of codes that accounts carry. */
  finish(): void {
    const overlay = present(this.#overlay, 'overlay of a run');
    for (const { contract, code } of this.#put) {
      const named = overlay.get(contract.bytes);
      if (named === undefined || !equalBytes(named, code.hash)) continue;
      const key = codeRow(code.hash);
      const [there] = overlay.rows()[code.row] ?? [];
      if ((there !== undefined && equalBytes(there, key)) || overlay.row(key) !== undefined) {
        continue;
      }
      code.row = overlay.rows().length;
      overlay.putRow(key, code.code);
    }
    this.#put.length = 0;
  }

  /** The code with this hash, which an account carries. */
  get(hash: Uint8Array): Uint8Array {
    const name = latin1(hash);
    return this.#run.get(name) ?? this.#load(name, hash);
  }

  #load(name: string, hash: Uint8Array): Uint8Array {
    const overlay = present(this.#overlay, 'overlay of a run');
    const deployed = this.#deployed.get(overlay)?.get(name)?.code;
    const known = this.#memory.get(name) ?? deployed;
    const code = known ?? present(overlay.row(codeRow(hash)), 'code of an account');
    this.#remember(name, code);
    return code;
  }

  /** Notes a new code. @returns its hash */
  put(code: Uint8Array, contract: RecordKey): Uint8Array {
    const overlay = present(this.#overlay, 'overlay of a run');
    const hash = keccak256(code);
    const name = latin1(hash);
    let codes = this.#deployed.get(overlay);
    if (codes === undefined) {
      codes = new Map();
      this.#deployed.set(overlay, codes);
    }
    let deployed = codes.get(name);
    if (deployed === undefined) {
      deployed = { hash, code: this.#memory.get(name) ?? code.slice(), row: -1 };
      codes.set(name, deployed);
    }
    this.#put.push({ contract, code: deployed });
    this.#remember(name, deployed.code);
    return hash;
  }

  #remember(name: string, code: Uint8Array): void {
    this.#memory.add(name, code);
    this.#run.add(name, code);
  }
}
