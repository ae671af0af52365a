/**
 * The journal's events as lines of a timeline (事件列表): "09:31:07 no. 4 unlocked".
 *
 * Pure: the same folds that drive the live pages say what an event means, so that the playback says
 * it in the words that the hall read. Invariant: in order of the server's time; one line per event.
 */
import { t } from "../../i18n.ts";
import { type FloorEvent, floorLine } from "../../meeting/floor_lines.ts";
import { foldOpening, type OpeningEvent } from "../../opening/fold.ts";
import { type Bid, emptyOpening } from "../../opening/view.ts";
import { announcementText } from "../../ui/broadcast.tsx";
import { tryWord } from "../../ui/refusal.tsx";

export interface Moment {
  readonly id: number;
  readonly atMs: number;
  /** The sentence, in the language of the page. */
  readonly say: () => string;
}

/** A person's name by id; "" when the recording does not know him. */
export type NameOf = (person: string) => string;

/** Whose bid it is: number and firm, as far as the hall has read the list of bidders. */
function whose(bids: readonly Bid[], no: number): string {
  const name = bids.find((bid) => bid.no === no)?.name ?? "";
  return name === "" ? t("moment.bid", { no }) : t("moment.bid_of", { no, name });
}

/** What only staff are told, and the hall's fold makes no line of. */
const STAFF: Readonly<Record<string, (body: never, bids: readonly Bid[]) => string>> = {
  bid_unlocked: (body: { no: number }, bids) =>
    t("moment.bid_unlocked", { who: whose(bids, body.no) }),
  attempt_seen: (body: { no: number; code: string }, bids) =>
    t("moment.attempt_seen", { who: whose(bids, body.no), why: tryWord(body.code) }),
};

function receivedMs(event: OpeningEvent): number {
  const body = event.body as { received_ms?: unknown } | null;
  return typeof body?.received_ms === "number" ? body.received_ms : event.serverMs;
}

type Line = Omit<Moment, "id">;

/** Lines of an opening; events of hall and staff, in any order. */
export function openingMoments(
  id: string,
  events: readonly OpeningEvent[],
  nameOf: NameOf,
): readonly Moment[] {
  let view = emptyOpening(id);
  const lines: Line[] = [];
  for (const event of events) {
    const before = view.announcements.at(-1)?.id;
    try {
      view = foldOpening(view, event);
    } catch (error) {
      console.error("event not understood", event.type, error);
      continue;
    }
    const line = view.announcements.at(-1);
    if (line && line.id !== before) {
      lines.push({ atMs: line.atMs, say: () => announcementText(line) });
      continue;
    }
    const staff = Object.hasOwn(STAFF, event.type) ? STAFF[event.type] : undefined;
    if (staff) {
      const { bids } = view;
      lines.push({ atMs: receivedMs(event), say: () => staff(event.body as never, bids) });
      continue;
    }
    const say = floorLine(event as FloorEvent, nameOf);
    if (say) lines.push({ atMs: event.serverMs, say });
  }
  return ordered(lines);
}

/** In order of time; events of one instant keep theirs. */
export function ordered(lines: readonly Line[]): readonly Moment[] {
  return [...lines].sort((a, b) => a.atMs - b.atMs).map((line, id) => ({ ...line, id }));
}

/** The latest line that has happened at `utcMs`; -1 before the first. */
export function currentMoment(moments: readonly Moment[], utcMs: number | null): number {
  if (utcMs === null) return -1;
  let found = -1;
  for (const moment of moments) {
    if (moment.atMs > utcMs) break;
    found = moment.id;
  }
  return found;
}
