/**
 * Folds the events of an opening into the view of a page: `foldOpening(view, event)`.
 *
 * Invariant: pure. The same events in the order of their channels give the same view, whatever
 * order the channels themselves arrived in. An unknown type is remembered, never guessed at.
 */

import { concat, hex } from "../crypto/bytes.ts";
import { decode, isObject, type Json } from "../crypto/canonical.ts";
import type { OpeningEvents, Stage } from "../messages.ts";
import { readManifest } from "../tender/manifest.ts";
import {
  withDamage,
  withDecision,
  withDeclined,
  withGroundProposal,
  withLossProposal,
  withRepair,
  withSuggestions,
} from "./acts.ts";
import type {
  Announcement,
  AnnouncementKind,
  Attempt,
  Bid,
  OpeningView,
  Row,
  Unlocking,
  Window,
} from "./view.ts";

export interface OpeningEvent {
  readonly type: string;
  readonly serverMs: number;
  readonly body: unknown;
}

const DOCUMENT_BYTES_MAX = 1 << 26;
const ANNOUNCEMENTS_MAX = 200;
const ATTEMPTS_MAX = 500;

type Folding<T> = (view: OpeningView, body: T, atMs: number) => OpeningView;
type Table = { readonly [K in keyof OpeningEvents]: Folding<OpeningEvents[K]> };

export function foldOpening(view: OpeningView, event: OpeningEvent): OpeningView {
  const folding = (TABLE as Readonly<Record<string, Folding<never>>>)[event.type];
  if (!folding || !Object.hasOwn(TABLE, event.type)) {
    if (view.unknownTypes.includes(event.type)) return view;
    return { ...view, unknownTypes: [...view.unknownTypes, event.type] };
  }
  return folding(view, event.body as never, event.serverMs);
}

const URGENT: ReadonlySet<AnnouncementKind> = new Set([
  "deadline_moved",
  "opening_failed",
  "lot_failed",
  "window_restarted",
  "window_paused",
  "window_extended",
  "window_outage",
  "trustees_lost",
]);

/** Adds a line to the broadcast; being read moves on in place, so that 60 rows stay one line. */
function announce(
  view: OpeningView,
  atMs: number,
  kind: AnnouncementKind,
  args: Announcement["args"] = {},
): OpeningView {
  const last = view.announcements.at(-1);
  const kept =
    kind === "row_read" && last?.kind === "row_read"
      ? view.announcements.slice(0, -1)
      : view.announcements.slice(-ANNOUNCEMENTS_MAX + 1);
  const id = (last?.id ?? 0) + 1;
  const line = { id, atMs, kind, args, urgent: URGENT.has(kind) };
  return { ...view, announcements: [...kept, line] };
}

function enter(view: OpeningView, stage: Stage, atMs: number): OpeningView {
  return { ...view, stage, beganMs: { ...view.beganMs, [stage]: atMs } };
}

function changeWindow(view: OpeningView, change: (window: Window) => Window): OpeningView {
  return view.window ? { ...view, window: change(view.window) } : view;
}

function merged(before: Unlocking | undefined, next: Unlocking): Unlocking {
  const envelopes = new Set([...(before?.envelopes ?? []), ...next.envelopes]);
  return { ...next, envelopes: [...envelopes].sort((a, b) => a - b) };
}

function attempts(before: readonly Attempt[], next: Attempt): readonly Attempt[] {
  return [...before.slice(-ATTEMPTS_MAX + 1), next];
}

function announcedBid(bid: OpeningEvents["bidders_announced"]["bids"][number]): Bid {
  return {
    no: bid.no,
    lot: bid.lot,
    org: bid.org,
    name: bid.name,
    certified: bid.certified,
    envelopes: Object.fromEntries(bid.envelopes.map((e) => [e.envelope, hex(e.bid_id)])),
  };
}

/** A document whose first parts came before the event that ends it. */
function joined(parts: readonly Uint8Array[], last: Uint8Array): Uint8Array {
  return parts.length > 0 ? concat(...parts, last) : last;
}

