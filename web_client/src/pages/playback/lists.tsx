/**
 * What stands beside the players (事件、缺失、文件): events to press, what is missing, the files.
 *
 * Invariant: the list of losses is always there, its empty state included.
 */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { t } from "../../i18n.ts";
import { lostWord } from "../../meeting/floor_lines.ts";
import { clockTime } from "../../time.ts";
import { Glyph } from "../../ui/glyph.tsx";
import { Case, Fold, Status } from "../../ui/words.tsx";
import type { Moment } from "./moments.ts";
import { fileTitle } from "./players.tsx";
import type { Lost, RecordingView } from "./recording.ts";

export function MomentList({
  moments,
  current,
  onSeek,
}: {
  readonly moments: readonly Moment[];
  readonly current: number;
  readonly onSeek: (utcMs: number) => void;
}) {
  const [search, setSearch] = useState("");
  const list = useRef<HTMLOListElement>(null);
  useEffect(() => {
    const shown = list.current?.querySelector<HTMLElement>("[aria-current]");
    const box = list.current;
    // Only inside of the list: a page that scrolls by itself takes the picture away.
    if (shown && box && !box.matches(":hover, :focus-within")) {
      box.scrollTop = shown.offsetTop - box.clientHeight / 2;
    }
  }, [current]);
  const wanted = search.trim().toLowerCase();
  const shown = useMemo(
    () =>
      moments.filter(
        (one) =>
          wanted === "" || `${clockTime(one.atMs)} ${one.say()}`.toLowerCase().includes(wanted),
      ),
    [moments, wanted],
  );
  return (
    <section class="moments" aria-labelledby="moments-title">
      <h2 id="moments-title">{t("playback.moments", { n: moments.length })}</h2>
      <p class="small soft">{t("playback.moments_why")}</p>
      <label class="field">
        <span class="small">{t("playback.search")}</span>
        <input
          type="search"
          value={search}
          onInput={(event) => setSearch(event.currentTarget.value)}
        />
      </label>
      {shown.length === 0 && <p class="small soft">{t("playback.no_moments")}</p>}
      <ol ref={list}>
        {shown.map((moment) => (
          <li key={moment.id}>
            <button
              type="button"
              aria-current={moment.id === current ? "true" : undefined}
              onClick={() => onSeek(moment.atMs)}
            >
              <time dateTime={new Date(moment.atMs).toISOString()}>{clockTime(moment.atMs)}</time>
              <span>{moment.say()}</span>
            </button>
          </li>
        ))}
      </ol>
    </section>
  );
}

/** How long, as people say it: tenths below ten seconds. */
export function longText(ms: number): string {
  if (ms < 10_000) return t("playback.seconds", { n: Math.max(0.1, Math.round(ms / 100) / 10) });
  if (ms < 120_000) return t("playback.seconds", { n: Math.round(ms / 1000) });
  return t("playback.minutes", { n: Math.round(ms / 60_000) });
}

function lostText(lost: Lost, recording: RecordingView): string {
  const file = recording.files.find((one) => lost.member !== "" && one.member === lost.member);
  const name = file ? fileTitle(file) : lost.track || t("playback.everybody");
  const what = lostWord(lost.what);
  return lost.ms > 0
    ? t("playback.lost_line", { name, what, long: longText(lost.ms) })
    : t("playback.lost_some", { name, what });
}

export function Losses({
  recording,
  onSeek,
}: {
  readonly recording: RecordingView;
  readonly onSeek: (utcMs: number) => void;
}) {
  const { lost } = recording;
  return (
    <Case title={t("playback.losses")}>
      {lost.length === 0 ? (
        <Status tone="go" glyph="tick">
          {t("playback.no_losses")}
        </Status>
      ) : (
        <ul class="losses">
          {lost.map((one, at) => (
            <li key={at}>
              <Glyph name="warn" />
              {one.fromMs === null ? (
                <span>{lostText(one, recording)}</span>
              ) : (
                <button type="button" class="linklike" onClick={() => onSeek(one.fromMs as number)}>
                  {clockTime(one.fromMs)} {lostText(one, recording)}
                </button>
              )}
            </li>
          ))}
        </ul>
      )}
    </Case>
  );
}

const MEGABYTE = 1_000_000;

export function FileList({ recording }: { readonly recording: RecordingView }) {
  return (
    <Fold title={t("playback.files", { n: recording.files.length })}>
      <p class="small">{t("playback.files_why")}</p>
      <ul class="stack">
        {recording.files.map((file) => (
          <li key={file.name}>
            <a href={file.url} download={file.name}>
              {file.name}
            </a>{" "}
            <span class="soft">
              {fileTitle(file)},{" "}
              {t("playback.megabytes", { n: (file.bytes / MEGABYTE).toFixed(1) })}
            </span>
            <p class="code tiny">SHA-256 {file.sha256}</p>
          </li>
        ))}
      </ul>
    </Fold>
  );
}
