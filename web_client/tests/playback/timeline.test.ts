/** An event's moment is found in every file, whatever the server's clock did meanwhile. */
import { describe, expect, it } from "vitest";
import {
  layOut,
  nextRecorded,
  placeOf,
  positionIn,
  readTimeline,
  type Timeline,
  utcAt,
} from "../../src/pages/playback/timeline.ts";

const T = 1_795_138_200_000;
const pieces = (...rows: [number, number, number][]): Timeline => readTimeline(rows) as Timeline;
const lane = (axis: ReturnType<typeof layOut>, at: number) =>
  axis.lanes[at] as (typeof axis.lanes)[0];

describe("what the server sends", () => {
  it("is read as pieces", () => {
    expect(readTimeline([[T, 0, 5000]])).toEqual([{ utcMs: T, positionMs: 0, lengthMs: 5000 }]);
    expect(readTimeline([])).toEqual([]);
  });

  it.each([
    null,
    {},
    [[T, 0]],
    [[T, -1, 5]],
    [[T, 0.5, 5]],
    [[T, 0, "5"]],
    [
      [T, 100, 50],
      [T, 120, 50],
    ],
    [[2 ** 60, 0, 1]],
  ])("is refused when it is something else: %j", (value) => {
    expect(readTimeline(value)).toBeNull();
  });
});

describe("one file", () => {
  const axis = layOut([pieces([T, 0, 60_000])]);

  it("finds a moment and says the moment of a place", () => {
    expect(placeOf(axis, T + 31_500)).toEqual({ kind: "recorded", atMs: 31_500 });
    expect(positionIn(lane(axis, 0), 31_500)).toBe(31_500);
    expect(utcAt(axis, 31_500)).toBe(T + 31_500);
  });

  it("says what was before it and after it", () => {
    expect(placeOf(axis, T - 1)).toEqual({ kind: "before", atMs: 0 });
    expect(placeOf(axis, T + 60_001)).toEqual({ kind: "after", atMs: 60_000 });
    expect(positionIn(lane(axis, 0), 60_001)).toBeNull();
  });
});

describe("files that begin and end when they like", () => {
  const axis = layOut([pieces([T + 10_000, 0, 20_000]), pieces([T, 0, 60_000])]);

  it("lie beside each other by what the server's clock said", () => {
    expect(axis.lengthMs).toBe(60_000);
    expect(axis.lanes.map((one) => one.fromMs)).toEqual([10_000, 0]);
    const { atMs } = placeOf(axis, T + 12_345);
    expect(axis.lanes.map((one) => positionIn(one, atMs))).toEqual([2345, 12_345]);
  });

  it("have nothing to show outside of themselves", () => {
    const { atMs } = placeOf(axis, T + 40_000);
    expect(axis.lanes.map((one) => positionIn(one, atMs))).toEqual([null, 40_000]);
  });

  it("leave a gap where nobody was recorded, and playing goes on behind it", () => {
    const torn = layOut([pieces([T, 0, 10_000]), pieces([T + 40_000, 0, 10_000])]);
    expect(torn.lanes.map((one) => one.fromMs)).toEqual([0, 40_000]);
    expect(placeOf(torn, T + 25_000)).toEqual({ kind: "gap", atMs: 25_000 });
    expect(nextRecorded(torn, 25_000)).toBe(40_000);
    expect(nextRecorded(torn, 45_000)).toBe(45_000);
    expect(nextRecorded(torn, 50_001)).toBeNull();
    expect(utcAt(torn, 25_000)).toBe(T + 25_000);
  });
});

describe("a clock that was set", () => {
  const forward = pieces([T, 0, 10_000], [T + 70_000, 10_000, 20_000]);
  const back = pieces([T, 0, 30_000], [T + 10_000, 30_000, 30_000]);

  it("forward: what it was set over lies where it was set", () => {
    const axis = layOut([forward]);
    expect(placeOf(axis, T + 5000).atMs).toBe(5000);
    expect(placeOf(axis, T + 40_000)).toEqual({ kind: "recorded", atMs: 10_000 });
    expect(placeOf(axis, T + 75_000).atMs).toBe(15_000);
    expect(utcAt(axis, 15_000)).toBe(T + 75_000);
  });

  it("back: a moment came twice and the first counts", () => {
    const axis = layOut([back]);
    expect(placeOf(axis, T + 15_000).atMs).toBe(15_000);
    expect(placeOf(axis, T + 35_000).atMs).toBe(55_000);
    expect(utcAt(axis, 45_000)).toBe(T + 25_000);
  });

  it("is the same step in every file, also for one that began after it", () => {
    const shorter = pieces([T + 4000, 0, 6000], [T + 70_000, 6000, 10_000]);
    const afterwards = pieces([T + 75_000, 0, 10_000]);
    const axis = layOut([forward, shorter, afterwards]);
    expect(axis.lanes.map((one) => one.fromMs)).toEqual([0, 4000, 15_000]);
    expect(axis.lengthMs).toBe(30_000);
    const again = layOut([back, pieces([T + 12_000, 0, 25_000])]);
    expect(lane(again, 1).fromMs).toBe(32_000);
  });
});

it("shows nothing of nothing", () => {
  const axis = layOut([]);
  expect(axis.lengthMs).toBe(0);
  expect(placeOf(axis, T)).toEqual({ kind: "before", atMs: 0 });
  expect(utcAt(axis, 0)).toBeNull();
  expect(layOut([[]]).lanes).toEqual([{ timeline: [], fromMs: 0, lengthMs: 0 }]);
});
