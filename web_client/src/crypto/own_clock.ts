/**
 * Has the deadline passed, as far as this device's own clock can tell? (C7, no witnesses)
 *
 * Invariant: a clock that is right or fast never stops anybody. One that lags by at most 15
 * minutes asks a person once whether the deadline has passed by any other clock; one further behind
 * refuses, because then nothing on this device contradicts an operator who opens early.
 */

export const CLOCK_LAG_MS_MAX = 15 * 60_000;

/** `passed`; `slow`: ask a person; `behind`: the clock must be set first. */
export type ClockVerdict = "passed" | "slow" | "behind";

export function judgeClock(nowMs: number, deadlineMs: number): ClockVerdict {
  if (nowMs >= deadlineMs) return "passed";
  return nowMs >= deadlineMs - CLOCK_LAG_MS_MAX ? "slow" : "behind";
}

/** null: go on. Otherwise the code: `clock.slow` (a person may confirm) or `clock.behind`. */
export function clockRefusal(
  nowMs: number,
  deadlineMs: number,
  isConfirmed: boolean,
): "clock.slow" | "clock.behind" | null {
  const verdict = judgeClock(nowMs, deadlineMs);
  if (verdict === "behind") return "clock.behind";
  return verdict === "slow" && !isConfirmed ? "clock.slow" : null;
}
