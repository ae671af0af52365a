/**
 * When a cue sounds (提示音时机): follows the view, and never plays what was over before the page came.
 *
 * Invariant: every cue has its words on the page already; sounds are off until the reader asks.
 */
import { useEffect, useRef } from "preact/hooks";
import { play } from "../device/sounds.ts";
import type { BoardModel } from "../opening/board.ts";
import type { OpeningView } from "../opening/view.ts";

const ASK_AGAIN_MS = 60_000;

export interface Cues {
  readonly view: OpeningView;
  readonly board: BoardModel;
  /** This person must act against the clock. */
  readonly isAsked: boolean;
  /** Own act accepted, or refused. */
  readonly own: "none" | "done" | "refused";
}

export function useCues({ view, board, isAsked, own }: Cues): void {
  const before = useRef({
    stage: view.stage,
    own,
    isPaused: board.lamp === "pause",
    isFirst: true,
  });
  const isPaused = board.lamp === "pause";
  useEffect(() => {
    const was = before.current;
    before.current = { stage: view.stage, own, isPaused, isFirst: false };
    // The first look at an opening under way is no event.
    if (was.isFirst || (was.stage === "scheduled" && view.stage !== "sign_in")) return;
    if (was.stage !== view.stage) play(view.stage === "read_out" ? "open" : "chime");
    if (was.own !== own && own !== "none") play(own === "done" ? "done" : "trouble");
    if (!was.isPaused && isPaused) play("trouble");
  }, [view.stage, own, isPaused]);

  useEffect(() => {
    if (!isAsked) return;
    play("ask");
    const timer = setTimeout(() => play("ask"), ASK_AGAIN_MS);
    return () => clearTimeout(timer);
  }, [isAsked]);

  const seconds = board.leftMs === null ? null : Math.ceil(board.leftMs / 1000);
  useEffect(() => {
    if (isAsked && (seconds === 60 || seconds === 10)) play("last");
  }, [isAsked, seconds]);
}
