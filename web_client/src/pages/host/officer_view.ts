/**
 * What an officer's part of the desk is shown, and what it can do (会签): propose, sign, decline.
 *
 * Invariant: pure. Words for what is asked stand here once, for whoever proposes and whoever signs.
 */
import { maybeText, t } from "../../i18n.ts";
import {
  type ActsView,
  type DeadlineProposal,
  damagedBids,
  openGrounds,
  type Proposal,
  type Suggestion,
  standingGround,
} from "../../opening/acts.ts";
import type { Bid, OpeningView } from "../../opening/view.ts";
import type { TenderView } from "../../tender/view.ts";
import { clockTime, dayTime } from "../../time.ts";
import type { Trouble } from "../../ui/refusal.tsx";

export type OfficerRole = "host" | "supervisor";

export interface OfficerView {
  /** null for everybody who is no officer. */
  readonly role: OfficerRole | null;
  readonly hasKey: boolean;
  /** The act under way, by name; "" when none is. */
  readonly busy: string;
  readonly trouble: Trouble | null;
  /** act -> "" when this device found the proposal to be what it says, else the refusal's code. */
  readonly checked: Readonly<Record<string, string>>;
}

export interface OfficerActs {
  loadKey(file: File): void;
  proposeGround(suggestion: Suggestion, ground: string, reason: string): void;
  /** Each as the system suggests it, with the system's words as the reason. */
  proposeAll(suggestions: readonly Suggestion[]): void;
  proposeLoss(reason: string): void;
  proposeDeadline(deadlineMs: number, reason: string): void;
  countersign(proposal: Proposal): void;
  countersignAll(proposals: readonly Proposal[]): void;
  decline(proposal: Proposal, reason: string): void;
  repair(bidId: string, file: File): void;
  evidence(suggestion: Suggestion): void;
  dismiss(): void;
}

export const LAWFUL: Readonly<Record<string, readonly string[]>> = {
  locked: ["revoked", "excused"],
  unrecoverable: ["excused"],
  damaged: ["excused"],
  malformed: ["malformed"],
};

export function groundWord(ground: string): string {
  return maybeText(`ground.${ground}`) ?? ground;
}

/** Proposals that still can become acts, the supervisor's and the host's alike. */
export function standing(view: OpeningView, tender: TenderView): readonly Proposal[] {
  const found: Proposal[] = [];
  const deadline = openDeadline(tender, view);
  if (deadline !== null) found.push(deadline);
  const { loss } = view.acts;
  if (loss !== null && view.stage === "release" && isOfThisWindow(view, loss.nonce)) {
    found.push(loss);
  }
  for (const suggestion of openGrounds(view.acts)) {
    const proposal = standingGround(view.acts, suggestion.bidId);
    if (proposal !== null) found.push(proposal);
  }
  return found;
}

/** One that names another deadline than today's is stale. */
function openDeadline(tender: TenderView, view: OpeningView): DeadlineProposal | null {
  const proposal = tender.deadlineProposal;
  const isBefore = view.stage === "scheduled" || view.stage === "sign_in";
  return proposal !== null && isBefore && proposal.oldMs === tender.deadlineMs ? proposal : null;
}

function isOfThisWindow(view: OpeningView, nonce: string): boolean {
  return Object.values(view.window?.nonces ?? {}).includes(nonce);
}

/** Those that wait for this officer's signature. */
export function waitingFor(
  role: OfficerRole | null,
  view: OpeningView,
  tender: TenderView,
): readonly Proposal[] {
  return role === null ? [] : standing(view, tender).filter((one) => one.by !== role);
}

export function bidOf(view: OpeningView, bidId: string): Bid | undefined {
  return view.bids.find((bid) => Object.values(bid.envelopes).includes(bidId));
}

export function bidName(view: OpeningView, no: number): string {
  const name = view.bids.find((bid) => bid.no === no)?.name;
  return t("readout.no_name", { no, name: name || t("hall.masked") });
}

/** What is asked, in one sentence. */
export function askedText(view: OpeningView, proposal: Proposal): string {
  switch (proposal.kind) {
    case "deadline":
      return t("act.deadline_asked", {
        old: dayTime(proposal.oldMs),
        now: dayTime(proposal.deadlineMs),
      });
    case "loss":
      return t("act.loss_asked");
    case "ground":
      return t("act.ground_asked", {
        bid: bidName(view, proposal.no),
        ground: groundWord(proposal.ground),
      });
  }
}

/** What follows from signing it. */
export function followsText(proposal: Proposal): string {
  if (proposal.kind === "ground") {
    return maybeText(`follows.${proposal.ground}`) ?? t("act.final");
  }
  return t(proposal.kind === "loss" ? "act.loss_follows" : "act.deadline_follows");
}

/** Why the system suggests what it suggests: the very words that may be signed as the reason. */
export function whyText(suggestion: Suggestion): string {
  const { why, tries, lastMs, lostMs } = suggestion;
  const args = { tries, time: clockTime(lastMs), seconds: Math.max(1, Math.round(lostMs / 1000)) };
  return maybeText(`why.${why}`, args) ?? why;
}

/** Bids whose stored bytes can still be mended. */
export function toRepair(view: OpeningView, tender: TenderView): readonly string[] {
  const isOpen = ["announced", "decryption", "release", "replies"].includes(view.stage);
  return isOpen ? damagedBids(view.acts, tender.damaged) : [];
}

export function undecided(acts: ActsView): number {
  return openGrounds(acts).length;
}
