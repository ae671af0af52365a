/**
 * What the host's studio shows of a room (导播台): oneself, the people, what has stopped.
 *
 * Invariant: pure. Who publishes or may be put on stage has a line; who only watches is a number.
 */
import type { OpeningView } from "../opening/view.ts";
import type { Lasting } from "./lasting.ts";
import { nameOf, type Stopped } from "./program.ts";
import type { Quality } from "./quality.ts";
import { LABELS, type Label, type RecordingState, type Told } from "./told.ts";

export interface Sent {
  readonly label: Label;
  readonly state: "on" | "muted" | "stopped";
  /** Switched off by the host, not by its owner. */
  readonly isSilenced: boolean;
}

export interface PersonRow {
  readonly member: string;
  readonly name: string;
  readonly org: string;
  readonly role: string;
  readonly isConnected: boolean;
  readonly sent: readonly Sent[];
  readonly isOnStage: boolean;
  readonly isHeld: boolean;
  readonly isStageable: boolean;
}

export interface StudioView {
  readonly phase: Lasting["phase"];
  /** The connection was tried and did not come up. */
  readonly isLost: boolean;
  readonly own: Readonly<Partial<Record<Label, { readonly isMuted: boolean }>>>;
  readonly quality: Quality;
  readonly people: readonly PersonRow[];
  /** Pages that have the picture now, the public's too; null before anybody may count them. */
  readonly watching: number | null;
  readonly stopped: readonly Stopped[];
  readonly recording: RecordingState;
  readonly mayPublish: boolean;
}

/** From the announcement of bidders to the read-out: before, it would tell who bids. */
const STAGE_OPEN: ReadonlySet<OpeningView["stage"]> = new Set([
  "announced",
  "decryption",
  "release",
  "replies",
  "opening",
  "read_out",
]);

function sentOf(told: Told, member: string): readonly Sent[] {
  const silenced = (label: Label) =>
    told.muted.some(([who, what]) => who === member && what === label);
  return LABELS.flatMap((label) => {
    const track = Object.values(told.tracks).find(
      (one) => one.member === member && one.label === label,
    );
    if (track === undefined) {
      return silenced(label) ? [{ label, state: "muted" as const, isSilenced: true }] : [];
    }
    const state = track.paused ? "muted" : track.flowing ? "on" : "stopped";
    return [{ label, state, isSilenced: silenced(label) }];
  });
}

/** Everybody but ourselves who has a line, those on stage first, then who sends, then bidders. */
export function peopleOf(told: Told, own: string, stage: OpeningView["stage"]): PersonRow[] {
  const ids = new Set([...Object.keys(told.members), ...told.onStage]);
  const rows: PersonRow[] = [];
  for (const id of ids) {
    if (id === own) continue;
    const member = told.members[id];
    const sent = sentOf(told, id);
    const isOnStage = told.onStage.includes(id);
    const role = member?.role ?? "";
    if (!isOnStage && sent.length === 0 && role !== "bidder") continue;
    rows.push({
      member: id,
      name: nameOf(member, id),
      org: member?.org_name ?? "",
      role,
      isConnected: member?.connected === true,
      sent,
      isOnStage,
      isHeld: told.held.includes(id),
      isStageable: role === "bidder" && STAGE_OPEN.has(stage),
    });
  }
  const rank = (row: PersonRow) => (row.isOnStage ? 0 : row.sent.length > 0 ? 1 : 2);
  return rows.sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name, "zh"));
}
