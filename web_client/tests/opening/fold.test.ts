/** The fold of an opening: golden traces, whatever order the channels come in. */
import { describe, expect, it } from "vitest";
import { OPENING_AUDIENCES } from "../../src/messages.ts";
import { boardOf } from "../../src/opening/board.ts";
import { foldOpening } from "../../src/opening/fold.ts";
import {
  isOwnUnlocked,
  isStaffUnlocked,
  nextRow,
  openTries,
  ownBids,
  tallyState,
} from "../../src/opening/own.ts";
import { stepsOf } from "../../src/opening/steps.ts";
import { emptyOpening, leftMs, type OpeningView, type Window } from "../../src/opening/view.ts";
import {
  DEADLINE_MS,
  FINGERPRINT,
  idHex,
  OWN_NO,
  OWN_ORG,
  of,
  openingTrace,
  priceOf,
  START_MS,
  type TraceEvent,
  until,
  WINDOW_MS,
} from "../traces.ts";

const trace = openingTrace({ bidders: 7, locked: [5] });
const folded = (events: readonly TraceEvent[]): OpeningView =>
  events.reduce(foldOpening, emptyOpening("x"));
const hallAt = (type: string) => folded(of(until(trace, type), "hall"));
const changed = (view: OpeningView, body: object, serverMs = START_MS + 60_000) =>
  foldOpening(view, { type: "window_changed", serverMs, body });

/** The same event as a server with short parts would tell it. */
function inParts(event: TraceEvent): readonly TraceEvent[] {
  const field = { set_frozen: "frozen", prices_read_out: "readout" }[event.type];
  if (!field) return [event];
  const body = event.body as Record<string, Uint8Array>;
  const whole = body[field] as Uint8Array;
  const cuts = [0, 100, 200, 300];
  const part = (raw: Uint8Array, n: number) => ({
    ...event,
    type: "document_part",
    body: { nonce: body["nonce"], of: event.type, part: n + 1, raw },
  });
  return [
    ...cuts.slice(0, -1).map((from, n) => part(whole.slice(from, cuts[n + 1]), n)),
    { ...event, body: { ...body, [field]: whole.slice(300) } },
  ];
}

describe("the stages", () => {
  it.each([
    ["opening_scheduled", "scheduled"],
    ["sign_in_opened", "sign_in"],
    ["bidders_announced", "announced"],
    ["window_opened", "decryption"],
    ["window_ended", "release"],
    ["trustee_released", "replies"],
    ["replies_ended", "opening"],
    ["prices_read_out", "read_out"],
    ["opening_closed", "closed"],
  ] as const)("after %s is %s", (type, stage) => {
    expect(hallAt(type).stage).toBe(stage);
  });

  it("ends as failed when too few bids came", () => {
    const failed = foldOpening(hallAt("bidders_announced"), {
      type: "opening_failed",
      serverMs: DEADLINE_MS,
      body: { reason: "too_few_bids" },
    });
    expect(failed).toMatchObject({ stage: "failed", failedReason: "too_few_bids" });
  });
});

describe("what a channel shows", () => {
  it("is no state of any bid to the hall before the window's end", () => {
    const view = folded(of(until(trace, "window_opened"), "hall"));
    expect(view.bids.map((bid) => tallyState(view, bid))).toEqual(Array(7).fill("sealed"));
    expect(view.unlocked.size).toBe(0);
  });

  it("is who unlocked, to the hall, at the window's end and not before", () => {
    const view = hallAt("window_ended");
    expect([...view.unlocked]).toEqual([1, 2, 3, 4, 6, 7]);
    expect([...view.locked]).toEqual([5]);
    expect(tallyState(view, view.bids[4] as never)).toBe("fail");
  });

  it("is the same whatever order the channels arrive in", () => {
    const hallFirst = folded([...of(trace, "hall"), ...of(trace, "staff"), ...of(trace, "party")]);
    const hallLast = folded([...of(trace, "party"), ...of(trace, "staff"), ...of(trace, "hall")]);
    const { announcements: a, ...one } = hallFirst;
    const { announcements: b, ...other } = hallLast;
    expect(other).toEqual(one);
    expect(b.map((line) => line.kind).sort()).toEqual(a.map((line) => line.kind).sort());
  });

  it("lets the staff see who unlocked and who tried in vain", () => {
    const view = folded(of(until(trace, "attempt_seen"), "hall", "staff"));
    const states = view.bids.map((bid) => isStaffUnlocked(view, bid));
    expect(states).toEqual([true, true, true, true, false, true, true]);
    expect(openTries(view, view.bids[4] as never)).toBe(1);
    expect(openTries(view, view.bids[0] as never)).toBe(0);
  });

  it("lets a bidder find its own bid by organisation, or by bid_id where names are masked", () => {
    const view = hallAt("bidders_announced");
    expect(ownBids(view, OWN_ORG, new Set()).map((bid) => bid.no)).toEqual([OWN_NO]);
    expect(ownBids(view, undefined, new Set([idHex(2, 1)])).map((bid) => bid.no)).toEqual([2]);
    expect(ownBids(view, "", new Set())).toEqual([]);
  });

  it("knows an own unlock in parts: the form alone is not all", () => {
    const view = hallAt("window_opened");
    const own = view.bids[OWN_NO - 1] as never;
    const unlock = (envelopes: number[]) => ({
      type: "own_bid_unlocked",
      serverMs: START_MS,
      body: { org: OWN_ORG, no: OWN_NO, envelopes, by: "card", received_ms: START_MS + 5 },
    });
    const half = foldOpening(view, unlock([1]));
    expect(isOwnUnlocked(half, own)).toBe(false);
    expect(isOwnUnlocked(foldOpening(half, unlock([2])), own)).toBe(true);
  });
});

