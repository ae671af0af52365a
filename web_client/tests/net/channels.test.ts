/** Positions in channels: exactly once, in order, anew with a new epoch. */
import { describe, expect, it } from "vitest";
import { Channels } from "../../src/net/channels.ts";

const event = (seq: number, epoch = 3, audience = "hall") => ({
  room: "opening:x",
  audience,
  epoch,
  seq,
});

function followed(): Channels {
  const channels = new Channels();
  channels.follow("opening:x", "hall");
  return channels;
}

describe("a channel", () => {
  it("applies each event once and in order", () => {
    const channels = followed();
    expect([1, 2, 2, 1, 3].map((seq) => channels.judge(event(seq)))).toEqual([
      "apply",
      "apply",
      "duplicate",
      "duplicate",
      "apply",
    ]);
  });

  it("asks for what is missing instead of skipping it", () => {
    const channels = followed();
    channels.judge(event(1));
    expect(channels.judge(event(3))).toBe("gap");
    expect(channels.position("opening:x", "hall")).toMatchObject({ epoch: 3, seq: 1 });
    expect(channels.judge(event(2))).toBe("apply");
  });

  it("does not mix two epochs", () => {
    const channels = followed();
    channels.judge(event(1));
    expect(channels.judge(event(2, 4))).toBe("epoch");
    channels.restart("opening:x");
    expect(channels.judge(event(1, 4))).toBe("apply");
  });

  it("starts all channels of a room anew, and no others", () => {
    const channels = followed();
    channels.follow("opening:x", "staff");
    channels.follow("opening:xy", "hall");
    for (const room of ["opening:x", "opening:xy"]) channels.judge({ ...event(1), room });
    channels.judge(event(1, 3, "staff"));
    channels.restart("opening:x");
    expect(channels.positions().map((position) => position.seq)).toEqual([0, 0, 1]);
  });

  it("knows what it does not follow", () => {
    expect(followed().judge({ ...event(1), audience: "staff" })).toBe("stranger");
  });
});
