/**
 * What a bidder's device checks before its half s_B leaves it (解密前检查, C7 first half).
 *
 * Invariant: pure; everything it needs comes as an argument, so it can be asked again at any time.
 * The first check that fails is named, and then nothing is sent. An operator who opens early, for
 * one bidder, under another nonce, in another log or with another list meets one of these checks.
 */
import type { Consistency, OpeningStartEntry, Proof, Receipt } from "../formats.ts";
import { ACK_SUBMIT, RESULT_ACCEPTED } from "./ack.ts";
import { type Bytes, equal, hex, unhex } from "./bytes.ts";
import { fingerprint } from "./checkpoint.ts";
import { ENTRY_TYPE } from "./entries.ts";
import { Rejected } from "./errors.ts";
import type { Header } from "./header.ts";
import { checkGrown, closingOf, entriesAs, type LogView, viewLog } from "./log_view.ts";
import type { TenderManifest } from "./manifest.ts";
import { signatureOk } from "./message_parts.ts";
import { clockRefusal } from "./own_clock.ts";
import { inClosedList, verifyReceipt } from "./receipts.ts";
import { KIND_SUBMIT, parseSubmit, type Submit } from "./submissions.ts";

/** One window as the hall announced it, and the bidder's own header that it opens. */
export interface OwnWindow {
  readonly envelope: number;
  readonly w: number;
  readonly nonce: Uint8Array;
  readonly header: Header;
}

/** How the device knows its own SUBMIT: by receipt, or (card page) by the message alone. */
export type OwnSubmit = { readonly receipt: Receipt } | { readonly message: Uint8Array };

export interface UnlockQuestion {
  readonly manifest: TenderManifest;
  readonly own: OwnSubmit;
  /** A checkpoint that includes DEADLINE_CLOSED and every OPENING_START, and proofs to it. */
  readonly checkpoint: string;
  readonly proofs: readonly Proof[];
  /** From the receipt's checkpoint to this one; not needed when they are the same or none. */
  readonly consistency?: Consistency;
  /** Of the own SUBMIT in the closed list, hex. */
  readonly closed_path: readonly string[];
  readonly windows: readonly OwnWindow[];
  /** The device's own clock. */
  readonly now_ms: number;
  /** A person said once that the deadline has passed by another clock. */
  readonly deadlineConfirmed: boolean;
}

export type UnlockVerdict =
  | {
      readonly ok: true;
      /** False on the card page: it could not compare the log with a receipt, and says so. */
      readonly isCompared: boolean;
      readonly deadline_ms: number;
      readonly fingerprint: string;
    }
  | {
      readonly ok: false;
      readonly code: string;
      readonly deadline_ms: number | null;
    };

/**
 * Codes, in order of the checks: those of verifyReceipt and parseSubmit, `submit.signature`,
 * `unlock_check.receipt` (not an accepted SUBMIT), those of viewLog (`checkpoint.*`, `proof.*`,
 * `entry.*`, `log.tender`), `proof.*` of the consistency, `closing.*`, `deadline.change`,
 * `unlock_check.closed_list`, `unlock_check.nonce`, `unlock_check.envelope`,
 * `unlock_check.not_listed`, `unlock_check.before_closing`, `clock.slow`, `clock.behind`.
 */
export function checkBeforeUnlock(question: UnlockQuestion): UnlockVerdict {
  let deadline: number | null = null;
  try {
    const { manifest, now_ms, deadlineConfirmed } = question;
    const submit = ownSubmit(question);
    const view = viewLog(manifest, question.checkpoint, question.proofs);
    if ("receipt" in question.own) {
      const { checkpoint } = verifyReceipt(question.own.receipt, manifest);
      checkGrown(view, checkpoint, question.consistency);
    }
    const closed = closingOf(view);
    deadline = closed.deadline_ms;
    const path = question.closed_path.map((node) => unhex(node, 32, "proof.hash"));
    const root = unhex(closed.list_root);
    if (!inClosedList(submit.digest, path, closed.count, root)) {
      throw new Rejected("unlock_check.closed_list");
    }
    if (question.windows.length === 0) throw new Rejected("unlock_check.nonce");
    for (const window of question.windows) checkWindow(view, window, submit, closed.server_ms);
    const refusal = clockRefusal(now_ms, deadline, deadlineConfirmed);
    if (refusal !== null) throw new Rejected(refusal);
    return {
      ok: true,
      isCompared: "receipt" in question.own,
      deadline_ms: deadline,
      fingerprint: fingerprint(view.checkpoint.root),
    };
  } catch (error) {
    if (error instanceof Rejected) return { ok: false, code: error.code, deadline_ms: deadline };
    throw error;
  }
}

/** The SUBMIT that this device stands behind. */
function ownSubmit(question: UnlockQuestion): Submit {
  const { manifest, own } = question;
  let raw: Bytes;
  if ("receipt" in own) {
    const shown = verifyReceipt(own.receipt, manifest);
    const isAccepted = shown.ack.kind === ACK_SUBMIT && shown.ack.result === RESULT_ACCEPTED;
    if (!isAccepted) throw new Rejected("unlock_check.receipt");
    raw = shown.message;
  } else {
    raw = new Uint8Array(own.message);
  }
  const submit = parseSubmit(raw, manifest.suite);
  const isOurs = submit.kind === KIND_SUBMIT && equal(submit.tender_id, manifest.tender_id);
  if (!isOurs) throw new Rejected("unlock_check.receipt");
  if (!signatureOk(submit, submit.bidder_pk)) throw new Rejected("submit.signature");
  return submit;
}

function checkWindow(view: LogView, window: OwnWindow, submit: Submit, closedMs: number): void {
  const starts = entriesAs<OpeningStartEntry>(view, ENTRY_TYPE.OPENING_START);
  const start = starts.find((each) => each.nonce === hex(window.nonce));
  if (start === undefined || start.w !== window.w) throw new Rejected("unlock_check.nonce");
  const isSame = start.envelope === window.envelope && window.header.envelope === window.envelope;
  if (!isSame) throw new Rejected("unlock_check.envelope");
  const isListed = submit.items.some(
    (item) => item.envelope === window.envelope && equal(item.bid_id, window.header.bid_id),
  );
  if (!isListed) throw new Rejected("unlock_check.not_listed");
  if (start.server_ms < closedMs) throw new Rejected("unlock_check.before_closing");
}
