/**
 * When a media connection is opened, given up and opened again (连接的去留).
 *
 * Invariant: pure. A connection is never mended: what is in doubt is opened anew, which costs the
 * server some milliseconds and a viewer a few hundred. Nobody is without a try for longer than the
 * delay that `againMs` names.
 */
import { retryDelay } from "../net/backoff.ts";

export interface Lasting {
  readonly phase: "off" | "joining" | "up" | "waiting";
  readonly sinceMs: number;
  readonly failures: number;
  /** While waiting: when the next try is due. */
  readonly againMs: number;
  /** When bytes came last. */
  readonly heardMs: number;
  /** Since when it is doubted, after a wake; 0: it is not. */
  readonly doubtedMs: number;
}

export type Happening =
  | { readonly kind: "wanted" | "unwanted" | "connected" | "trouble" | "restarted" | "woken" }
  | { readonly kind: "bytes" }
  /** `expects`: packets of somebody should be coming. */
  | { readonly kind: "tick"; readonly expects: boolean };

export interface Turn {
  readonly next: Lasting;
  /** "open" replaces whatever connection there was. */
  readonly act: "open" | "close" | null;
}

export const OFF: Lasting = {
  phase: "off",
  sinceMs: 0,
  failures: 0,
  againMs: 0,
  heardMs: 0,
  doubtedMs: 0,
};

/** A connection that takes longer has no way (UDP is blocked, or the server is gone). */
export const JOIN_MS_MAX = 4_000;
const SILENT_MS = 2_500;
/** Nobody sends: then only the connection's own checks are heard. */
const IDLE_MS = 9_000;
const DOUBT_MS = 900;
/** So often in a row, and it is tried seldom. */
const NEAR_TRIES = 3;
const SELDOM_MS = 30_000;

function opened(state: Lasting, nowMs: number): Turn {
  const next = { ...state, phase: "joining" as const, sinceMs: nowMs, heardMs: nowMs };
  return { next: { ...next, doubtedMs: 0 }, act: "open" };
}

/** After news of the network or the server: what failed before says nothing any more. */
function renewed(state: Lasting, nowMs: number): Turn {
  return opened({ ...state, failures: 0 }, nowMs);
}

function failed(state: Lasting, nowMs: number, random: number): Turn {
  const failures = state.failures + 1;
  const delay = failures > NEAR_TRIES ? SELDOM_MS : retryDelay(failures, random);
  const againMs = nowMs + delay;
  return {
    next: { ...state, phase: "waiting", sinceMs: nowMs, failures, againMs, doubtedMs: 0 },
    act: "close",
  };
}

/** What happens next. `random` in [0, 1) spreads those who all lost the same server. */
export function step(state: Lasting, what: Happening, nowMs: number, random: number): Turn {
  const stay: Turn = { next: state, act: null };
  if (what.kind === "unwanted") {
    return state.phase === "off" ? stay : { next: OFF, act: "close" };
  }
  if (what.kind === "wanted") return state.phase === "off" ? opened(OFF, nowMs) : stay;
  switch (state.phase) {
    case "off":
      return stay;
    case "waiting":
      if (what.kind === "restarted" || what.kind === "woken") return renewed(state, nowMs);
      return what.kind === "tick" && nowMs >= state.againMs ? opened(state, nowMs) : stay;
    case "joining":
      if (what.kind === "connected") {
        const up = { ...state, phase: "up" as const, sinceMs: nowMs, heardMs: nowMs };
        return { next: { ...up, failures: 0 }, act: null };
      }
      if (what.kind === "restarted") return renewed(state, nowMs);
      if (what.kind === "woken") {
        return nowMs - state.sinceMs > DOUBT_MS ? renewed(state, nowMs) : stay;
      }
      if (what.kind === "trouble") return failed(state, nowMs, random);
      return what.kind === "tick" && nowMs - state.sinceMs > JOIN_MS_MAX
        ? failed(state, nowMs, random)
        : stay;
    case "up":
      return whileUp(state, what, nowMs);
  }
}

function whileUp(state: Lasting, what: Happening, nowMs: number): Turn {
  switch (what.kind) {
    case "trouble":
    case "restarted":
      return opened(state, nowMs);
    case "woken":
      return { next: { ...state, doubtedMs: nowMs }, act: null };
    case "bytes":
      return { next: { ...state, heardMs: nowMs, doubtedMs: 0 }, act: null };
    case "tick": {
      const patience = what.expects ? SILENT_MS : IDLE_MS;
      const isDoubted = state.doubtedMs > 0 && nowMs - state.doubtedMs > DOUBT_MS;
      const isGone = nowMs - state.heardMs > patience || (isDoubted && what.expects);
      return isGone ? opened(state, nowMs) : { next: state, act: null };
    }
    default:
      return { next: state, act: null };
  }
}
