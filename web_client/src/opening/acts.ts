/**
 * Acts of two officers (会签) as their desks know them: suggested, proposed, decided; and damage.
 *
 * Invariant: pure data folded from the staff's channel. A proposal keeps exactly what was signed, so
 * that the other officer's device makes the signed bytes anew from what it shows (`officer.ts`).
 */
import { hex } from "../crypto/bytes.ts";
import type {
  ActDeclined,
  DeadlineProposed,
  GroundDecided,
  GroundProposed,
  GroundsSuggested,
  TrusteesLostProposed,
} from "../messages.ts";

interface Proposed {
  /** SHA-256 of the signed bytes: the proposal's name. */
  readonly act: string;
  readonly by: string;
  readonly name: string;
  readonly reason: string;
  readonly pk: string;
  readonly sig: string;
  readonly atMs: number;
}

export interface GroundProposal extends Proposed {
  readonly kind: "ground";
  readonly no: number;
  readonly bidId: string;
  readonly suggested: string;
  readonly ground: string;
}

export interface LossProposal extends Proposed {
  readonly kind: "loss";
  readonly nonce: string;
}

export interface DeadlineProposal extends Proposed {
  readonly kind: "deadline";
  readonly oldMs: number;
  readonly deadlineMs: number;
}

export type Proposal = GroundProposal | LossProposal | DeadlineProposal;

/** What the evidence says about a form that did not open. */
export interface Suggestion {
  readonly no: number;
  readonly bidId: string;
  readonly state: string;
  readonly ground: string;
  readonly why: string;
  readonly tries: number;
  readonly lastCode: string;
  readonly lastMs: number;
  readonly lostMs: number;
}

export interface Decision {
  readonly no: number;
  readonly ground: string;
  readonly reason: string;
  readonly atMs: number;
}

export interface Declined {
  readonly act: string;
  readonly by: string;
  readonly name: string;
  readonly reason: string;
  readonly atMs: number;
}

export interface ActsView {
  /** By bid_id. */
  readonly suggestions: Readonly<Record<string, Suggestion>>;
  readonly grounds: Readonly<Record<string, GroundProposal>>;
  readonly decisions: Readonly<Record<string, Decision>>;
  readonly loss: LossProposal | null;
  /** The newest no. */
  readonly declined: Declined | null;
  /** bid_id -> when its damage was found, and when it was mended: two channels tell. */
  readonly damagedMs: Readonly<Record<string, number>>;
  readonly repairedMs: Readonly<Record<string, number>>;
}

export const NO_ACTS: ActsView = {
  suggestions: {},
  grounds: {},
  decisions: {},
  loss: null,
  declined: null,
  damagedMs: {},
  repairedMs: {},
};

export function withSuggestions(acts: ActsView, body: GroundsSuggested): ActsView {
  const told = body.bids.map((bid): Suggestion => {
    return {
      no: bid.no,
      bidId: hex(bid.bid_id),
      state: bid.state,
      ground: bid.ground,
      why: bid.why,
      tries: bid.tries,
      lastCode: bid.last_code,
      lastMs: bid.last_ms,
      lostMs: bid.lost_ms,
    };
  });
  const named = Object.fromEntries(told.map((one) => [one.bidId, one]));
  return { ...acts, suggestions: { ...acts.suggestions, ...named } };
}

export function withGroundProposal(acts: ActsView, body: GroundProposed, atMs: number): ActsView {
  const bidId = hex(body.bid_id);
  const proposal: GroundProposal = {
    kind: "ground",
    ...proposed(body, atMs),
    no: body.no,
    bidId,
    suggested: body.suggested,
    ground: body.ground,
  };
  return { ...acts, grounds: { ...acts.grounds, [bidId]: proposal } };
}

export function withLossProposal(
  acts: ActsView,
  body: TrusteesLostProposed,
  atMs: number,
): ActsView {
  return { ...acts, loss: { kind: "loss", ...proposed(body, atMs), nonce: hex(body.nonce) } };
}

export function withDeclined(acts: ActsView, body: ActDeclined, atMs: number): ActsView {
  const act = hex(body.act);
  const left = Object.entries(acts.grounds).filter(([, proposal]) => proposal.act !== act);
  return {
    ...acts,
    grounds: Object.fromEntries(left),
    loss: acts.loss?.act === act ? null : acts.loss,
    declined: { act, by: body.by, name: body.name, reason: body.reason, atMs },
  };
}

export function withDecision(acts: ActsView, body: GroundDecided, atMs: number): ActsView {
  const bidId = hex(body.bid_id);
  const { no, ground, reason } = body;
  return {
    ...acts,
    decisions: { ...acts.decisions, [bidId]: { no, ground, reason, atMs } },
  };
}

export function withDamage(acts: ActsView, ids: readonly string[], atMs: number): ActsView {
  const found = Object.fromEntries(ids.map((id) => [id, atMs]));
  return { ...acts, damagedMs: { ...acts.damagedMs, ...found } };
}

export function withRepair(acts: ActsView, bidId: string, atMs: number): ActsView {
  return { ...acts, repairedMs: { ...acts.repairedMs, [bidId]: atMs } };
}

/** bid_ids whose stored bytes wait to be mended; `checked`: those of the check after the deadline. */
export function damagedBids(acts: ActsView, checked: readonly string[]): readonly string[] {
  const repaired = (id: string) => acts.repairedMs[id] ?? -1;
  const found = Object.keys(acts.damagedMs).filter(
    (id) => repaired(id) < (acts.damagedMs[id] ?? 0),
  );
  const early = checked.filter((id) => !(id in acts.damagedMs) && repaired(id) < 0);
  return [...found, ...early];
}

/** The proposal that stands for a bid; none once it is decided. */
export function standingGround(acts: ActsView, bidId: string): GroundProposal | null {
  return bidId in acts.decisions ? null : (acts.grounds[bidId] ?? null);
}

/** Bids whose ground is open, by number. */
export function openGrounds(acts: ActsView): readonly Suggestion[] {
  return Object.values(acts.suggestions)
    .filter((one) => !(one.bidId in acts.decisions))
    .sort((a, b) => a.no - b.no);
}

export function deadlineProposal(body: DeadlineProposed, atMs: number): DeadlineProposal {
  return {
    kind: "deadline",
    ...proposed(body, atMs),
    oldMs: body.old_ms,
    deadlineMs: body.deadline_ms,
  };
}

function proposed(
  body: GroundProposed | TrusteesLostProposed | DeadlineProposed,
  atMs: number,
): Proposed {
  return {
    act: hex(body.act),
    by: body.by,
    name: body.name,
    reason: body.reason,
    pk: hex(body.pk),
    sig: hex(body.sig),
    atMs,
  };
}
