/**
 * Sealing an envelope (加密): the format KBID1 from the bidder's end.
 *
 * Invariant: a `Sealer` takes every chunk exactly once and in order, so no (key, nonce) pair ever
 * encrypts two plaintexts. Seed and bid_nonce are drawn once per sealing and never kept (C10).
 */
import type { EnvelopeTerms } from "./accept.ts";
import { type Bytes, concat, equal } from "./bytes.ts";
import { assert, Rejected } from "./errors.ts";
import {
  buildCore,
  buildUnsigned,
  type Core,
  type Header,
  headerSignedBytes,
  parseCore,
  parseHeader,
} from "./header.ts";
import { type BoxKey, randomBytes, type SigningKey } from "./keys.ts";
import {
  bidderCommitment,
  bidderEphemeral,
  bidderHalf,
  hostCommitment,
  hostHalf,
  keyAndCommitment,
  plaintextBlind,
  plaintextCommitment,
} from "./schedule.ts";
import { dealBoxes } from "./shares.ts";
import { ChunkRoot, chunkSize, encryptChunk } from "./stream.ts";
import type { Cipher, RunningHash, Suite } from "./suites/index.ts";

/** What one sealing needs beside its plaintext. */
export interface SealingInput {
  readonly terms: EnvelopeTerms;
  readonly lot: number;
  /** Size after padding. */
  readonly pt_len: number;
  /** Public: round it to the minute, or it tells the offset of the device's clock. */
  readonly created_ms: number;
  readonly bid_nonce: Uint8Array;
  readonly seed: Uint8Array;
  readonly key: SigningKey;
}

/** Fresh seed and bid_nonce; only vectors use any others. */
export function drawSecrets(suite: Suite): { seed: Bytes; bid_nonce: Bytes } {
  return { seed: randomBytes(suite.sizes.seed), bid_nonce: randomBytes(suite.sizes.bidNonce) };
}

/** Seals one envelope chunk by chunk: `core` can be sent first, the header comes last. */
export class Sealer {
  readonly core: Core;
  readonly bidderHalf: Bytes;
  readonly hostHalf: Bytes;
  private readonly input: SealingInput;
  private readonly commitment: Bytes;
  private readonly cipher: Cipher;
  private readonly tree: ChunkRoot;
  private readonly plaintext: RunningHash;
  private next = 0;

  constructor(input: SealingInput) {
    const { terms, seed, bid_nonce, key } = input;
    const { suite } = terms;
    assert(seed.length === suite.sizes.seed, "the suite's seed size");
    assert(bid_nonce.length === suite.sizes.bidNonce, "the suite's bid_nonce size");
    assert(equal(key.public, terms.bidder_pk), "the bidder's own key");
    this.input = input;
    const fields = {
      tender_id: concat(terms.tender_id),
      lot: input.lot,
      envelope: terms.envelope,
      bidder_pk: concat(terms.bidder_pk),
      bidder_xpk: concat(terms.bidder_xpk),
      bid_nonce: concat(bid_nonce),
      created_ms: BigInt(input.created_ms),
      pt_len: input.pt_len,
      log2_chunk: terms.log2_chunk,
    };
    this.core = parseCore(buildCore(suite, terms.trustee_xpks.length, fields), suite);
    this.bidderHalf = bidderHalf(suite, seed);
    this.hostHalf = hostHalf(suite, seed);
    const schedule = keyAndCommitment(suite, this.core.ad, this.bidderHalf, this.hostHalf);
    this.commitment = schedule.commitment;
    this.cipher = suite.cipher(schedule.key);
    this.tree = new ChunkRoot(suite);
    this.plaintext = suite.plaintextHash();
  }

  /** Plaintext bytes of the next chunk, or 0 when all chunks are sealed. */
  get nextSize(): number {
    const { suite, pt_len, log2_chunk, n_chunks } = this.core;
    if (this.next === n_chunks) return 0;
    return chunkSize(suite, pt_len, log2_chunk, this.next) - suite.sizes.tag;
  }

