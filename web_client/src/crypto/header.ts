/**
 * The header of a sealed envelope (`.kbh`): layout and parsing.
 *
 * Invariant: the layout is computed from the suite; for nacl-1 it is the table of sealing.md 4.2.
 * Every range is checked before it sizes anything, in the same order and with the same codes as in
 * the Python package. Structure only: whether a tender wants this header says `accept.ts`.
 */
import { type Bytes, concat, equal, hex, Reader, u8, u16, u32, u64 } from "./bytes.ts";
import { Rejected } from "./errors.ts";
import { associatedData, bidIdOf } from "./schedule.ts";
import { chunkCount, ciphertextSize } from "./stream.ts";
import { getSuite, type Suite } from "./suites/index.ts";

export const MAGIC: Uint8Array = new Uint8Array([0x89, 0x4b, 0x42, 0x49, 0x44, 0x0d, 0x0a, 0x1a]);
export const VERSION = 1;
export const TRUSTEES_MAX = 9;
const LOG2_CHUNK_MIN = 16;
const LOG2_CHUNK_MAX = 20;
const TENDER_ID = 32;
const PREFIX = 12;

/** What the bidder decides before sealing: the core without what follows from it. */
export interface CoreFields {
  readonly tender_id: Bytes;
  readonly lot: number;
  readonly envelope: number;
  readonly bidder_pk: Bytes;
  readonly bidder_xpk: Bytes;
  readonly bid_nonce: Bytes;
  /** The bidder's claim; a u64 that nothing is computed from. */
  readonly created_ms: bigint;
  readonly pt_len: number;
  readonly log2_chunk: number;
}

/** The first part of a header: what an upload declares when it begins, and what AD covers. */
export interface Core extends CoreFields {
  readonly suite: Suite;
  readonly core: Bytes;
  readonly header_len: number;
  readonly n_chunks: number;
  readonly ad: Bytes;
}

export interface TrusteeBox {
  readonly xpk: Bytes;
  readonly box: Bytes;
}

/** A whole header by the field names of the specification; bid_id covers all of `raw`. */
export interface Header extends Core {
  readonly raw: Bytes;
  readonly c_B: Bytes;
  readonly c_H: Bytes;
  readonly c_K: Bytes;
  readonly c_P: Bytes;
  readonly ct_root: Bytes;
  readonly box_B: Bytes;
  readonly t: number;
  readonly n: number;
  readonly trustees: readonly TrusteeBox[];
  readonly sig: Bytes;
  readonly bid_id: Bytes;
}

/** Sizes of the parts of a header before the signature. */
export function layoutOf(suite: Suite): { core: number; fixed: number; row: number } {
  const { sizes } = suite;
  const keys = sizes.signPublic + sizes.boxPublic + sizes.bidNonce;
  return {
    core: PREFIX + 4 + TENDER_ID + 4 + 4 + keys + 8 + 8 + 4 + 4,
    fixed: 4 * sizes.commitment + sizes.root + sizes.seed + sizes.boxOverhead + 4,
    row: sizes.boxPublic + sizes.share + sizes.ad + sizes.boxOverhead,
  };
}

/** Bytes of a header with n trustees. */
export function headerSize(suite: Suite, n: number): number {
  const { core, fixed, row } = layoutOf(suite);
  return core + fixed + n * row + suite.sizes.signature;
}

/** Bytes of the payload that belongs to a core. */
export function payloadSize(core: Core): number {
  return ciphertextSize(core.suite, core.pt_len, core.log2_chunk);
}

/** The core's bytes: what an upload declares before a byte of payload is sent. */
export function buildCore(suite: Suite, n: number, fields: CoreFields): Bytes {
  return concat(
    MAGIC,
    u16(VERSION),
    u16(suite.id),
    u32(headerSize(suite, n)),
    fields.tender_id,
    u32(fields.lot),
    u32(fields.envelope),
    fields.bidder_pk,
    fields.bidder_xpk,
    fields.bid_nonce,
    u64(fields.created_ms),
    u64(fields.pt_len),
    u32(fields.log2_chunk),
    u32(chunkCount(fields.pt_len, fields.log2_chunk)),
  );
}

/** Everything of a header before its signature. */
export function buildUnsigned(
  core: Uint8Array,
  parts: Pick<Header, "c_B" | "c_H" | "c_K" | "c_P" | "ct_root" | "box_B" | "t" | "trustees">,
): Bytes {
  return concat(
    core,
    parts.c_B,
    parts.c_H,
    parts.c_K,
    parts.c_P,
    parts.ct_root,
    parts.box_B,
    u8(parts.t),
    u8(parts.trustees.length),
    u16(0),
    ...parts.trustees.flatMap((row) => [row.xpk, row.box]),
  );
}

/** What the bidder signs over the header without its signature. */
export function headerSignedBytes(suite: Suite, unsigned: Uint8Array): Bytes {
  return suite.signedMessage("KBID1 header", unsigned);
}

