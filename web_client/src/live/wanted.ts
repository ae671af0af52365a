/**
 * What a page wants to see (想看的): tiles on it, their size, what of it is told to the server.
 *
 * Invariant: pure. A track is wanted as high as its largest tile that is on the screen; 0 for one
 * that is there but not seen; a track that the room has not is not asked for.
 */
import type { Track } from "./told.ts";

/** Heights are told in steps, so that a window being dragged asks for nothing at each pixel. */
const STEP_PX = 60;
const HEIGHT_PX_MAX = 2160;

export function tileHeight(cssPx: number, pixelRatio: number, isSeen: boolean): number {
  if (!isSeen || cssPx <= 0) return 0;
  // More than twice the layout's pixels is not seen on a telephone in a hand.
  const px = cssPx * Math.min(2, Math.max(1, pixelRatio));
  return Math.min(HEIGHT_PX_MAX, Math.ceil(px / STEP_PX) * STEP_PX);
}

/** What is asked for of a track by fragments. */
export type Size = "small" | "large" | "sound";

/** Up to so high the small layer fills a tile, as the server's own choice has it. */
const SMALL_PX_MAX = 240;

/** Of a picture by fragments; null: it is not seen. `isNarrow`: more would not come in time. */
export function sizeOf(heightPx: number, layers: number, isNarrow: boolean): Size | null {
  if (heightPx <= 0) return null;
  return layers > 1 && (isNarrow || heightPx <= SMALL_PX_MAX) ? "small" : "large";
}

export interface Tile {
  readonly track: number;
  readonly heightPx: number;
}

/** Track -> height, for what the room has and we may watch (not our own). */
export function wantedOf(
  tiles: Iterable<Tile>,
  tracks: Readonly<Record<number, Track>>,
  own: string,
): Record<number, number> {
  const wanted: Record<number, number> = {};
  for (const { track, heightPx } of tiles) {
    const there = tracks[track];
    if (there === undefined || there.member === own) continue;
    wanted[track] = Math.max(wanted[track] ?? 0, heightPx);
  }
  return wanted;
}

export function isSame(a: Readonly<Record<number, number>>, b: typeof a): boolean {
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length && keys.every((key) => a[Number(key)] === b[Number(key)])
  );
}

const SECTION = /^m=/m;
const MID = /^a=mid:(\S+)/m;
const TRACK = /^a=msid:\S+ t(\d+)/m;

/** mid -> track number of each section of the server's offer that carries one. */
export function tracksByMid(offer: string): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const section of offer.split(SECTION).slice(1)) {
    const mid = MID.exec(section)?.[1];
    const track = TRACK.exec(section)?.[1];
    const isSent = /^a=sendonly/m.test(section);
    if (mid !== undefined && track !== undefined && isSent) found.set(mid, Number(track));
  }
  return found;
}
