/**
 * The steps of an opening as everybody sees them (本场流程), with what is done and what comes.
 *
 * Invariant: made from the stages and the manifest, never a fixed list of a page; a time that has
 * not come is marked as an estimate.
 */
import type { Stage } from "../messages.ts";
import type { OpeningView } from "./view.ts";

export type StepName =
  | "sign_in"
  | "deadline"
  | "announced"
  | "decryption"
  | "release"
  | "opening"
  | "read_out"
  | "closed";

export interface Step {
  readonly name: StepName;
  readonly state: "done" | "now" | "next";
  readonly atMs: number | null;
  readonly isEstimate: boolean;
}

const ORDER: readonly StepName[] = [
  "sign_in",
  "deadline",
  "announced",
  "decryption",
  "release",
  "opening",
  "read_out",
  "closed",
];

/** Which step is under way; before the sign-in opens none is. */
const STEP_OF: Readonly<Record<Stage, StepName | null>> = {
  scheduled: null,
  sign_in: "sign_in",
  announced: "announced",
  decryption: "decryption",
  release: "release",
  replies: "release",
  opening: "opening",
  read_out: "read_out",
  closed: "closed",
  failed: "announced",
};

const SIGN_IN_EARLY_MS = 60 * 60 * 1000;

export function stepsOf(view: OpeningView, nowMs: number): readonly Step[] {
  const now =
    view.stage === "sign_in" && nowMs >= view.deadlineMs ? "deadline" : STEP_OF[view.stage];
  const at = now === null ? -1 : ORDER.indexOf(now);
  const isOver = view.stage === "closed";
  return ORDER.map((name, index) => {
    const state = index < at || (isOver && index === at) ? "done" : index === at ? "now" : "next";
    const { atMs, isEstimate } = timeOf(view, name, state === "next");
    return { name, state, atMs, isEstimate };
  });
}

function timeOf(
  view: OpeningView,
  name: StepName,
  isNext: boolean,
): { atMs: number | null; isEstimate: boolean } {
  const { beganMs, deadlineMs, window } = view;
  const known = name === "deadline" ? deadlineMs || undefined : beganMs[name];
  if (known !== undefined) return { atMs: known, isEstimate: isNext && name !== "deadline" };
  if (!isNext || deadlineMs === 0) return { atMs: null, isEstimate: false };
  if (name === "sign_in") return { atMs: deadlineMs - SIGN_IN_EARLY_MS, isEstimate: false };
  if (name === "announced") return { atMs: deadlineMs, isEstimate: true };
  if (name === "release" && window && !window.ended && window.remainingMs === null) {
    return { atMs: window.endMs, isEstimate: true };
  }
  return { atMs: null, isEstimate: false };
}
