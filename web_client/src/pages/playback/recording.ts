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

/** One publisher's camera and sound, a screen, or a supervisor's call. */
export type FileKind = "person" | "screen" | "call";

export interface RecordedFile {
  readonly name: string;
  readonly url: string;
  readonly member: string;
  readonly who: Who;
  readonly kind: FileKind;
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

/** "closing": the room is over and the last seconds are being written. */
export type RecordingState =
  | "none"
  | "recording"
  | "closing"
  | "ended"
  | "making"
  | "ready"
  | "refused";

export interface RecordingView {
  readonly state: RecordingState;
  readonly files: readonly RecordedFile[];
  readonly lost: readonly Lost[];
  readonly making: { readonly done: number; readonly all: number } | null;
  /** The files hold all that is recorded by now. */
  readonly isWhole: boolean;
  /** Why the last making failed; "" when it did not. */
  readonly refused: string;
}

export const NO_RECORDING: RecordingView = {
  state: "none",
  files: [],
  lost: [],
  making: null,
  isWhole: true,
  refused: "",
};

type Members = Readonly<Record<string, unknown>>;

const isMembers = (value: unknown): value is Members =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const members = (value: unknown): readonly Members[] =>
  Array.isArray(value) ? (value as readonly unknown[]).filter(isMembers) : [];
const text = (value: unknown): string => (typeof value === "string" ? value : "");
const whole = (value: unknown): number =>
  Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : 0;

const STATES: ReadonlySet<string> = new Set([
  "recording",
  "closing",
  "ended",
  "making",
  "ready",
  "refused",
]);

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

const PICTURES: ReadonlySet<string> = new Set(["camera", "screen"]);

/** A file's MIME type is that of a film, also where there is sound alone. */
function hasPicture(file: Members, tracks: readonly Members[]): boolean {
  const names = Array.isArray(file["tracks"]) ? (file["tracks"] as readonly unknown[]) : [];
  const own = tracks.filter((one) => names.includes(one["track"]));
  return own.length === 0 || own.some((one) => PICTURES.has(text(one["label"])));
}

function readFile(room: string, file: Members, tracks: readonly Members[]): RecordedFile | null {
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
    kind: kind === "screen" || kind === "call" ? kind : "person",
    hasPicture: hasPicture(file, tracks),
    bytes: whole(file["bytes"]),
    sha256: text(file["sha256"]),
    timeline,
  };
}

function readLost(lost: Members): Lost | null {
  const what = text(lost["what"]);
  const fromMs = whole(lost["from_ms"]) || null;
  const toMs = whole(lost["to_ms"]) || null;
  if (what === "") return null;
  return {
    what,
    member: text(lost["member"]),
    track: text(lost["track"]),
    fromMs,
    ms: whole(lost["ms"]) || (fromMs !== null && toMs !== null ? Math.max(0, toMs - fromMs) : 0),
  };
}

const TOGETHER_MS = 1000;

/** Sound and picture of somebody are lost together: that is said once. */
function once(lost: readonly Lost[]): readonly Lost[] {
  const told: Lost[] = [];
  for (const one of [...lost].sort((a, b) => (a.fromMs ?? 0) - (b.fromMs ?? 0))) {
    const isKnown = told.some(
      (other) =>
        one.member !== "" &&
        other.member === one.member &&
        other.what === one.what &&
        Math.abs((other.fromMs ?? 0) - (one.fromMs ?? 0)) < TOGETHER_MS,
    );
    if (!isKnown) told.push(one);
  }
  return told;
}

/** `GET /media/{room}/recording.json` as the page needs it. */
export function readRecording(room: string, value: unknown): RecordingView {
  if (!isMembers(value)) return NO_RECORDING;
  const state = text(value["state"]);
  const making = isMembers(value["making"]) ? value["making"] : null;
  const tracks = members(value["tracks"]);
  return {
    state: STATES.has(state) ? (state as RecordingState) : "none",
    files: members(value["files"]).flatMap((file) => readFile(room, file, tracks) ?? []),
    lost: once(members(value["lost"]).flatMap((lost) => readLost(lost) ?? [])),
    making: making && { done: whole(making["done"]), all: Math.max(1, whole(making["all"])) },
    isWhole: value["is_whole"] !== false,
    refused: text(value["refused"]),
  };
}
