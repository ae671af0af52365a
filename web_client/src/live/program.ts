/**
 * What is shown large, and what has stopped (主画面与掉线): read off the room.
 *
 * Invariant: pure. The order is that of the server's program: a screen, who is on stage, the host's
 * camera, a camera of the room; a picture that nobody gets is never chosen.
 */
import { isSound, type Label, type Member, type Told, type Track } from "./told.ts";

export interface Program {
  readonly main: Track | null;
  /** Who speaks beside a screen that is shared. */
  readonly beside: Track | null;
}

function isShown(track: Track): boolean {
  return track.flowing && !track.paused && track.to === null;
}

/** `own`: whose own pictures are left out; "" shows what everybody is shown. */
export function programOf(told: Told, own: string): Program {
  const pictures = Object.values(told.tracks).filter(
    (one) => isShown(one) && !isSound(one.label) && one.member !== own,
  );
  const screen = pictures.find((one) => one.label === "screen") ?? null;
  const cameras = pictures.filter((one) => one.label === "camera");
  const onStage = [...told.onStage]
    .reverse()
    .map((person) => cameras.find((one) => one.member === person));
  const camera =
    onStage.find((one) => one !== undefined) ??
    cameras.find((one) => told.members[one.member]?.role === "host") ??
    cameras.find((one) => one.member.startsWith("camera:")) ??
    cameras[0] ??
    null;
  return screen === null ? { main: camera, beside: null } : { main: screen, beside: camera };
}

/** What the room gets of those who send: something, nothing for the moment, nothing at all. */
export interface Air {
  readonly state: "on" | "paused" | "off";
  readonly hasPicture: boolean;
  readonly hasSound: boolean;
}

/** "paused": somebody sends, and all of it is muted, held, or does not come. */
export function airOf(told: Told): Air {
  const hasPicture = programOf(told, "").main !== null;
  const isHeard = hasSound(told, "");
  const isMeant = Object.values(told.tracks).some((one) => one.to === null);
  const state = hasPicture || isHeard ? "on" : isMeant ? "paused" : "off";
  return { state, hasPicture, hasSound: isHeard };
}

/** Somebody can be heard. */
export function hasSound(told: Told, own: string): boolean {
  return Object.values(told.tracks).some(
    (one) => isShown(one) && isSound(one.label) && one.member !== own,
  );
}

export interface Stopped {
  readonly member: string;
  readonly name: string;
  readonly label: Label;
  readonly atMs: number;
}

const STOPPED_MAX = 6;
/** A line about it stands for so long. */
export const STOPPED_MS = 120_000;

/** What has stopped coming between two states of the room, newest first; what is back is gone. */
export function stoppedAfter(
  before: Told,
  after: Told,
  stopped: readonly Stopped[],
  nowMs: number,
): readonly Stopped[] {
  const comes = (told: Told, one: { member: string; label: Label }) =>
    Object.values(told.tracks).some(
      (track) => track.member === one.member && track.label === one.label && track.flowing,
    );
  const fresh = Object.values(before.tracks)
    .filter((track) => track.flowing && !comes(after, track))
    .map((track) => ({
      member: track.member,
      name: nameOf(before.members[track.member], track.member),
      label: track.label,
      atMs: nowMs,
    }));
  const kept = stopped.filter(
    (one) =>
      nowMs - one.atMs < STOPPED_MS &&
      !comes(after, one) &&
      !fresh.some((other) => other.member === one.member && other.label === one.label),
  );
  return [...fresh, ...kept].slice(0, STOPPED_MAX);
}

export function nameOf(member: Member | undefined, id: string): string {
  if (id.startsWith("camera:")) return member?.name || id.slice("camera:".length);
  return member?.name || member?.org_name || id;
}
