import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { hex } from "../../src/crypto/bytes.ts";
import { actMessage, ENTRY_TYPE } from "../../src/crypto/entries.ts";
import { SigningKey } from "../../src/crypto/keys.ts";
import { CLOCK_LAG_MS_MAX } from "../../src/crypto/own_clock.ts";
import { sodiumReady } from "../../src/crypto/sodium.ts";
import {
  checkBeforeUnlock,
  type OwnWindow,
  type UnlockQuestion,
} from "../../src/crypto/unlock_check.ts";
import { Rehearsal, type RehearsalBid } from "./rehearsal.ts";

beforeAll(sodiumReady);

let hall: Rehearsal;

function question(changes: Partial<UnlockQuestion> = {}): UnlockQuestion {
  const bid = hall.bids[0] as RehearsalBid;
  const { size } = bid.receipt.proof;
  return {
    manifest: hall.manifest,
    own: { receipt: bid.receipt },
    checkpoint: hall.log.checkpoint(),
    proofs: hall.log.all(),
    consistency: hall.log.consistency(size),
    closed_path: hall.closedPath(0),
    windows: hall.nonces.map((nonce, at) => ({
      envelope: at + 1,
      w: 1,
      nonce,
      header: (bid.sealed[at] as RehearsalBid["sealed"][0]).header,
    })),
    now_ms: hall.deadlineMs + 601_000,
    deadlineConfirmed: false,
    ...changes,
  };
}

const codeOf = (changes: Partial<UnlockQuestion> = {}) => {
  const verdict = checkBeforeUnlock(question(changes));
  return verdict.ok ? "ok" : verdict.code;
};

const twoWindows = () => [...question().windows] as [OwnWindow, OwnWindow];
const bid = (at: number) => hall.bids[at] as RehearsalBid;

