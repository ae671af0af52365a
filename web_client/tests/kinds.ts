/** One announcement of every kind, with the arguments that the fold gives it. */
import type { AnnouncementKind } from "../src/opening/view.ts";

type Args = Readonly<Record<string, string | number>>;
const at = 1_795_140_060_000;

const ARGS: Readonly<Record<AnnouncementKind, Args>> = {
  sign_in_opened: {},
  deadline_moved: { deadline_ms: at },
  bidders_announced: { count: 67 },
  opening_failed: {},
  lot_failed: { lot: 2, bidders: 1 },
  closing_fingerprint: { fingerprint: "ZC5J" },
  window_opened: { end_ms: at, minutes: 30, reason: "" },
  window_restarted: { end_ms: at, minutes: 30, reason: "x" },
  window_paused: { end_ms: at, minutes: 1, reason: "x" },
  window_resumed: { end_ms: at, minutes: 1, reason: "" },
  window_extended: { end_ms: at, minutes: 10, reason: "x" },
  window_outage: { end_ms: at, minutes: 2, reason: "outage" },
  outage_seen: { seconds: 30 },
  bid_repaired: { no: 4 },
  ground_decided: { no: 52, ground: "revoked", reason: "x" },
  window_ended: { unlocked: 66, locked: 1 },
  window_ended_early: { unlocked: 67, locked: 0 },
  own_unlocked: { no: 23 },
  own_attempt: { no: 23, code: "unlock.key_mismatch" },
  trustee_released: { role: "agency", name: "李明", released: 1, needed: 2 },
  trustees_lost: { reason: "x" },
  trustee_fault: { i: 2 },
  replies_ended: {},
  all_opened: {},
  prices_read_out: { count: 66 },
  row_read: { no: 31 },
  opening_closed: {},
  put_on_stage: { name: "澄江路桥", reason: "x" },
  taken_off_stage: { name: "澄江路桥" },
  recording_began: {},
};

export const ENTER_KINDS = Object.entries(ARGS).map(([kind, args]) => ({
  kind: kind as AnnouncementKind,
  args,
}));
