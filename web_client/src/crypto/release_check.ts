/**
 * What a trustee's device checks before it releases shares (解密份额释放前检查, C7 second half).
 *
 * Invariant: pure, and every check is reported, passed or not, so that a person sees what his key
 * stands behind; shares may leave only when all passed. The set to release follows from signed
 * SUBMITs, the closed list and commitments alone: a server cannot slip in another envelope, a
 * withdrawn bid, or a bid whose bidder never unlocked it.
 */
import type { Consistency, Proof } from "../formats.ts";
import { unhex } from "./bytes.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { Rejected } from "./errors.ts";
import type { Header } from "./header.ts";
import { actingCheckpoint, checkGrown, closingOf, type LogView, viewLog } from "./log_view.ts";
import { type TenderManifest, trusteesOf } from "./manifest.ts";
import { clockRefusal } from "./own_clock.ts";
import {
  checkHalves,
  checkWindowEnd,
  countingHeaders,
  countingSubmits,
  type SessionWindow,
  sessionWindows,
} from "./release_evidence.ts";
import type { Submit } from "./submissions.ts";

export interface ReleaseQuestion {
  readonly manifest: TenderManifest;
  /** The trustee's signing key, as the manifest names it. */
  readonly spk: Uint8Array;
  /** A checkpoint that includes every WINDOW_END, and proofs of the public entries to it. */
  readonly checkpoint: string;
  readonly proofs: readonly Proof[];
  /** The closing checkpoint that this device kept when the list closed, if it was there. */
  readonly seen_closing?: { readonly text: string; readonly consistency?: Consistency };
  /** The windows of the whole session, as the hall announced them. */
  readonly windows: readonly SessionWindow[];
  /** All counting SUBMITs, and all headers they list for the session's envelopes. */
  readonly submits: readonly Uint8Array[];
  readonly headers: readonly Uint8Array[];
  /** bid_id (hex) -> s_B, of every bid that was unlocked. */
  readonly halves: ReadonlyMap<string, Uint8Array>;
  /** What this device released before in this tender. */
  readonly released: readonly { readonly envelope: number; readonly nonce: string }[];
  readonly now_ms: number;
  readonly deadlineConfirmed: boolean;
}

/** Names of the checks in the order in which they are made and shown. */
export const RELEASE_CHECKS = [
  "trustee",
  "log",
  "closing_seen",
  "closing",
  "clock",
  "submits",
  "headers",
  "windows",
  "window_end",
  "halves",
  "first_release",
] as const;
export type ReleaseCheckName = (typeof RELEASE_CHECKS)[number];

/** `code` is "" when it passed and "check.skipped" when an earlier failure left nothing to see. */
export interface ReleaseCheck {
  readonly name: ReleaseCheckName;
  readonly ok: boolean;
  readonly code: string;
}

/** What to release for one envelope, once all checks passed. */
export interface ReleaseSet {
  readonly window: SessionWindow;
  /** The trustee's position in the header, from 1. */
  readonly i: number;
  readonly mode: number;
  /** Ascending by bid_id. */
  readonly headers: readonly Header[];
}

export interface ReleaseVerdict {
  readonly manifest: TenderManifest;
  readonly ok: boolean;
  readonly checks: readonly ReleaseCheck[];
  readonly checkpoint: Checkpoint | null;
  readonly deadline_ms: number | null;
  /** Empty unless `ok`. */
  readonly sets: readonly ReleaseSet[];
}

/** Runs checks one after the other and remembers each; a failed one gives undefined. */
class CheckList {
  readonly checks: ReleaseCheck[] = [];

  run<Value>(name: ReleaseCheckName, check: () => Value | undefined): Value | undefined {
    try {
      const value = check();
      this.checks.push({ name, ok: value !== undefined, code: value === undefined ? SKIPPED : "" });
      return value;
    } catch (error) {
      if (!(error instanceof Rejected)) throw error;
      this.checks.push({ name, ok: false, code: error.code });
      return undefined;
    }
  }
}

