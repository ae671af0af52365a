/** Players are kept in step without being heard to be. */
import { expect, it } from "vitest";
import { CLOSE_S, correct, FAR_S } from "../../src/pages/playback/step.ts";

it("leaves alone who is close", () => {
  expect(correct(10 + CLOSE_S * 0.9, 10, 1)).toEqual({ kind: "rate", rate: 1 });
});

it("slows who is ahead and hurries who is behind, by a tenth at most", () => {
  const ahead = correct(10.1, 10, 1);
  const behind = correct(9.5, 10, 2);
  expect(ahead).toMatchObject({ kind: "rate" });
  expect((ahead as { rate: number }).rate).toBeCloseTo(0.95);
  expect((behind as { rate: number }).rate).toBeGreaterThan(2);
  expect((behind as { rate: number }).rate).toBeLessThanOrEqual(2.2);
});

it("sets who is far off", () => {
  expect(correct(12, 10, 1)).toEqual({ kind: "set", toS: 10 });
  expect(correct(10 - FAR_S * 1.5, 10, 1)).toEqual({ kind: "set", toS: 10 });
});

it("brings a follower together with its clock, and keeps it there", () => {
  let here = 5.5;
  let wanted = 5.0;
  for (let turn = 0; turn < 60; turn++) {
    const step = correct(here, wanted, 1);
    here = step.kind === "set" ? step.toS : here + 0.2 * step.rate;
    wanted += 0.2;
  }
  expect(Math.abs(here - wanted)).toBeLessThan(CLOSE_S + 0.03);
});
