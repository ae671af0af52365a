import { expect, test } from "vitest";
import { Ways } from "../../src/net/ways.ts";

const tried = (ways: Ways, failures: readonly number[]) => failures.map((f) => ways.next(f));

test("without edges everybody goes to the site itself", () => {
  expect(tried(new Ways("owner", [], 3), [0, 1, 2, 1])).toEqual([
    "owner",
    "owner",
    "owner",
    "owner",
  ]);
});

test("a viewer tries every edge, and the site only when all of them failed", () => {
  const ways = new Ways("owner", ["a", "b"], 0);
  expect(tried(ways, [0, 1, 2, 3, 4, 5, 6])).toEqual(["a", "b", "a", "owner", "b", "a", "owner"]);
});

test("a line that is lost again and again moves on from where it stood, never to the site", () => {
  const ways = new Ways("owner", ["a", "b", "c"], 2);
  expect(tried(ways, [0, 1, 1, 1, 1])).toEqual(["c", "a", "b", "c", "a"]);
});

test("from the site a viewer goes back to an edge", () => {
  const ways = new Ways("owner", ["a", "b"], 1);
  expect(tried(ways, [0, 1, 2, 3])).toEqual(["b", "a", "b", "owner"]);
  expect(ways.next(1)).toBe("a");
});
