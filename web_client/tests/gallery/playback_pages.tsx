/** The playback at some moments (录像回放), for the gallery. */

import type { Surroundings } from "../../src/pages/frame.tsx";
import { openingMoments } from "../../src/pages/playback/moments.ts";
import { PlaybackPage, type PlaybackProps } from "../../src/pages/playback/playback_page.tsx";
import { Playing } from "../../src/pages/playback/playing.ts";
import { readRecording } from "../../src/pages/playback/recording.ts";
import { layOut } from "../../src/pages/playback/timeline.ts";
import { of, openingTrace, START_MS } from "../traces.ts";

const ROOM = "opening:jz-2026-sg-0417";
const MINUTE_MS = 60_000;
const BEGAN_MS = START_MS - 5 * MINUTE_MS;
const host = { name: "林悦", org_name: "江州建招代理有限公司", role: "host", venue: "", seat: "" };
const file = (name: string, more: object, from: number, minutes: number) => ({
  name,
  mime: "video/mp4",
  bytes: 312_400_000,
  sha256: "5f0c91e72b44a8d306ce7719e0b24d9ac31f885690ad2e7b1148f36c05d9ba72",
  timeline: [[BEGAN_MS + from * MINUTE_MS, 0, minutes * MINUTE_MS]],
  person: host,
  member: "host",
  ...more,
});
const recording = readRecording(ROOM, {
  state: "ready",
  tracks: [{ track: "w.microphone-0", label: "microphone" }],
  files: [
    file("host.mp4", {}, 0, 60),
    file("host-screen.mp4", { kind: "screen" }, 1, 50),
    file("bidder.mp4", { member: "b3", person: { ...host, name: "何川", role: "bidder" } }, 40, 4),
    file(
      "room.mp4",
      { mime: "audio/mp4", member: "w", person: { ...host, role: "witness" } },
      0,
      9,
    ),
  ],
  lost: [
    { what: "interrupted", member: "host", from_ms: START_MS + 20 * MINUTE_MS, ms: 1300 },
    { what: "pictures_stopped", track: "cam-2", from_ms: START_MS + 31 * MINUTE_MS, ms: 190_000 },
  ],
});
const moments = openingMoments(
  "jz-2026-sg-0417",
  of(openingTrace({ bidders: 67, locked: [52] }), "hall", "staff"),
  () => "林悦",
);
const playing = new Playing(layOut(recording.files.map((one) => one.timeline)), () => 0);
playing.seek(17 * MINUTE_MS);

export function playbackPages(around: Surroundings) {
  const props: PlaybackProps = {
    around,
    recording,
    playing,
    moments,
    trouble: null,
    isAsking: false,
    onMake: () => {},
    roomHref: "/hall/x",
  };
  const empty = { ...recording, files: [], lost: [] };
  return {
    playback: () => <PlaybackPage {...props} />,
    "playback-making": () => (
      <PlaybackPage
        {...props}
        playing={null}
        recording={{ ...empty, state: "making", making: { done: 2, all: 7 } }}
      />
    ),
    "playback-ended": () => (
      <PlaybackPage {...props} playing={null} recording={{ ...empty, state: "ended" }} />
    ),
  };
}