describe("the window", () => {
  const running = hallAt("window_opened");
  const window = (view: OpeningView) => view.window as Window;

  it("stands still while paused, and says why", () => {
    const paused = changed(running, {
      change: "pause",
      end_ms: START_MS + WINDOW_MS,
      remaining_ms: 1_000_000,
      reason: "核实链路",
      nonces: [],
    });
    expect(leftMs(window(paused), START_MS + 500_000)).toBe(1_000_000);
    expect(boardOf(paused, START_MS + 500_000, "live", true)).toMatchObject({ lamp: "pause" });
    const extended = changed(paused, {
      change: "extend",
      end_ms: START_MS + WINDOW_MS + 600_000,
      remaining_ms: 1_600_000,
      reason: "网络中断",
      nonces: [],
    });
    expect(leftMs(window(extended), START_MS + 900_000)).toBe(1_600_000);
    expect(window(extended).reason).toBe("核实链路");
    const resumed = changed(extended, {
      change: "resume",
      end_ms: START_MS + 3_000_000,
      remaining_ms: 1_600_000,
      reason: "",
      nonces: [],
    });
    expect(leftMs(window(resumed), START_MS + 1_400_000)).toBe(1_600_000);
  });

  it("starts anew after a restart and forgets who was locked", () => {
    const ended = hallAt("window_ended");
    const again = foldOpening(ended, {
      type: "window_opened",
      serverMs: START_MS + 3_000_000,
      body: {
        session: 1,
        w: 2,
        nonces: [],
        start_ms: START_MS + 3_000_000,
        end_ms: START_MS + 4_000_000,
        reason: "三家断网",
      },
    });
    expect(again).toMatchObject({ stage: "decryption", window: { w: 2, ended: false } });
    expect(again.locked.size).toBe(0);
    expect(again.announcements.at(-1)).toMatchObject({ kind: "window_restarted", urgent: true });
  });

  it("turns amber for whom it asks, and over in the last minute", () => {
    const at = (left: number) => START_MS + WINDOW_MS - left;
    expect(boardOf(running, at(600_000), "live", true).lamp).toBe("run");
    expect(boardOf(running, at(600_000), "live", false).lamp).toBe("still");
    expect(boardOf(running, at(60_000), "live", true).lamp).toBe("last");
    expect(boardOf(running, at(60_000), "live", false).lamp).toBe("still");
  });

  it("keeps its clock when the line is cut, and says so", () => {
    const board = boardOf(running, START_MS + 678_000, "lost", true);
    expect(board).toMatchObject({ figure: ["18:42"], lamp: "run" });
    expect(board.boxed).not.toBeNull();
  });
});

describe("the read-out", () => {
  it("shows the rows of the sealed forms by number, with states for the others", () => {
    const view = hallAt("prices_read_out");
    expect(view.rows.map((row) => row.no)).toEqual([1, 2, 3, 4, 6, 7]);
    expect(view.rows[0]?.fields["price"]).toBe(priceOf(1));
    expect(view.states[idHex(5, 1)]).toBe("locked");
    expect(view.amounts[3]).toBe(priceOf(3));
  });

  it("goes on row by row, past the ones that did not open", () => {
    const view = hallAt("prices_read_out");
    expect(nextRow(view)).toBe(1);
    const read = (from: OpeningView, no: number) =>
      foldOpening(from, { type: "row_read", serverMs: 1, body: { no } });
    expect(nextRow(read(view, 4))).toBe(6);
    expect(nextRow(read(view, 7))).toBeNull();
  });

  it("says the row being read in one line, however many were read", () => {
    const view = hallAt("opening_closed");
    const lines = view.announcements.filter((line) => line.kind === "row_read");
    expect(lines).toHaveLength(1);
    expect(lines[0]?.args).toEqual({ no: 7 });
  });
});

