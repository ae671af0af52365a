/**
 * The hall's broadcast (大厅广播) and what is spoken to those who do not see the board.
 *
 * Invariant: the timer itself is silent; a polite region says it at 10, 5, 2, 1 minutes and 10
 * seconds, an assertive one says what has changed the end, stopped the clock or failed.
 */
import { useEffect, useRef, useState } from "preact/hooks";
import { maybeText, type TextKey, t } from "../i18n.ts";
import type { BoardModel } from "../opening/board.ts";
import type { Announcement } from "../opening/view.ts";
import { clockTime, dayTime, shortTime } from "../time.ts";
import { refusalText } from "./refusal.tsx";
import { roleWord } from "./top.tsx";

/** The sentence of an announcement; times in it are absolute. */
export function announcementText(line: Announcement): string {
  const { args } = line;
  const spoken: Record<string, string | number> = { ...args };
  if (typeof args["end_ms"] === "number") spoken["time"] = clockTime(args["end_ms"]);
  // A deadline moves by days as often as by hours.
  if (typeof args["deadline_ms"] === "number") spoken["time"] = dayTime(args["deadline_ms"]);
  if (typeof args["role"] === "string") spoken["role"] = roleWord(args["role"]);
  if (typeof args["ground"] === "string") {
    spoken["ground"] = maybeText(`ground.${args["ground"]}`) ?? args["ground"];
  }
  if (typeof args["code"] === "string") spoken["why"] = refusalText(args["code"]).title;
  return t(`say.${line.kind}` as TextKey, spoken);
}

const SHOWN_MAX = 12;

/** Envelopes are unlocked one by one where cards are used; that one has unlocked is said once. */
function isSaidLast(line: Announcement, at: number, lines: readonly Announcement[]): boolean {
  const { kind, args } = line;
  if (kind !== "own_unlocked") return true;
  return !lines.slice(at + 1).some((one) => one.kind === kind && one.args["no"] === args["no"]);
}

export function Broadcast({ lines }: { readonly lines: readonly Announcement[] }) {
  const sorted = lines
    .filter(isSaidLast)
    .sort((a, b) => b.atMs - a.atMs || b.id - a.id)
    .slice(0, SHOWN_MAX);
  return (
    <section class="section" aria-labelledby="broadcast-title">
      <h2 id="broadcast-title">{t("broadcast.title")}</h2>
      {sorted.length === 0 && <p class="small soft">{t("broadcast.empty")}</p>}
      <ol class="log">
        {sorted.map((line, at) => (
          <li key={line.id} class={at === 0 ? "newest" : undefined}>
            <time dateTime={new Date(line.atMs).toISOString()}>{shortTime(line.atMs)}</time>
            <span>{announcementText(line)}</span>
          </li>
        ))}
      </ol>
    </section>
  );
}

const MARKS_S = [600, 300, 120, 60, 10] as const;
const POLITE_GAP_MS = 5000;
const LOST_PATIENCE_MS = 2000;

/** Speaks; shows nothing. */
export function Announcer({
  lines,
  board,
  isLost,
}: {
  readonly lines: readonly Announcement[];
  readonly board: BoardModel;
  readonly isLost: boolean;
}) {
  const [polite, setPolite] = useState("");
  const [urgent, setUrgent] = useState("");
  const heard = useRef<number | null>(null);
  const mark = useRef<number | null>(null);
  const spokeAt = useRef(0);
  const newest = lines.at(-1)?.id ?? 0;

  // What was there when the page was opened is on the page; only news is spoken.
  useEffect(() => {
    if (heard.current === null) {
      heard.current = newest;
      return;
    }
    const fresh = lines.filter((line) => line.id > (heard.current ?? 0));
    if (fresh.length === 0) return;
    heard.current = newest;
    const loud = fresh.filter((line) => line.urgent).map(announcementText);
    if (loud.length > 0) setUrgent(loud.join(" "));
    const calm = fresh.filter((line) => !line.urgent).map(announcementText);
    const wait = Math.max(0, spokeAt.current + POLITE_GAP_MS - Date.now());
    if (calm.length === 0) return;
    const timer = setTimeout(() => {
      spokeAt.current = Date.now();
      setPolite(calm.slice(-2).join(" "));
    }, wait);
    return () => clearTimeout(timer);
  }, [newest]);

  const seconds = board.leftMs === null ? null : Math.ceil(board.leftMs / 1000);
  useEffect(() => {
    if (seconds === null || board.lamp === "pause") return;
    const passed = MARKS_S.find((at) => seconds <= at && seconds > at - 3) ?? null;
    if (passed !== null && passed !== mark.current) {
      setPolite(
        passed >= 60
          ? t("say.minutes_left", { label: board.label, n: passed / 60 })
          : t("say.seconds_left", { label: board.label, n: passed }),
      );
    }
    mark.current = passed;
  }, [seconds]);

  useEffect(() => {
    if (!isLost) return;
    const timer = setTimeout(() => setUrgent(t("link.lost")), LOST_PATIENCE_MS);
    return () => clearTimeout(timer);
  }, [isLost]);

  return (
    <>
      <div class="vh" role="log" aria-live="polite">
        {polite}
      </div>
      <div class="vh" role="alert" aria-live="assertive">
        {urgent}
      </div>
    </>
  );
}