const TABLE: Table = {
  opening_scheduled: (view, body) => {
    const manifest = readManifest(body.manifest);
    const deadlineMs = view.deadlineMs || (manifest?.deadline_ms ?? 0);
    return { ...view, manifest, manifestRaw: body.manifest, deadlineMs };
  },

  sign_in_opened: (view, _body, atMs) =>
    announce(enter(view, "sign_in", atMs), atMs, "sign_in_opened"),

  bidder_signed_in: (view, body) => ({ ...view, ownSignInMs: body.at_ms }),

  deadline_moved: (view, body, atMs) =>
    announce({ ...view, deadlineMs: body.deadline_ms }, atMs, "deadline_moved", {
      deadline_ms: body.deadline_ms,
    }),

  bidders_listed: (view, body) => ({
    ...view,
    listed: [...view.listed, ...body.bids.map(announcedBid)],
  }),

  bidders_announced: (view, body, atMs) => {
    const next = {
      ...view,
      bids: [...view.listed, ...body.bids.map(announcedBid)],
      listed: [],
      listRoot: hex(body.list_root),
      deadlineMs: body.deadline_ms,
    };
    return announce(enter(next, "announced", atMs), atMs, "bidders_announced", {
      count: body.count,
    });
  },

  signed_in_bidders: (view, body) => ({
    ...view,
    signedInOrgs: new Set([...view.signedInOrgs, ...body.orgs]),
  }),

  latecomer_signed_in: (view, body) => ({
    ...view,
    signedInOrgs: new Set([...view.signedInOrgs, body.org]),
  }),

  opening_failed: (view, body, atMs) =>
    announce({ ...enter(view, "failed", atMs), failedReason: body.reason }, atMs, "opening_failed"),

  lot_failed: (view, body, atMs) => {
    const next = { ...view, failedLots: new Set([...view.failedLots, body.lot]) };
    const { lot, bidders } = body;
    return announce(next, atMs, "lot_failed", { lot, bidders });
  },

  checkpoint_reached: (view, body, atMs) => {
    const checkpoint = { checkpoint: body.checkpoint, fingerprint: body.fingerprint, atMs };
    if (body.of !== "closing") {
      return changeWindow(view, (window) =>
        window.w === body.w && window.session === body.session ? { ...window, checkpoint } : window,
      );
    }
    return announce({ ...view, closing: checkpoint }, atMs, "closing_fingerprint", {
      fingerprint: body.fingerprint,
    });
  },

  window_opened: (view, body, atMs) => {
    const window: Window = {
      session: body.session,
      w: body.w,
      nonces: Object.fromEntries(body.nonces.map((n) => [n.envelope, hex(n.nonce)])),
      startMs: body.start_ms,
      endMs: body.end_ms,
      remainingMs: null,
      reason: body.reason ?? "",
      ended: false,
      early: false,
      endedAtMs: 0,
      checkpoint: null,
    };
    const opened = {
      ...enter(view, "decryption", atMs),
      window,
      unlocked: new Set<number>(),
      locked: new Set<number>(),
      releases: [],
      trusteesLost: null,
      repliesEnded: false,
      allOpened: false,
      row: 0,
    };
    const args = {
      end_ms: body.end_ms,
      minutes: Math.round((body.end_ms - body.start_ms) / 60_000),
      reason: body.reason ?? "",
    };
    return announce(opened, atMs, body.w > 1 ? "window_restarted" : "window_opened", args);
  },

  window_changed: (view, body, atMs) => {
    const isPaused =
      body.change === "pause" || (body.change === "extend" && view.window?.remainingMs != null);
    const changed = changeWindow(view, (window) => ({
      ...window,
      endMs: body.end_ms,
      remainingMs: isPaused ? body.remaining_ms : null,
      // An extension during a pause must not wipe the words that say why the clock stands.
      reason: body.change === "extend" && isPaused ? window.reason : body.reason,
    }));
    const kind =
      body.change === "pause"
        ? "window_paused"
        : body.change === "resume"
          ? "window_resumed"
          : body.reason === "outage"
            ? "window_outage"
            : "window_extended";
    const addedMs = view.window ? body.end_ms - view.window.endMs : 0;
    return announce(changed, atMs, kind, {
      end_ms: body.end_ms,
      reason: body.reason,
      minutes: Math.max(1, Math.round(addedMs / 60_000)),
    });
  },

  outage_seen: (view, body, atMs) =>
    announce(view, atMs, "outage_seen", { seconds: Math.max(1, Math.round(body.lost_ms / 1000)) }),

  bid_unlocked: (view, body) => {
    const before = view.staffUnlocks[body.no];
    const next = { envelopes: body.envelopes, by: body.by, receivedMs: body.received_ms };
    return { ...view, staffUnlocks: { ...view.staffUnlocks, [body.no]: merged(before, next) } };
  },

  own_bid_unlocked: (view, body) => {
    const before = view.ownUnlocks[body.no];
    const next = { envelopes: body.envelopes, by: body.by, receivedMs: body.received_ms };
    const unlocks = { ...view.ownUnlocks, [body.no]: merged(before, next) };
    return announce({ ...view, ownUnlocks: unlocks }, body.received_ms, "own_unlocked", {
      no: body.no,
    });
  },

  attempt_failed: (view, body) => {
    const attempt = { no: body.no, code: body.code, receivedMs: body.received_ms };
    const next = { ...view, ownAttempts: attempts(view.ownAttempts, attempt) };
    return announce(next, body.received_ms, "own_attempt", { no: body.no, code: body.code });
  },

  attempt_seen: (view, body) => {
    const attempt = { no: body.no, code: body.code, receivedMs: body.received_ms };
    return { ...view, staffAttempts: attempts(view.staffAttempts, attempt) };
  },

  window_ended: (view, body, atMs) => {
    const ended = changeWindow(view, (window) => ({
      ...window,
      ended: true,
      early: body.early,
      endedAtMs: atMs,
      remainingMs: null,
    }));
    const next = {
      ...enter(ended, "release", atMs),
      unlocked: new Set(body.unlocked),
      locked: new Set(body.locked),
    };
    return announce(next, atMs, body.early ? "window_ended_early" : "window_ended", {
      unlocked: body.unlocked.length,
      locked: body.locked.length,
    });
  },

  trustee_released: (view, body, atMs) => {
    const release = {
      i: body.i,
      role: body.role,
      name: body.name,
      receivedMs: body.received_ms,
    };
    const releases = [...view.releases.filter((one) => one.i !== body.i), release];
    const next = { ...view, releases, needed: body.needed };
    const stage = view.stage === "release" ? enter(next, "replies", atMs) : next;
    return announce(stage, atMs, "trustee_released", {
      role: body.role,
      name: body.name,
      released: body.released,
      needed: body.needed,
    });
  },

  trustees_lost: (view, body, atMs) => {
    const next = { ...view, trusteesLost: body.reason };
    const stage = view.stage === "release" ? enter(next, "replies", atMs) : next;
    return announce(stage, atMs, "trustees_lost", { reason: body.reason });
  },

  trustee_fault_found: (view, body, atMs) => {
    const fault = {
      i: body.i,
      envelope: body.envelope,
      bidId: hex(body.bid_id),
      fault: body.fault,
    };
    const next = { ...view, faults: [...view.faults, fault] };
    // One faulty trustee has as many wrong shares as there are bids: say it once.
    if (view.faults.some((one) => one.i === fault.i)) return next;
    return announce(next, atMs, "trustee_fault", { i: body.i });
  },

  trustees_lost_proposed: (view, body, atMs) => ({
    ...view,
    acts: withLossProposal(view.acts, body, atMs),
  }),

  damage_found: (view, body, atMs) => ({
    ...view,
    acts: withDamage(view.acts, body.bid_ids.map(hex), atMs),
  }),

  bid_repaired: (view, body, atMs) => {
    const next = { ...view, acts: withRepair(view.acts, hex(body.bid_id), atMs) };
    return announce(next, atMs, "bid_repaired", { no: body.no });
  },

  replies_ended: (view, _body, atMs) =>
    announce({ ...enter(view, "opening", atMs), repliesEnded: true }, atMs, "replies_ended"),

  all_opened: (view, _body, atMs) => announce({ ...view, allOpened: true }, atMs, "all_opened"),

  document_part: (view, body) => ({ ...view, parts: [...view.parts, body.raw] }),

  set_frozen: (view, body) => {
    const states: Record<string, string> = { ...view.states };
    const hashes: Record<string, string> = { ...view.formHashes };
    for (const bid of members(canonical(joined(view.parts, body.frozen)), "bids")) {
      const id = String(bid["bid_id"]);
      states[id] = String(bid["state"]);
      if (typeof bid["form_sha256"] === "string") hashes[id] = bid["form_sha256"];
    }
    return { ...view, parts: [], states, formHashes: hashes };
  },

  prices_read_out: (view, body, atMs) => {
    const numbers = new Map(
      view.bids.flatMap((bid) => Object.values(bid.envelopes).map((id) => [id, bid.no] as const)),
    );
    const readout = canonical(joined(view.parts, body.readout));
    const rows = members(readout, "rows").map((row) => readRow(numbers, row));
    const fresh = new Set(rows.map((row) => row.bidId));
    const all = [...view.rows.filter((old) => !fresh.has(old.bidId)), ...rows];
    const next = {
      ...enter(view, "read_out", atMs),
      allOpened: true,
      parts: [],
      rows: all.sort((a, b) => a.no - b.no),
      amounts: { ...view.amounts, ...body.amounts },
    };
    return announce(next, atMs, "prices_read_out", { count: rows.length });
  },

  row_read: (view, body, atMs) => {
    const next = { ...view, row: body.no, readMs: { ...view.readMs, [body.no]: atMs } };
    return announce(next, atMs, "row_read", { no: body.no });
  },

  body_decided: (view, body) => ({
    ...view,
    states: { ...view.states, [hex(body.bid_id)]: body.state },
  }),

  grounds_suggested: (view, body) => ({ ...view, acts: withSuggestions(view.acts, body) }),

  ground_proposed: (view, body, atMs) => ({
    ...view,
    acts: withGroundProposal(view.acts, body, atMs),
  }),

  act_declined: (view, body, atMs) => ({ ...view, acts: withDeclined(view.acts, body, atMs) }),

  ground_decided: (view, body, atMs) => {
    const next = { ...view, acts: withDecision(view.acts, body, atMs) };
    const { no, ground, reason } = body;
    return announce(next, atMs, "ground_decided", { no, ground, reason });
  },

  opening_closed: (view, _body, atMs) =>
    announce(enter(view, "closed", atMs), atMs, "opening_closed"),

  put_on_stage: (view, { person, name, reason }, atMs) => {
    const next = { ...view, onStage: { ...view.onStage, [person]: name } };
    return announce(next, atMs, "put_on_stage", { name, reason });
  },

  taken_off_stage: (view, { person }, atMs) => {
    const { [person]: name = person, ...onStage } = view.onStage;
    return announce({ ...view, onStage }, atMs, "taken_off_stage", { name });
  },

  recording_began: (view, _body, atMs) => announce(view, atMs, "recording_began"),

  // Shown where sound and pictures are (live/), from what the media say at the moment.
  held: (view) => view,
  released_from_hold: (view) => view,
  muted: (view) => view,
  unmuted: (view) => view,
  call_began: (view) => view,
  call_ended: (view) => view,
  segment_sealed: (view) => view,
  recording_reported: (view) => view,
};

function canonical(raw: Uint8Array): Json {
  return decode(raw, { sizeMax: DOCUMENT_BYTES_MAX, depthMax: 8 });
}

function members(value: Json, name: string): readonly Readonly<Record<string, Json>>[] {
  if (!isObject(value)) return [];
  const list = value[name];
  return Array.isArray(list) ? (list as readonly Json[]).filter(isObject) : [];
}

function readRow(numbers: ReadonlyMap<string, number>, row: Readonly<Record<string, Json>>): Row {
  const { bid_id, ...form } = row;
  const bidId = String(bid_id);
  return {
    no: numbers.get(bidId) ?? 0,
    bidId,
    lot: Number(row["lot"]),
    bidder: row["bidder"] as unknown as Row["bidder"],
    fields: row["fields"] as unknown as Row["fields"],
    form,
  };
}
