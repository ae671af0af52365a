/**
 * What the page of an unlock card knows (解锁卡页): values only.
 *
 * Invariant: nobody is logged in here; what is shown comes from the card, the public hall, and the
 * server's signed answer.
 */
import type { DeskActs, DeskView } from "../bid/desk_view.ts";

/** One envelope that this page has unlocked; `receivedMs` null: it had been unlocked before. */
export interface GivenCard {
  readonly no: number;
  readonly envelope: number;
  readonly name: string;
  readonly receivedMs: number | null;
}

export interface CardView extends Pick<DeskView, "cardText" | "unlock" | "unlockReceipt"> {
  readonly given: readonly GivenCard[];
  /** Names of the bid's other envelopes of this session, whose cards were not given here. */
  readonly missing: readonly string[];
}

export type CardActs = Pick<
  DeskActs,
  "typeCard" | "unlockByCard" | "readCardPhoto" | "download" | "dismiss"
>;

export function emptyCard(): CardView {
  return { cardText: "", unlock: { kind: "idle" }, unlockReceipt: null, given: [], missing: [] };
}