  get isComplete(): boolean {
    return this.next === this.core.n_chunks;
  }

  /** The next ciphertext chunk; `plaintext` has exactly `nextSize` bytes. */
  sealChunk(plaintext: Uint8Array): Bytes {
    assert(!this.isComplete && plaintext.length === this.nextSize, "exactly the next chunk");
    const ciphertext = encryptChunk(this.cipher, this.next, this.core.n_chunks, plaintext);
    this.plaintext.update(plaintext);
    this.tree.add(ciphertext);
    this.next++;
    return ciphertext;
  }

  /** The signed header, once every chunk is sealed. */
  finish(): Header {
    if (!this.isComplete) throw new Rejected("payload.short");
    const { terms, seed, key } = this.input;
    const { suite, ad, core } = this.core;
    const blind = plaintextBlind(suite, ad, this.bidderHalf, this.hostHalf);
    const boxes = dealBoxes(suite, ad, this.hostHalf, terms.t, terms.trustee_xpks);
    const unsigned = buildUnsigned(core, {
      c_B: bidderCommitment(suite, ad, this.bidderHalf),
      c_H: hostCommitment(suite, ad, this.hostHalf),
      c_K: this.commitment,
      c_P: plaintextCommitment(suite, blind, this.plaintext.digest()),
      ct_root: this.tree.root(),
      box_B: suite.boxSeal(seed, terms.bidder_xpk, bidderEphemeral(suite, ad, seed)),
      t: terms.t,
      trustees: boxes.map((box, at) => ({ xpk: concat(terms.trustee_xpks[at] as Bytes), box })),
    });
    const signature = key.sign(headerSignedBytes(suite, unsigned));
    return parseHeader(concat(unsigned, signature), suite);
  }
}

export interface Sealed {
  readonly header: Header;
  readonly payload: Bytes;
  readonly bidderHalf: Bytes;
  readonly hostHalf: Bytes;
}

/** Seal a padded plaintext that is in memory. */
export function sealBytes(input: Omit<SealingInput, "pt_len">, plaintext: Uint8Array): Sealed {
  const sealer = new Sealer({ ...input, pt_len: plaintext.length });
  const chunks: Bytes[] = [];
  let at = 0;
  while (!sealer.isComplete) {
    const size = sealer.nextSize;
    chunks.push(sealer.sealChunk(plaintext.subarray(at, at + size)));
    at += size;
  }
  const header = sealer.finish();
  const { bidderHalf: half, hostHalf: other } = sealer;
  return { header, payload: concat(...chunks), bidderHalf: half, hostHalf: other };
}

/** The seed from box_B, on the bidder's own device; the caller compares c_B next (C7). */
export function unsealSeed(header: Header, key: BoxKey): Bytes {
  if (!equal(key.public, header.bidder_xpk)) throw new Rejected("seed.key");
  const seed = header.suite.boxOpen(header.box_B, key.public, key.secret);
  if (seed === null) throw new Rejected("seed.box");
  return seed;
}

/** s_B of an envelope of one's own; refused if it is not the half committed to in c_B. */
export function ownBidderHalf(header: Header, key: BoxKey): Bytes {
  const seed = unsealSeed(header, key);
  if (seed.length !== header.suite.sizes.seed) throw new Rejected("seed.box");
  const half = bidderHalf(header.suite, seed);
  if (!bidderHalfMatches(header, half)) throw new Rejected("seed.half");
  return half;
}

/** Is s_B the half committed to in c_B? One hash: the check of phase A. */
export function bidderHalfMatches(header: Header, sB: Uint8Array): boolean {
  const { suite, ad, c_B } = header;
  return sB.length === suite.sizes.bidderHalf && equal(bidderCommitment(suite, ad, sB), c_B);
}
