/**
 * Acts on sound and picture in words (发言席): who was put on stage, silenced, held, called.
 *
 * Pure; openings and evaluations share these events. Invariant: a person whose name is not known is
 * named by what is known, never left out of a sentence.
 */
import { maybeText, type TextKey, t } from "../i18n.ts";

export interface FloorEvent {
  readonly type: string;
  readonly serverMs: number;
  readonly body: unknown;
}

const PERSON_ACTS: ReadonlySet<string> = new Set([
  "put_on_stage",
  "taken_off_stage",
  "held",
  "released_from_hold",
  "muted",
  "unmuted",
]);
const PLAIN: ReadonlySet<string> = new Set(["recording_began", "call_ended"]);

type Body = Readonly<Record<string, unknown>>;

const text = (value: unknown): string => (typeof value === "string" ? value : "");

export function labelWord(label: string): string {
  return maybeText(`floor.label.${label}`) ?? label;
}

function scope(body: Body, nameOf: (id: string) => string): string {
  const to = (typeof body["to"] === "object" && body["to"] !== null ? body["to"] : body) as Body;
  const kind = text(to["kind"]);
  const id = text(to["id"]);
  if (kind === "all") return t("wall.scope_all");
  return nameOf(id) || id;
}

/** The sentence of such an event, or null where nobody needs one. */
export function floorLine(
  event: FloorEvent,
  nameOf: (person: string) => string,
): (() => string) | null {
  const body = (typeof event.body === "object" && event.body !== null ? event.body : {}) as Body;
  const person = () => nameOf(text(body["person"])) || text(body["person"]);
  const { type } = event;
  if (PERSON_ACTS.has(type)) {
    return () => {
      const label = labelWord(text(body["label"]));
      return t(`floor.${type}` as TextKey, { name: person(), label });
    };
  }
  if (PLAIN.has(type)) return () => t(`floor.${type}` as TextKey);
  if (type === "call_began") {
    return () => t("floor.call_began", { name: person(), to: scope(body, nameOf) });
  }
  if (type === "recording_reported") {
    const what = text(body["what"]);
    return () => t("floor.recording_reported", { what: lostWord(what) });
  }
  return null;
}

/** Why something is not in the recording. */
export function lostWord(what: string): string {
  return maybeText(`lost.${what}`) ?? t("lost.other", { what });
}
