/** What a page wants to see, how good it is, what it is called. */
import { describe, expect, it } from "vitest";
import { levelOf } from "../../src/live/devices.ts";
import { expectedOf, type Look, lookAt, qualityOf } from "../../src/live/quality.ts";
import type { Track } from "../../src/live/told.ts";
import { isSame, tileHeight, tracksByMid, wantedOf } from "../../src/live/wanted.ts";

const track = (number: number, member: string): Track => ({
  track: number,
  member,
  label: "camera",
  to: null,
  paused: false,
  flowing: true,
  layers: 2,
});
const tracks = { 1: track(1, "host"), 2: track(2, "own") };

describe("what is wanted", () => {
  it("is each track as high as its largest tile", () => {
    const tiles = [
      { track: 1, heightPx: 120 },
      { track: 1, heightPx: 720 },
    ];
    expect(wantedOf(tiles, tracks, "own")).toEqual({ 1: 720 });
  });

  it("is neither our own nor what the room has not", () => {
    const tiles = [1, 2, 3].map((one) => ({ track: one, heightPx: 60 }));
    expect(wantedOf(tiles, tracks, "own")).toEqual({ 1: 60 });
  });

  it("is told in steps, and is nothing of a tile that is not seen", () => {
    expect(tileHeight(181, 1, true)).toBe(240);
    expect(tileHeight(200, 3, true)).toBe(420);
    expect(tileHeight(200, 2, false)).toBe(0);
    expect(tileHeight(9000, 2, true)).toBe(2160);
  });

  it("is told again only when it is another", () => {
    expect(isSame({ 1: 60 }, { 1: 60 })).toBe(true);
    expect(isSame({ 1: 60 }, { 1: 120 })).toBe(false);
    expect(isSame({ 1: 60 }, { 2: 60 })).toBe(false);
    expect(isSame({}, { 2: 60 })).toBe(false);
  });

  it("is found in the server's offer by its sections", () => {
    const offer = [
      "v=0",
      "m=video 9 UDP/TLS/RTP/SAVPF 102",
      "a=mid:0",
      "a=sendonly",
      "a=msid:m0 t14",
      "m=audio 9 UDP/TLS/RTP/SAVPF 111",
      "a=mid:1",
      "a=inactive",
      "a=msid:- -",
      "",
    ].join("\r\n");
    expect([...tracksByMid(offer)]).toEqual([["0", 14]]);
  });
});

const look = (change: Partial<Look>): Look => ({
  atMs: 0,
  bytes: 0,
  packets: 0,
  lost: 0,
  rttMs: 20,
  height: 720,
  frames: 0,
  stillMs: 0,
  isRelayed: false,
  lacks: "",
  ...change,
});

describe("the word for a connection", () => {
  const before = look({ packets: 1000, lost: 50 });
  const wordOf = (change: Partial<Look>) =>
    qualityOf(before, look({ atMs: 2000, packets: 2000, lost: 50, ...change }));

  it("follows what was lost since the last look, not since the beginning", () => {
    expect(wordOf({})).toBe("good");
    expect(wordOf({ lost: 90 })).toBe("fair");
    expect(wordOf({ lost: 300 })).toBe("poor");
  });

  it("follows delay, pictures that stand still, and what the sender lacks", () => {
    expect(wordOf({ rttMs: 300 })).toBe("fair");
    expect(wordOf({ stillMs: 500 })).toBe("poor");
    expect(wordOf({ lacks: "bandwidth" })).toBe("fair");
  });

  it("is none where nothing comes", () => {
    expect(wordOf({ packets: 1000 })).toBe("none");
    expect(expectedOf(null)).toBe("none");
    expect(expectedOf(12)).toBe("good");
  });

  it("is read from the browser's own figures", () => {
    const rows = [
      { type: "transport", bytesReceived: 900 },
      { type: "local-candidate", id: "L", candidateType: "relay" },
      {
        type: "candidate-pair",
        nominated: true,
        currentRoundTripTime: 0.021,
        localCandidateId: "L",
      },
      { type: "inbound-rtp", packetsReceived: 8, packetsLost: -1, frameHeight: 180 },
      { type: "inbound-rtp", packetsReceived: 4, packetsLost: 2, totalFreezesDuration: 1.5 },
    ];
    expect(lookAt(rows, "watch", 5)).toMatchObject({
      bytes: 900,
      packets: 12,
      lost: 2,
      rttMs: 21,
      height: 180,
      stillMs: 1500,
      isRelayed: true,
    });
  });
});

describe("the level of a microphone", () => {
  it("is nothing in silence, everything when it is loud, and between for speech", () => {
    expect(levelOf(new Float32Array(512))).toBe(0);
    expect(levelOf(new Float32Array(512).fill(0.9))).toBe(1);
    const speech = levelOf(new Float32Array(512).fill(0.03));
    expect(speech).toBeGreaterThan(0.3);
    expect(speech).toBeLessThan(0.8);
  });
});
