/**
 * Header acceptance (C6): is this header what the tender's manifest and a registration ask for?
 *
 * Invariant: the same checks in the same order as on the server, so the sealing page never sends a
 * header that would be refused, and a trustee's page never releases for one that should have been.
 * That an AD is new in the tender is the caller's to check: only the caller remembers the others.
 */
import { equal } from "./bytes.ts";
import { Rejected } from "./errors.ts";
import {
  type Core,
  type Header,
  headerSignatureOk,
  headerSize,
  parseCore,
  parseHeader,
} from "./header.ts";
import type { Suite } from "./suites/index.ts";

export const FORM_PAD = 4096;
export const FORM_PT_LEN_MAX = 65_536;
export const BODY_PAD = 65_536;

/** What manifest and registration say about one bidder's envelope of one number. */
export interface EnvelopeTerms {
  readonly suite: Suite;
  readonly tender_id: Uint8Array;
  readonly lots: readonly number[];
  readonly envelope: number;
  readonly kind: "form" | "body";
  readonly log2_chunk: number;
  readonly pt_len_max: number;
  readonly t: number;
  /** In the manifest's order, which is the header's. */
  readonly trustee_xpks: readonly Uint8Array[];
  /** Whether t = n is allowed. */
  readonly demo: boolean;
  readonly bidder_pk: Uint8Array;
  readonly bidder_xpk: Uint8Array;
}

/** What C6 can say before a byte of payload exists. */
export function acceptCore(raw: Uint8Array, terms: EnvelopeTerms): Core {
  const core = parseCore(raw, terms.suite);
  if (core.header_len !== headerSize(terms.suite, terms.trustee_xpks.length)) {
    throw new Rejected("header.length");
  }
  checkCoreTerms(core, terms);
  checkLength(core, terms);
  return core;
}

/** The header, or the first check of C6 that fails. */
export function acceptHeader(raw: Uint8Array, terms: EnvelopeTerms): Header {
  const header = parseHeader(raw, terms.suite);
  checkCoreTerms(header, terms);
  if (header.t !== terms.t || (header.t === header.n && !terms.demo)) {
    throw new Rejected("header.threshold");
  }
  const wanted = terms.trustee_xpks;
  const isSameList =
    header.n === wanted.length &&
    header.trustees.every((row, at) => equal(row.xpk, wanted[at] as Uint8Array));
  if (!isSameList) throw new Rejected("header.trustees");
  checkLength(header, terms);
  if (!headerSignatureOk(header)) throw new Rejected("header.signature");
  return header;
}

function checkCoreTerms(core: Core, terms: EnvelopeTerms): void {
  if (!equal(core.tender_id, terms.tender_id)) throw new Rejected("header.tender");
  if (!terms.lots.includes(core.lot)) throw new Rejected("header.lot");
  if (core.envelope !== terms.envelope) throw new Rejected("header.envelope");
  if (!equal(core.bidder_pk, terms.bidder_pk)) throw new Rejected("header.bidder");
  if (!equal(core.bidder_xpk, terms.bidder_xpk)) throw new Rejected("header.bidder_xpk");
  if (core.log2_chunk !== terms.log2_chunk) throw new Rejected("header.log2_chunk");
}

function checkLength(core: Core, terms: EnvelopeTerms): void {
  const isForm = terms.kind === "form";
  const pad = isForm ? FORM_PAD : BODY_PAD;
  const limit = isForm ? Math.min(terms.pt_len_max, FORM_PT_LEN_MAX) : terms.pt_len_max;
  if (core.pt_len < 1 || core.pt_len > limit || core.pt_len % pad !== 0) {
    throw new Rejected("header.pt_len");
  }
}
