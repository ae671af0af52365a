/**
 * The playback (录像回放): the recording and the journal's events on one timeline.
 *
 * Invariant: pressing an event brings every player to its moment. What was not recorded is said
 * where it is missing, in words; nothing is shown as whole that is not.
 */
import { useEffect, useState } from "preact/hooks";
import { t } from "../../i18n.ts";
import { dayTime } from "../../time.ts";
import { type Trouble, TroubleBox } from "../../ui/refusal.tsx";
import { Act, Case, Note, Progress } from "../../ui/words.tsx";
import { Plain, type Surroundings } from "../frame.tsx";
import { Controls } from "./controls.tsx";
import { FileList, Losses, MomentList } from "./lists.tsx";
import { currentMoment, type Moment } from "./moments.ts";
import { Players } from "./players.tsx";
import type { Playing } from "./playing.ts";
import type { RecordingView } from "./recording.ts";
import { placeOf, utcAt } from "./timeline.ts";

export interface PlaybackProps {
  readonly around: Surroundings;
  readonly recording: RecordingView;
  /** Absent while there is nothing to play. */
  readonly playing: Playing | null;
  readonly moments: readonly Moment[];
  readonly trouble: Trouble | null;
  readonly isAsking: boolean;
  readonly onMake: () => void;
  readonly roomHref: string;
}

/** The screen is what people argued about; else who led. */
function firstLarge(recording: RecordingView): number {
  const screen = recording.files.findIndex((file) => file.kind === "screen");
  const host = recording.files.findIndex((file) => file.who.role === "host" && file.hasPicture);
  const picture = recording.files.findIndex((file) => file.hasPicture);
  return Math.max(0, [screen, host, picture].find((at) => at >= 0) ?? 0);
}

export function PlaybackPage(props: PlaybackProps) {
  const { around, recording, playing, trouble, roomHref } = props;
  return (
    <Plain around={around} title={t("playback.title")} isNarrow={false}>
      <div class="playback-head">
        <h1>{t("playback.title")}</h1>
        <p class="small">
          <a href={roomHref}>{t("playback.to_room")}</a>
        </p>
      </div>
      {trouble &&
        (trouble.code === "media.not_allowed" ? (
          <Case title={t("playback.forbidden")}>
            <p>{t("playback.forbidden_why")}</p>
          </Case>
        ) : (
          <TroubleBox trouble={trouble} />
        ))}
      {recording.refused !== "" && (
        <TroubleBox trouble={{ code: recording.refused, detail: {}, atMs: around.nowMs }} />
      )}
      {!trouble && <StateCase {...props} />}
      {playing && recording.files.length > 0 && <Desk {...props} playing={playing} />}
    </Plain>
  );
}

function StateCase({ recording, isAsking, onMake }: PlaybackProps) {
  const { state, making, files } = recording;
  if (making) {
    return (
      <Case title={t("playback.making_title")}>
        <Progress value={making.done} max={making.all} label={t("playback.making_title")} />
        <p role="status">{t("playback.making", { done: making.done, all: making.all })}</p>
      </Case>
    );
  }
  if (state === "closing") {
    return (
      <Case title={t("playback.closing_title")}>
        <p role="status">{t("playback.closing_why")}</p>
      </Case>
    );
  }
  const isMade = files.length > 0;
  if (state === "ready" && isMade && recording.isWhole) return null;
  if (state === "none" || state === "refused") {
    return isMade ? null : (
      <Case title={t(state === "refused" ? "playback.refused_title" : "playback.none_title")}>
        <p>{t(state === "refused" ? "playback.refused" : "playback.none")}</p>
      </Case>
    );
  }
  return (
    <Case title={t(caseTitle(recording))}>
      <p>{t("playback.make_why")}</p>
      <Act id="make" onPress={onMake} isBusy={isAsking}>
        {t(isMade ? "playback.make_again" : "playback.make")}
      </Act>
    </Case>
  );
}

function caseTitle({ state, files }: RecordingView) {
  if (state === "recording") return "playback.running_title";
  return files.length > 0 ? "playback.more_title" : "playback.ended_title";
}

function Desk({
  recording,
  playing,
  moments,
}: PlaybackProps & {
  readonly playing: Playing;
}) {
  const [large, setLarge] = useState(() => firstLarge(recording));
  const [said, setSaid] = useState("");
  useEffect(() => playing.prefer(large), [playing, large]);
  const atMs = playing.atMs.value;
  const nowUtc = utcAt(playing.axis, atMs);
  const current = currentMoment(moments, nowUtc);
  const seekTo = (utcMs: number) => {
    const place = placeOf(playing.axis, utcMs);
    playing.seek(place.atMs);
    setSaid(place.kind === "recorded" ? "" : t(ELSEWHERE[place.kind]));
    // In one column the picture may be far above the event that was pressed.
    if (matchMedia(ONE_COLUMN).matches) document.querySelector(".players")?.scrollIntoView();
  };
  const stepTo = (by: 1 | -1) => {
    const moment = moments[Math.max(0, current + by)];
    if (moment) seekTo(moment.atMs);
  };
  useKeys(playing, stepTo);
  return (
    <div class="playback">
      <div class="playback-seen">
        <Players files={recording.files} playing={playing} large={large} onLarge={setLarge} />
        <Controls
          playing={playing}
          moments={moments}
          lost={recording.lost}
          nowUtc={nowUtc}
          onStep={stepTo}
        />
        <div role="status">{said !== "" && <Note tone="wait">{said}</Note>}</div>
        {nowUtc !== null && <p class="small soft">{t("playback.now", { at: dayTime(nowUtc) })}</p>}
        <Losses recording={recording} onSeek={seekTo} />
        <FileList recording={recording} />
      </div>
      <MomentList moments={moments} current={current} onSeek={seekTo} />
    </div>
  );
}

const ELSEWHERE = {
  before: "playback.place_before",
  gap: "playback.place_gap",
  after: "playback.place_after",
} as const;
const ONE_COLUMN = "(max-width: 62rem)";
const SMALL_MS = 5000;
const LARGE_MS = 30_000;

/** Space plays and stops; arrows go seconds, up and down go events. */
function useKeys(playing: Playing, onStep: (by: 1 | -1) => void): void {
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (event.altKey || event.ctrlKey || event.metaKey) return;
      const on = event.target instanceof Element ? event.target : null;
      if (on?.matches("input, select, textarea")) return;
      const isPressable = on?.closest("button, a, summary") != null;
      const by = event.shiftKey ? LARGE_MS : SMALL_MS;
      if (event.key === " " && !isPressable) playing.toggle();
      else if (event.key === "ArrowLeft") playing.seek(playing.atMs.value - by);
      else if (event.key === "ArrowRight") playing.seek(playing.atMs.value + by);
      else if (event.key === "ArrowUp") onStep(-1);
      else if (event.key === "ArrowDown") onStep(1);
      else return;
      event.preventDefault();
    };
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  }, [playing, onStep]);
}
