/**
 * What the server says of a recording (录像清单), read into what the page shows.
 *
 * Invariant: a member that is missing or odd is left out and nothing is invented for it; a file
 * without a timeline that holds is not shown as playable.
 */
import { readTimeline, type Timeline } from "./timeline.ts";

export interface Who {
  readonly name: string;
  readonly orgName: string;
  readonly role: string;
  readonly venue: string;
  readonly seat: string;
}

/** A playable file: one publisher's camera and sound, or a screen. */
export interface RecordedFile {
  readonly name: string;
  readonly url: string;
  readonly member: string;
  readonly who: Who;
  readonly isScreen: boolean;
  readonly hasPicture: boolean;
  readonly bytes: number;
  readonly sha256: string;
  readonly timeline: Timeline;
}

/** What is not in the recording, and why. */
export interface Lost {
  readonly what: string;
  readonly member: string;
  readonly track: string;
  readonly fromMs: number | null;
  readonly ms: number;
}

export type RecordingState = "none" | "recording" | "ended" | "making" | "ready" | "refused";

export interface RecordingView {
  readonly state: RecordingState;
  readonly files: readonly RecordedFile[];
  readonly lost: readonly Lost[];
  readonly making: { readonly done: number; readonly all: number } | null;
}

export const NO_RECORDING: RecordingView = { state: "none", files: [], lost: [], making: null };

type Members = Readonly<Record<string, unknown>>;

const isMembers = (value: unknown): value is Members =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const members = (value: unknown): readonly Members[] =>
  Array.isArray(value) ? (value as readonly unknown[]).filter(isMembers) : [];
const text = (value: unknown): string => (typeof value === "string" ? value : "");
const whole = (value: unknown): number =>
  Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : 0;

const STATES: ReadonlySet<string> = new Set(["recording", "ended", "making", "ready", "refused"]);

function readWho(value: unknown): Who {
  const who = isMembers(value) ? value : {};
  return {
    name: text(who["name"]),
    orgName: text(who["org_name"]),
    role: text(who["role"]),
    venue: text(who["venue"]),
    seat: text(who["seat"]),
  };
}

function readFile(room: string, file: Members): RecordedFile | null {
  const name = text(file["name"]);
  const timeline = readTimeline(file["timeline"]);
  if (name === "" || timeline === null || timeline.length === 0) return null;
  const kind = text(file["kind"]);
  return {
    name,
    // Only this site's own addresses: what came as a link stays a path.
    url: text(file["url"]).startsWith("/media/")
      ? text(file["url"])
      : `/media/${room}/recording/${encodeURIComponent(name)}`,
    member: text(file["member"]),
    who: readWho(isMembers(file["person"]) ? file["person"] : file),
    isScreen: kind === "screen",
    hasPicture: text(file["mime"]).startsWith("video/"),
    bytes: whole(file["bytes"]),
    sha256: text(file["sha256"]),
    timeline,
  };
}

function readLost(lost: Members): Lost | null {
  const what = text(lost["what"]);
  const fromMs = Number.isSafeInteger(lost["from_ms"]) ? (lost["from_ms"] as number) : null;
  const toMs = Number.isSafeInteger(lost["to_ms"]) ? (lost["to_ms"] as number) : null;
  if (what === "") return null;
  return {
    what,
    member: text(lost["member"]),
    track: text(lost["track"]),
    fromMs,
    ms: whole(lost["ms"]) || (fromMs !== null && toMs !== null ? Math.max(0, toMs - fromMs) : 0),
  };
}

/** `GET /media/{room}/recording.json` as the page needs it. */
export function readRecording(room: string, value: unknown): RecordingView {
  if (!isMembers(value)) return NO_RECORDING;
  const state = text(value["state"]);
  const making = isMembers(value["making"]) ? value["making"] : null;
  return {
    state: STATES.has(state) ? (state as RecordingState) : "none",
    files: members(value["files"]).flatMap((file) => readFile(room, file) ?? []),
    lost: members(value["lost"]).flatMap((lost) => readLost(lost) ?? []),
    making: making && { done: whole(making["done"]), all: Math.max(1, whole(making["all"])) },
  };
}
