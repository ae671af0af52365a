/**
 * What the black board says (时间牌): stage, end, figure, fuse; a pure function of view and time.
 *
 * Invariant: the board tells the time and nothing else. It is amber only while the one who looks
 * at it is asked to act against the clock; it inverts in the last minute of that.
 */
import { t } from "../i18n.ts";
import type { LinkState } from "../net/connection.ts";
import { clockTime, countdown, day, remaining, shortTime } from "../time.ts";
import { leftMs, type OpeningView, type Window } from "./view.ts";

export type Lamp = "run" | "still" | "last" | "pause";

export interface BoardModel {
  readonly lamp: Lamp;
  readonly title: string;
  readonly until: string;
  readonly label: string;
  /** Large and small by turns: `["18:42"]`, `["31", "/ 66"]`, `["17", "时", "09", "分"]`. */
  readonly figure: readonly string[];
  /** Share of the window that is left, 0..1; null where nothing burns. */
  readonly fuse: number | null;
  /** A boxed sentence: paused and why, or the line is cut. */
  readonly boxed: string | null;
  /** ms left of what the figure counts down; null where it counts nothing down. */
  readonly leftMs: number | null;
}

const LAST_MS = 60_000;
const SIGN_IN_MS = 60 * 60 * 1000;

/** `isAsked`: the window runs and the one who looks still has to act in it. */
export function boardOf(
  view: OpeningView,
  nowMs: number,
  link: LinkState,
  isAsked: boolean,
): BoardModel {
  const model = stageBoard(view, nowMs, isAsked);
  if (link !== "lost") return model;
  const lamp = model.lamp === "last" || model.lamp === "run" ? model.lamp : "still";
  return { ...model, lamp, boxed: model.boxed ?? t("link.lost_board") };
}

const still = {
  lamp: "still",
  fuse: null,
  boxed: null,
  leftMs: null,
} as const;

function stageBoard(view: OpeningView, nowMs: number, isAsked: boolean): BoardModel {
  switch (view.stage) {
    case "scheduled":
    case "sign_in":
      return beforeDeadline(view, nowMs);
    case "announced":
      return {
        ...still,
        title: t("stage.announced"),
        until: t(view.closing ? "board.until_announced" : "board.until_sealing_list"),
        label: t("board.bidders"),
        figure: [String(view.bids.length), t("unit.firms")],
      };
    case "decryption":
      return view.window ? windowBoard(view.window, nowMs, isAsked) : beforeDeadline(view, nowMs);
    case "release":
    case "replies":
      return {
        ...still,
        title: t("stage.release"),
        until: view.window
          ? t("board.until_release", { time: clockTime(view.window.endedAtMs) })
          : "",
        label: t("board.shares"),
        figure: [String(view.releases.length), `/ ${trusteesOf(view)}`],
      };
    case "opening":
      return {
        ...still,
        title: t("stage.opening"),
        until: t(view.allOpened ? "board.until_opening_now" : "board.until_opening"),
        label: t("board.to_open"),
        figure: [String(view.unlocked.size), t("unit.bids")],
      };
    case "read_out":
      return readOutBoard(view);
    case "closed":
      return {
        ...still,
        title: t("stage.closed"),
        until: t("board.until_closed"),
        label: t("board.closed_at"),
        figure: [shortTime(view.beganMs.closed ?? nowMs)],
      };
    case "failed":
      return {
        ...still,
        title: t("stage.failed"),
        until: t("board.until_failed"),
        label: t("board.bidders"),
        figure: [String(view.bids.length), t("unit.firms")],
      };
  }
}

/** Trustees of the form envelope of the present session. */
export function trusteesOf(view: OpeningView): number {
  const session = view.manifest?.sessions.find((one) => one.session === view.window?.session);
  const form = view.manifest?.envelopes.find(
    (one) => one.kind === "form" && session?.envelopes.includes(one.envelope),
  );
  return form?.trustees.length ?? view.manifest?.trustees.length ?? 0;
}

function beforeDeadline(view: OpeningView, nowMs: number): BoardModel {
  const left = Math.max(0, view.deadlineMs - nowMs);
  const isToday = day(nowMs) === day(view.deadlineMs);
  if (view.deadlineMs === 0) {
    return { ...still, title: t("board.loading"), until: "", label: "", figure: ["–"] };
  }
  if (left === 0) {
    return {
      ...still,
      title: t("stage.deadline"),
      until: t("board.until_sealing_list"),
      label: t("board.deadline_at"),
      figure: [shortTime(view.deadlineMs)],
    };
  }
  return {
    lamp: "still",
    title: t("board.to_deadline"),
    until: t(isToday ? "board.until_deadline_today" : "board.until_deadline", {
      day: day(view.deadlineMs),
      time: clockTime(view.deadlineMs),
    }),
    label: t("board.to_deadline_left"),
    figure: figureOf(left),
    fuse: left <= SIGN_IN_MS ? left / SIGN_IN_MS : null,
    boxed: null,
    leftMs: left,
  };
}

/** Above a day: days and hours; above an hour: hours and minutes; else m:ss. */
function figureOf(ms: number): readonly string[] {
  const left = remaining(ms);
  const minutes = String(left.minutes).padStart(2, "0");
  if (left.days > 0)
    return [String(left.days), t("unit.days"), String(left.hours), t("unit.hours")];
  if (left.hours > 0) return [String(left.hours), t("unit.hours"), minutes, t("unit.minutes")];
  return [countdown(ms)];
}

function windowBoard(window: Window, nowMs: number, isAsked: boolean): BoardModel {
  const left = leftMs(window, nowMs);
  const isPaused = window.remainingMs !== null;
  const lamp = isPaused ? "pause" : !isAsked ? "still" : left <= LAST_MS ? "last" : "run";
  const time = clockTime(window.endMs);
  const until = isPaused
    ? t("board.until_paused", { time })
    : left === 0
      ? t("board.until_over", { time })
      : lamp === "last"
        ? t("board.until_last", { time })
        : t("board.until_window", { time });
  return {
    lamp,
    title: t("stage.decryption"),
    until,
    label: t("board.window_left"),
    figure: figureOf(left),
    fuse: Math.min(1, left / Math.max(1, window.endMs - window.startMs)),
    boxed: isPaused ? t("board.paused", { reason: window.reason }) : null,
    leftMs: left,
  };
}

function readOutBoard(view: OpeningView): BoardModel {
  const at = view.rows.findIndex((row) => row.no === view.row) + 1;
  return {
    ...still,
    title: t("stage.read_out"),
    until: at > 0 ? t("board.until_reading", { no: view.row }) : t("board.until_read_out"),
    label: t(at > 0 ? "board.reading" : "board.opened"),
    figure: [
      String(at > 0 ? at : view.rows.length),
      at > 0 ? `/ ${view.rows.length}` : t("unit.bids"),
    ],
    fuse: at > 0 ? at / Math.max(1, view.rows.length) : null,
  };
}