const SKIPPED = "check.skipped";

/** All checks, in the order of RELEASE_CHECKS. */
export function checkBeforeRelease(question: ReleaseQuestion): ReleaseVerdict {
  const { manifest, windows } = question;
  const list = new CheckList();
  const served = list.run("trustee", () => servedEnvelopes(question));
  const view = list.run("log", () => viewLog(manifest, question.checkpoint, question.proofs));
  list.run("closing_seen", () => view && seenClosing(question, view));
  const closed = list.run("closing", () => view && closingOf(view));
  list.run("clock", () => closed && checkClock(question, closed.deadline_ms));
  const submits = list.run(
    "submits",
    () => view && closed && countingSubmits(view, closed, question.submits),
  );
  const session = list.run(
    "windows",
    () => view && closed && sessionWindows(view, closed, windows),
  );
  const headers = list.run(
    "headers",
    () => view && submits && session && headersOf(question, view, submits),
  );
  list.run("window_end", () => {
    if (view === undefined || session === undefined || headers === undefined) return undefined;
    return checkWindowEnd(view, session, headers, question.halves);
  });
  const sets = list.run("halves", () => {
    if (headers === undefined || served === undefined) return undefined;
    return served.map(({ window, i }) => {
      const { mode, headers: chosen } = checkHalves(manifest, window, headers, question.halves);
      return { window, i, mode, headers: chosen };
    });
  });
  list.run("first_release", () => checkFirstRelease(question));
  const checks = [...list.checks].sort(
    (a, b) => RELEASE_CHECKS.indexOf(a.name) - RELEASE_CHECKS.indexOf(b.name),
  );
  const ok = checks.every((check) => check.ok);
  return {
    manifest,
    ok,
    checks,
    checkpoint: view?.checkpoint ?? null,
    deadline_ms: closed?.deadline_ms ?? null,
    sets: ok && sets !== undefined ? sets : [],
  };
}

/** The windows whose envelopes this trustee serves. Code: `release_check.not_trustee`. */
function servedEnvelopes(question: ReleaseQuestion): { window: SessionWindow; i: number }[] {
  const served = question.windows.flatMap((window) => {
    const trustees = trusteesOf(question.manifest, window.envelope);
    const at = trustees.findIndex((trustee) => sameKey(trustee.spk, question.spk));
    return at < 0 ? [] : [{ window, i: at + 1 }];
  });
  if (served.length === 0) throw new Rejected("release_check.not_trustee");
  return served;
}

function sameKey(text: string, key: Uint8Array): boolean {
  const bytes = unhex(text);
  return bytes.length === key.length && bytes.every((byte, at) => byte === key[at]);
}

/** The log only grew since this device saw the closing; without a closing seen there is no claim. */
function seenClosing(question: ReleaseQuestion, view: LogView): true {
  const seen = question.seen_closing;
  if (seen !== undefined) {
    checkGrown(view, actingCheckpoint(question.manifest, seen.text), seen.consistency);
  }
  return true;
}

function checkClock(question: ReleaseQuestion, deadlineMs: number): true {
  const refusal = clockRefusal(question.now_ms, deadlineMs, question.deadlineConfirmed);
  if (refusal !== null) throw new Rejected(refusal);
  return true;
}

function headersOf(question: ReleaseQuestion, view: LogView, submits: readonly Submit[]): Header[] {
  const envelopes = question.windows.map((window) => window.envelope);
  return countingHeaders(view, submits, question.headers, envelopes);
}

/** Never the same envelope under another nonce (C7). Code: `release_check.released_before`. */
function checkFirstRelease(question: ReleaseQuestion): true {
  for (const { envelope, nonce } of question.windows) {
    const others = question.released.filter((each) => each.envelope === envelope);
    if (others.some((each) => !sameKey(each.nonce, nonce))) {
      throw new Rejected("release_check.released_before");
    }
  }
  return true;
}