describe("in an honest hall", () => {
  beforeEach(() => {
    hall = new Rehearsal();
    hall.close();
    hall.open();
  });

  test("everything agrees, and the half may leave", () => {
    expect(checkBeforeUnlock(question())).toMatchObject({
      ok: true,
      isCompared: true,
      deadline_ms: hall.deadlineMs,
    });
  });

  test("the card page says that it could not compare with a receipt", () => {
    const own = { message: bid(0).submit.raw };
    const { consistency: _, ...rest } = question();
    expect(checkBeforeUnlock({ ...rest, own })).toMatchObject({ ok: true, isCompared: false });
  });

  test("one window alone may be asked about", () => {
    expect(codeOf({ windows: question().windows.slice(0, 1) })).toBe("ok");
  });

  test.each([
    ["right", 0, false, "ok"],
    ["late by a second", -1000, false, "clock.slow"],
    ["late by a second, and a person said yes", -1000, true, "ok"],
    ["late by fifteen minutes", -CLOCK_LAG_MS_MAX, false, "clock.slow"],
    ["late by more", -CLOCK_LAG_MS_MAX - 1, true, "clock.behind"],
  ])("a clock that is %s", (_, lag, deadlineConfirmed, code) => {
    expect(codeOf({ now_ms: hall.deadlineMs + lag, deadlineConfirmed })).toBe(code);
  });

  test("a slow clock is told which deadline to compare with", () => {
    const verdict = checkBeforeUnlock(question({ now_ms: hall.deadlineMs - 1 }));
    expect(verdict).toEqual({ ok: false, code: "clock.slow", deadline_ms: hall.deadlineMs });
  });

  test("a nonce that is not logged is refused", () => {
    const [first, second] = twoWindows();
    const nonce = new Uint8Array(32).fill(9);
    expect(codeOf({ windows: [first, { ...second, nonce }] })).toBe("unlock_check.nonce");
    expect(codeOf({ windows: [] })).toBe("unlock_check.nonce");
  });

  test("another number of the window is refused", () => {
    const windows = question().windows.map((window) => ({ ...window, w: 2 }));
    expect(codeOf({ windows })).toBe("unlock_check.nonce");
  });

  test("the nonce of another envelope is refused", () => {
    const [form, body] = twoWindows();
    expect(codeOf({ windows: [{ ...form, nonce: body.nonce }] })).toBe("unlock_check.envelope");
  });

  test("a header of another envelope is refused", () => {
    const [form, body] = twoWindows();
    expect(codeOf({ windows: [{ ...form, header: body.header }] })).toBe("unlock_check.envelope");
  });

  test("a header that the own SUBMIT does not list is refused", () => {
    const [form] = twoWindows();
    const header = bid(1).sealed[0].header;
    expect(codeOf({ windows: [{ ...form, header }] })).toBe("unlock_check.not_listed");
  });

  test("the path of another bid, or none, is refused", () => {
    expect(codeOf({ closed_path: hall.closedPath(1) })).toBe("unlock_check.closed_list");
    expect(codeOf({ closed_path: [] })).toBe("unlock_check.closed_list");
    expect(codeOf({ closed_path: ["zz"] })).toBe("proof.hash");
  });

  test("a checkpoint of another key is refused", () => {
    const checkpoint = hall.log.checkpoint(hall.log.size, new SigningKey(new Uint8Array(32)));
    expect(codeOf({ checkpoint })).toBe("checkpoint.key");
  });

  test("proofs to another tree are refused", () => {
    expect(codeOf({ checkpoint: hall.log.checkpoint(hall.log.size - 1) })).toBe("proof.size");
    const forged = hall.log.all().map((proof) => ({ ...proof, slot: 78 }));
    expect(codeOf({ proofs: forged })).toBe("proof.root");
  });

  test("a log that forgot the own receipt is refused", () => {
    const fork = new Rehearsal(3, { isForked: true });
    fork.close();
    fork.open();
    const { size } = bid(0).receipt.proof;
    const forked = {
      checkpoint: fork.log.checkpoint(),
      proofs: fork.log.all(),
      consistency: fork.log.consistency(size),
    };
    // The fork is signed by the right key, lists the bid, and all its proofs are in order.
    expect(codeOf(forked)).toBe("proof.root");
    const { consistency: _, ...rest } = question();
    const verdict = checkBeforeUnlock(rest);
    expect(verdict).toMatchObject({ ok: false, code: "proof.size" });
  });

  test("without the closing, or with two, nothing is sent", () => {
    const proofs = hall.log.all();
    const isClosing = (type: number) => (entry: string) => entry.slice(32, 34) === hexByte(type);
    const without = proofs.filter((each) => !isClosing(ENTRY_TYPE.DEADLINE_CLOSED)(each.entry));
    expect(codeOf({ proofs: without })).toBe("closing.missing");
    const closing = proofs.filter((each) => isClosing(ENTRY_TYPE.DEADLINE_CLOSED)(each.entry));
    expect(codeOf({ proofs: [...proofs, ...closing] })).toBe("closing.repeated");
    const noStart = proofs.filter((each) => !isClosing(ENTRY_TYPE.OPENING_START)(each.entry));
    expect(codeOf({ proofs: noStart })).toBe("unlock_check.nonce");
  });

  test("a receipt of another message, of a refusal, or of a withdrawal is refused", () => {
    const { receipt } = bid(0);
    expect(codeOf({ own: { receipt: { ...receipt, message: bid(1).receipt.message } } })).toBe(
      "receipt.message",
    );
    const late = hall.receiptOf(bid(0).submit, hall.deadlineMs - 5000, 1);
    const size = late.proof.size;
    expect(codeOf({ own: { receipt: late }, consistency: hall.log.consistency(size) })).toBe(
      "unlock_check.receipt",
    );
  });

  test("a message that its bidder did not sign is refused", () => {
    const raw = new Uint8Array(bid(0).submit.raw);
    raw[raw.length - 1] = (raw[raw.length - 1] as number) ^ 1;
    expect(codeOf({ own: { message: raw } })).toBe("submit.signature");
  });
});

const hexByte = (value: number) => value.toString(16).padStart(2, "0");

