/** What is shown of a room: the large picture, the panel's state, the studio's lines. */
import { describe, expect, it } from "vitest";
import { broadcastViewOf, type Seen } from "../../src/live/broadcast_view.ts";
import { blockedBy, type CheckView } from "../../src/live/check_view.tsx";
import { airOf, nameOf, programOf, STOPPED_MS, stoppedAfter } from "../../src/live/program.ts";
import { peopleOf } from "../../src/live/studio_view.ts";
import { type Label, type Member, NOBODY, type Told, type Track } from "../../src/live/told.ts";

const member = (id: string, role: string, change: Partial<Member> = {}): Member => ({
  member: id,
  name: id.toUpperCase(),
  org_name: "",
  role,
  venue: "",
  seat: "",
  publishing: false,
  connected: true,
  ...change,
});

let next = 1;
const track = (of: string, label: Label, change: Partial<Track> = {}): Track => ({
  track: next++,
  member: of,
  label,
  to: null,
  paused: false,
  flowing: true,
  layers: 2,
  ...change,
});

function room(
  members: readonly Member[],
  tracks: readonly Track[],
  more: Partial<Told> = {},
): Told {
  return {
    ...NOBODY,
    boot: "1",
    members: Object.fromEntries(members.map((one) => [one.member, one])),
    tracks: Object.fromEntries(tracks.map((one) => [one.track, one])),
    ...more,
  };
}

const host = member("host", "host");
const bidder = member("b", "bidder");

describe("the large picture", () => {
  const hostCamera = track("host", "camera");
  const bidderCamera = track("b", "camera");
  const screen = track("host", "screen");
  const wall = track("camera:wall", "camera");

  it("is a screen, then who is on stage, then the host, then the room", () => {
    const all = [wall, hostCamera, bidderCamera, screen];
    const people = [host, bidder];
    const main = (tracks: readonly Track[], onStage: readonly string[] = []) =>
      programOf(room(people, tracks, { onStage }), "").main;
    expect(main(all, ["b"])).toBe(screen);
    expect(main([wall, hostCamera, bidderCamera], ["b"])).toBe(bidderCamera);
    expect(main([wall, bidderCamera, hostCamera])).toBe(hostCamera);
    expect(main([wall])).toBe(wall);
    expect(main([])).toBeNull();
  });

  it("has who speaks beside a screen", () => {
    const told = room([host], [hostCamera, screen]);
    expect(programOf(told, "").beside).toBe(hostCamera);
    expect(programOf(room([host], [hostCamera]), "").beside).toBeNull();
  });

  it("is never our own, nor one that nobody gets, nor one meant for some", () => {
    const hidden = [
      track("host", "camera", { paused: true }),
      track("host", "screen", { flowing: false }),
      track("s", "camera", { to: { kind: "seat", id: "x" } }),
    ];
    expect(programOf(room([host], [...hidden, bidderCamera]), "b").main).toBeNull();
  });
});

describe("the panel", () => {
  const camera = track("host", "camera");
  const seen = (change: Partial<Seen>): Seen => ({
    link: "live",
    told: room([host], [camera]),
    own: "b",
    first: "webrtc",
    shown: "webrtc",
    phase: "up",
    hasArrived: true,
    quality: "good",
    player: "off",
    latencyMs: null,
    isSoundOn: false,
    isAudioOnly: false,
    known: "",
    ...change,
  });
  const state = (change: Partial<Seen>) => broadcastViewOf(seen(change)).state;

  it("says playing only of what really comes", () => {
    expect(state({})).toBe("playing");
    expect(state({ hasArrived: false })).toBe("joining");
    expect(state({ told: NOBODY })).toBe("nobody");
    expect(state({ phase: "waiting" })).toBe("lost");
    expect(state({ phase: "joining", link: "lost" })).toBe("lost");
    expect(state({ link: "elsewhere" })).toBe("elsewhere");
  });

  it("shows who sends his own picture as others get it, with no connection to watch by", () => {
    const own = { own: "host", phase: "off" } as const;
    expect(broadcastViewOf(seen(own))).toMatchObject({ state: "playing", isScreen: false });
    expect(broadcastViewOf(seen(own)).who).toContain("您");
    expect(state({ ...own, hasArrived: false })).toBe("joining");
    expect(state({ ...own, link: "lost" })).toBe("lost");
    const muted = room([host], [{ ...camera, paused: true }]);
    expect(state({ ...own, told: muted })).toBe("nobody");
  });

  it("follows the player where fragments are shown", () => {
    const of = (change: Partial<Seen>) => state({ shown: "fragments", ...change });
    expect(of({ player: "playing" })).toBe("playing");
    expect(of({ player: "waiting" })).toBe("late");
    expect(of({ player: "again" })).toBe("lost");
    expect(of({ player: "joining" })).toBe("joining");
    expect(of({ player: "waiting", told: NOBODY })).toBe("nobody");
    expect(of({ player: "again", told: NOBODY, own: "" })).toBe("nobody");
  });

  it("tells a fallback from the public's own way, and how late it is", () => {
    const late = { shown: "fragments", player: "playing", latencyMs: 6000 } as const;
    expect(broadcastViewOf(seen(late))).toMatchObject({ isFallback: true, quality: "fair" });
    const publicly = broadcastViewOf(
      seen({ ...late, first: "fragments", own: "", told: NOBODY, known: "开标现场" }),
    );
    expect(publicly).toMatchObject({ isFallback: false, who: "开标现场", hasSound: true });
  });
});

