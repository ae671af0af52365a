/** By which way pictures come. */
import { describe, expect, it } from "vitest";
import type { Lasting } from "../../src/live/lasting.ts";
import { chooseWay, NO_WAY, type Way } from "../../src/live/way.ts";

type Phase = Lasting["phase"];

/** The way at the end of [phase, for how long in ms] pieces, looked at each 100 ms. */
function wayAfter(pieces: readonly (readonly [Phase, number])[], hasFragments = true): Way {
  let way = NO_WAY;
  let nowMs = 5000;
  for (const [phase, forMs] of pieces) {
    for (const endMs = nowMs + forMs; nowMs < endMs; nowMs += 100) {
      way = chooseWay(way, { first: "webrtc", phase, hasFragments }, nowMs);
    }
  }
  return way;
}

describe("the way", () => {
  it("of the public is fragments, and WebRTC is not even tried", () => {
    const way = chooseWay(NO_WAY, { first: "fragments", phase: "off", hasFragments: true }, 0);
    expect(way).toMatchObject({ shown: "fragments", runsFragments: true });
  });

  it("of who takes part is WebRTC where it comes up", () => {
    expect(
      wayAfter([
        ["joining", 900],
        ["up", 5000],
      ]),
    ).toMatchObject({
      shown: "webrtc",
      runsFragments: false,
    });
  });

  it("falls to fragments when nothing has come up within four seconds", () => {
    expect(wayAfter([["joining", 3900]]).shown).toBe("webrtc");
    expect(
      wayAfter([
        ["joining", 4100],
        ["waiting", 100],
      ]),
    ).toMatchObject({
      shown: "fragments",
      runsFragments: true,
    });
  });

  it("stays with fragments while WebRTC is tried on and on", () => {
    expect(
      wayAfter([
        ["joining", 4100],
        ["waiting", 2000],
        ["joining", 4000],
      ]).shown,
    ).toBe("fragments");
  });

  it("returns to WebRTC once it has stood for a moment, and then ends the fragments", () => {
    const blocked = [
      ["joining", 4500],
      ["waiting", 3000],
    ] as const;
    expect(wayAfter([...blocked, ["up", 1000]])).toMatchObject({ shown: "fragments" });
    expect(wayAfter([...blocked, ["up", 2000]])).toMatchObject({
      shown: "webrtc",
      runsFragments: false,
    });
  });

  it("does not fall for a connection that is back within four seconds", () => {
    expect(
      wayAfter([
        ["up", 3000],
        ["joining", 2000],
        ["up", 200],
      ]).runsFragments,
    ).toBe(false);
  });

  it("has nothing to fall back on where the room has no fragments", () => {
    expect(wayAfter([["joining", 9000]], false)).toMatchObject({
      shown: "webrtc",
      runsFragments: false,
    });
  });

  it("is not forgotten because nothing is wanted for a moment", () => {
    const pieces = [
      ["joining", 4500],
      ["off", 2000],
      ["joining", 3000],
    ] as const;
    expect(wayAfter(pieces).shown).toBe("fragments");
  });

  it("asks for nothing while there is nothing to see", () => {
    expect(wayAfter([["off", 20_000]])).toMatchObject({ runsFragments: false, downSinceMs: null });
  });
});