/** Is the header signed by its own bidder_pk, a key that C16 allows? */
export function headerSignatureOk(header: Header): boolean {
  const unsigned = header.raw.subarray(0, header.raw.length - header.suite.sizes.signature);
  return header.suite.verify(
    header.bidder_pk,
    headerSignedBytes(header.suite, unsigned),
    header.sig,
  );
}

/** The core alone, exactly its size; with `suite` given, only that suite is taken. */
export function parseCore(raw: Uint8Array, suite?: Suite): Core {
  const found = suiteOf(raw, suite);
  if (raw.length !== layoutOf(found).core) throw new Rejected("header.length");
  const fields = readCore(raw, found);
  const sizes = Array.from({ length: TRUSTEES_MAX }, (_, i) => headerSize(found, i + 1));
  if (!sizes.includes(fields.header_len)) throw new Rejected("header.length");
  return checkedCore(fields, found);
}

/** Structure and ranges only; neither terms nor signature. */
export function parseHeader(raw: Uint8Array, suite?: Suite): Header {
  const found = suiteOf(raw, suite);
  const { sizes } = found;
  const layout = layoutOf(found);
  if (raw.length < headerSize(found, 1) || raw.length > headerSize(found, TRUSTEES_MAX)) {
    throw new Rejected("header.length");
  }
  const fields = readCore(raw.subarray(0, layout.core), found);
  const reader = new Reader(raw);
  reader.take(layout.core);
  const [c_B, c_H, c_K, c_P] = [0, 1, 2, 3].map(() => reader.take(sizes.commitment)) as [
    Bytes,
    Bytes,
    Bytes,
    Bytes,
  ];
  const ct_root = reader.take(sizes.root);
  const box_B = reader.take(sizes.seed + sizes.boxOverhead);
  const t = reader.u8();
  const n = reader.u8();
  const zero = reader.u16();
  if (!(1 <= t && t <= n && n <= TRUSTEES_MAX)) throw new Rejected("header.threshold");
  if (zero !== 0) throw new Rejected("header.zero");
  if (raw.length !== fields.header_len || raw.length !== headerSize(found, n)) {
    throw new Rejected("header.length");
  }
  const core = checkedCore(fields, found);
  const trustees = Array.from({ length: n }, () => ({
    xpk: reader.take(sizes.boxPublic),
    box: reader.take(layout.row - sizes.boxPublic),
  }));
  if (!trustees.every((row) => found.isBoxPublic(row.xpk))) throw new Rejected("header.box_key");
  if (new Set(trustees.map((row) => hex(row.xpk))).size !== n) {
    throw new Rejected("header.trustees");
  }
  const whole = new Uint8Array(raw);
  const commitments = { c_B, c_H, c_K, c_P, ct_root, box_B };
  const sig = reader.take(sizes.signature);
  const bid_id = bidIdOf(found, whole);
  return { ...core, raw: whole, ...commitments, t, n, trustees, sig, bid_id };
}

/** The suite, after the first twelve bytes made sense. */
function suiteOf(raw: Uint8Array, expected: Suite | undefined): Suite {
  if (raw.length < PREFIX) throw new Rejected("header.length");
  if (!equal(raw.subarray(0, MAGIC.length), MAGIC)) throw new Rejected("header.magic");
  const reader = new Reader(raw.subarray(MAGIC.length));
  if (reader.u16() !== VERSION) throw new Rejected("header.version");
  const id = reader.u16();
  if (expected === undefined) return getSuite(id);
  if (id !== expected.id) throw new Rejected("header.suite");
  return expected;
}

type RawCore = Omit<Core, "pt_len" | "suite" | "ad"> & { pt_len: bigint };

function readCore(raw: Uint8Array, suite: Suite): RawCore {
  const reader = new Reader(raw);
  reader.take(PREFIX);
  return {
    core: new Uint8Array(raw),
    header_len: reader.u32(),
    tender_id: reader.take(TENDER_ID),
    lot: reader.u32(),
    envelope: reader.u32(),
    bidder_pk: reader.take(suite.sizes.signPublic),
    bidder_xpk: reader.take(suite.sizes.boxPublic),
    bid_nonce: reader.take(suite.sizes.bidNonce),
    created_ms: reader.big(8),
    pt_len: reader.big(8),
    log2_chunk: reader.u32(),
    n_chunks: reader.u32(),
  };
}

function checkedCore(fields: RawCore, suite: Suite): Core {
  if (fields.log2_chunk < LOG2_CHUNK_MIN || fields.log2_chunk > LOG2_CHUNK_MAX) {
    throw new Rejected("header.log2_chunk");
  }
  // n_chunks has 32 bits, so equality also keeps pt_len below 2^52 and safe as a number.
  const chunk = 1n << BigInt(fields.log2_chunk);
  const count = fields.pt_len === 0n ? 1n : (fields.pt_len + chunk - 1n) / chunk;
  if (BigInt(fields.n_chunks) !== count) throw new Rejected("header.n_chunks");
  if (!suite.isBoxPublic(fields.bidder_xpk)) throw new Rejected("header.box_key");
  const ad = associatedData(suite, fields.core);
  return { ...fields, pt_len: Number(fields.pt_len), suite, ad };
}
