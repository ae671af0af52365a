/** Moments in Beijing time and countdowns, whatever zone the device is in. */
import { describe, expect, it } from "vitest";
import { clockTime, countdown, day, dayTime, proofTime, remaining, weekday } from "../src/time.ts";

const DEADLINE_MS = 1_795_138_200_000;

describe("a moment", () => {
  it("is written in Beijing time", () => {
    expect(dayTime(DEADLINE_MS)).toBe("2026-11-20 09:30:00");
    expect(weekday(DEADLINE_MS)).toBe(5);
  });

  it("shows milliseconds where proof matters", () => {
    expect(proofTime(DEADLINE_MS + 481)).toBe("09:30:00.481");
  });

  it("begins a day at midnight in Beijing", () => {
    const midnight = Date.UTC(2026, 10, 19, 16);
    expect(day(midnight)).toBe("2026-11-20");
    expect(day(midnight - 1)).toBe("2026-11-19");
    expect(clockTime(midnight)).toBe("00:00:00");
  });
});

describe("a countdown", () => {
  it("shows 0:00 only when nothing is left", () => {
    expect(countdown(1)).toBe("0:01");
    expect(countdown(0)).toBe("0:00");
    expect(countdown(-5000)).toBe("0:00");
  });

  it("rounds up to the second", () => {
    expect(countdown(1_121_001)).toBe("18:42");
    expect(countdown(1_122_000)).toBe("18:42");
    expect(countdown(7_509_000)).toBe("2:05:09");
  });

  it("knows days", () => {
    const left = remaining(2 * 86_400_000 + 3 * 3_600_000 + 4 * 60_000 + 5000);
    expect(left).toMatchObject({ days: 2, hours: 3, minutes: 4, seconds: 5 });
  });
});
