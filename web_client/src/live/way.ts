/**
 * By which way pictures come (走哪条路): WebRTC for who takes part, fragments for the public and
 * where no UDP passes.
 *
 * Invariant: pure. Who takes part is never without a way for longer than `PATIENCE_MS`; WebRTC is
 * tried on in the background, and once it has stood for a moment the fragments end.
 */
import type { Lasting } from "./lasting.ts";

export interface Way {
  readonly shown: "webrtc" | "fragments";
  readonly runsFragments: boolean;
  /** Since when WebRTC is wanted and not there; null: it is there, or nobody wants it. */
  readonly downSinceMs: number | null;
  readonly upSinceMs: number | null;
}

export interface Seen {
  /** What the door says to try first. */
  readonly first: "webrtc" | "fragments";
  readonly phase: Lasting["phase"];
  /** Where the room has no fragments there is nothing to fall back on. */
  readonly hasFragments: boolean;
}

export const NO_WAY: Way = {
  shown: "webrtc",
  runsFragments: false,
  downSinceMs: null,
  upSinceMs: null,
};

export const PATIENCE_MS = 4_000;
const STEADY_MS = 1_500;

export function chooseWay(way: Way, seen: Seen, nowMs: number): Way {
  if (seen.first === "fragments") {
    return { ...NO_WAY, shown: "fragments", runsFragments: seen.hasFragments };
  }
  const isUp = seen.phase === "up";
  const isDown = seen.phase === "joining" || seen.phase === "waiting";
  const upSinceMs = isUp ? (way.upSinceMs ?? nowMs) : null;
  // Off is no news: nothing is wanted for a moment, the network is what it was.
  const downSinceMs = isUp ? null : isDown ? (way.downSinceMs ?? nowMs) : way.downSinceMs;
  const isBlocked = downSinceMs !== null && nowMs - downSinceMs >= PATIENCE_MS;
  const isSteady = upSinceMs !== null && nowMs - upSinceMs >= STEADY_MS;
  const runsFragments = seen.hasFragments && (isBlocked || (way.runsFragments && !isSteady));
  const shown = runsFragments && !isSteady ? "fragments" : "webrtc";
  return { shown, runsFragments, downSinceMs, upSinceMs };
}
