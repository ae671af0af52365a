/**
 * Whose bid is whose, and how each bid stands (投标状态): questions that every page asks of a view.
 *
 * Invariant: who has unlocked is answered for the hall only after the window's end; before it the
 * staff's channel or the own party's says so, to those alone.
 */
import type { Bid, OpeningView } from "./view.ts";

/** `sealed` `half` `open` are shapes of the tally; `fail` and `gone` are boxed. */
export type TallyState = "sealed" | "half" | "open" | "fail" | "gone";

/** Is this bid ever opened? Those of a lot with too few bidders stay sealed. */
export function isOpenable(view: OpeningView, bid: Bid): boolean {
  return !view.failedLots.has(bid.lot);
}

/** The bids that the opening is about. */
export function openable(view: OpeningView): readonly Bid[] {
  return view.bids.filter((bid) => isOpenable(view, bid));
}

/** Our bids of the announced list: by organisation, or by bid_id where names are masked. */
export function ownListed(
  view: OpeningView,
  org: string | undefined,
  bidIds: ReadonlySet<string>,
): readonly Bid[] {
  return view.bids.filter(
    (bid) =>
      (org !== undefined && bid.org !== "" && bid.org === org) ||
      Object.values(bid.envelopes).some((id) => bidIds.has(id)),
  );
}

/** Those that are opened: nothing of a bid in a lot that failed is ever handed over. */
export function ownBids(
  view: OpeningView,
  org: string | undefined,
  bidIds: ReadonlySet<string>,
): readonly Bid[] {
  return ownListed(view, org, bidIds).filter((bid) => isOpenable(view, bid));
}

/** Envelopes of `bid` that the present session opens. */
export function sessionEnvelopes(view: OpeningView, bid: Bid): readonly number[] {
  const session = view.manifest?.sessions.find((one) => one.session === view.window?.session);
  return (session?.envelopes ?? []).filter((envelope) => envelope in bid.envelopes);
}

/** Has the own party handed over every half of `bid` that this session asks for? */
export function isOwnUnlocked(view: OpeningView, bid: Bid): boolean {
  if (view.window?.ended) return view.unlocked.has(bid.no);
  const done = view.ownUnlocks[bid.no]?.envelopes ?? [];
  const asked = sessionEnvelopes(view, bid);
  return asked.length > 0 && asked.every((envelope) => done.includes(envelope));
}

export function isStaffUnlocked(view: OpeningView, bid: Bid): boolean {
  if (view.window?.ended) return view.unlocked.has(bid.no);
  const done = view.staffUnlocks[bid.no]?.envelopes ?? [];
  const asked = sessionEnvelopes(view, bid);
  return asked.length > 0 && asked.every((envelope) => done.includes(envelope));
}

/** The form's bid_id of a bid in the present session. */
export function formBidId(view: OpeningView, bid: Bid): string | null {
  const form = view.manifest?.envelopes.find(
    (one) => one.kind === "form" && sessionEnvelopes(view, bid).includes(one.envelope),
  );
  return form ? (bid.envelopes[form.envelope] ?? null) : null;
}

/** How the public may see a bid now. */
export function tallyState(view: OpeningView, bid: Bid): TallyState {
  if (!isOpenable(view, bid)) return "gone";
  const id = formBidId(view, bid);
  const state = id === null ? undefined : view.states[id];
  if (state === "opened") return "open";
  if (state !== undefined) return "fail";
  if (!view.window?.ended) return "sealed";
  return view.unlocked.has(bid.no) ? "half" : "fail";
}

/** Failed tries of a bid that no success has followed. */
export function openTries(view: OpeningView, bid: Bid): number {
  if (isStaffUnlocked(view, bid)) return 0;
  return view.staffAttempts.filter((attempt) => attempt.no === bid.no).length;
}

/** The next row to be read after the present one; null after the last. */
export function nextRow(view: OpeningView): number | null {
  const at = view.rows.findIndex((row) => row.no === view.row);
  return view.rows[at + 1]?.no ?? null;
}
