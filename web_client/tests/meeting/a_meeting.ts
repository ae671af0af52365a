/** A meeting of two venues (评标会), for tests and the gallery. Names are invented. */
import type { FloorEvent } from "../../src/meeting/floor_lines.ts";

export const BEGAN_MS = 1_795_154_400_000;

const seat = (name: string, person: string, who: string) => ({ seat: name, person, name: who });

export const MEETING_EVENTS: readonly FloorEvent[] = [
  {
    type: "meeting_held",
    serverMs: BEGAN_MS - 3_600_000,
    body: {
      title: "滨河东路道路改造工程（施工）评标会",
      venues: [
        {
          venue: "yunzhou",
          name: "云州副场 1 号评标室",
          is_main: false,
          cameras: [],
          seats: [seat("b-03", "b1", "秦朗"), seat("b-09", "b2", "白露")],
        },
        {
          venue: "jiangzhou",
          name: "江州主场 2 号评标室",
          is_main: true,
          cameras: ["main"],
          seats: [seat("a-02", "a1", "许清"), seat("a-05", "a2", "陆远")],
        },
      ],
      moderator: { person: "m", name: "林悦" },
    },
  },
  {
    type: "supervisors_named",
    serverMs: BEGAN_MS - 3_600_000,
    body: { supervisors: [{ person: "s", name: "周岩" }] },
  },
  { type: "meeting_began", serverMs: BEGAN_MS, body: {} },
  { type: "recording_began", serverMs: BEGAN_MS, body: { recording: "evaluation-e1" } },
];

export const member = (name: string, more: object = {}) => ({
  member: name,
  name: "",
  org_name: "",
  role: "expert",
  venue: "",
  seat: "",
  publishing: true,
  connected: true,
  ...more,
});

export const track = (number: number, who: string, label: string, more: object = {}) => ({
  track: number,
  member: who,
  label,
  to: null,
  paused: false,
  flowing: true,
  layers: 2,
  ...more,
});

/** The first line of the told stream. */
export const state = (members: readonly object[], tracks: readonly object[] = []) => ({
  kind: "state",
  boot: 1,
  members,
  tracks,
  speaker: null,
  on_stage: [],
  held: [],
  muted: [],
  recording: "on",
});
