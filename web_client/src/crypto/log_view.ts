/**
 * What a device knows of the log: a checkpoint, and the entries proved to be under it.
 *
 * Invariant: an entry is in a `LogView` only if its proof ends in the root of the one signed
 * checkpoint, and it belongs to this tender. Proofs show presence, never absence: whoever shows the
 * entries may leave some out, so every check asks for what must be there, not for what must not.
 */
import type { Consistency, DeadlineChangeEntry, DeadlineClosedEntry, Proof } from "../formats.ts";
import { hex, unhex } from "./bytes.ts";
import { type Checkpoint, parseCheckpoint } from "./checkpoint.ts";
import { actMessage, ENTRY_TYPE, type LogEntry, membersAs } from "./entries.ts";
import { Rejected } from "./errors.ts";
import { verify } from "./keys.ts";
import type { TenderManifest } from "./manifest.ts";
import { verifyConsistency, verifyProof } from "./receipts.ts";

export interface LogView {
  readonly manifest: TenderManifest;
  readonly checkpoint: Checkpoint;
  readonly entries: readonly LogEntry[];
}

/** A checkpoint by the manifest's log key, with the manifest's quorum (C7, formats.md §1). */
export function actingCheckpoint(manifest: TenderManifest, text: string): Checkpoint {
  const { log, quorum } = manifest.members;
  const checkpoint = parseCheckpoint(text, log.origin, unhex(log.pk));
  // Witness lines are not part of format 1 yet: nobody may act where a tender asks for them.
  if (quorum > 0) throw new Rejected("checkpoint.quorum", String(quorum));
  return checkpoint;
}

/** Codes: those of parseCheckpoint and verifyProof, `checkpoint.quorum`, `log.tender`. */
export function viewLog(
  manifest: TenderManifest,
  checkpointText: string,
  proofs: readonly Proof[],
): LogView {
  const checkpoint = actingCheckpoint(manifest, checkpointText);
  const entries = proofs.map((proof) => verifyProof(proof, checkpoint));
  const ours = hex(manifest.tender_id);
  for (const entry of entries) {
    const of = entry.members["tender_id"];
    if (of !== undefined && of !== ours) throw new Rejected("log.tender");
  }
  return { manifest, checkpoint, entries };
}

/** Refuse unless the log only grew from `old` to this view. */
export function checkGrown(
  view: LogView,
  old: Checkpoint,
  consistency: Consistency | undefined,
): void {
  if (old.size === view.checkpoint.size) {
    verifyConsistency({ from: old.size, to: old.size, path: [] }, old, view.checkpoint);
    return;
  }
  if (consistency === undefined) throw new Rejected("proof.size");
  verifyConsistency(consistency, old, view.checkpoint);
}

/** Members of all entries of one type, in the order shown. */
export function entriesAs<Members>(view: LogView, type: number): Members[] {
  return view.entries
    .filter((entry) => entry.type === type)
    .map((entry) => membersAs<Members>(entry, type));
}

/** The one DEADLINE_CLOSED. Codes: `closing.missing`, `closing.repeated`, `closing.deadline`. */
export function closingOf(view: LogView): DeadlineClosedEntry {
  const found = entriesAs<DeadlineClosedEntry>(view, ENTRY_TYPE.DEADLINE_CLOSED);
  const [closed] = found;
  if (closed === undefined) throw new Rejected("closing.missing");
  if (found.length > 1) throw new Rejected("closing.repeated");
  const isAfter = closed.server_ms >= closed.deadline_ms;
  if (closed.deadline_ms !== deadlineOf(view) || !isAfter) throw new Rejected("closing.deadline");
  return closed;
}

/**
 * The deadline of the manifest, or of the last DEADLINE_CHANGE (C1): each later than the one
 * before, logged before it, signed by host and supervisor. Code: `deadline.change`.
 */
export function deadlineOf(view: LogView): number {
  const { members, tender_id } = view.manifest;
  const changes = view.entries
    .filter((entry) => entry.type === ENTRY_TYPE.DEADLINE_CHANGE)
    .map((entry) => ({ entry, change: membersAs<DeadlineChangeEntry>(entry, entry.type) }))
    .sort((a, b) => a.change.server_ms - b.change.server_ms);
  let deadline = members.deadline_ms;
  for (const { entry, change } of changes) {
    const isLawful =
      change.old_ms === deadline && change.deadline_ms > deadline && change.server_ms < deadline;
    const message = actMessage(ENTRY_TYPE.DEADLINE_CHANGE, tender_id, entry.members);
    const roles = change.sigs
      .filter((each) => verify(unhex(each.pk), message, unhex(each.sig)))
      .map((each) => members.officers.find((officer) => officer.pk === each.pk)?.role);
    const isSigned = roles.includes("host") && roles.includes("supervisor");
    if (!isLawful || !isSigned) throw new Rejected("deadline.change");
    deadline = change.deadline_ms;
  }
  return deadline;
}
