/**
 * What a suite (算法套件) is: every primitive and every size that bids and sealing messages use.
 *
 * Invariant: code outside this folder composes these functions and adds up these sizes; it names
 * no primitive and no offset. tender_id, opening_nonce, bid_id, public keys and signatures have
 * 32, 32, 32, 32 and 64 bytes in every suite, because manifest and log name things by them.
 */
import type { Bytes } from "../bytes.ts";

/** A hash fed piece by piece; `digest` ends it. */
export interface RunningHash {
  update(data: Uint8Array): void;
  digest(): Bytes;
}

/** The chunk cipher under one content key. */
export interface Cipher {
  /** Ciphertext and tag of chunk `index` (from 0). */
  seal(index: number, last: boolean, plaintext: Uint8Array): Bytes;
  /** The plaintext, or null if a tag does not match. */
  open(index: number, last: boolean, ciphertext: Uint8Array): Bytes | null;
}

/** Sizes in bytes; `boxOverhead` is the size of a box minus that of what is in it. */
export interface SuiteSizes {
  readonly seed: number;
  /** s_B */
  readonly bidderHalf: number;
  /** s_H, and the coefficients of its polynomial */
  readonly hostHalf: number;
  readonly share: number;
  readonly ad: number;
  /** c_B, c_H, c_K and c_P */
  readonly commitment: number;
  readonly root: number;
  readonly bidId: number;
  readonly bidNonce: number;
  readonly signPublic: number;
  readonly signature: number;
  readonly boxPublic: number;
  readonly boxOverhead: number;
  readonly key: number;
  readonly tag: number;
  /** r_P */
  readonly blind: number;
  /** esk_i and esk_B */
  readonly ephemeral: number;
  /** input of `reduce` */
  readonly wide: number;
  readonly cardCheck: number;
}

export interface Suite {
  readonly id: number;
  readonly name: string;
  readonly sizes: SuiteSizes;

  /** H of 4.2 for this suite: label, NUL, parts, under an optional key. */
  expand(
    label: string,
    parts: readonly Uint8Array[],
    options: { key?: Uint8Array; size: number },
  ): Bytes;
  /** Leaves and nodes of ct_root. */
  treeHash(...parts: readonly Uint8Array[]): Bytes;
  /** The inner hash of c_P. */
  plaintextHash(): RunningHash;
  cipher(key: Uint8Array): Cipher;

  /** What is signed: label ‖ 00 ‖ hash of the body. */
  signedMessage(label: string, body: Uint8Array): Bytes;
  verify(key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;
  isBoxPublic(key: Uint8Array): boolean;
  /** A box whose ephemeral secret is given: deterministic (C2). */
  boxSeal(message: Uint8Array, key: Uint8Array, ephemeral: Uint8Array): Bytes;
  /** The message in a box, or null. */
  boxOpen(box: Uint8Array, key: Uint8Array, secret: Uint8Array): Bytes | null;

  /** Wide uniform bytes -> a scalar encoded as a host half. */
  reduce(wide: Uint8Array): Bytes;
  /** Right size, canonical, not zero. */
  isHostHalf(half: Uint8Array): boolean;
  /** Right size, canonical. */
  isShare(share: Uint8Array): boolean;
  /** Share i of the polynomial whose coefficients from a_0 up are given. */
  shareAt(coefficients: readonly Uint8Array[], i: number): Bytes;
  /** f(0), as a host half, from canonical shares at distinct positions. */
  combine(positions: readonly number[], shares: readonly Uint8Array[]): Bytes;
}

/** Nonce of the chunk ciphers: the chunk's number, big-endian, then 01 for the last chunk. */
export function chunkNonce(index: number, last: boolean, size: number): Bytes {
  const nonce = new Uint8Array(size);
  let rest = index;
  for (let at = size - 2; rest > 0; at--) {
    nonce[at] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  nonce[size - 1] = last ? 1 : 0;
  return nonce;
}
