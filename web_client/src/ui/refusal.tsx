/**
 * A refusal in words (拒绝): what happened, whether the bid is safe, what to do now.
 *
 * Invariant: every code of the server has a text; the code itself appears only in folded evidence.
 * A text is three sentences divided by "|": what happened | is the bid safe | what to do now.
 */
import { maybeText, t } from "../i18n.ts";
import { Refused } from "../net/commands.ts";
import { Unreachable } from "../net/http.ts";
import { proofTime } from "../time.ts";
import { Alarm, Fold } from "./words.tsx";

/** A bracket whose figure the server did not send says nothing, and goes. */
const UNFILLED = /\s?[（(][^（()）]*\{\w+\}[^（()）]*[)）]/g;

export interface RefusalWords {
  readonly title: string;
  readonly safe: string;
  readonly todo: string;
}

/** The words of a code; one without a text of its own falls back on its noun, then on the general. */
export function refusalText(code: string, detail: Readonly<Record<string, unknown>> = {}) {
  const args: Record<string, string | number> = {};
  for (const [name, value] of Object.entries(detail)) {
    if (typeof value === "number" && name.endsWith("_ms")) args[name] = proofTime(value);
    else if (typeof value === "number" || typeof value === "string") args[name] = value;
  }
  const noun = code.split(".")[0] ?? "";
  const text =
    maybeText(`refusal.${code}`, args) ??
    maybeText(`refusal.${noun}.other`, args) ??
    t("refusal.other");
  const said = text.replace(UNFILLED, "");
  const [title = "", safe = "", todo = ""] = said.split("|").map((part) => part.trim());
  return { title, safe, todo } satisfies RefusalWords;
}

export interface Trouble {
  readonly code: string;
  readonly detail: Readonly<Record<string, unknown>>;
  readonly atMs: number;
}

/** What went wrong, from whatever was thrown. */
export function troubleOf(error: unknown, atMs: number): Trouble {
  if (error instanceof Refused) return { code: error.code, detail: error.detail, atMs };
  if (error instanceof Unreachable) return { code: "net.unreachable", detail: {}, atMs };
  const code = (error as { code?: unknown } | null)?.code;
  if (typeof code === "string" && code.includes(".")) return { code, detail: {}, atMs };
  console.error(error);
  return { code: "page.trouble", detail: { why: String(error) }, atMs };
}

/** A failed try in words for staff; `refusalText` speaks to the bidder whose bid it is. */
export function tryWord(code: string): string {
  if (code === "unlock.window_closed") return t("host.too_late");
  const isKey = code === "unlock.key_mismatch" || code.startsWith("seed.");
  return isKey ? t("host.key_wrong") : refusalText(code).title;
}

export function TroubleBox({ trouble }: { readonly trouble: Trouble }) {
  const words = refusalText(trouble.code, trouble.detail);
  return (
    <Alarm title={words.title}>
      {words.safe && (
        <p>
          <b>{words.safe}</b>
        </p>
      )}
      {words.todo && <p>{words.todo}</p>}
      <Evidence trouble={trouble} />
    </Alarm>
  );
}

export function Evidence({ trouble }: { readonly trouble: Trouble }) {
  return (
    <Fold title={t("evidence.title")}>
      <p class="code small">
        {proofTime(trouble.atMs)} {trouble.code}
      </p>
      {Object.entries(trouble.detail).map(([name, value]) => (
        <p key={name} class="code small">
          {name} {String(value)}
        </p>
      ))}
    </Fold>
  );
}
