/**
 * Who is in a media room and what there is to see (在场): the fold of the server's told lines.
 *
 * Invariant: pure and a value. A `state` line replaces everything; every other line changes what it
 * names and nothing else; a line that is not understood changes nothing.
 */

export const LABELS = ["microphone", "camera", "screen", "screen_sound"] as const;
export type Label = (typeof LABELS)[number];

export interface Member {
  readonly member: string;
  readonly name: string;
  readonly org_name: string;
  readonly role: string;
  readonly venue: string;
  readonly seat: string;
  readonly publishing: boolean;
  readonly connected: boolean;
}

export interface Track {
  readonly track: number;
  readonly member: string;
  readonly label: Label;
  /** Whom alone it is meant for; null: the room. */
  readonly to: unknown;
  /** Muted or held: nobody gets it. */
  readonly paused: boolean;
  /** Packets come from its publisher. */
  readonly flowing: boolean;
  readonly layers: number;
  /** Who calls, where the room does not show him; absent for everybody else. */
  readonly name?: string;
}

export interface Speaker {
  readonly member: string;
  readonly track: number;
}

export type RecordingState = "on" | "no_pictures" | "off" | "refused";

export interface Told {
  /** Which life of the media process this is; "" before the first line. */
  readonly boot: string;
  readonly members: Readonly<Record<string, Member>>;
  readonly tracks: Readonly<Record<number, Track>>;
  readonly speaker: Speaker | null;
  readonly onStage: readonly string[];
  readonly held: readonly string[];
  readonly muted: readonly (readonly [string, string])[];
  readonly recording: RecordingState;
  /** Pages that have the picture now; null for those who are not told. */
  readonly watching: number | null;
  /** track -> layer that we are sent, the smallest 0. */
  readonly layers: Readonly<Record<number, number>>;
  /** call -> what the server told of it (监督呼入). */
  readonly calls: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

export const NOBODY: Told = {
  boot: "",
  members: {},
  tracks: {},
  speaker: null,
  onStage: [],
  held: [],
  muted: [],
  recording: "off",
  watching: null,
  layers: {},
  calls: {},
};

type Line = Readonly<Record<string, unknown>>;

const text = (value: unknown): string => (typeof value === "string" ? value : "");
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const texts = (value: unknown): readonly string[] => list(value).map(text).filter(Boolean);
const isLine = (value: unknown): value is Line => typeof value === "object" && value !== null;

function readMember(value: unknown): Member | null {
  if (!isLine(value) || text(value["member"]) === "") return null;
  return {
    member: text(value["member"]),
    name: text(value["name"]),
    org_name: text(value["org_name"]),
    role: text(value["role"]),
    venue: text(value["venue"]),
    seat: text(value["seat"]),
    publishing: value["publishing"] === true,
    connected: value["connected"] === true,
  };
}

function readTrack(value: unknown): Track | null {
  if (!isLine(value) || !Number.isSafeInteger(value["track"])) return null;
  const label = LABELS.find((one) => one === value["label"]);
  if (label === undefined || text(value["member"]) === "") return null;
  return {
    track: value["track"] as number,
    member: text(value["member"]),
    label,
    to: value["to"] ?? null,
    paused: value["paused"] === true,
    flowing: value["flowing"] === true,
    layers: Number.isSafeInteger(value["layers"]) ? (value["layers"] as number) : 1,
    ...(text(value["name"]) === "" ? {} : { name: text(value["name"]) }),
  };
}

function readSpeaker(value: unknown): Speaker | null {
  if (!isLine(value) || !Number.isSafeInteger(value["track"])) return null;
  return { member: text(value["member"]), track: value["track"] as number };
}

function readRecording(value: unknown): RecordingState {
  const states: readonly RecordingState[] = ["on", "no_pictures", "refused"];
  return states.find((one) => one === value) ?? "off";
}

function readWatching(line: Line): number | null {
  const n = line["watching"];
  return Number.isSafeInteger(n) && (n as number) >= 0 ? (n as number) : null;
}

function without<V>(map: Readonly<Record<string, V>>, key: string | number): Record<string, V> {
  return Object.fromEntries(Object.entries(map).filter(([name]) => name !== String(key)));
}

/** What a room shows is held, silenced, on stage; absent members of the line keep their value. */
function floor(told: Told, line: Line): Told {
  return {
    ...told,
    onStage: "on_stage" in line ? texts(line["on_stage"]) : told.onStage,
    held: "held" in line ? texts(line["held"]) : told.held,
    muted:
      "muted" in line
        ? list(line["muted"]).map((one) => [text(list(one)[0]), text(list(one)[1])] as const)
        : told.muted,
  };
}

function whole(line: Line): Told {
  const members = list(line["members"]).map(readMember);
  const tracks = list(line["tracks"]).map(readTrack);
  return floor(
    {
      ...NOBODY,
      boot: String(line["boot"] ?? ""),
      members: Object.fromEntries(members.flatMap((one) => (one ? [[one.member, one]] : []))),
      tracks: Object.fromEntries(tracks.flatMap((one) => (one ? [[one.track, one]] : []))),
      speaker: readSpeaker(line["speaker"]),
      recording: readRecording(line["recording"]),
      watching: readWatching(line),
    },
    line,
  );
}

/** The room after one line of the stream. */
export function foldTold(told: Told, value: unknown): Told {
  if (!isLine(value)) return told;
  switch (value["kind"]) {
    case "state":
      return whole(value);
    case "member": {
      const member = readMember(value);
      return member ? { ...told, members: { ...told.members, [member.member]: member } } : told;
    }
    case "member_gone":
      return { ...told, members: without(told.members, text(value["member"])) };
    case "track": {
      const track = readTrack(value);
      return track ? { ...told, tracks: { ...told.tracks, [track.track]: track } } : told;
    }
    case "track_gone": {
      const track = Number(value["track"]);
      const { speaker } = told;
      return {
        ...told,
        tracks: without(told.tracks, track),
        layers: without(told.layers, track),
        speaker: speaker?.track === track ? null : speaker,
      };
    }
    case "speaker":
      return { ...told, speaker: readSpeaker("speaker" in value ? value["speaker"] : value) };
    case "floor":
      return floor(told, value);
    case "layer":
      return Number.isSafeInteger(value["track"]) && Number.isSafeInteger(value["layer"])
        ? { ...told, layers: { ...told.layers, [Number(value["track"])]: Number(value["layer"]) } }
        : told;
    case "recording":
      return { ...told, recording: readRecording(value["recording"]) };
    case "watching":
      return { ...told, watching: readWatching(value) };
    case "call": {
      const call = text(value["call"]);
      if (call === "") return told;
      const isOver = value["ended"] === true;
      return {
        ...told,
        calls: isOver ? without(told.calls, call) : { ...told.calls, [call]: value },
      };
    }
    case "restarted":
      // The new process knows nobody; who is still there says so again within moments.
      return { ...told, boot: String(value["boot"] ?? told.boot), tracks: {}, layers: {} };
    default:
      return told;
  }
}

/** Sound as against picture. */
export function isSound(label: Label): boolean {
  return label === "microphone" || label === "screen_sound";
}

/** Tracks of a member, by label. */
export function tracksOf(told: Told, member: string): Partial<Record<Label, Track>> {
  const own = Object.values(told.tracks).filter((one) => one.member === member);
  return Object.fromEntries(own.map((one) => [one.label, one]));
}
