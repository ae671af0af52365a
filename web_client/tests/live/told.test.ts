/** Who is in a room: lines folded, streams kept alive. */
import { describe, expect, it } from "vitest";
import { foldTold, NOBODY, type Told, tracksOf } from "../../src/live/told.ts";
import { ToldStream } from "../../src/live/told_stream.ts";
import { Refused } from "../../src/net/commands.ts";

const host = { member: "h", name: "林悦", org_name: "代理", role: "host", connected: true };
const camera = { track: 4, member: "h", label: "camera", to: null, flowing: true, layers: 2 };
const state = {
  kind: "state",
  boot: 1,
  members: [host],
  tracks: [camera],
  speaker: { member: "h", track: 5 },
  on_stage: ["b"],
  held: [],
  muted: [["b", "camera"]],
  recording: "on",
};

const folded = (...lines: unknown[]): Told => lines.reduce<Told>(foldTold, NOBODY);

describe("told lines", () => {
  it("give the room as it is", () => {
    const told = folded(state);
    expect(told.members["h"]).toMatchObject({ name: "林悦", publishing: false, connected: true });
    expect(tracksOf(told, "h")).toMatchObject({ camera: { track: 4, flowing: true, layers: 2 } });
    expect(told).toMatchObject({ onStage: ["b"], muted: [["b", "camera"]], recording: "on" });
  });

  it("change what they name and nothing else", () => {
    const told = folded(
      state,
      { ...camera, kind: "track", paused: true },
      { kind: "member", ...host, member: "b", role: "bidder" },
      { kind: "floor", held: ["b"] },
      { kind: "layer", track: 4, layer: 1 },
      { kind: "recording", recording: "no_pictures" },
      { kind: "watching", watching: 12 },
    );
    expect(told.watching).toBe(12);
    expect(folded(state).watching).toBeNull();
    expect(told.tracks[4]).toMatchObject({ paused: true, flowing: true });
    expect(Object.keys(told.members)).toEqual(["h", "b"]);
    expect(told).toMatchObject({ onStage: ["b"], held: ["b"], layers: { 4: 1 } });
    expect(told.recording).toBe("no_pictures");
  });

  it("take members, tracks and speakers away", () => {
    const told = folded(
      state,
      { kind: "track_gone", track: 4 },
      { kind: "member_gone", member: "h" },
    );
    expect(told).toMatchObject({ tracks: {}, members: {} });
    expect(folded(state, { kind: "track_gone", track: 5 }).speaker).toBeNull();
    expect(folded(state, { kind: "speaker", speaker: null }).speaker).toBeNull();
  });

  it("of a process begun anew leave no track of the old one", () => {
    const told = folded(
      state,
      { kind: "layer", track: 4, layer: 1 },
      { kind: "restarted", boot: 2 },
    );
    expect(told).toMatchObject({ boot: "2", tracks: {}, layers: {} });
    expect(Object.keys(told.members)).toEqual(["h"]);
  });

  it("that cannot be understood change nothing", () => {
    const before = folded(state);
    const lines = [null, 7, "x", [], {}, { kind: "track", track: "4" }, { kind: "member" }];
    const more = [{ kind: "track", track: 1, member: "h", label: "smell" }, { kind: "later" }];
    for (const line of [...lines, ...more]) expect(foldTold(before, line)).toEqual(before);
  });
});

/** A server of told streams, and time turned by hand. */
class World {
  nowMs = 0;
  lines: unknown[] = [];
  states: string[] = [];
  opened: { say(text: string): void; end(): void; signal: AbortSignal }[] = [];
  refusal: Refused | null = null;
  private timers: { atMs: number; what: () => void; isOff: boolean }[] = [];
  readonly stream = new ToldStream(
    {
      open: (signal) => this.open(signal),
      after: (ms, what) => {
        const timer = { atMs: this.nowMs + ms, what, isOff: false };
        this.timers.push(timer);
        return () => {
          timer.isOff = true;
        };
      },
      now: () => this.nowMs,
      random: () => 0.5,
    },
    {
      line: (line) => this.lines.push(line),
      state: (state_, code) => this.states.push(`${state_}${code && ` ${code}`}`),
    },
  );

