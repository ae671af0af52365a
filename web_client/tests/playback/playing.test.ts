/** Several players of one recording: together at a moment, and together from then on. */
import { expect, it } from "vitest";
import { type Media, Playing } from "../../src/pages/playback/playing.ts";
import { layOut, readTimeline, type Timeline } from "../../src/pages/playback/timeline.ts";

const T = 1_795_138_200_000;

class Fake implements Media {
  currentTime = 0;
  playbackRate = 1;
  paused = true;
  seeking = false;
  readyState = 4;
  constructor(
    readonly lengthS: number,
    /** A player that runs a little fast or slow, as real ones do. */
    readonly drift = 1,
  ) {}
  async play() {
    this.paused = false;
  }
  pause() {
    this.paused = true;
  }
  run(ms: number) {
    if (this.paused || this.seeking) return;
    this.currentTime += (ms / 1000) * this.playbackRate * this.drift;
    if (this.currentTime >= this.lengthS) {
      this.currentTime = this.lengthS;
      this.paused = true;
    }
  }
}

function rig(rows: readonly (readonly [number, number])[], drifts: readonly number[] = []) {
  const timelines = rows.map(([from, ms]) => readTimeline([[T + from, 0, ms]]) as Timeline);
  let now = 0;
  const playing = new Playing(layOut(timelines), () => now);
  const media = rows.map(([, ms], at) => new Fake(ms / 1000, drifts[at] ?? 1));
  media.forEach((one, at) => {
    playing.attach(at, one);
  });
  const run = (ms: number) => {
    for (let passed = 0; passed < ms; passed += 200) {
      now += 200;
      for (const one of media) one.run(200);
      playing.tick();
    }
  };
  return { playing, media: media as [Fake, Fake], run };
}

it("brings everybody to the moment that was pressed", () => {
  const { playing, media } = rig([
    [0, 60_000],
    [10_000, 40_000],
  ]);
  playing.seek(31_500);
  expect(media.map((one) => one.currentTime)).toEqual([31.5, 21.5]);
  expect(media.every((one) => one.paused)).toBe(true);
});

it("waits after a jump until all are there, and then starts them together", () => {
  const { playing, media, run } = rig([
    [0, 60_000],
    [0, 60_000],
  ]);
  media[1].seeking = true;
  playing.seek(5000);
  playing.play();
  run(1000);
  expect(media.map((one) => one.paused)).toEqual([true, true]);
  media[1].seeking = false;
  run(400);
  expect(media.map((one) => one.paused)).toEqual([false, false]);
});

it("does not wait for ever for one that does not come", () => {
  const { playing, media, run } = rig([
    [0, 60_000],
    [0, 60_000],
  ]);
  media[1].readyState = 0;
  playing.play();
  run(4000);
  expect(media[0].paused).toBe(false);
});

it("keeps players together that run at different speeds", () => {
  const { playing, media, run } = rig(
    [
      [0, 90_000],
      [0, 90_000],
    ],
    [1, 1.01],
  );
  playing.play();
  run(60_000);
  expect(Math.abs(media[0].currentTime - media[1].currentTime)).toBeLessThan(0.1);
  expect(playing.atMs.value).toBe(Math.round(media[0].currentTime * 1000));
});

it("starts a player when its file begins and stops it when it ends", () => {
  const { playing, media, run } = rig([
    [0, 60_000],
    [10_000, 20_000],
  ]);
  playing.play();
  run(9000);
  expect(media[1].paused).toBe(true);
  run(4000);
  expect(media[1].paused).toBe(false);
  expect(media[1].currentTime).toBeCloseTo(media[0].currentTime - 10, 0);
  run(20_000);
  expect(media[1].paused).toBe(true);
  expect(media[0].paused).toBe(false);
});

it("goes on with another clock when the first file is over, and over a gap", () => {
  const { playing, media, run } = rig([
    [0, 10_000],
    [25_000, 10_000],
  ]);
  playing.play();
  run(9800);
  expect(media[0].paused).toBe(false);
  run(1400);
  expect(playing.atMs.value).toBeGreaterThanOrEqual(25_000);
  expect(media[1].paused).toBe(false);
  run(15_000);
  expect(playing.isPlaying.value).toBe(false);
  expect(playing.atMs.value).toBe(35_000);
});

it("plays at the speed that was chosen, and again from the start after the end", () => {
  const { playing, media, run } = rig([
    [0, 20_000],
    [0, 20_000],
  ]);
  playing.setRate(2);
  playing.play();
  run(5400);
  expect(media[0].currentTime).toBeGreaterThan(9.5);
  run(8000);
  expect(playing.isPlaying.value).toBe(false);
  playing.play();
  expect(playing.atMs.value).toBe(0);
});

it("takes the time of the one that is watched", () => {
  const { playing, media, run } = rig(
    [
      [0, 60_000],
      [0, 60_000],
    ],
    [1, 0.98],
  );
  playing.prefer(1);
  playing.play();
  run(10_000);
  expect(playing.atMs.value).toBe(Math.round(media[1].currentTime * 1000));
});
