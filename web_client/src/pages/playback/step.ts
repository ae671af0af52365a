/**
 * How players are kept in step (同步播放): one is the clock, the others follow it.
 *
 * Pure. A follower that is a little off plays slightly faster or slower, so that nobody hears it;
 * one that is far off is set. Invariant: a correction never overshoots its cause.
 */

/** Off by less than this nobody sees: a frame at 25 a second. */
export const CLOSE_S = 0.04;
/** Off by more than this it is set, which costs it a moment. */
export const FAR_S = 0.6;
const RATE_MOST = 0.1;
/** In how many seconds a difference is to be gone. */
const WITHIN_S = 2;

export type Correction =
  | { readonly kind: "rate"; readonly rate: number }
  | { readonly kind: "set"; readonly toS: number };

/** What a follower at `hereS` does that should be at `wantedS`, while the clock plays at `rate`. */
export function correct(hereS: number, wantedS: number, rate: number): Correction {
  const off = hereS - wantedS;
  if (Math.abs(off) > FAR_S * Math.max(1, rate)) return { kind: "set", toS: wantedS };
  if (Math.abs(off) <= CLOSE_S) return { kind: "rate", rate };
  const change = Math.max(-RATE_MOST, Math.min(RATE_MOST, off / WITHIN_S / rate));
  return { kind: "rate", rate: rate * (1 - change) };
}