describe("in a dishonest hall", () => {
  beforeEach(() => {
    hall = new Rehearsal();
  });

  test("a closing before the deadline is refused", () => {
    hall.close(hall.deadlineMs - 1);
    hall.open();
    expect(codeOf()).toBe("closing.deadline");
  });

  test("a closing that names another deadline is refused", () => {
    hall.close(hall.deadlineMs - 3_000_000, { deadline_ms: hall.deadlineMs - 3_600_000 });
    hall.open();
    expect(codeOf()).toBe("closing.deadline");
  });

  test("an opening logged before the closing is refused", () => {
    hall.open({}, hall.deadlineMs - 1000);
    hall.close();
    expect(codeOf()).toBe("unlock_check.before_closing");
  });

  test("a list without the own SUBMIT is refused", () => {
    hall.close(hall.deadlineMs + 412, { list_root: hex(new Uint8Array(32)) });
    hall.open();
    expect(codeOf()).toBe("unlock_check.closed_list");
  });

  test("an entry of another tender is refused", () => {
    hall.close();
    hall.open({ tender_id: hex(new Uint8Array(32)) });
    expect(codeOf()).toBe("log.tender");
  });

  test("a tender that asks for witnesses is refused until there are some", () => {
    const witness = { name: "w.example", pk: hex(new SigningKey(new Uint8Array(32)).public) };
    hall = new Rehearsal(2, { manifest: { quorum: 1, witnesses: [witness] } });
    hall.close();
    hall.open();
    expect(codeOf()).toBe("checkpoint.quorum");
  });
});

describe("after a change of the deadline", () => {
  const HOUR = 3_600_000;

  /** A DEADLINE_CHANGE with the signatures of these keys. */
  function moveDeadline(signers: SigningKey[], by = HOUR, serverMs = hall.deadlineMs - 1000): void {
    const { deadlineMs } = hall;
    const members = {
      ...hall.at(serverMs),
      old_ms: deadlineMs,
      deadline_ms: deadlineMs + by,
      reason: "rehearsal",
    };
    const message = actMessage(ENTRY_TYPE.DEADLINE_CHANGE, hall.manifest.tender_id, members);
    const sigs = signers.map((key) => ({ pk: hex(key.public), sig: hex(key.sign(message)) }));
    hall.log.append(ENTRY_TYPE.DEADLINE_CHANGE, { ...members, sigs });
  }

  beforeEach(() => {
    hall = new Rehearsal(2);
  });

  function closeAndOpen(by: number): void {
    hall.close(hall.deadlineMs + by + 100, { deadline_ms: hall.deadlineMs + by });
    hall.open({}, hall.deadlineMs + by + 1000);
  }

  test("the later deadline counts, for the clock too", () => {
    moveDeadline([hall.hostKey, hall.supervisorKey]);
    closeAndOpen(HOUR);
    expect(codeOf({ now_ms: hall.deadlineMs + HOUR })).toBe("ok");
    expect(codeOf({ now_ms: hall.deadlineMs + 60_000 })).toBe("clock.behind");
  });

  test.each([
    ["only the host signed", () => moveDeadline([hall.hostKey])],
    ["a stranger signed", () => moveDeadline([hall.hostKey, new SigningKey(new Uint8Array(32))])],
    ["it is earlier", () => moveDeadline([hall.hostKey, hall.supervisorKey], -HOUR)],
    [
      "it was logged after the old deadline",
      () => moveDeadline([hall.hostKey, hall.supervisorKey], HOUR, hall.deadlineMs),
    ],
  ])("a change is refused when %s", (_, change) => {
    change();
    closeAndOpen(HOUR);
    expect(codeOf({ now_ms: hall.deadlineMs + 2 * HOUR })).toBe("deadline.change");
  });

  test("a closing at the old deadline is refused", () => {
    moveDeadline([hall.hostKey, hall.supervisorKey]);
    closeAndOpen(0);
    expect(codeOf({ now_ms: hall.deadlineMs + 2 * HOUR })).toBe("closing.deadline");
  });
});
