/**
 * The file that is being sealed, read slice by slice.
 *
 * Invariant: each byte is asked for once. A browser refuses to read a chosen file that was changed
 * on the disk; that, and a slice of another size than asked, is `seal.file_changed`.
 */
import type { Bytes } from "./bytes.ts";
import { Rejected } from "./errors.ts";

export interface SealSource {
  readonly size: number;
  read(from: number, to: number): Promise<Bytes>;
}

/** A chosen file, or a Blob in memory. */
export class BlobSource implements SealSource {
  readonly size: number;
  private readonly blob: Blob;
  private readonly modified: number;

  constructor(blob: Blob) {
    this.blob = blob;
    this.size = blob.size;
    this.modified = modifiedOf(blob);
  }

  async read(from: number, to: number): Promise<Bytes> {
    let bytes: Bytes;
    try {
      bytes = new Uint8Array(await this.blob.slice(from, to).arrayBuffer());
    } catch {
      throw new Rejected("seal.file_changed");
    }
    if (this.blob.size !== this.size || modifiedOf(this.blob) !== this.modified) {
      throw new Rejected("seal.file_changed");
    }
    return bytes;
  }
}

function modifiedOf(blob: Blob): number {
  return "lastModified" in blob ? Number(blob.lastModified) : 0;
}
