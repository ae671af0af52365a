/**
 * The pieces of a trustee's check (C7): who submitted what, which windows ended how.
 *
 * Invariant: each function either returns what it established or refuses with one code. The closed
 * list must be complete here: its root is recomputed over all SUBMITs shown, so none can be missing
 * and none can be added.
 */
import type {
  BidderRegEntry,
  DeadlineClosedEntry,
  OpeningStartEntry,
  WindowChangeEntry,
  WindowEndEntry,
} from "../formats.ts";
import { acceptHeader } from "./accept.ts";
import { compare, equal, hex, unhex } from "./bytes.ts";
import { ENTRY_TYPE } from "./entries.ts";
import { Rejected } from "./errors.ts";
import { type Header, parseHeader } from "./header.ts";
import { entriesAs, type LogView } from "./log_view.ts";
import { envelopeOf, sessionOf, type TenderManifest, termsOf } from "./manifest.ts";
import { signatureOk } from "./message_parts.ts";
import { closedListRoot } from "./receipts.ts";
import { checkRegistration } from "./registration.ts";
import { MODE_ALL } from "./release_message.ts";
import { bidderHalfMatches } from "./sealing.ts";
import { KIND_SUBMIT, parseSubmit, type Submit } from "./submissions.ts";

/** One window of a session as the hall announced it. */
export interface SessionWindow {
  readonly envelope: number;
  readonly w: number;
  readonly nonce: Uint8Array;
}

/**
 * All counting SUBMITs, signed, of this tender, and together exactly the closed list.
 *
 * Codes: `release_check.closed_list`, `submit.*`, `release_check.submit` (another tender, a
 * withdrawal, or two of one bidder and lot).
 */
export function countingSubmits(
  view: LogView,
  closed: DeadlineClosedEntry,
  raws: readonly Uint8Array[],
): Submit[] {
  const { suite, tender_id } = view.manifest;
  const submits = raws.map((raw) => parseSubmit(raw, suite));
  const root = closedListRoot(submits.map((submit) => submit.digest));
  if (submits.length !== closed.count || hex(root) !== closed.list_root) {
    throw new Rejected("release_check.closed_list");
  }
  const seen = new Set<string>();
  for (const submit of submits) {
    if (!signatureOk(submit, submit.bidder_pk)) throw new Rejected("submit.signature");
    const whose = `${hex(submit.bidder_pk)} ${submit.lot}`;
    const isLawful = submit.kind === KIND_SUBMIT && equal(submit.tender_id, tender_id);
    if (!isLawful || seen.has(whose)) throw new Rejected("release_check.submit");
    seen.add(whose);
  }
  return submits;
}

/**
 * Every header that the SUBMITs list for these envelopes, accepted by C6 under a logged
 * registration. Codes: `registration.*`, `header.*`, `release_check.header_missing`,
 * `release_check.unregistered`, `release_check.same_ad`, `release_check.listed_twice`.
 */
export function countingHeaders(
  view: LogView,
  submits: readonly Submit[],
  raws: readonly Uint8Array[],
  envelopes: readonly number[],
): Header[] {
  const { manifest } = view;
  const registered = new Map<string, BidderRegEntry>();
  for (const entry of entriesAs<BidderRegEntry>(view, ENTRY_TYPE.BIDDER_REG)) {
    checkRegistration(entry, manifest);
    registered.set(entry.bidder_pk, entry);
  }
  const byId = new Map<string, Uint8Array>();
  for (const raw of raws) byId.set(hex(parseHeader(raw, manifest.suite).bid_id), raw);
  const listed = submits.flatMap((submit) => submit.items.map((item) => ({ submit, item })));
  if (new Set(listed.map(({ item }) => hex(item.bid_id))).size !== listed.length) {
    throw new Rejected("release_check.listed_twice");
  }
  const headers: Header[] = [];
  for (const { submit, item } of listed) {
    if (!envelopes.includes(item.envelope)) continue;
    const raw = byId.get(hex(item.bid_id));
    if (raw === undefined) throw new Rejected("release_check.header_missing");
    const registration = registered.get(hex(submit.bidder_pk));
    if (registration === undefined) throw new Rejected("release_check.unregistered");
    const bidder = { pk: submit.bidder_pk, xpk: unhex(registration.bidder_xpk) };
    const header = acceptHeader(raw, termsOf(manifest, item.envelope, bidder));
    if (header.lot !== submit.lot) throw new Rejected("header.lot");
    headers.push(header);
  }
  if (new Set(headers.map((header) => hex(header.ad))).size !== headers.length) {
    throw new Rejected("release_check.same_ad");
  }
  return headers.sort((a, b) => compare(a.bid_id, b.bid_id));
}

