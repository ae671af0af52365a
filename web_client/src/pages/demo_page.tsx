/**
 * The demo's cast (演示): one link for every role, each opening its own tab.
 *
 * Invariant: the secret stands in the link's fragment, which no browser sends to a server. Demo
 * keys protect nothing; the page says so.
 */
import type { ComponentChildren } from "preact";
import { maybeText, t } from "../i18n.ts";
import type { DemoPerson, TenderRow } from "../net/lookups.ts";
import { countdown } from "../time.ts";
import { roleWord } from "../ui/top.tsx";
import { Case, Note } from "../ui/words.tsx";
import { BackToBoard, linkFor, whenOf } from "./board_page.tsx";
import { Plain, type Surroundings } from "./frame.tsx";

export interface DemoPageProps {
  readonly around: Surroundings;
  readonly people: readonly DemoPerson[];
  readonly rows: readonly TenderRow[];
  readonly tender: string;
  /** A meeting of evaluation, and who besides its experts takes part in it. */
  readonly meeting?: string | undefined;
  readonly attendants?: readonly string[] | undefined;
}

/** Seeds that a link carries beside the login seed, by the names of `DemoPerson`. */
const MORE_SEEDS = ["xpk_seed", "spk_seed", "sign_seed", "box_seed", "officer_seed"] as const;

/** A supervisor sees every venue at once (监督墙). */
function meetingPath(role: string, id: string): string {
  return role === "supervisor" ? `/wall/${id}` : `/evaluation/${id}`;
}

export function demoLink(
  person: DemoPerson,
  tender: string,
  path = linkFor(person.role, tender),
): string {
  const fragment = new URLSearchParams({ seed: person.seed });
  for (const name of MORE_SEEDS) {
    const seed = person[name];
    if (seed !== undefined) fragment.set(name, seed);
  }
  return `${path}#${fragment}`;
}

/** The order in which an opening needs them; who only watches comes last. */
const STEPS = [
  { title: "demo.step_bidder", roles: ["bidder"] },
  { title: "demo.step_host", roles: ["host"] },
  { title: "demo.step_trustee", roles: ["trustee"] },
  { title: "demo.step_watch", roles: ["supervisor", "purchaser", "witness"] },
] as const;

export function DemoPage(props: DemoPageProps) {
  const { around, people, rows, tender, meeting, attendants = [] } = props;
  const row = rows.find((one) => one.id === tender) ?? rows[0];
  const id = row?.id ?? tender;
  const leftMs = row ? row.deadline_ms - around.nowMs : 0;
  // Who comes too late to seal a bid, or wants more time, has another tender to do it in: the one
  // that leaves most of it.
  const [later] = rows
    .filter((one) => one.id !== id && whenOf(one, around.nowMs) === "later")
    .sort((a, b) => b.deadline_ms - a.deadline_ms);
  const first = people.find((one) => one.role === "bidder");
  return (
    <Plain around={around} title={t("demo.title")} isNarrow={false}>
      <Case title={t("demo.title")} level={1}>
        <p class="lead">{t("demo.lead")}</p>
        {row && (
          <p>
            <b>{row.title}</b> {row.number}{" "}
            <b class={leftMs > 0 ? "whole" : undefined}>
              {leftMs > 0 ? t("demo.left", { left: countdown(leftMs) }) : t("demo.passed")}
            </b>
          </p>
        )}
        <Note tone="info">{t("demo.note")}</Note>
      </Case>
      {STEPS.map(({ title, roles }) => (
        <Case key={title} title={t(title)}>
          <div class="people">
            {people
              .filter((one) => (roles as readonly string[]).includes(one.role))
              .map((person) => (
                <PersonLink
                  key={person.person}
                  person={person}
                  href={demoLink(person, id)}
                  words={maybeText(`demo.note.${person.note}`)}
                />
              ))}
            {title === "demo.step_watch" && (
              <NewTab href={`/hall/${id}`}>
                <b>{t("demo.public")}</b>
                <p class="small">{t("demo.public_link")}</p>
              </NewTab>
            )}
          </div>
          {title === "demo.step_bidder" && later && first && (
            <p>
              <a href={demoLink(first, later.id)} target="_blank" rel="noopener noreferrer">
                {t("demo.later", { title: later.title })}
              </a>
            </p>
          )}
        </Case>
      ))}
      {meeting && (
        <Case title={t("demo.step_meeting")}>
          <p>{t("demo.meeting")}</p>
          <div class="people">
            {people
              .filter((one) => one.role === "expert" || attendants.includes(one.person))
              .map((person) => (
                <PersonLink
                  key={person.person}
                  person={person}
                  href={demoLink(person, id, meetingPath(person.role, meeting))}
                  words={meetingWords(person)}
                />
              ))}
          </div>
        </Case>
      )}
      <BackToBoard />
    </Plain>
  );
}

/** What somebody does in the meeting, or where he sits; of the opening his card says other things. */
function meetingWords({ role, venue, seat }: DemoPerson): string | null {
  if (venue === undefined || seat === undefined) return maybeText(`demo.meeting_note.${role}`);
  return t("demo.seat", { venue, seat: seat.toUpperCase() });
}

function PersonLink({
  person,
  href,
  words,
}: {
  readonly person: DemoPerson;
  readonly href: string;
  /** What he does there; null where that needs no words. */
  readonly words: string | null;
}) {
  return (
    <NewTab href={href}>
      <span class="small soft">{roleWord(person.role)}</span>
      <br />
      <b>{person.org_name || person.name}</b>{" "}
      {person.name !== person.org_name && <span class="small soft whole">{person.name}</span>}
      {words !== null && <p class="small">{words}</p>}
    </NewTab>
  );
}

function NewTab({
  href,
  children,
}: {
  readonly href: string;
  readonly children: ComponentChildren;
}) {
  return (
    <a href={href} target="_blank" rel="noopener noreferrer">
      {children}
    </a>
  );
}
