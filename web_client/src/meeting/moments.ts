/** The journal of a meeting as lines (评标会事件): for its pages and for the playback. Pure. */
import { t } from "../i18n.ts";
import { type FloorEvent, floorLine } from "./floor_lines.ts";
import { foldMeeting } from "./fold.ts";
import { emptyMeeting, nameIn } from "./view.ts";

export interface Line {
  readonly id: number;
  readonly atMs: number;
  readonly say: () => string;
}

const PLAIN = {
  meeting_held: "moment.meeting_held",
  meeting_began: "moment.meeting_began",
  meeting_closed: "moment.meeting_closed",
} as const;

/** Lines in order of time; `nameOf` helps where the meeting itself names nobody. */
export function meetingMoments(
  events: readonly FloorEvent[],
  nameOf: (person: string) => string,
): readonly Line[] {
  const view = events.reduce(foldMeeting, emptyMeeting(""));
  const venue = (id: string) => view.venues.find((one) => one.venue === id)?.name;
  const seat = (id: string) =>
    view.venues.flatMap((one) => one.seats).find((one) => one.seat === id)?.person;
  const name = (id: string): string =>
    nameIn(view, id) || nameIn(view, seat(id) ?? "") || venue(id) || nameOf(id);
  return events
    .flatMap((event) => {
      const key = Object.hasOwn(PLAIN, event.type) ? PLAIN[event.type as keyof typeof PLAIN] : null;
      const say = key ? () => t(key) : floorLine(event, name);
      return say ? [{ atMs: event.serverMs, say }] : [];
    })
    .sort((a, b) => a.atMs - b.atMs)
    .map((line, id) => ({ ...line, id }));
}
