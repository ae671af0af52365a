/** Waiting before the next try: 0-0.5 s, then 1, 2, 2 ... and after a while up to 15 s, with jitter. */
import { expect, it } from "vitest";
import { retryDelay } from "../../src/net/backoff.ts";

it("begins within half a second", () => {
  expect(retryDelay(1, 0)).toBe(0);
  expect(retryDelay(1, 0.999)).toBeLessThan(500);
});

it("stays near a server that may be starting again", () => {
  const most = [2, 3, 4, 8, 12].map((failures) => retryDelay(failures, 1));
  expect(most).toEqual([1000, 2000, 2000, 2000, 2000]);
});

it("doubles up to fifteen seconds where nobody comes", () => {
  const most = [13, 14, 15, 16, 60].map((failures) => retryDelay(failures, 1));
  expect(most).toEqual([4000, 8000, 15_000, 15_000, 15_000]);
});

it("spreads a hall's devices over half of each delay", () => {
  expect(retryDelay(14, 0)).toBe(4000);
  expect(retryDelay(4, 0)).toBe(1000);
});
