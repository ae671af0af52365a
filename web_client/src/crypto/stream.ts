/**
 * The payload (密文) as a stream: chunk arithmetic, ct_root, one chunk at a time.
 *
 * Invariant: pt_len and log2_chunk decide the number and size of all chunks; a byte beyond them is
 * refused when it arrives, and a payload short of them has no root. Sizes may exceed 32 bits, so
 * they are never shifted.
 */
import { type Bytes, u64 } from "./bytes.ts";
import { assert, Rejected } from "./errors.ts";
import type { Cipher, Suite } from "./suites/index.ts";

const LEAF = new Uint8Array([0]);
const NODE = new Uint8Array([1]);

/** max(1, ceil(pt_len / 2^log2)): an empty plaintext still has one chunk. */
export function chunkCount(ptLen: number, log2Chunk: number): number {
  return Math.max(1, Math.ceil(ptLen / 2 ** log2Chunk));
}

/** Bytes of the whole payload (`.kbc`). */
export function ciphertextSize(suite: Suite, ptLen: number, log2Chunk: number): number {
  return ptLen + suite.sizes.tag * chunkCount(ptLen, log2Chunk);
}

/** Ciphertext bytes of chunk `index`. */
export function chunkSize(suite: Suite, ptLen: number, log2Chunk: number, index: number): number {
  assert(index >= 0 && index < chunkCount(ptLen, log2Chunk), "a chunk of the payload");
  const chunk = 2 ** log2Chunk;
  return Math.min(chunk, ptLen - index * chunk) + suite.sizes.tag;
}

export function chunkSizes(suite: Suite, ptLen: number, log2Chunk: number): number[] {
  const count = chunkCount(ptLen, log2Chunk);
  return Array.from({ length: count }, (_, i) => chunkSize(suite, ptLen, log2Chunk, i));
}

/** ct_root over whole ciphertext chunks in order; memory is one hash per level of the tree. */
export class ChunkRoot {
  private readonly suite: Suite;
  private readonly subtrees: { leaves: number; hash: Bytes }[] = [];
  private index = 0;

  constructor(suite: Suite) {
    this.suite = suite;
  }

  add(ciphertext: Uint8Array): void {
    let leaves = 1;
    let hash = this.suite.treeHash(LEAF, u64(this.index++), ciphertext);
    for (;;) {
      const left = this.subtrees.at(-1);
      if (left === undefined || left.leaves !== leaves) break;
      this.subtrees.pop();
      hash = this.suite.treeHash(NODE, left.hash, hash);
      leaves *= 2;
    }
    this.subtrees.push({ leaves, hash });
  }

  root(): Bytes {
    assert(this.subtrees.length > 0, "a payload has at least one chunk");
    return this.subtrees
      .map((subtree) => subtree.hash)
      .reduceRight((right, left) => this.suite.treeHash(NODE, left, right));
  }
}

/** ct_root of a payload that arrives in slices of any size; holds at most one chunk. */
export class RootHasher {
  readonly size: number;
  received = 0;
  private readonly sizes: { suite: Suite; ptLen: number; log2Chunk: number };
  private readonly tree: ChunkRoot;
  private chunk: Bytes;
  private filled = 0;
  private index = 0;

  constructor(suite: Suite, ptLen: number, log2Chunk: number) {
    this.sizes = { suite, ptLen, log2Chunk };
    this.size = ciphertextSize(suite, ptLen, log2Chunk);
    this.tree = new ChunkRoot(suite);
    this.chunk = new Uint8Array(chunkSize(suite, ptLen, log2Chunk, 0));
  }

  /** Take the next bytes; refused at the first byte too many. */
  update(part: Uint8Array): void {
    let rest = part;
    while (rest.length > 0) {
      if (this.received === this.size) throw new Rejected("payload.excess");
      const taken = rest.subarray(0, this.chunk.length - this.filled);
      this.chunk.set(taken, this.filled);
      this.filled += taken.length;
      this.received += taken.length;
      rest = rest.subarray(taken.length);
      if (this.filled === this.chunk.length) this.closeChunk();
    }
  }

  /** ct_root; refused while bytes are missing. */
  root(): Bytes {
    if (this.received < this.size) throw new Rejected("payload.short");
    return this.tree.root();
  }

  private closeChunk(): void {
    const { suite, ptLen, log2Chunk } = this.sizes;
    this.tree.add(this.chunk);
    this.filled = 0;
    this.index++;
    if (this.index < chunkCount(ptLen, log2Chunk)) {
      this.chunk = new Uint8Array(chunkSize(suite, ptLen, log2Chunk, this.index));
    }
  }
}

/** ct_index of `count` chunks. */
export function encryptChunk(
  cipher: Cipher,
  index: number,
  count: number,
  plaintext: Uint8Array,
): Bytes {
  return cipher.seal(index, index === count - 1, plaintext);
}

/** The plaintext of one chunk; refused if its tag does not match. */
export function decryptChunk(
  cipher: Cipher,
  index: number,
  count: number,
  ciphertext: Uint8Array,
): Bytes {
  const plaintext = cipher.open(index, index === count - 1, ciphertext);
  if (plaintext === null) throw new Rejected("chunk.tag", String(index));
  return plaintext;
}
