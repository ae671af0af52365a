import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { compare, hex } from "../../src/crypto/bytes.ts";
import { BoxKey, SigningKey } from "../../src/crypto/keys.ts";
import { signatureOk } from "../../src/crypto/message_parts.ts";
import { contentKey, openPayload } from "../../src/crypto/opening.ts";
import {
  checkBeforeRelease,
  RELEASE_CHECKS,
  type ReleaseCheckName,
  type ReleaseQuestion,
} from "../../src/crypto/release_check.ts";
import { releaseOf } from "../../src/crypto/releasing.ts";
import { findHostHalf } from "../../src/crypto/shares.ts";
import { sodiumReady } from "../../src/crypto/sodium.ts";
import { buildSubmit } from "../../src/crypto/submissions.ts";
import { Rehearsal, type RehearsalBid } from "./rehearsal.ts";

beforeAll(sodiumReady);

let hall: Rehearsal;
const bid = (at: number) => hall.bids[at] as RehearsalBid;

function question(changes: Partial<ReleaseQuestion> = {}): ReleaseQuestion {
  return {
    manifest: hall.manifest,
    spk: hall.trustees[1]?.key.public as Uint8Array,
    checkpoint: hall.log.checkpoint(),
    proofs: hall.log.all(),
    windows: hall.nonces.map((nonce, at) => ({ envelope: at + 1, w: 1, nonce })),
    submits: hall.bids.map((each) => each.submit.raw),
    headers: hall.bids.flatMap((each) => each.sealed.map(({ header }) => header.raw)),
    halves: hall.halves(),
    released: [],
    now_ms: hall.endMs + 1000,
    deadlineConfirmed: false,
    ...changes,
  };
}

/** Names and codes of the checks that failed by themselves. */
function failures(changes: Partial<ReleaseQuestion> = {}): [ReleaseCheckName, string][] {
  const verdict = checkBeforeRelease(question(changes));
  expect(verdict.checks.map((check) => check.name)).toEqual([...RELEASE_CHECKS]);
  expect(verdict.ok).toBe(verdict.checks.every((check) => check.ok));
  expect(verdict.sets.length > 0).toBe(verdict.ok);
  return verdict.checks
    .filter((check) => !check.ok && check.code !== "check.skipped")
    .map((check) => [check.name, check.code]);
}

describe("after an honest window", () => {
  beforeEach(() => {
    hall = new Rehearsal();
    hall.close();
    hall.open();
    hall.end();
  });

  test("every check passes and the sets are all unlocked bids in order", () => {
    expect(failures()).toEqual([]);
    const { sets } = checkBeforeRelease(question());
    expect(sets.map((set) => [set.window.envelope, set.i, set.mode])).toEqual([
      [1, 2, 0],
      [2, 2, 0],
    ]);
    for (const set of sets) {
      const ids = set.headers.map((header) => header.bid_id);
      expect(ids).toEqual([...ids].sort(compare));
      expect(ids).toHaveLength(3);
    }
  });

  test("what two trustees release opens every bid", () => {
    const releases = [0, 1].map((at) => {
      const { key, box } = hall.trustees[at] as Rehearsal["trustees"][0];
      const verdict = checkBeforeRelease(question({ spk: key.public }));
      const release = releaseOf(verdict, 0, { signing: key, box });
      expect(signatureOk(release, key.public)).toBe(true);
      return release;
    });
    for (const { sealed } of hall.bids) {
      const { header, payload, bidderHalf } = sealed[0];
      const shares = new Map(
        releases.map((release) => {
          const item = release.items.find((each) => hex(each.bid_id) === hex(header.bid_id));
          return [release.i, item?.share as Uint8Array];
        }),
      );
      const found = findHostHalf(header, shares);
      const opened = found && contentKey(header, bidderHalf, found.hostHalf);
      expect(opened && openPayload(header, opened, payload).length).toBe(4096);
    }
  });

  test("a bid that was not unlocked is left out, and nothing is wrong with that", () => {
    const halves = hall.halves();
    halves.delete(hex(bid(1).sealed[0].header.bid_id));
    expect(failures({ halves })).toEqual([]);
    const { sets } = checkBeforeRelease(question({ halves }));
    expect(sets.map((set) => set.headers.length)).toEqual([2, 3]);
  });

  test("a half that does not match its commitment stops the release", () => {
    const halves = hall.halves();
    halves.set(hex(bid(1).sealed[0].header.bid_id), new Uint8Array(32));
    expect(failures({ halves })).toEqual([["halves", "release_check.half"]]);
  });

  test("somebody who is no trustee is told so", () => {
    const spk = new SigningKey(new Uint8Array(32)).public;
    expect(failures({ spk })).toEqual([["trustee", "release_check.not_trustee"]]);
  });

  test("a missing SUBMIT, or one too many, is seen", () => {
    const { submits } = question();
    const code = "release_check.closed_list";
    expect(failures({ submits: submits.slice(1) })).toEqual([["submits", code]]);
    expect(failures({ submits: [...submits, bid(0).submit.raw] })).toEqual([["submits", code]]);
  });

  test("a missing header is seen, a changed one too", () => {
    const { headers } = question();
    expect(failures({ headers: headers.slice(1) })).toEqual([
      ["headers", "release_check.header_missing"],
    ]);
    const changed = new Uint8Array(headers[0] as Uint8Array);
    changed[200] = (changed[200] as number) ^ 1;
    expect(failures({ headers: [changed, ...headers.slice(1)] })).toEqual([
      ["headers", "release_check.header_missing"],
    ]);
  });

  test("a bidder whose registration is not shown is seen", () => {
    const proofs = hall.log.all().filter((proof) => proof.entry.slice(32, 34) !== "03");
    expect(failures({ proofs })).toEqual([["headers", "release_check.unregistered"]]);
  });

  test("windows of half a session, or of another nonce, are refused", () => {
    const windows = question().windows;
    expect(failures({ windows: windows.slice(0, 1) })).toEqual([
      ["windows", "release_check.session"],
    ]);
    const other = windows.map((window) => ({ ...window, nonce: new Uint8Array(32) }));
    expect(failures({ windows: other })).toEqual([["windows", "release_check.nonce"]]);
    const swapped = windows.map((window) => ({ ...window, envelope: 3 - window.envelope }));
    expect(failures({ windows: swapped })).toEqual([["windows", "release_check.envelope"]]);
    const later = windows.map((window) => ({ ...window, w: 2 }));
    expect(failures({ windows: later })).toEqual([["windows", "release_check.nonce"]]);
  });

  test("an envelope is never released under a second nonce", () => {
    const same = { envelope: 1, nonce: hex(hall.nonces[0]) };
    expect(failures({ released: [same] })).toEqual([]);
    const other = { envelope: 1, nonce: "00".repeat(32) };
    expect(failures({ released: [same, other] })).toEqual([
      ["first_release", "release_check.released_before"],
    ]);
  });

  test("a log that is not the one seen at the closing is refused", () => {
    const size = hall.log.size - 4;
    const seen = { text: hall.log.checkpoint(size), consistency: hall.log.consistency(size) };
    expect(failures({ seen_closing: seen })).toEqual([]);
    const fork = new Rehearsal(3, { isForked: true }).log;
    const lie = { text: fork.checkpoint(size - 1), consistency: hall.log.consistency(size - 1) };
    expect(failures({ seen_closing: lie })).toEqual([["closing_seen", "proof.root"]]);
    const { consistency: _, ...unproved } = seen;
    expect(failures({ seen_closing: unproved })).toEqual([["closing_seen", "proof.size"]]);
  });

  test("a device clock before the deadline stops the release", () => {
    expect(failures({ now_ms: hall.deadlineMs - 1 })).toEqual([["clock", "clock.slow"]]);
    expect(failures({ now_ms: hall.deadlineMs - 1, deadlineConfirmed: true })).toEqual([]);
    expect(failures({ now_ms: 0, deadlineConfirmed: true })).toEqual([["clock", "clock.behind"]]);
  });

  test("a share box of another trustee cannot be answered for", () => {
    const { key } = hall.trustees[1] as Rehearsal["trustees"][0];
    const verdict = checkBeforeRelease(question());
    const box = new BoxKey(new Uint8Array(32).fill(9));
    expect(() => releaseOf(verdict, 0, { signing: key, box })).toThrow("share.key");
  });
});