describe("the studio", () => {
  it("lists who is on stage, who sends, and bidders", () => {
    const people = [host, bidder, member("c", "bidder"), member("w", "witness")];
    const told = room(people, [track("c", "microphone", { paused: true })], { onStage: ["b"] });
    const rows = peopleOf(told, "host", "read_out");
    expect(rows.map((row) => row.member)).toEqual(["b", "c"]);
    expect(rows[1]?.sent).toEqual([{ label: "microphone", state: "muted", isSilenced: false }]);
  });

  it("says whether the room gets something, and what of it is missing", () => {
    const camera = track("host", "camera");
    const voice = track("host", "microphone");
    const off = (one: Track) => ({ ...one, paused: true });
    const air = (...tracks: readonly Track[]) => airOf(room([host], tracks));
    expect(air(camera, voice)).toEqual({ state: "on", hasPicture: true, hasSound: true });
    expect(air(camera, off(voice))).toMatchObject({ state: "on", hasSound: false });
    expect(air(off(camera), voice)).toMatchObject({ state: "on", hasPicture: false });
    expect(air(off(camera), off(voice)).state).toBe("paused");
    expect(air().state).toBe("off");
    const call = track("s", "microphone", { to: { kind: "seat", id: "x" } });
    expect(air(call).state).toBe("off");
  });

  it("puts nobody on stage before the list of bidders is out", () => {
    const told = room([host, bidder], []);
    expect(peopleOf(told, "host", "sign_in")[0]?.isStageable).toBe(false);
    expect(peopleOf(told, "host", "announced")[0]?.isStageable).toBe(true);
  });

  it("says who has stopped at once, and no more when it is back", () => {
    const camera = track("b", "camera");
    const on = room([bidder], [camera]);
    const off = room([bidder], [{ ...camera, flowing: false }]);
    const stopped = stoppedAfter(on, off, [], 1000);
    expect(stopped).toEqual([{ member: "b", name: "B", label: "camera", atMs: 1000 }]);
    expect(stoppedAfter(off, on, stopped, 2000)).toEqual([]);
    expect(stoppedAfter(on, room([], []), [], 1000).length).toBe(1);
    expect(stoppedAfter(off, off, stopped, 1000 + STOPPED_MS)).toEqual([]);
  });

  it("calls a room's camera by its own name", () => {
    expect(nameOf(undefined, "camera:wall")).toBe("wall");
    expect(nameOf(bidder, "b")).toBe("B");
    expect(nameOf(undefined, "x")).toBe("x");
  });
});

describe("the check", () => {
  const media = {} as MediaStreamTrack;
  const view: CheckView = {
    step: "check",
    audience: "public",
    isRecorded: true,
    camera: { kind: "fault", fault: "missing" },
    microphone: { kind: "on", media },
    level: 0,
    wasHeard: false,
    cameras: [],
    microphones: [],
    network: { kind: "up", isRelayed: false, rttMs: 9, quality: "good" },
  };

  it("lets one go on with one device, over a network that carries it", () => {
    expect(blockedBy(view)).toBeNull();
    expect(blockedBy({ ...view, camera: { kind: "left_out" } })).toBeNull();
  });

  it("says what is missing", () => {
    const fault = { kind: "fault", fault: "refused" } as const;
    const reasons = [
      blockedBy({ ...view, microphone: { kind: "asking" } }),
      blockedBy({ ...view, microphone: fault }),
      blockedBy({ ...view, network: { kind: "trying" } }),
      blockedBy({ ...view, network: { kind: "blocked" } }),
    ];
    expect(new Set(reasons).size).toBe(4);
    expect(reasons.every((reason) => reason !== null)).toBe(true);
  });
});
