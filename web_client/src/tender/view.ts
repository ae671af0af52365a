/**
 * What a bidder's page knows of its tender until the deadline (投标阶段): the fold of its events.
 *
 * Invariant: nothing here but the manifest and the deadline is public; the rest is this
 * organisation's own, and no count of anybody else's bids exists before the deadline.
 */
import { hex } from "../crypto/bytes.ts";
import type { TenderEvents } from "../messages.ts";
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
  };
}

type Table = {
  readonly [K in keyof TenderEvents]?: (view: TenderView, body: TenderEvents[K]) => TenderView;
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

export function foldTender(view: TenderView, event: { type: string; body: unknown }): TenderView {
  if (!Object.hasOwn(TABLE, event.type)) return view;
  const folding = TABLE[event.type as keyof TenderEvents] as
    | ((view: TenderView, body: unknown) => TenderView)
    | undefined;
  return folding ? folding(view, event.body) : view;
}
