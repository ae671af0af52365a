/**
 * Opening an envelope (解密) from both halves: for the evidence page and for tests.
 *
 * Invariant: header, key and payload open to one plaintext or to none. Nothing is returned before
 * c_K, every tag and c_P agree.
 */
import { type Bytes, concat, equal } from "./bytes.ts";
import { Rejected } from "./errors.ts";
import { type Header, payloadSize } from "./header.ts";
import { keyAndCommitment, plaintextBlind, plaintextCommitment } from "./schedule.ts";
import { chunkSize, decryptChunk } from "./stream.ts";
import type { Cipher } from "./suites/index.ts";

/** The chunk cipher and r_P of one envelope, after c_K matched. */
export interface ContentKey {
  readonly cipher: Cipher;
  readonly blind: Bytes;
}

/** The key that both halves give, or null if it is not the one committed to in c_K. */
export function contentKey(header: Header, sB: Uint8Array, sH: Uint8Array): ContentKey | null {
  const { suite, ad } = header;
  if (sB.length !== suite.sizes.bidderHalf || !suite.isHostHalf(sH)) return null;
  const { key, commitment } = keyAndCommitment(suite, ad, sB, sH);
  if (!equal(commitment, header.c_K)) return null;
  return { cipher: suite.cipher(key), blind: plaintextBlind(suite, ad, sB, sH) };
}

/**
 * Opens an envelope of any size in the memory of one chunk.
 *
 * `readChunk(index)` gives a ciphertext chunk, `write` takes plaintext in order. What was written
 * is worthless unless this returns: c_P is known only at the end.
 */
export async function openTo(
  header: Header,
  key: ContentKey,
  readChunk: (index: number) => Promise<Uint8Array>,
  write: (plaintext: Bytes) => Promise<void> | void,
): Promise<void> {
  const { suite, pt_len, log2_chunk, n_chunks } = header;
  const inner = suite.plaintextHash();
  for (let index = 0; index < n_chunks; index++) {
    const ciphertext = await readChunk(index);
    if (ciphertext.length !== chunkSize(suite, pt_len, log2_chunk, index)) {
      throw new Rejected("payload.size");
    }
    const plaintext = decryptChunk(key.cipher, index, n_chunks, ciphertext);
    inner.update(plaintext);
    await write(plaintext);
  }
  checkPlaintext(header, key, inner.digest());
}

/** The plaintext, pt_len bytes with its padding; the caller compared the payload with ct_root. */
export function openPayload(header: Header, key: ContentKey, payload: Uint8Array): Bytes {
  const { suite, pt_len, log2_chunk, n_chunks } = header;
  if (payload.length !== payloadSize(header)) throw new Rejected("payload.size");
  const inner = suite.plaintextHash();
  const parts: Bytes[] = [];
  let at = 0;
  for (let index = 0; index < n_chunks; index++) {
    const size = chunkSize(suite, pt_len, log2_chunk, index);
    const chunk = payload.subarray(at, at + size);
    const plaintext = decryptChunk(key.cipher, index, n_chunks, chunk);
    inner.update(plaintext);
    parts.push(plaintext);
    at += size;
  }
  checkPlaintext(header, key, inner.digest());
  return concat(...parts);
}

function checkPlaintext(header: Header, key: ContentKey, inner: Uint8Array): void {
  if (!equal(plaintextCommitment(header.suite, key.blind, inner), header.c_P)) {
    throw new Rejected("plaintext.commitment");
  }
}
