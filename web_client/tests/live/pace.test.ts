import { describe, expect, it } from "vitest";
import { keepPace, Pace } from "../../src/live/pace.ts";
import { sizeOf } from "../../src/live/wanted.ts";

describe("the players of a page", () => {
  it("stand as far behind as the latest of them, and a little more", () => {
    const pace = new Pace();
    pace.say("camera", 300);
    pace.say("voice", 900);
    expect(pace.aimMs).toBe(1_400);
    pace.leave("voice");
    expect(pace.aimMs).toBe(800);
  });

  it("forget what was late once, slowly, and never wait for ever", () => {
    const pace = new Pace();
    pace.say("camera", 900);
    pace.say("camera", 100);
    const once = pace.aimMs;
    expect(once).toBeLessThan(1_400);
    expect(once).toBeGreaterThan(1_300);
    for (let n = 0; n < 100; n += 1) pace.say("camera", 100);
    expect(pace.aimMs).toBe(600);
    pace.say("camera", 60_000);
    expect(pace.aimMs).toBe(5_000);
  });

  it("are set to the moment that is wanted when they are far from it", () => {
    expect(keepPace([[10, 20]], 0, 19).seekS).toBe(19);
    expect(keepPace([[10, 20]], 18, 19).seekS).toBe(19);
    expect(keepPace([[10, 20]], 21, 19).seekS).toBe(19);
    expect(keepPace([[10, 20]], 5, 9).seekS).toBe(10);
    expect(keepPace([[10, 20]], 5, 25).seekS).toBe(20);
    expect(keepPace([], 5, 4)).toEqual({ seekS: null, rate: 1, trimS: null });
  });

  it("hurry or linger a little when they are near it", () => {
    expect(keepPace([[10, 20]], 19, 19)).toMatchObject({ seekS: null, rate: 1 });
    expect(keepPace([[10, 20]], 18.9, 19).rate).toBeCloseTo(1.04);
    expect(keepPace([[10, 20]], 18.5, 19).rate).toBeCloseTo(1.1);
    expect(keepPace([[10, 20]], 19.1, 19).rate).toBeCloseTo(0.96);
    expect(keepPace([[10, 20]], 19.5, 19).rate).toBeCloseTo(0.9);
  });
});

describe("a picture by fragments", () => {
  it("is small where its tile is or the line is narrow, and none where it is not seen", () => {
    expect(sizeOf(240, 2, false)).toBe("small");
    expect(sizeOf(300, 2, false)).toBe("large");
    expect(sizeOf(300, 2, true)).toBe("small");
    expect(sizeOf(180, 1, true)).toBe("large");
    expect(sizeOf(0, 2, false)).toBeNull();
  });
});
