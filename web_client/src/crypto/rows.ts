/**
 * Journal rows (formats.md §6): the chain that a bundle's `journal.jsonl` shows.
 *
 * Invariant: the chain runs over the salted hash of the body, so a row whose body is withheld
 * still verifies. The hash is checked against bytes as they were written, never re-encoded ones.
 */
import { type Bytes, concat } from "./bytes.ts";
import { encode } from "./canonical.ts";
import { label, sha256 } from "./hashes.ts";

/** What everybody may know of a row; JCS of exactly these members is its stub. */
export interface RowStub {
  readonly audience: string;
  readonly epoch: number;
  readonly seq: number;
  readonly stream: string;
  readonly ts_ms: number;
  readonly type: string;
  readonly ver: number;
}

/** `prev_hash` of the first row of a stream. */
export const FIRST_PREV_HASH: Uint8Array = new Uint8Array(32);

export const bodyHash = (salt: Uint8Array, body: Uint8Array): Bytes => sha256(salt, body);

export function stubBytes(stub: RowStub): Bytes {
  const { audience, epoch, seq, stream, ts_ms, type, ver } = stub;
  return encode({ audience, epoch, seq, stream, ts_ms, type, ver });
}

export function rowHash(prevHash: Uint8Array, hashOfBody: Uint8Array, stub: Uint8Array): Bytes {
  return sha256(concat(label("KBROW1"), prevHash, hashOfBody, stub));
}
