/** What the server says of a recording, read without believing more than it says. */
import { expect, it } from "vitest";
import { readRecording } from "../../src/pages/playback/recording.ts";

const T = 1_795_138_200_000;
const FILE = {
  name: "host.mp4",
  member: "host",
  kind: "person",
  tracks: ["host.camera-1", "host.microphone-0"],
  mime: "video/mp4",
  bytes: 1200,
  sha256: "ab",
  timeline: [[T, 0, 5000]],
  url: "/media/opening:x/recording/host.mp4?token=1",
  person: { name: "林悦", org_name: "建招", role: "host", venue: "", seat: "" },
};
const TRACKS = [
  { track: "host.camera-1", label: "camera" },
  { track: "host.microphone-0", label: "microphone" },
];
const read = (value: object) =>
  readRecording("opening:x", { state: "ready", tracks: TRACKS, ...value });

it("names files, whose they are and where they lie", () => {
  const [file] = read({ files: [FILE] }).files;
  expect(file).toMatchObject({ url: FILE.url, kind: "person", hasPicture: true, bytes: 1200 });
  expect(file?.who).toEqual({ name: "林悦", orgName: "建招", role: "host", venue: "", seat: "" });
});

it("tells sound from film by the tracks", () => {
  const [file] = read({ files: [{ ...FILE, tracks: ["host.microphone-0"] }] }).files;
  expect(file?.hasPicture).toBe(false);
});

it("plays only what this site serves, and only what has a time", () => {
  const away = { ...FILE, url: "https://elsewhere.example/x.mp4" };
  expect(read({ files: [away] }).files[0]?.url).toBe("/media/opening:x/recording/host.mp4");
  expect(
    read({
      files: [
        { ...FILE, timeline: [[T, 5]] },
        { ...FILE, timeline: [] },
      ],
    }).files,
  ).toEqual([]);
});

it("says what is lost, with and without a time", () => {
  const { lost } = read({
    lost: [
      { track: "a", member: "m", what: "interrupted", from_ms: T, to_ms: T + 1300, ms: 1300 },
      { track: "a2", member: "m", what: "interrupted", from_ms: T + 20, to_ms: T + 1300, ms: 1280 },
      { track: "b", what: "torn", from_ms: 0, to_ms: 0, ms: 0 },
      { what: 5 },
    ],
  });
  expect(lost.map((one) => [one.what, one.fromMs, one.ms])).toEqual([
    ["torn", null, 0],
    ["interrupted", T, 1300],
  ]);
});

it("knows how far making is, and that it failed", () => {
  expect(read({ making: { done: 1, all: 3 } }).making).toEqual({ done: 1, all: 3 });
  expect(read({ refused: "playable.codec", is_whole: false })).toMatchObject({
    refused: "playable.codec",
    isWhole: false,
  });
});

it.each([null, 5, [], { state: "odd" }])("is nothing when it is something else: %j", (value) => {
  expect(readRecording("opening:x", value)).toMatchObject({ state: "none", files: [] });
});
