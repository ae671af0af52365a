/** A meeting of evaluation at some moments (评标会), for the gallery; boxes stand for pictures. */
import { foldTold, NOBODY } from "../../src/live/told.ts";
import { foldMeeting } from "../../src/meeting/fold.ts";
import { meetingMoments } from "../../src/meeting/moments.ts";
import { roomModel } from "../../src/meeting/room_model.ts";
import { emptyMeeting } from "../../src/meeting/view.ts";
import type { Surroundings } from "../../src/pages/frame.tsx";
import { VenuePage, type VenueProps } from "../../src/pages/venues/venue_page.tsx";
import type { VenueActs, WallActs } from "../../src/pages/venues/venue_view.ts";
import { WallPage, type WallProps } from "../../src/pages/venues/wall_page.tsx";
import { BEGAN_MS, MEETING_EVENTS, member, state, track } from "../meeting/a_meeting.ts";

const acts = new Proxy({}, { get: () => () => {} }) as VenueActs & WallActs;
const show = () => <div style={{ position: "absolute", inset: "20%", background: "#54606b" }} />;

const PEOPLE = [member("a1"), member("a2"), member("b1"), member("m"), member("camera:main")];
const TRACKS = [
  track(1, "a1", "camera"),
  track(2, "a1", "microphone"),
  track(3, "a2", "camera", { flowing: false }),
  track(4, "b1", "microphone", { paused: true }),
  track(5, "m", "camera"),
  track(6, "m", "microphone"),
  track(7, "camera:main", "camera"),
];
const LINES = [
  state(PEOPLE, TRACKS),
  { kind: "speaker", speaker: { member: "a1", track: 2 } },
  { kind: "floor", held: [], muted: [["b1", "microphone"]], on_stage: [] },
];

export function meetingPages(around: (nowMs: number, who?: object) => Surroundings) {
  const now = BEGAN_MS + 1_234_000;
  const view = MEETING_EVENTS.reduce(foldMeeting, emptyMeeting("e1"));
  const call = { call: "c1", person: "s", to: { kind: "seat", id: "b-09" } };
  const called = foldMeeting(view, { type: "call_began", serverMs: now - 42_000, body: call });
  const told = (...more: readonly object[]) => [...LINES, ...more].reduce(foldTold, NOBODY);
  const shared = (own: string, ...more: readonly object[]) => ({
    around: around(now, { person: own, role: own === "s" ? "supervisor" : "expert", name: "许清" }),
    view,
    model: roomModel(view, told(...more), own),
    mediaLink: "live" as const,
    fallback: null,
    program: null,
    recording: "on" as const,
    lines: meetingMoments(MEETING_EVENTS, () => ""),
    show,
    isSoundOn: true,
    trouble: null,
    busy: "",
  });
  const room = (own: string, more: Partial<VenueProps> = {}, ...lines: readonly object[]) => (
    <VenuePage
      {...shared(own, ...lines)}
      isModerator={own === "m"}
      mayPublish
      sending={[
        { label: "microphone", isOn: true, isOffByHost: false },
        { label: "camera", isOn: true, isOffByHost: false },
      ]}
      isSharing={false}
      deviceTrouble=""
      pin={null}
      onPin={() => {}}
      acts={acts}
      {...more}
    />
  );
  const wall = (more: Partial<WallProps> = {}) => (
    <WallPage
      {...shared("s")}
      listening={{ kind: "all", id: "" }}
      onListen={() => {}}
      ownCall={null}
      deviceTrouble=""
      acts={acts}
      {...more}
    />
  );
  const off = (isOffByHost: boolean) => ({
    sending: [{ label: "microphone" as const, isOn: isOffByHost, isOffByHost }],
  });
  return {
    venues: () => room("a1"),
    "venues-out": () => room("a1", { sending: [], isSoundOn: false }),
    "venues-muted": () => room("a1", off(false)),
    "venues-silenced": () => room("a1", off(true)),
    "venues-moderator": () => room("m"),
    "venues-pinned": () => room("a1", { pin: { kind: "venue", id: "jiangzhou" } }),
    "venues-screen": () => room("a1", {}, { kind: "track", ...track(8, "m", "screen") }),
    "venues-called": () =>
      room(
        "a1",
        {},
        { kind: "call", call: "c", member: "s", to: { kind: "seat", id: "a-02" } },
        { kind: "track", ...track(9, "s", "microphone", { name: "周岩" }) },
      ),
    wall: () => wall(),
    "wall-calling": () =>
      wall({
        view: called,
        ownCall: {
          to: { kind: "seat", id: "b-09" },
          beganMs: now - 42_000,
          isHeard: true,
          isSent: true,
        },
      }),
  };
}
