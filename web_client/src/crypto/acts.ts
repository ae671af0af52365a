/**
 * Acts of two officers (会签): the bytes that both sign, made anew from what is shown.
 *
 * Invariant: an officer's device signs only what it composed itself from the words on its page; a
 * proposal whose name or first signature is not of these bytes is refused before it is shown as
 * something to sign (formats.md §5).
 */
import type { Officer } from "../formats.ts";
import { type Bytes, equal, hex, unhex } from "./bytes.ts";
import type { JsonObject } from "./canonical.ts";
import { actMessage, ENTRY_TYPE } from "./entries.ts";
import { Rejected } from "./errors.ts";
import { sha256 } from "./hashes.ts";
import { SigningKey, verify } from "./keys.ts";
import type { TenderManifest } from "./manifest.ts";

/** An act in words: what its log entry will say beside time and signatures. */
export type Act =
  | {
      readonly kind: "ground";
      readonly bidId: string;
      readonly suggested: string;
      readonly ground: string;
      readonly reason: string;
    }
  | { readonly kind: "loss"; readonly nonce: string; readonly reason: string }
  | {
      readonly kind: "deadline";
      readonly oldMs: number;
      readonly deadlineMs: number;
      readonly reason: string;
    };

export interface Half {
  readonly pk: Bytes;
  readonly sig: Bytes;
}

/** A proposal as it came: the act, and who signed it first. */
export type ProposedAct = Act & {
  readonly act: string;
  readonly by: string;
  readonly pk: string;
  readonly sig: string;
};

export function actBytes(tenderId: Uint8Array, act: Act): Bytes {
  return actMessage(entryType(act), tenderId, members(act));
}

function entryType(act: Act): number {
  if (act.kind === "ground") return ENTRY_TYPE.STATE_DECIDED;
  return act.kind === "loss" ? ENTRY_TYPE.TRUSTEES_LOST : ENTRY_TYPE.DEADLINE_CHANGE;
}

function members(act: Act): JsonObject {
  switch (act.kind) {
    case "ground":
      return {
        bid_id: act.bidId,
        ground: act.ground,
        proposed: act.suggested,
        reason: act.reason,
      };
    case "loss":
      return { nonce: act.nonce, reason: act.reason };
    case "deadline":
      return { deadline_ms: act.deadlineMs, old_ms: act.oldMs, reason: act.reason };
  }
}

/** The officer's half. Code: `act.officer` (the key is not that office's in the manifest). */
export function signAct(manifest: TenderManifest, role: string, seed: Uint8Array, act: Act): Half {
  const key = new SigningKey(seed);
  requireOffice(manifest, role, hex(key.public));
  return { pk: key.public, sig: key.sign(actBytes(manifest.tender_id, act)) };
}

/** Codes: `act.stale` (its name is not of these words), `act.officer`, `act.signature`. */
export function checkProposal(manifest: TenderManifest, proposal: ProposedAct): void {
  const message = actBytes(manifest.tender_id, proposal);
  if (!equal(sha256(message), unhex(proposal.act))) throw new Rejected("act.stale");
  requireOffice(manifest, proposal.by, proposal.pk);
  if (!verify(unhex(proposal.pk), message, unhex(proposal.sig))) {
    throw new Rejected("act.signature");
  }
}

function requireOffice(manifest: TenderManifest, role: string, pk: string): void {
  const officers: readonly Officer[] = manifest.members.officers;
  if (!officers.some((one) => one.pk === pk && one.role === role)) {
    throw new Rejected("act.officer");
  }
}