describe("the fold", () => {
  it("keeps the closing fingerprint", () => {
    expect(hallAt("checkpoint_reached").closing?.fingerprint).toBe(FINGERPRINT);
  });

  it("remembers an unknown type once and goes on", () => {
    const strange = { type: "__proto__", serverMs: 1, body: {} };
    const view = foldOpening(foldOpening(emptyOpening("x"), strange), strange);
    expect(view.unknownTypes).toEqual(["__proto__"]);
  });

  it("knows every type that the server can send", () => {
    for (const type of Object.keys(OPENING_AUDIENCES)) {
      let view = emptyOpening("x");
      try {
        view = foldOpening(view, { type, serverMs: 1, body: {} });
      } catch {
        continue; // known: it looked for members that this empty body has not
      }
      expect(view.unknownTypes, type).toEqual([]);
    }
  });

  it("shows nothing of a long document before the event that ends it", () => {
    const long = of(trace, "hall").flatMap(inParts);
    expect(long.map((event) => event.type)).toContain("document_part");
    const [last] = long.filter((event) => event.type === "prices_read_out");
    const before = folded(long.slice(0, long.indexOf(last as TraceEvent)));
    expect(before.parts.length).toBeGreaterThan(1);
    expect(before.rows).toEqual([]);
    expect(before.amounts).toEqual({});
    expect(folded(long)).toEqual(folded(of(trace, "hall")));
  });

  it("announces a long list of bidders when it is whole", () => {
    const short = hallAt("bidders_announced");
    const long = of(until(trace, "bidders_announced"), "hall").flatMap((event) => {
      if (event.type !== "bidders_announced") return [event];
      const body = event.body as { bids: readonly unknown[] };
      return [
        { ...event, type: "bidders_listed", body: { bids: body.bids.slice(0, 3) } },
        { ...event, type: "bidders_listed", body: { bids: body.bids.slice(3, 5) } },
        { ...event, body: { ...body, bids: body.bids.slice(5) } },
      ];
    });
    expect(folded(long.slice(0, -1)).bids).toEqual([]);
    expect(folded(long)).toEqual(short);
  });

  it("leaves the bids of a lot that failed sealed, and says so once", () => {
    const failed = { type: "lot_failed", serverMs: DEADLINE_MS, body: { lot: 1, bidders: 2 } };
    const view = foldOpening(hallAt("window_opened"), failed);
    expect(view.failedLots).toEqual(new Set([1]));
    expect(view.announcements.at(-1)).toMatchObject({ kind: "lot_failed", urgent: true });
    expect(view.stage).toBe("decryption");
    expect(ownBids(view, OWN_ORG, new Set())).toEqual([]);
    expect(view.bids.map((bid) => tallyState(view, bid))).toEqual(view.bids.map(() => "gone"));
  });

  it("knows who is on stage, and says by name who came and who left", () => {
    const staged = ["one", "two"].reduce(
      (view, person) =>
        foldOpening(view, {
          type: "put_on_stage",
          serverMs: START_MS,
          body: { person, name: `name of ${person}`, org: "", reason: "objection" },
        }),
      emptyOpening("x"),
    );
    expect(staged.onStage).toEqual({ one: "name of one", two: "name of two" });
    const body = { person: "one", reason: "" };
    const left = foldOpening(staged, { type: "taken_off_stage", serverMs: START_MS, body });
    expect(left.onStage).toEqual({ two: "name of two" });
    expect(left.announcements.map(({ kind, args }) => [kind, args["name"]])).toEqual([
      ["put_on_stage", "name of one"],
      ["put_on_stage", "name of two"],
      ["taken_off_stage", "name of one"],
    ]);
  });

  it("never changes a view in place", () => {
    const view = Object.freeze(hallAt("window_opened"));
    expect(() => of(trace, "staff", "party").reduce(foldOpening, view)).not.toThrow();
  });

  it("names a faulty trustee once, however many shares are wrong", () => {
    const fault = (bid: number) => ({
      type: "trustee_fault_found",
      serverMs: 1,
      body: {
        i: 2,
        envelope: 1,
        nonce: new Uint8Array(32),
        bid_id: new Uint8Array([bid]),
        fault: "share",
        sha256: new Uint8Array(32),
      },
    });
    const view = [1, 2, 3].map(fault).reduce(foldOpening, hallAt("trustee_released"));
    expect(view.faults).toHaveLength(3);
    expect(view.announcements.filter((line) => line.kind === "trustee_fault")).toHaveLength(1);
  });
});

describe("the steps", () => {
  it("mark what is done, what runs, and estimate only what has not come", () => {
    const steps = stepsOf(hallAt("window_opened"), START_MS + 1000);
    expect(steps.map((step) => step.state)).toEqual([
      "done",
      "done",
      "done",
      "now",
      "next",
      "next",
      "next",
      "next",
    ]);
    expect(steps[4]).toMatchObject({ atMs: START_MS + WINDOW_MS, isEstimate: true });
    expect(steps[5]?.atMs).toBeNull();
  });
});
