/** Waiting before the next try: 0-0.5 s, then 1, 2, 4 ... 15 s with jitter. */
import { expect, it } from "vitest";
import { retryDelay } from "../../src/net/backoff.ts";

it("begins within half a second", () => {
  expect(retryDelay(1, 0)).toBe(0);
  expect(retryDelay(1, 0.999)).toBeLessThan(500);
});

it("doubles up to fifteen seconds", () => {
  const most = [2, 3, 4, 5, 6, 7, 20].map((failures) => retryDelay(failures, 1));
  expect(most).toEqual([1000, 2000, 4000, 8000, 15_000, 15_000, 15_000]);
});

it("spreads a hall's devices over half of each delay", () => {
  expect(retryDelay(6, 0)).toBe(7500);
  expect(retryDelay(4, 0)).toBe(2000);
});
