/** Acts of two officers as pages know them: whatever order the channels come in. */
import { describe, expect, it } from "vitest";
import { hex, unhex } from "../../src/crypto/bytes.ts";
import { damagedBids, openGrounds, standingGround } from "../../src/opening/acts.ts";
import { foldOpening } from "../../src/opening/fold.ts";
import { emptyOpening, type OpeningView } from "../../src/opening/view.ts";
import { fitsNow } from "../../src/pages/host/controls.tsx";
import { queueOf } from "../../src/pages/host/host_view.ts";
import { standing, toRepair, waitingFor } from "../../src/pages/host/officer_view.ts";
import { emptyTender, foldTender, type TenderView } from "../../src/tender/view.ts";
import { fieldTime, fromFieldTime } from "../../src/time.ts";
import { DEADLINE_MS, idHex, of, openingTrace, until } from "../traces.ts";

type Told = readonly [type: string, serverMs: number, body: object];
const BID = unhex(idHex(5, 1));
const ID = idHex(5, 1);
const signed = {
  act: unhex("ab".repeat(32)),
  by: "host",
  person: "h",
  name: "林悦",
  reason: "逾时",
  pk: new Uint8Array(32),
  sig: new Uint8Array(64),
};
const about = { no: 5, envelope: 1, bid_id: BID };
const suggested: Told = [
  "grounds_suggested",
  10,
  {
    bids: [
      {
        ...about,
        state: "locked",
        ground: "revoked",
        why: "no_try",
        tries: 0,
        last_code: "",
        last_ms: 0,
        lost_ms: 0,
      },
    ],
  },
];
const proposed: Told = [
  "ground_proposed",
  20,
  { ...about, ...signed, suggested: "revoked", ground: "revoked" },
];
const decided: Told = [
  "ground_decided",
  30,
  { ...about, suggested: "revoked", ground: "revoked", reason: "逾时", pks: [], sigs: [] },
];
const told = (view: OpeningView, ...events: readonly Told[]): OpeningView =>
  events.reduce((at, [type, serverMs, body]) => foldOpening(at, { type, serverMs, body }), view);
const tenderTold = (...events: readonly Told[]): TenderView =>
  events.reduce((at, [type, serverMs, body]) => foldTender(at, { type, serverMs, body }), {
    ...emptyTender("x"),
    deadlineMs: DEADLINE_MS,
  });
const readOut = [...of(openingTrace({ bidders: 7, locked: [5] }), "hall")].reduce(
  foldOpening,
  emptyOpening("x"),
);
const NO_TENDER = emptyTender("x");

describe("the ground of a closed bid", () => {
  it("waits for the other officer, never for the one who proposed", () => {
    const view = told(readOut, suggested, proposed);
    expect(waitingFor("supervisor", view, NO_TENDER).map((one) => one.kind)).toEqual(["ground"]);
    expect(waitingFor("host", view, NO_TENDER)).toEqual([]);
    expect(waitingFor(null, view, NO_TENDER)).toEqual([]);
  });

  it("is over when it is decided, also where the hall's channel came first", () => {
    for (const order of [
      [suggested, proposed, decided],
      [decided, suggested, proposed],
    ]) {
      const view = told(readOut, ...order);
      expect(openGrounds(view.acts)).toEqual([]);
      expect(standingGround(view.acts, ID)).toBeNull();
      expect(standing(view, NO_TENDER)).toEqual([]);
      expect(view.acts.decisions[ID]?.ground).toBe("revoked");
    }
  });

  it("is off the table when it was declined, and stands in the queue", () => {
    const no: Told = ["act_declined", 25, { ...signed, by: "supervisor", reason: "先看证据" }];
    const view = told(readOut, suggested, proposed, no);
    expect(standing(view, NO_TENDER)).toEqual([]);
    expect(view.acts.declined?.reason).toBe("先看证据");
    expect(queueOf(view)).toContainEqual({ kind: "locked", numbers: [5] });
    expect(queueOf(told(view, decided)).filter((one) => one.kind === "locked")).toEqual([]);
  });
});

describe("another deadline", () => {
  const later: Told = [
    "deadline_proposed",
    5,
    { ...signed, old_ms: DEADLINE_MS, deadline_ms: DEADLINE_MS + 60_000 },
  ];
  const before = of(until(openingTrace({ bidders: 3, locked: [] }), "sign_in_opened"), "hall");
  const view = [...before].reduce(foldOpening, emptyOpening("x"));

  it("waits for the supervisor until it counts, was declined, or is stale", () => {
    expect(waitingFor("supervisor", view, tenderTold(later)).length).toBe(1);
    const changed = { old_ms: DEADLINE_MS, deadline_ms: DEADLINE_MS + 60_000, reason: "补遗" };
    const moved: Told = ["deadline_changed", 6, { ...changed, pks: [], sigs: [] }];
    expect(waitingFor("supervisor", view, tenderTold(later, moved))).toEqual([]);
    expect(waitingFor("supervisor", view, tenderTold(moved, later))).toEqual([]);
    const no: Told = ["deadline_declined", 6, signed];
    expect(waitingFor("supervisor", view, tenderTold(later, no))).toEqual([]);
    expect(waitingFor("supervisor", readOut, tenderTold(later))).toEqual([]);
  });

  it("is written and read in Beijing time", () => {
    expect(fieldTime(DEADLINE_MS)).toBe("2026-11-20T09:30");
    expect(fromFieldTime("2026-11-20T09:30")).toBe(DEADLINE_MS);
    expect(fromFieldTime("20 Nov")).toBeNull();
  });
});

it("shows a form of the countdown no longer than it can be used", () => {
  const at = (type: string) =>
    of(until(openingTrace({ bidders: 5, locked: [5] }), type), "hall").reduce(
      foldOpening,
      emptyOpening("x"),
    );
  const forms = (view: OpeningView) =>
    (["none", "pause", "extend", "restart"] as const).filter((form) => fitsNow(form, view));
  expect(forms(at("bidders_announced"))).toEqual([]);
  expect(forms(at("window_opened"))).toEqual(["pause", "extend"]);
  expect(forms(at("window_ended"))).toEqual(["restart"]);
  expect(forms(at("prices_read_out"))).toEqual([]);
});

describe("damaged storage", () => {
  const found: Told = ["damage_found", 10, { bid_ids: [BID] }];
  const mended: Told = ["bid_repaired", 20, { ...about, ct_root: new Uint8Array(32) }];
  const inTime = [...of(until(openingTrace({ bidders: 7, locked: [5] }), "window_ended"), "hall")];
  const view = inTime.reduce(foldOpening, emptyOpening("x"));
  const checked = tenderTold(["store_checked", 1, { checked: 14, damaged: [BID] }]);

  it("waits until it is mended, whichever channel tells first", () => {
    expect(toRepair(told(view, found), NO_TENDER)).toEqual([ID]);
    expect(toRepair(told(view, found, mended), NO_TENDER)).toEqual([]);
    expect(toRepair(told(view, mended, found), NO_TENDER)).toEqual([]);
    const again: Told = ["damage_found", 30, { bid_ids: [BID] }];
    expect(toRepair(told(view, found, mended, again), NO_TENDER)).toEqual([ID]);
  });

  it("of the check after the deadline waits too, and after the replies nothing does", () => {
    expect(toRepair(view, checked)).toEqual([hex(BID)]);
    expect(damagedBids(told(view, mended).acts, checked.damaged)).toEqual([]);
    expect(toRepair(readOut, checked)).toEqual([]);
  });
});
