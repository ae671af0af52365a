/**
 * Where ciphertext waits between sealing and sending (密文暂存): in memory, or on the disk.
 *
 * Invariant: a spool holds ciphertext and nothing else, and gives back exactly the bytes that were
 * appended, so an interrupted upload is carried on with the same ciphertext and never with a second
 * encryption under the same key (C10). Memory stays flat: the memory spool holds at most
 * `roomMax` bytes beyond what the server has, the disk spool none.
 */
import { type Bytes, concat } from "./bytes.ts";
import { assert } from "./errors.ts";
import type { UploadBody } from "./tus_upload.ts";

export interface Spool {
  /** Bytes appended. */
  readonly size: number;
  /** How many bytes may wait here beyond those released. */
  readonly roomMax: number;
  append(bytes: Uint8Array): void;
  /** Bytes [offset, offset + size), as a request's body; none of them released before. */
  part(offset: number, size: number): Promise<UploadBody>;
  /** Everything before `offset` is durable at the server. */
  release(offset: number): void;
  /** The lowest offset that can still be read. */
  readonly start: number;
}

/** For browsers without a private file system, and for forms: nothing survives a reload. */
export class MemorySpool implements Spool {
  readonly roomMax: number;
  size = 0;
  start = 0;
  private pieces: { readonly at: number; readonly bytes: Bytes }[] = [];

  constructor(roomMax: number) {
    this.roomMax = roomMax;
  }

  append(bytes: Uint8Array): void {
    this.pieces.push({ at: this.size, bytes: new Uint8Array(bytes) });
    this.size += bytes.length;
  }

  async part(offset: number, size: number): Promise<Bytes> {
    assert(offset >= this.start && offset + size <= this.size, "bytes that are still here");
    const end = offset + size;
    const parts = this.pieces
      .filter(({ at, bytes }) => at < end && at + bytes.length > offset)
      .map(({ at, bytes }) => bytes.subarray(Math.max(0, offset - at), end - at));
    return concat(...parts);
  }

  release(offset: number): void {
    this.pieces = this.pieces.filter(({ at, bytes }) => at + bytes.length > offset);
    this.start = Math.max(this.start, offset);
  }
}
