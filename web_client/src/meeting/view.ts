/**
 * What one page knows of one meeting of evaluation (评标会): the fold of every event it was sent.
 *
 * Invariant: a value; nothing here is changed in place. Who is connected now is not here: that is
 * told by the media room, this is the journal.
 */

import { t } from "../i18n.ts";
import type { Attendant, MeetingStage, Seat, Venue } from "../messages.ts";
import type { FloorEvent } from "./floor_lines.ts";

export type ScopeKind = "seat" | "venue" | "all";

/** Whom a supervisor speaks to; `id` is empty for all. */
export interface Scope {
  readonly kind: ScopeKind;
  readonly id: string;
}

export interface Call {
  readonly call: string;
  readonly person: string;
  readonly to: Scope;
  readonly beganMs: number;
}

export interface FloorView {
  readonly held: ReadonlySet<string>;
  /** `person label` */
  readonly muted: ReadonlySet<string>;
  readonly calls: Readonly<Record<string, Call>>;
  /** The newest state of the recording; "" before there is one. */
  readonly recording: string;
}

export interface MeetingView {
  readonly id: string;
  readonly title: string;
  readonly stage: MeetingStage;
  readonly beganMs: number | null;
  readonly closedMs: number | null;
  readonly venues: readonly Venue[];
  readonly moderator: Attendant | null;
  readonly supervisors: readonly Attendant[];
  readonly floor: FloorView;
  /** As they came, for the journal that the pages show. */
  readonly events: readonly FloorEvent[];
  readonly unknownTypes: readonly string[];
}

export function emptyMeeting(id: string): MeetingView {
  return {
    id,
    title: "",
    stage: "scheduled",
    beganMs: null,
    closedMs: null,
    venues: [],
    moderator: null,
    supervisors: [],
    floor: { held: new Set(), muted: new Set(), calls: {}, recording: "" },
    events: [],
    unknownTypes: [],
  };
}

const CAMERA = "camera:";

/** The member of the media room that a venue's own camera is. */
export const cameraMember = (name: string): string => CAMERA + name;

/** Where somebody, or a camera, is. */
export function placeOf(
  view: MeetingView,
  member: string,
): { readonly venue: Venue; readonly seat: Seat | null } | null {
  for (const venue of view.venues) {
    const seat = venue.seats.find((one) => one.person === member);
    if (seat) return { venue, seat };
    if (venue.cameras.some((name) => cameraMember(name) === member)) return { venue, seat: null };
  }
  return null;
}

/** A venue's camera in words; it has a name of its own where its venue has several. */
export function cameraWords(venue: Venue, name: string): string {
  if (venue.cameras.length < 2) return t("venue.camera_of", { venue: venue.name });
  return t("venue.camera_named", { venue: venue.name, name });
}

/** How a person is called here; "" where the meeting does not know him. */
export function nameIn(view: MeetingView, person: string): string {
  const place = placeOf(view, person);
  if (place?.seat) return `${place.seat.seat.toUpperCase()} ${place.seat.name}`;
  if (place) return cameraWords(place.venue, person.slice(CAMERA.length));
  const others = [view.moderator, ...view.supervisors];
  return others.find((one) => one?.person === person)?.name ?? "";
}

/** The persons whom a call reaches. */
export function reached(view: MeetingView, to: Scope): readonly Seat[] {
  return view.venues
    .filter((venue) => to.kind !== "venue" || venue.venue === to.id)
    .flatMap((venue) => venue.seats)
    .filter((seat) => to.kind !== "seat" || seat.seat === to.id);
}
