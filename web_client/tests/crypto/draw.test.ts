import { beforeAll, expect, test } from "vitest";
import { hex, utf8 } from "../../src/crypto/bytes.ts";
import { DrawStream, drawSeed } from "../../src/crypto/draw.ts";
import { sha256 } from "../../src/crypto/hashes.ts";
import { sodiumReady } from "../../src/crypto/sodium.ts";

beforeAll(sodiumReady);

const parts = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];

test("the draw of the specification comes out as printed there", () => {
  const seed = drawSeed(sha256(utf8("manifest")), parts, utf8("beacon"));
  expect(hex(seed)).toBe("7fdea9872be7290f4bce550b2c46850ba7be73cd941a6824a445b19cd5f247d9");
  const experts = Array.from({ length: 30 }, (_, i) => `E${String(i + 1).padStart(3, "0")}`);
  const drawn = new DrawStream(seed, "experts").choose(experts, 5);
  expect(drawn).toEqual(["E005", "E015", "E025", "E010", "E009"]);
});

test("the first k of a longer draw are the shorter draw", () => {
  const seed = sha256(utf8("any"));
  const names = Array.from({ length: 12 }, (_, i) => `N${i + 10}`);
  const long = new DrawStream(seed, "seats").choose(names, 9);
  expect(new DrawStream(seed, "seats").choose([...names].reverse(), 4)).toEqual(long.slice(0, 4));
});

test("a draw of one consumes a block", () => {
  const stream = new DrawStream(sha256(), "one");
  expect([stream.below(1), stream.below(1)]).toEqual([0, 0]);
  expect(stream.steps.map((step) => step.i)).toEqual([0, 1]);
});

test.each([
  [() => new DrawStream(sha256(), "Label"), "draw.label"],
  [() => new DrawStream(sha256(), "a").below(0), "draw.range"],
  [() => new DrawStream(sha256(), "a").choose(["A"], 2), "draw.range"],
  [() => new DrawStream(sha256(), "a").choose(["A", "A"], 1), "draw.candidates"],
  [() => new DrawStream(sha256(), "a").choose(["张"], 1), "draw.candidates"],
])("a draw that the manifest cannot mean is refused (%#)", (attempt, code) => {
  expect(attempt).toThrow(expect.objectContaining({ code }));
});
