/**
 * What a bidder's page knows of its tender until the deadline (投标阶段): the fold of its events.
 *
 * Invariant: nothing here but the manifest and the deadline is public; the rest is this
 * organisation's own, and no count of anybody else's bids exists before the deadline.
 */
import { hex } from "../crypto/bytes.ts";
import type { TenderEvents } from "../messages.ts";
import { type DeadlineProposal, type Declined, deadlineProposal } from "../opening/acts.ts";
import { type Manifest, readManifest } from "./manifest.ts";

export interface SubmitSeen {
  readonly message: Uint8Array;
  /** 1 submit, 2 withdraw */
  readonly kind: number;
  /** of the ACK: 0 accepted, 1 late, 2 incomplete ... */
  readonly result: number;
  readonly receivedMs: number;
}

export interface TenderView {
  readonly id: string;
  readonly manifest: Manifest | null;
  readonly manifestRaw: Uint8Array | null;
  readonly deadlineMs: number;
  readonly deadlineReason: string;
  readonly isClosed: boolean;
  readonly registered: { readonly bidderPk: string; readonly bidderXpk: string } | null;
  /** Every SUBMIT and WITHDRAW of ours, in the order of the chain. */
  readonly submits: readonly SubmitSeen[];
  /** Staff only: another deadline that waits for its second signature, and the newest no. */
  readonly deadlineProposal: DeadlineProposal | null;
  readonly deadlineDeclined: Declined | null;
  /** Staff only: bid_ids that the store check after the deadline found damaged. */
  readonly damaged: readonly string[];
}

export function emptyTender(id: string): TenderView {
  return {
    id,
    manifest: null,
    manifestRaw: null,
    deadlineMs: 0,
    deadlineReason: "",
    isClosed: false,
    registered: null,
    submits: [],
    deadlineProposal: null,
    deadlineDeclined: null,
    damaged: [],
  };
}

type Table = {
  readonly [K in keyof TenderEvents]?: (
    view: TenderView,
    body: TenderEvents[K],
    atMs: number,
  ) => TenderView;
};

const TABLE: Table = {
  tender_published: (view, body) => {
    const manifest = readManifest(body.manifest);
    const deadlineMs = view.deadlineMs || (manifest?.deadline_ms ?? 0);
    return { ...view, manifest, manifestRaw: body.manifest, deadlineMs };
  },
  deadline_changed: (view, body) => ({
    ...view,
    deadlineMs: body.deadline_ms,
    deadlineReason: body.reason,
  }),
  deadline_proposed: (view, body, atMs) => ({
    ...view,
    deadlineProposal: deadlineProposal(body, atMs),
    deadlineDeclined: null,
  }),
  deadline_declined: (view, body, atMs) => ({
    ...view,
    deadlineProposal: null,
    deadlineDeclined: {
      act: hex(body.act),
      by: body.by,
      name: body.name,
      reason: body.reason,
      atMs,
    },
  }),
  store_checked: (view, body) => ({ ...view, damaged: body.damaged.map(hex) }),
  bidding_closed: (view) => ({ ...view, isClosed: true }),
  bidder_registered: (view, body) => ({
    ...view,
    registered: { bidderPk: hex(body.bidder_pk), bidderXpk: hex(body.bidder_xpk) },
  }),
  submit_received: (view, body) => ({
    ...view,
    submits: [
      ...view.submits,
      {
        message: body.message,
        kind: body.kind,
        result: body.result,
        receivedMs: body.received_ms,
      },
    ],
  }),
};

export function foldTender(
  view: TenderView,
  event: { type: string; body: unknown; serverMs: number },
): TenderView {
  if (!Object.hasOwn(TABLE, event.type)) return view;
  const folding = TABLE[event.type as keyof TenderEvents] as
    | ((view: TenderView, body: unknown, atMs: number) => TenderView)
    | undefined;
  return folding ? folding(view, event.body, event.serverMs) : view;
}