/** The logged starts of the announced windows, which are those of one whole session. */
export function sessionWindows(
  view: LogView,
  closed: DeadlineClosedEntry,
  windows: readonly SessionWindow[],
): OpeningStartEntry[] {
  const starts = entriesAs<OpeningStartEntry>(view, ENTRY_TYPE.OPENING_START);
  const found = windows.map((window) => {
    const start = starts.find((each) => each.nonce === hex(window.nonce));
    if (start === undefined || start.w !== window.w) throw new Rejected("release_check.nonce");
    if (start.envelope !== window.envelope) throw new Rejected("release_check.envelope");
    if (start.server_ms < closed.server_ms) throw new Rejected("release_check.before_closing");
    return start;
  });
  const [first] = found;
  if (first === undefined) throw new Rejected("release_check.nonce");
  const session = sessionOf(view.manifest, first.envelope);
  const opened = found.map((start) => start.envelope).sort((a, b) => a - b);
  const isWhole =
    found.every((start) => start.session === session.session && start.w === first.w) &&
    opened.length === session.envelopes.length &&
    opened.every((envelope, at) => envelope === session.envelopes[at]);
  if (!isWhole) throw new Rejected("release_check.session");
  return found;
}

/**
 * Every window ended: at its end, or early with every counting bid of the session unlocked.
 *
 * Codes: `release_check.end_missing`, `release_check.shortened` (a change made it shorter),
 * `release_check.end` (ended at another time than announced), `release_check.early`.
 */
export function checkWindowEnd(
  view: LogView,
  starts: readonly OpeningStartEntry[],
  headers: readonly Header[],
  halves: ReadonlyMap<string, Uint8Array>,
): true {
  const ends = entriesAs<WindowEndEntry>(view, ENTRY_TYPE.WINDOW_END);
  for (const start of starts) {
    const end = ends.find((each) => each.nonce === start.nonce);
    if (end === undefined) throw new Rejected("release_check.end_missing");
    const isOver = end.early || end.server_ms >= end.end_ms;
    if (end.end_ms !== announcedEnd(view, start) || !isOver) {
      throw new Rejected("release_check.end");
    }
    const isAllUnlocked = headers.every((header) => {
      const half = halves.get(hex(header.bid_id));
      return half !== undefined && bidderHalfMatches(header, half);
    });
    const mayEndEarly = sessionOf(view.manifest, start.envelope).early_end && isAllUnlocked;
    if (end.early && !mayEndEarly) throw new Rejected("release_check.early");
  }
  return true;
}

/** end_ms of the last WINDOW_CHANGE, or of OPENING_START; it never becomes earlier (C1). */
function announcedEnd(view: LogView, start: OpeningStartEntry): number {
  const changes = entriesAs<WindowChangeEntry>(view, ENTRY_TYPE.WINDOW_CHANGE)
    .filter((change) => change.nonce === start.nonce)
    .sort((a, b) => a.server_ms - b.server_ms || a.end_ms - b.end_ms);
  let end = start.end_ms;
  for (const change of changes) {
    if (change.end_ms < end) throw new Rejected("release_check.shortened");
    end = change.end_ms;
  }
  return end;
}

/**
 * The headers of one window to release: those unlocked, or all, as the manifest's mode says.
 * A half that is shown must match its commitment. Code: `release_check.half`.
 */
export function checkHalves(
  manifest: TenderManifest,
  window: SessionWindow,
  headers: readonly Header[],
  halves: ReadonlyMap<string, Uint8Array>,
): { mode: number; headers: Header[] } {
  const { mode } = envelopeOf(manifest, window.envelope);
  const ofWindow = headers.filter((header) => header.envelope === window.envelope);
  const unlocked = ofWindow.filter((header) => {
    const half = halves.get(hex(header.bid_id));
    if (half !== undefined && !bidderHalfMatches(header, half)) {
      throw new Rejected("release_check.half");
    }
    return half !== undefined;
  });
  return { mode, headers: mode === MODE_ALL ? ofWindow : unlocked };
}
