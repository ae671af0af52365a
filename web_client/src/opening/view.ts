/**
 * What one page knows of one opening (开标): the fold of every event it was sent.
 *
 * Invariant: a value; nothing here is changed in place. Bytes that are compared or looked up are
 * lower-case hex. Events of different channels (hall, staff, own party) meet here; none of them
 * needs another channel's event to have come first.
 */
import type { JsonObject } from "../crypto/canonical.ts";
import type { Stage } from "../messages.ts";
import type { Manifest } from "../tender/manifest.ts";
import { type ActsView, NO_ACTS } from "./acts.ts";

export interface Bid {
  readonly no: number;
  readonly lot: number;
  readonly org: string;
  readonly name: string;
  readonly certified: boolean;
  /** envelope number -> bid_id */
  readonly envelopes: Readonly<Record<number, string>>;
}

export interface Fingerprinted {
  readonly checkpoint: string;
  readonly fingerprint: string;
  readonly atMs: number;
}

export interface Window {
  readonly session: number;
  readonly w: number;
  /** envelope number -> opening_nonce */
  readonly nonces: Readonly<Record<number, string>>;
  readonly startMs: number;
  readonly endMs: number;
  /** Set while paused; then this counts, not `endMs`. */
  readonly remainingMs: number | null;
  /** Reason of the latest pause, extension or restart; "" when there was none. */
  readonly reason: string;
  readonly ended: boolean;
  readonly early: boolean;
  readonly endedAtMs: number;
  readonly checkpoint: Fingerprinted | null;
}

export interface Release {
  readonly i: number;
  readonly role: string;
  readonly name: string;
  readonly receivedMs: number;
}

export interface Fault {
  readonly i: number;
  readonly envelope: number;
  readonly bidId: string;
  readonly fault: string;
}

/** One line of the read-out, as the sealed form said it. */
export interface Row {
  readonly no: number;
  readonly bidId: string;
  readonly lot: number;
  readonly bidder: { readonly code: string; readonly name: string };
  readonly fields: Readonly<Record<string, string | number>>;
  /** The whole form as it was sealed: its canonical bytes hash to `formHashes[bidId]`. */
  readonly form: JsonObject;
}

export interface Unlocking {
  readonly envelopes: readonly number[];
  readonly by: string;
  readonly receivedMs: number;
}

export interface Attempt {
  readonly no: number;
  readonly code: string;
  readonly receivedMs: number;
}

/** A line of the hall's broadcast: a text key of the locale files and its arguments. */
export interface Announcement {
  readonly id: number;
  readonly atMs: number;
  readonly kind: AnnouncementKind;
  readonly args: Readonly<Record<string, string | number>>;
  /** Interrupts a screen reader: the end has moved, the clock has stopped, the opening has failed. */
  readonly urgent: boolean;
}

export type AnnouncementKind =
  | "sign_in_opened"
  | "deadline_moved"
  | "bidders_announced"
  | "opening_failed"
  | "lot_failed"
  | "closing_fingerprint"
  | "window_opened"
  | "window_restarted"
  | "window_paused"
  | "window_resumed"
  | "window_extended"
  | "window_outage"
  | "outage_seen"
  | "bid_repaired"
  | "ground_decided"
  | "window_ended"
  | "window_ended_early"
  | "own_unlocked"
  | "own_attempt"
  | "trustee_released"
  | "trustees_lost"
  | "trustee_fault"
  | "replies_ended"
  | "all_opened"
  | "prices_read_out"
  | "row_read"
  | "opening_closed"
  | "put_on_stage"
  | "taken_off_stage"
  | "recording_began";

export interface OpeningView {
  readonly id: string;
  readonly stage: Stage;
  readonly manifest: Manifest | null;
  readonly manifestRaw: Uint8Array | null;
  readonly deadlineMs: number;
  /** When each stage began, by what the server said. */
  readonly beganMs: Readonly<Partial<Record<Stage, number>>>;
  readonly bids: readonly Bid[];
  /** Pieces of a long list of bidders, not announced yet. */
  readonly listed: readonly Bid[];
  /** Lots with too few bidders: their bids stay sealed, the others go on (标段流标). */
  readonly failedLots: ReadonlySet<number>;
  readonly listRoot: string;
  readonly closing: Fingerprinted | null;
  readonly window: Window | null;
  /** Bids' numbers, known to the hall only after the window's end. */
  readonly unlocked: ReadonlySet<number>;
  readonly locked: ReadonlySet<number>;
  readonly releases: readonly Release[];
  readonly needed: number;
  readonly trusteesLost: string | null;
  readonly faults: readonly Fault[];
  readonly repliesEnded: boolean;
  readonly allOpened: boolean;
  /** bid_id -> state of C3, from frozen.json and body decisions */
  readonly states: Readonly<Record<string, string>>;
  /** bid_id -> SHA-256 of the opened form, from frozen.json */
  readonly formHashes: Readonly<Record<string, string>>;
  /** Parts of a long document; the event that follows them ends it. Nothing of them is shown. */
  readonly parts: readonly Uint8Array[];
  readonly rows: readonly Row[];
  readonly amounts: Readonly<Record<number, string>>;
  /** The row being read; 0 before the first. */
  readonly row: number;
  /** no -> when the voice came to it */
  readonly readMs: Readonly<Record<number, number>>;
  readonly failedReason: string;
  /** Who speaks by camera to everybody (上台): person -> name. */
  readonly onStage: Readonly<Record<string, string>>;
  readonly announcements: readonly Announcement[];
  readonly unknownTypes: readonly string[];
  /** Own party's channel. */
  readonly ownSignInMs: number | null;
  readonly ownUnlocks: Readonly<Record<number, Unlocking>>;
  readonly ownAttempts: readonly Attempt[];
  /** Staff's channel. */
  readonly staffUnlocks: Readonly<Record<number, Unlocking>>;
  readonly staffAttempts: readonly Attempt[];
  readonly signedInOrgs: ReadonlySet<string>;
  readonly acts: ActsView;
}

export function emptyOpening(id: string): OpeningView {
  return {
    id,
    stage: "scheduled",
    manifest: null,
    manifestRaw: null,
    deadlineMs: 0,
    beganMs: {},
    bids: [],
    listed: [],
    failedLots: new Set(),
    listRoot: "",
    closing: null,
    window: null,
    unlocked: new Set(),
    locked: new Set(),
    releases: [],
    needed: 0,
    trusteesLost: null,
    faults: [],
    repliesEnded: false,
    allOpened: false,
    states: {},
    formHashes: {},
    rows: [],
    parts: [],
    amounts: {},
    row: 0,
    readMs: {},
    failedReason: "",
    onStage: {},
    announcements: [],
    unknownTypes: [],
    ownSignInMs: null,
    ownUnlocks: {},
    ownAttempts: [],
    staffUnlocks: {},
    staffAttempts: [],
    signedInOrgs: new Set(),
    acts: NO_ACTS,
  };
}

/** ms left of the countdown at `nowMs`; while paused, what was left. */
export function leftMs(window: Window, nowMs: number): number {
  return window.remainingMs ?? Math.max(0, window.endMs - nowMs);
}
