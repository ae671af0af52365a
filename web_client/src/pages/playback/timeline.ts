/**
 * One axis (时间轴) for several files of one recording: where an event's moment is in each of them.
 *
 * Events are dated by the server's UTC, which may be set; files lie on a clock that only goes on.
 * Each file comes with pieces in which both went alike. The axis is that steady clock, in ms from
 * the first thing recorded. Pure. Invariant: a file has one place on the axis, whatever was done
 * to the server's clock while it was recorded.
 */

/** `utcMs` at `positionMs` of the file, and so on for `lengthMs`. */
export interface Piece {
  readonly utcMs: number;
  readonly positionMs: number;
  readonly lengthMs: number;
}
export type Timeline = readonly Piece[];

const PIECES_MAX = 10_000;
/** Two steps of the server's clock, seen in two files, are the same up to this. */
const SAME_MS = 50;

function isTime(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** `[[utc_ms, position_ms, length_ms], ...]` as the server sends it; null when it is not that. */
export function readTimeline(value: unknown): Timeline | null {
  if (!Array.isArray(value) || value.length > PIECES_MAX) return null;
  const pieces: Piece[] = [];
  let end = 0;
  for (const one of value as readonly unknown[]) {
    if (!Array.isArray(one) || one.length !== 3 || !one.every(isTime)) return null;
    const [utcMs, positionMs, lengthMs] = one as [number, number, number];
    if (positionMs < end) return null;
    end = positionMs + lengthMs;
    pieces.push({ utcMs, positionMs, lengthMs });
  }
  return pieces;
}

/** A file on the axis: its position 0 is at `fromMs`. */
export interface Lane {
  readonly timeline: Timeline;
  readonly fromMs: number;
  readonly lengthMs: number;
}

export interface Axis {
  /** In the order in which the timelines were given. */
  readonly lanes: readonly Lane[];
  readonly lengthMs: number;
}

/** Where a moment is. Only what is `recorded` can be seen; the others name the nearest place. */
export interface Place {
  readonly kind: "recorded" | "gap" | "before" | "after";
  readonly atMs: number;
}

function lengthOf(timeline: Timeline): number {
  const last = timeline.at(-1);
  return last ? last.positionMs + last.lengthMs : 0;
}

/** How far two stretches of UTC overlap; below zero, how far they are apart. */
function overlap(a: Piece, b: Piece): number {
  const start = Math.max(a.utcMs, b.utcMs);
  return Math.min(a.utcMs + a.lengthMs, b.utcMs + b.lengthMs) - start;
}

interface Fit {
  readonly shiftMs: number;
  readonly score: number;
}

/** The clock was set at the same moments in both: lay `other`'s pieces beside `known`'s. */
function besides(known: Timeline, other: Timeline): Fit | null {
  let best: Fit | null = null;
  for (let first = 1 - other.length; first < known.length; first++) {
    const shifts: number[] = [];
    let score = 0;
    let apart = Number.NEGATIVE_INFINITY;
    other.forEach((piece, at) => {
      const beside = known[at + first];
      if (!beside) return;
      shifts.push(beside.positionMs - beside.utcMs - (piece.positionMs - piece.utcMs));
      const common = overlap(beside, piece);
      score += Math.max(0, common);
      apart = Math.max(apart, common);
    });
    const least = Math.min(...shifts);
    if (Math.max(...shifts) - least > SAME_MS) continue;
    // Files that never ran together are laid by the pieces that are nearest to each other.
    const reached = score > 0 ? score : apart;
    if (best === null || reached > best.score) best = { shiftMs: least, score: reached };
  }
  return best;
}

/** Lays files beside each other, the longest first. A file without pieces begins with the axis. */
export function layOut(timelines: readonly Timeline[]): Axis {
  const order = timelines
    .map((_, at) => at)
    .sort((a, b) => lengthOf(timelines[b] as Timeline) - lengthOf(timelines[a] as Timeline));
  const starts = new Map<number, number>();
  for (const at of order) {
    const timeline = timelines[at] as Timeline;
    let best: Fit = { shiftMs: 0, score: Number.NEGATIVE_INFINITY };
    for (const [laid, start] of starts) {
      const found = besides(timelines[laid] as Timeline, timeline);
      if (found && found.score > best.score) {
        best = { shiftMs: found.shiftMs + start, score: found.score };
      }
    }
    starts.set(at, best.shiftMs);
  }
  const dated = order.filter((at) => (timelines[at] as Timeline).length > 0);
  const zero = Math.min(...dated.map((at) => starts.get(at) ?? 0));
  const lanes = timelines.map((timeline, at) => ({
    timeline,
    fromMs: timeline.length > 0 ? (starts.get(at) ?? 0) - zero : 0,
    lengthMs: lengthOf(timeline),
  }));
  return { lanes, lengthMs: Math.max(0, ...lanes.map((lane) => lane.fromMs + lane.lengthMs)) };
}

/** The place in a file; null where this file has nothing ("not recorded here"). */
export function positionIn(lane: Lane, atMs: number): number | null {
  const position = atMs - lane.fromMs;
  return position >= 0 && position <= lane.lengthMs && lane.lengthMs > 0 ? position : null;
}

/** Pieces of all files, placed on the axis. */
function placed(axis: Axis): readonly (Piece & { readonly atMs: number })[] {
  return axis.lanes.flatMap((lane) =>
    lane.timeline.map((piece) => ({ ...piece, atMs: lane.fromMs + piece.positionMs })),
  );
}

/**
 * Where a moment of the server's clock is on the axis. If the clock was set back, a moment came
 * twice: the first counts. A moment that the clock was set over lies where it was set.
 */
export function placeOf(axis: Axis, utcMs: number): Place {
  const pieces = placed(axis);
  const within = pieces.filter((one) => utcMs >= one.utcMs && utcMs <= one.utcMs + one.lengthMs);
  if (within.length > 0) {
    return { kind: "recorded", atMs: Math.min(...within.map((p) => p.atMs + utcMs - p.utcMs)) };
  }
  const later = pieces.filter((one) => one.utcMs > utcMs);
  const earlier = pieces.filter((one) => one.utcMs < utcMs);
  if (earlier.length === 0) return { kind: "before", atMs: 0 };
  if (later.length === 0) return { kind: "after", atMs: axis.lengthMs };
  const next = Math.min(...later.map((one) => one.atMs));
  const last = earlier.reduce((a, b) => (a.atMs + a.lengthMs >= b.atMs + b.lengthMs ? a : b));
  const lastMs = last.atMs + last.lengthMs;
  if (next - lastMs <= SAME_MS) return { kind: "recorded", atMs: next };
  const since = utcMs - last.utcMs - last.lengthMs;
  return { kind: "gap", atMs: Math.min(next, lastMs + Math.max(0, since)) };
}

/** What the server's clock said at a place of the axis; null before anything is known. */
export function utcAt(axis: Axis, atMs: number): number | null {
  let best: (Piece & { readonly atMs: number }) | null = null;
  for (const piece of placed(axis)) {
    if (piece.atMs > atMs) continue;
    if (best === null || piece.atMs > best.atMs) best = piece;
  }
  return best === null ? null : Math.round(best.utcMs + atMs - best.atMs);
}

/** Where playing goes on when nobody was recorded at `atMs`; null at the end. */
export function nextRecorded(axis: Axis, atMs: number): number | null {
  if (axis.lanes.some((lane) => positionIn(lane, atMs) !== null)) return atMs;
  const starts = axis.lanes.filter((l) => l.lengthMs > 0 && l.fromMs > atMs).map((l) => l.fromMs);
  return starts.length > 0 ? Math.min(...starts) : null;
}
