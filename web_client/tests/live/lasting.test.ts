/** When a media connection is opened, given up, opened again. */
import { describe, expect, it } from "vitest";
import { type Happening, JOIN_MS_MAX, type Lasting, OFF, step } from "../../src/live/lasting.ts";

/** A connection's life by a clock turned by hand. */
class Life {
  state: Lasting = OFF;
  nowMs = 1000;
  acts: string[] = [];

  at(ms: number, what: Happening): this {
    this.nowMs += ms;
    const { next, act } = step(this.state, what, this.nowMs, 0.5);
    this.state = next;
    if (act !== null) this.acts.push(act);
    return this;
  }

  up(): this {
    return this.at(0, { kind: "wanted" }).at(200, { kind: "connected" });
  }
}

const tick = (expects = true): Happening => ({ kind: "tick", expects });

describe("a media connection", () => {
  it("opens when it is wanted, closes when it is not, and once each", () => {
    const life = new Life().up().at(10, { kind: "wanted" });
    life.at(10, { kind: "unwanted" }).at(10, { kind: "unwanted" });
    expect(life.acts).toEqual(["open", "close"]);
    expect(life.state).toEqual(OFF);
  });

  it("is given up after four seconds without a way, and tried again by itself", () => {
    const life = new Life().at(0, { kind: "wanted" }).at(JOIN_MS_MAX, tick());
    expect(life.state.phase).toBe("joining");
    life.at(1, tick());
    expect(life.state.phase).toBe("waiting");
    expect(life.acts).toEqual(["open", "close"]);
    life.at(life.state.againMs - life.nowMs, tick());
    expect(life.state.phase).toBe("joining");
  });

  it("is tried seldom where it never works, and at once when the network is another", () => {
    const life = new Life().at(0, { kind: "wanted" });
    for (let failure = 0; failure < 4; failure += 1) {
      life.at(JOIN_MS_MAX + 1, tick());
      if (failure < 3) life.at(life.state.againMs - life.nowMs, tick());
    }
    expect(life.state.againMs - life.nowMs).toBe(30_000);
    life.at(100, { kind: "woken" });
    expect(life.state).toMatchObject({ phase: "joining", failures: 0 });
  });

  it("is opened anew at once when it breaks, when the server began anew", () => {
    const life = new Life().up().at(5000, { kind: "trouble" });
    expect(life.state.phase).toBe("joining");
    life.at(200, { kind: "connected" }).at(5000, { kind: "restarted" });
    expect(life.acts).toEqual(["open", "open", "open"]);
  });

  it("is doubted after a wake, and kept if it answers within the second", () => {
    const life = new Life().up().at(60_000, { kind: "bytes" }).at(10, { kind: "woken" });
    life.at(300, { kind: "bytes" }).at(700, tick());
    expect(life.acts).toEqual(["open"]);
    life.at(0, { kind: "woken" }).at(901, tick());
    expect(life.acts).toEqual(["open", "open"]);
  });

  it("falls silent for two and a half seconds at most while somebody sends", () => {
    const life = new Life().up().at(0, { kind: "bytes" }).at(2500, tick());
    expect(life.acts).toEqual(["open"]);
    life.at(1, tick());
    expect(life.acts).toEqual(["open", "open"]);
  });

  it("may be silent while nobody sends", () => {
    const life = new Life().up().at(0, { kind: "bytes" }).at(8000, tick(false));
    expect(life.acts).toEqual(["open"]);
  });

  it("hears nothing any more once it is off", () => {
    const kinds = ["connected", "trouble", "restarted", "woken", "bytes"] as const;
    for (const kind of kinds) expect(step(OFF, { kind }, 1, 0.5)).toEqual({ next: OFF, act: null });
  });
});
