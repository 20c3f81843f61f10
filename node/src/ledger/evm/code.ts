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

/** Most bytes of code remembered; what is worked out about a code takes ten times its bytes. */
const MAX_REMEMBERED_BYTES = 4_194_304;

/** A code that an overlay's block deployed, and the index of its row there, if it has one. */
type Deployed = { readonly hash: Uint8Array; readonly code: Uint8Array; row: number };

/** Codes by hash. */
export class CodeStore {
  readonly #memory = new Map<string, Uint8Array>();
  #rememberedBytes = 0;
  readonly #deployed = new WeakMap<Overlay, Map<string, Deployed>>();
  /** Codes of this run by the record that names them. */
  readonly #put: { readonly contract: RecordKey; readonly code: Deployed }[] = [];
  #overlay: Overlay | undefined;

  /** Starts a run. */
  begin(overlay: Overlay): void {
    this.#overlay = overlay;
    this.#put.length = 0;
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
    const known = this.#memory.get(name);
    if (known !== undefined) return known;
    const overlay = present(this.#overlay, 'overlay of a run');
    const deployed = this.#deployed.get(overlay)?.get(name)?.code;
    const code = present(deployed ?? overlay.row(codeRow(hash)), 'code of an account');
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
    if (this.#memory.has(name)) return;
    this.#rememberedBytes += code.length;
    this.#memory.set(name, code);
    for (const [oldest, bytes] of this.#memory) {
      if (this.#rememberedBytes <= MAX_REMEMBERED_BYTES || oldest === name) return;
      this.#memory.delete(oldest);
      this.#rememberedBytes -= bytes.length;
    }
  }
}
