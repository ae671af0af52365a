/**
 * A meeting as it is seen now (会场画面): the journal's venues and seats with what the media room
 * tells of them.
 *
 * Pure. Invariant: every seat of the meeting is shown, also an empty one; whoever is told of and
 * has no seat is shown beside the venues, except supervisors who are hidden from the told lines.
 */
import { t } from "../i18n.ts";
import { type Member, type Told, type Track, tracksOf } from "../live/told.ts";
import type { Seat, Venue } from "../messages.ts";
import { cameraMember, cameraWords, type MeetingView, type Scope } from "./view.ts";

/** How somebody is connected, worst last. */
export type Presence = "seen" | "heard" | "here" | "lost" | "absent";
/** What becomes of his voice. */
export type Voice = "on" | "off" | "off_by_host" | "none";

export interface Tile {
  readonly member: string;
  /** The seat's name; "" for a camera and whoever has no seat. */
  readonly seat: string;
  /** Whose picture it is, in words. */
  readonly name: string;
  readonly isCamera: boolean;
  readonly isOwn: boolean;
  readonly isModerator: boolean;
  readonly presence: Presence;
  readonly voice: Voice;
  readonly isHeld: boolean;
  readonly isSpeaking: boolean;
  readonly isCameraOffByHost: boolean;
  readonly camera: Track | null;
  readonly microphone: Track | null;
  readonly screen: Track | null;
}

export interface VenueBox {
  readonly venue: string;
  readonly name: string;
  readonly isMain: boolean;
  readonly tiles: readonly Tile[];
  /** Seats with somebody connected, and how many there are. */
  readonly here: number;
  readonly seats: number;
  readonly presence: Presence;
}

/** A voice from outside of the room: a supervisor's call that reaches us. */
export interface Heard {
  readonly member: string;
  readonly name: string;
  readonly to: Scope | null;
  readonly track: Track | null;
}

export interface RoomModel {
  readonly venues: readonly VenueBox[];
  /** Who leads, or a camera without a venue. */
  readonly others: readonly Tile[];
  readonly screens: readonly Tile[];
  readonly speaker: Tile | null;
  readonly heard: readonly Heard[];
}

function isFlowing(track: Track | null | undefined): boolean {
  return track?.flowing === true && !track.paused;
}

function presenceOf(member: Member | undefined, tracks: ReturnType<typeof tracksOf>): Presence {
  if (member === undefined) return "absent";
  if (isFlowing(tracks.camera)) return "seen";
  if (isFlowing(tracks.microphone)) return "heard";
  if (!member.connected) return "lost";
  // He sends, and nothing of it comes: the line is cut before his page has noticed.
  const sent = [tracks.camera, tracks.microphone].filter((one) => one && !one.paused);
  return sent.length > 0 && sent.every((one) => !one?.flowing) ? "lost" : "here";
}

function voiceOf(told: Told, member: string, microphone: Track | undefined): Voice {
  const byHost = told.muted.some(([who, label]) => who === member && label === "microphone");
  if (byHost) return "off_by_host";
  if (microphone === undefined) return "none";
  return microphone.paused ? "off" : "on";
}

function tile(
  { told, own, moderator }: { told: Told; own: string; moderator: string },
  member: string,
  seat: string,
  name: string,
): Tile {
  const tracks = tracksOf(told, member);
  const isHeld = told.held.includes(member);
  return {
    member,
    seat,
    name,
    isCamera: member.startsWith(cameraMember("")),
    isOwn: member === own,
    isModerator: member === moderator,
    presence: presenceOf(told.members[member], tracks),
    voice: voiceOf(told, member, tracks.microphone),
    isHeld,
    isSpeaking: told.speaker?.member === member && isFlowing(tracks.microphone),
    isCameraOffByHost: told.muted.some(([who, label]) => who === member && label === "camera"),
    camera: tracks.camera ?? null,
    microphone: tracks.microphone ?? null,
    screen: tracks.screen ?? null,
  };
}

const RANK: readonly Presence[] = ["seen", "heard", "here", "lost", "absent"];

/** A venue is as well connected as its best seat; one that lost somebody is said to have. */
function venuePresence(tiles: readonly Tile[]): Presence {
  const seats = tiles.filter((one) => !one.isCamera);
  if (seats.some((one) => one.presence === "lost")) return "lost";
  return RANK.find((rank) => tiles.some((one) => one.presence === rank)) ?? "absent";
}