describe("after a window that did not end as it must", () => {
  beforeEach(() => {
    hall = new Rehearsal();
    hall.close();
    hall.open();
  });

  test("no logged end, no release", () => {
    expect(failures()).toEqual([["window_end", "release_check.end_missing"]]);
  });

  test("an end before its time is refused unless it is early and all are unlocked", () => {
    hall.end(hall.endMs - 1);
    expect(failures()).toEqual([["window_end", "release_check.end"]]);
  });

  test("an early end is lawful when every bid of the session is unlocked, and only then", () => {
    hall.end(hall.deadlineMs + 900_000, { early: true });
    expect(failures()).toEqual([]);
    const halves = hall.halves();
    halves.delete(hex(bid(2).sealed[1].header.bid_id));
    expect(failures({ halves })).toEqual([["window_end", "release_check.early"]]);
  });

  test("an extension that is shown must have been waited for", () => {
    hall.change("extend", hall.endMs + 60_000, hall.endMs - 1000);
    hall.end();
    expect(failures()).toEqual([["window_end", "release_check.end"]]);
  });

  test("a window is never shortened", () => {
    hall.change("extend", hall.endMs - 60_000, hall.endMs - 90_000);
    hall.end(hall.endMs, { end_ms: hall.endMs - 60_000 });
    expect(failures()).toEqual([["window_end", "release_check.shortened"]]);
  });
});

describe("when the closed list itself is bad", () => {
  test("two SUBMITs of one bidder and lot cannot both count", () => {
    hall = new Rehearsal(2);
    const first = bid(0);
    const second = buildSubmit(
      hall.manifest.suite,
      {
        tender_id: hall.manifest.tender_id,
        lot: 1,
        seq: 2,
        prev: first.submit.digest,
        items: first.submit.items,
      },
      first.key,
    );
    hall.bids.push({ ...first, submit: second });
    hall.close();
    hall.open();
    hall.end();
    expect(failures()).toEqual([["submits", "release_check.submit"]]);
  });

  test("a header with another trustee's key is refused", () => {
    hall = new Rehearsal(2);
    const [form] = bid(0).sealed;
    const changed = new Uint8Array(form.header.raw);
    // Trustee 1's row gets a key nobody named; bid_id and signature no longer fit either.
    changed.set(new BoxKey(new Uint8Array(32).fill(9)).public, 404);
    hall.close();
    hall.open();
    hall.end();
    const headers = [changed, ...question().headers.slice(1)];
    expect(failures({ headers })).toEqual([["headers", "release_check.header_missing"]]);
  });
});
