/**
 * What the host's desk asks and does (主持台): acts, and the queue of what waits.
 *
 * Invariant: the host never sees content before anybody else; what only the host sees is work.
 */

import type { TenderRow } from "../../net/lookups.ts";
import { openGrounds } from "../../opening/acts.ts";
import { openTries } from "../../opening/own.ts";
import type { OpeningView } from "../../opening/view.ts";
import type { Trouble } from "../../ui/refusal.tsx";

/** How long each row stands when the rows are read by themselves. */
export const READ_EACH_S = 12;

export interface HostView {
  readonly rooms: readonly TenderRow[];
  /** The act under way, by name; "" when none is. */
  readonly busy: string;
  readonly trouble: Trouble | null;
  /** What the last act did, as a text key's arguments; null after it was read. */
  readonly said: string | null;
  /** True for the host; the others watch. */
  readonly mayAct: boolean;
  readonly isAutomatic: boolean;
}

export interface HostActs {
  start(session: number, reason: string): void;
  pause(reason: string): void;
  resume(): void;
  extend(extraMs: number, reason: string): void;
  endReplies(): void;
  openAll(): void;
  read(no: number): void;
  setAutomatic(isOn: boolean): void;
  close(): void;
  dismiss(): void;
}

export type QueueItem =
  | { readonly kind: "sign"; readonly n: number }
  | { readonly kind: "damaged"; readonly n: number }
  | { readonly kind: "start" }
  | { readonly kind: "tries"; readonly no: number; readonly times: number; readonly code: string }
  | { readonly kind: "locked"; readonly numbers: readonly number[] }
  | { readonly kind: "waiting_checkpoint" }
  | { readonly kind: "trustees"; readonly released: number; readonly needed: number }
  | { readonly kind: "fault"; readonly i: number }
  | { readonly kind: "open" }
  | { readonly kind: "bundle" };

/** What waits at this desk, the most pressing first; `toSign`: proposals of the other officer. */
export function queueOf(view: OpeningView, toSign = 0, damaged = 0): readonly QueueItem[] {
  const items: QueueItem[] = [];
  if (damaged > 0) items.push({ kind: "damaged", n: damaged });
  if (toSign > 0) items.push({ kind: "sign", n: toSign });
  if (view.stage === "decryption") {
    for (const bid of view.bids) {
      const times = openTries(view, bid);
      const last = view.staffAttempts.filter((attempt) => attempt.no === bid.no).at(-1);
      if (times > 0 && last) items.push({ kind: "tries", no: bid.no, times, code: last.code });
    }
  }
  if (view.stage === "opening" && !view.allOpened) items.push({ kind: "open" });
  if (view.stage === "announced") {
    items.push(view.closing ? { kind: "start" } : { kind: "waiting_checkpoint" });
  }
  const waitsForShares =
    (view.stage === "release" || view.stage === "replies") && view.trusteesLost === null;
  const form = view.manifest?.envelopes.find((one) => one.kind === "form");
  if (waitsForShares && form && view.releases.length < form.t) {
    items.push({ kind: "trustees", released: view.releases.length, needed: form.t });
  }
  for (const i of new Set(view.faults.map((fault) => fault.i))) items.push({ kind: "fault", i });
  const left = undecidedNumbers(view);
  if (left.length > 0) items.push({ kind: "locked", numbers: left });
  if (view.stage === "closed") items.push({ kind: "bundle" });
  return items;
}

/** Bids that did not open and whose ground is open; before the read-out, those that are locked. */
function undecidedNumbers(view: OpeningView): readonly number[] {
  const isFrozen = Object.keys(view.acts.suggestions).length > 0;
  const numbers = isFrozen ? openGrounds(view.acts).map((one) => one.no) : [...view.locked];
  return view.stage === "closed" && !isFrozen ? [] : numbers.sort((a, b) => a - b);
}

/** Sessions of the manifest that have not begun. */
export function nextSession(view: OpeningView): number | null {
  const sessions = view.manifest?.sessions ?? [];
  const at = sessions.findIndex((one) => one.session === view.window?.session);
  return sessions[at + 1]?.session ?? null;
}
