/** Time and speed of the playback (播放控制): the bar with events and losses on it, and buttons. */
import { t } from "../../i18n.ts";
import { clockTime, countdown } from "../../time.ts";
import { Button } from "../../ui/words.tsx";
import type { Moment } from "./moments.ts";
import type { Playing } from "./playing.ts";
import type { Lost } from "./recording.ts";
import { placeOf } from "./timeline.ts";

export const RATES = [0.5, 1, 1.5, 2, 4] as const;
const MARKS_MAX = 400;
const STEP_MS = 1000;
const JUMP_MS = 10_000;

export function Controls({
  playing,
  moments,
  lost,
  nowUtc,
  onStep,
}: {
  readonly playing: Playing;
  readonly moments: readonly Moment[];
  readonly lost: readonly Lost[];
  readonly nowUtc: number | null;
  readonly onStep: (by: 1 | -1) => void;
}) {
  const { axis, atMs, isPlaying, rate } = playing;
  return (
    <div class="controls">
      <Bar playing={playing} moments={moments} lost={lost} nowUtc={nowUtc} />
      <div class="acts">
        <Button glyph={isPlaying.value ? "pause" : "play"} onPress={() => playing.toggle()}>
          {t(isPlaying.value ? "playback.pause" : "playback.play")}
        </Button>
        <Button onPress={() => playing.seek(atMs.value - JUMP_MS)}>{t("playback.back")}</Button>
        <Button onPress={() => onStep(-1)}>{t("playback.earlier")}</Button>
        <Button onPress={() => onStep(1)}>{t("playback.later")}</Button>
        <label class="rate">
          {t("playback.rate")}
          <select
            value={String(rate.value)}
            onChange={(event) => playing.setRate(Number(event.currentTarget.value))}
          >
            {RATES.map((one) => (
              <option key={one} value={String(one)}>
                {t("playback.times", { n: one })}
              </option>
            ))}
          </select>
        </label>
        <span class="num controls-time">
          {nowUtc === null ? "" : clockTime(nowUtc)}
          <span class="soft small">
            {" "}
            {countdown(atMs.value)} / {countdown(axis.lengthMs)}
          </span>
        </span>
      </div>
      <p class="hint desk-only">{t("playback.keys")}</p>
    </div>
  );
}

function Bar({
  playing,
  moments,
  lost,
  nowUtc,
}: {
  readonly playing: Playing;
  readonly moments: readonly Moment[];
  readonly lost: readonly Lost[];
  readonly nowUtc: number | null;
}) {
  const { axis, atMs } = playing;
  const share = (ms: number) => `${(100 * ms) / Math.max(1, axis.lengthMs)}%`;
  const shown = moments
    .map((moment) => placeOf(axis, moment.atMs))
    .filter((place) => place.kind === "recorded")
    .slice(0, MARKS_MAX);
  return (
    <div class="bar">
      <div class="bar-marks" aria-hidden="true">
        {shown.map((place, at) => (
          <i key={at} style={{ left: share(place.atMs) }} />
        ))}
        {lost.map(
          (one, at) =>
            one.fromMs !== null && (
              <b
                key={at}
                style={{ left: share(placeOf(axis, one.fromMs).atMs), width: share(one.ms) }}
              />
            ),
        )}
      </div>
      <input
        type="range"
        min={0}
        max={axis.lengthMs}
        step={STEP_MS}
        value={atMs.value}
        aria-label={t("playback.position")}
        aria-valuetext={nowUtc === null ? countdown(atMs.value) : clockTime(nowUtc)}
        onInput={(event) => playing.seek(Number(event.currentTarget.value))}
      />
    </div>
  );
}