function boxOf(venue: Venue, make: (member: string, seat: string, name: string) => Tile): VenueBox {
  const seats = venue.seats.map((one) => make(one.person, one.seat, one.name));
  const cameras = venue.cameras.map((name) =>
    make(cameraMember(name), "", cameraWords(venue, name)),
  );
  const tiles = [...cameras, ...seats];
  return {
    venue: venue.venue,
    name: venue.name,
    isMain: venue.is_main,
    tiles,
    here: seats.filter((one) => one.presence !== "absent" && one.presence !== "lost").length,
    seats: seats.length,
    presence: venuePresence(tiles),
  };
}

function scopeOf(value: unknown): Scope | null {
  if (typeof value !== "object" || value === null) return null;
  const { kind, id } = value as { kind?: unknown; id?: unknown };
  if (kind !== "seat" && kind !== "venue" && kind !== "all") return null;
  return { kind, id: typeof id === "string" ? id : "" };
}

/** Tracks of somebody whom the room does not show: they are sent to us because he calls us. */
function heardOf(told: Told, known: ReadonlySet<string>, own: string): readonly Heard[] {
  const found = new Map<string, Heard>();
  for (const call of Object.values(told.calls)) {
    const member = typeof call["member"] === "string" ? call["member"] : "";
    if (member === own || member === "") continue;
    found.set(member, { member, name: "", to: scopeOf(call["to"]), track: null });
  }
  for (const track of Object.values(told.tracks)) {
    if (known.has(track.member) || track.member === own || track.label !== "microphone") continue;
    const to = found.get(track.member)?.to ?? null;
    found.set(track.member, { member: track.member, name: track.name ?? "", to, track });
  }
  return [...found.values()];
}

/** What a page of the meeting shows. `own`: the member who looks. */
export function roomModel(view: MeetingView, told: Told, own: string): RoomModel {
  const seen = { told, own, moderator: view.moderator?.person ?? "" };
  const make = (member: string, seat: string, name: string) => tile(seen, member, seat, name);
  const venues = [...view.venues]
    .sort((a, b) => Number(b.is_main) - Number(a.is_main))
    .map((venue) => boxOf(venue, make));
  const placed = new Set(venues.flatMap((box) => box.tiles.map((one) => one.member)));
  const others: Tile[] = [];
  if (view.moderator && !placed.has(view.moderator.person)) {
    others.push(make(view.moderator.person, "", view.moderator.name));
  }
  for (const member of Object.keys(told.members)) {
    if (!member.startsWith(cameraMember("")) || placed.has(member)) continue;
    const name = member.slice(cameraMember("").length);
    others.push(make(member, "", t("venue.camera", { name })));
  }
  const all = [...venues.flatMap((box) => box.tiles), ...others];
  const known = new Set(all.map((one) => one.member));
  return {
    venues,
    others,
    screens: all.filter((one) => isFlowing(one.screen)),
    speaker: all.find((one) => one.isSpeaking) ?? null,
    heard: heardOf(told, known, own),
  };
}

/** Who of a call's seats hears it now: an empty seat, or one whose line is cut, does not. */
export function hearing(model: RoomModel, seats: readonly Seat[]): readonly Seat[] {
  const tiles = model.venues.flatMap((box) => box.tiles);
  const deaf = new Set(
    tiles
      .filter((one) => one.presence === "absent" || one.presence === "lost")
      .map((one) => one.member),
  );
  return seats.filter((seat) => !deaf.has(seat.person));
}

/** Sound tracks that a supervisor listens to: of everybody, of a venue, of a seat, of nobody. */
export function listened(
  model: RoomModel,
  to: { readonly kind: "all" | "venue" | "member" | "nobody"; readonly id: string },
): ReadonlySet<number> | null {
  if (to.kind === "all") return null;
  const tiles =
    to.kind === "nobody"
      ? []
      : to.kind === "venue"
        ? (model.venues.find((box) => box.venue === to.id)?.tiles ?? [])
        : [...model.venues.flatMap((box) => box.tiles), ...model.others].filter(
            (one) => one.member === to.id,
          );
  return new Set(tiles.flatMap((one) => (one.microphone ? [one.microphone.track] : [])));
}
