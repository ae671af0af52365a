/**
 * How far behind the room the players of a page stand (播放步调): all of them equally, so that lips
 * and voices go together, though each comes by a socket of its own.
 *
 * Invariant: pure. As far as the latest of those whose fragments come, and a little more; one that
 * has nothing to play holds up nobody.
 */
import { type Standing, trimmed } from "./fragment_reader.ts";

/** Between two fragments, and for a network that is not even. */
const SPARE_MS = 500;
const AIM_MS_MAX = 5_000;
/** What was late once is forgotten by so much at each look. */
const EASE_MS = 15;
const NEAR_S = 0.06;
const FAR_S = 0.25;
const JUMP_S = 0.8;

export class Pace {
  private readonly edges = new Map<unknown, number>();

  /** How late the newest that somebody has was when it came. */
  say(who: unknown, edgeMs: number): void {
    this.edges.set(who, Math.max(edgeMs, (this.edges.get(who) ?? 0) - EASE_MS));
  }

  /** Nothing comes for him now. */
  leave(who: unknown): void {
    this.edges.delete(who);
  }

  get aimMs(): number {
    return Math.min(AIM_MS_MAX, Math.max(0, ...this.edges.values()) + SPARE_MS);
  }
}

/** As `follow`, but at the moment `wantS` of the stream, as far as it is there. */
export function keepPace(
  ranges: readonly (readonly [number, number])[],
  atS: number,
  wantS: number,
): Standing {
  const last = ranges.at(-1);
  if (last === undefined) return { seekS: null, rate: 1, trimS: null };
  const [start, end] = last;
  const there = Math.max(start, Math.min(wantS, end));
  const off = atS - there;
  const isOutside = atS < start || atS > end || Math.abs(off) > JUMP_S;
  const far = Math.abs(off) > FAR_S ? 0.1 : Math.abs(off) > NEAR_S ? 0.04 : 0;
  return {
    seekS: isOutside ? there : null,
    rate: isOutside ? 1 : 1 - Math.sign(off) * far,
    trimS: trimmed(ranges, end),
  };
}
