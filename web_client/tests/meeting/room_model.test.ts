/** Journal and media room together: who is shown where, and in which state. */
import { describe, expect, it } from "vitest";
import { foldTold, NOBODY, type Told } from "../../src/live/told.ts";
import { foldMeeting } from "../../src/meeting/fold.ts";
import { hearing, listened, roomModel } from "../../src/meeting/room_model.ts";
import { emptyMeeting, nameIn, reached } from "../../src/meeting/view.ts";
import { MEETING_EVENTS, member, state, track } from "./a_meeting.ts";

const view = MEETING_EVENTS.reduce(foldMeeting, emptyMeeting("e1"));
const told = (...lines: readonly object[]): Told => lines.reduce<Told>(foldTold, NOBODY);
const of = (room: Told, own = "a1") => {
  const model = roomModel(view, room, own);
  const tile = (who: string) =>
    [...model.venues.flatMap((box) => box.tiles), ...model.others].find(
      (one) => one.member === who,
    );
  return { ...model, tile };
};

describe("the journal of a meeting", () => {
  it("says who sits where, the main venue first", () => {
    expect(roomModel(view, NOBODY, "").venues.map((box) => [box.name, box.seats])).toEqual([
      ["江州主场 2 号评标室", 2],
      ["云州副场 1 号评标室", 2],
    ]);
    expect(view.stage).toBe("running");
    expect(nameIn(view, "b1")).toBe("B-03 秦朗");
    const camera = nameIn(view, "camera:main").replaceAll("\u00a0", " ");
    expect(camera).toBe("江州主场 2 号评标室 摄像头");
    expect(nameIn(view, "nobody")).toBe("");
  });

  it("names whom a call reaches", () => {
    const who = (kind: "seat" | "venue" | "all", id: string) =>
      reached(view, { kind, id }).map((seat) => seat.person);
    expect(who("seat", "b-03")).toEqual(["b1"]);
    expect(who("venue", "yunzhou")).toEqual(["b1", "b2"]);
    expect(who("all", "")).toEqual(["b1", "b2", "a1", "a2"]);
  });

  it("names a camera by its venue, and by its own name where there are several", () => {
    const two = { ...view.venues[0], name: "云州", cameras: ["door", "desk"] };
    const several = { ...view, venues: [two as (typeof view.venues)[number]] };
    const names = (of: typeof view) =>
      roomModel(of, NOBODY, "").venues.flatMap((box) =>
        box.tiles.filter((one) => one.isCamera).map((one) => one.name.replaceAll("\u00a0", " ")),
      );
    expect(names(view)).toEqual(["江州主场 2 号评标室 摄像头"]);
    expect(names(several)).toEqual(["云州 摄像头 door", "云州 摄像头 desk"]);
  });

  it("counts among those who hear a call only who is at his seat", () => {
    const room = told(state([member("b1"), member("b2", { connected: false })]));
    const model = roomModel(view, room, "s");
    const all = reached(view, { kind: "all", id: "" });
    expect(hearing(model, all).map((seat) => seat.person)).toEqual(["b1"]);
  });

  it("keeps calls until they end, and remembers what it does not know", () => {
    const call = { call: "c1", person: "s", to: { kind: "seat", id: "b-03" } };
    const called = foldMeeting(view, { type: "call_began", serverMs: 5, body: call });
    expect(called.floor.calls["c1"]).toEqual({ ...call, beganMs: 5 });
    const over = foldMeeting(called, { type: "call_ended", serverMs: 6, body: { call: "c1" } });
    expect(over.floor.calls).toEqual({});
    const odd = foldMeeting(view, { type: "constructor", serverMs: 5, body: {} });
    expect(odd.unknownTypes).toEqual(["constructor"]);
  });
});