  private async open(signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    if (this.refusal !== null) throw this.refusal;
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const writer = writable.getWriter();
    signal.addEventListener("abort", () => void writer.abort().catch(() => {}));
    const bytes = (text: string) => new TextEncoder().encode(text);
    const say = (text: string) => void writer.write(bytes(text)).catch(() => {});
    this.opened.push({ say, end: () => void writer.close().catch(() => {}), signal });
    return readable as unknown as AsyncIterable<Uint8Array>;
  }

  get last() {
    const found = this.opened.at(-1);
    if (found === undefined) throw new Error("no stream was opened");
    return found;
  }

  /** Lets time pass, and what waits for it happen. */
  async pass(ms: number): Promise<void> {
    await settled();
    const end = this.nowMs + ms;
    for (;;) {
      const due = this.timers.filter((one) => !one.isOff && one.atMs <= end);
      const [first] = due.sort((a, b) => a.atMs - b.atMs);
      if (first === undefined) break;
      first.isOff = true;
      this.nowMs = Math.max(this.nowMs, first.atMs);
      first.what();
      await settled();
    }
    this.nowMs = end;
  }
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 1));

describe("a told stream", () => {
  it("is read line by line however it is cut, beats and rubbish left out", async () => {
    const world = new World();
    world.stream.start();
    await world.pass(0);
    const sent = `{"kind":"state"}\n{"kind":"beat"}\nrubbish\n{"kind":"speaker","speaker":null}\n`;
    for (const letter of sent) world.last.say(letter);
    await world.pass(10);
    expect(world.lines).toEqual([{ kind: "state" }, { kind: "speaker", speaker: null }]);
    expect(world.states).toEqual(["up"]);
    world.stream.stop();
  });

  it("that ends is opened again within half a second", async () => {
    const world = new World();
    world.stream.start();
    await world.pass(0);
    world.last.say('{"kind":"state"}\n');
    await world.pass(1000);
    world.last.end();
    await world.pass(500);
    expect(world.states).toEqual(["up", "down"]);
    expect(world.opened.length).toBe(2);
    world.stream.stop();
  });

  it("that falls silent is given up", async () => {
    const world = new World();
    world.stream.start();
    await world.pass(0);
    world.last.say('{"kind":"state"}\n');
    await world.pass(11_900);
    expect(world.opened.length).toBe(1);
    await world.pass(1_000);
    expect(world.opened.length).toBe(2);
    expect(world.opened[0]?.signal.aborted).toBe(true);
    world.stream.stop();
  });

  it("is believed after a wake only if it has just spoken", async () => {
    const world = new World();
    world.stream.start();
    await world.pass(0);
    world.last.say('{"kind":"state"}\n');
    await world.pass(2_000);
    world.stream.wake();
    await world.pass(0);
    expect(world.opened.length).toBe(1);
    await world.pass(5_000);
    world.stream.wake();
    await world.pass(400);
    expect(world.opened.length).toBe(2);
    world.stream.stop();
  });

  it("that is refused says why and asks seldom", async () => {
    const world = new World();
    world.refusal = new Refused("media.not_allowed");
    world.stream.start();
    await world.pass(14_000);
    expect(world.states).toEqual(["refused media.not_allowed"]);
    await world.pass(2_000);
    expect(world.states.length).toBe(2);
    world.stream.stop();
  });

  it("is over when it is stopped", async () => {
    const world = new World();
    world.stream.start();
    await world.pass(0);
    world.stream.stop();
    await world.pass(60_000);
    expect(world.opened.length).toBe(1);
    expect(world.last.signal.aborted).toBe(true);
  });
});