describe("a seat", () => {
  it("is absent until somebody comes, here when he sends nothing, seen when he does", () => {
    expect(of(told(state([]))).tile("a1")?.presence).toBe("absent");
    expect(of(told(state([member("a1")]))).tile("a1")?.presence).toBe("here");
    const room = told(state([member("a1")], [track(1, "a1", "camera")]));
    expect(of(room).tile("a1")?.presence).toBe("seen");
  });

  it("is lost when its line is cut, even before its page has noticed", () => {
    const cut = told(state([member("a1")], [track(1, "a1", "camera", { flowing: false })]));
    expect(of(cut).tile("a1")?.presence).toBe("lost");
    expect(of(cut).venues[0]?.presence).toBe("lost");
    const gone = told(state([member("a1", { connected: false })]));
    expect(of(gone).tile("a1")?.presence).toBe("lost");
  });

  it("is not lost because it has switched itself off", () => {
    const off = told(
      state([member("a1")], [track(1, "a1", "camera", { paused: true, flowing: false })]),
    );
    expect(of(off).tile("a1")?.presence).toBe("here");
  });

  it("says whose doing its silence is", () => {
    const mic = track(2, "a1", "microphone");
    expect(of(told(state([member("a1")], [mic]))).tile("a1")?.voice).toBe("on");
    expect(of(told(state([member("a1")], [{ ...mic, paused: true }]))).tile("a1")?.voice).toBe(
      "off",
    );
    const byHost = told(state([member("a1")], [{ ...mic, paused: true }]), {
      kind: "floor",
      muted: [["a1", "microphone"]],
      held: ["a2"],
    });
    expect(of(byHost).tile("a1")?.voice).toBe("off_by_host");
    expect(of(byHost).tile("a2")?.isHeld).toBe(true);
    expect(of(told(state([member("a1")]))).tile("a1")?.voice).toBe("none");
  });

  it("speaks only while something of it is heard", () => {
    const mic = track(2, "b1", "microphone");
    const speaks = { kind: "speaker", speaker: { member: "b1", track: 2 } };
    expect(of(told(state([member("b1")], [mic]), speaks)).speaker?.member).toBe("b1");
    const cut = told(state([member("b1")], [{ ...mic, paused: true }]), speaks);
    expect(of(cut).speaker).toBeNull();
  });
});

describe("who is not of the room", () => {
  const call = { kind: "seat", id: "a-02" };

  it("is shown nowhere, and heard where he calls, by his name", () => {
    const line = { kind: "call", call: "c1", member: "s", to: call, ended: false };
    const voice = track(9, "s", "microphone", { to: ["a2"], name: "周岩" });
    const model = of(told(state([member("a1")], [voice]), line));
    expect(model.venues.flatMap((box) => box.tiles).map((one) => one.member)).not.toContain("s");
    expect(model.others.map((one) => one.member)).toEqual(["m"]);
    expect(model.heard).toMatchObject([{ member: "s", name: "周岩", to: call }]);
    expect(of(told(state([]), line, { ...line, ended: true })).heard).toEqual([]);
  });

  it("does not hear himself called", () => {
    const room = told(state([member("s")], [track(9, "s", "microphone", { to: call })]));
    expect(of(room, "s").heard).toEqual([]);
  });
});

it("a screen is shown while it flows", () => {
  const room = told(state([member("a1")], [track(3, "a1", "screen")]));
  expect(of(room).screens.map((one) => one.member)).toEqual(["a1"]);
  const still = told(state([member("a1")], [track(3, "a1", "screen", { flowing: false })]));
  expect(of(still).screens).toEqual([]);
});

it("a supervisor chooses whom to hear", () => {
  const tracks = [
    track(1, "a1", "microphone"),
    track(2, "b1", "microphone"),
    track(3, "b2", "microphone"),
    track(4, "m", "microphone"),
    track(5, "b1", "camera"),
  ];
  const model = of(
    told(state([member("a1"), member("b1"), member("b2"), member("m")], tracks)),
    "s",
  );
  const heard = (kind: "all" | "venue" | "member" | "nobody", id = "") =>
    listened(model, { kind, id });
  expect(heard("all")).toBeNull();
  expect(heard("venue", "yunzhou")).toEqual(new Set([2, 3]));
  expect(heard("member", "m")).toEqual(new Set([4]));
  expect(heard("nobody")).toEqual(new Set());
});
