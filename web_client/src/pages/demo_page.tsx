/**
 * The demo's cast (演示): one link for every role, each opening its own tab.
 *
 * Invariant: the secret stands in the link's fragment, which no browser sends to a server. Demo
 * keys protect nothing; the page says so.
 */
import { t } from "../i18n.ts";
import type { DemoPerson, TenderRow } from "../net/lookups.ts";
import { roleWord } from "../ui/top.tsx";
import { Case, Note } from "../ui/words.tsx";
import { BackToBoard, linkFor } from "./board_page.tsx";
import { Plain, type Surroundings } from "./frame.tsx";

export interface DemoPageProps {
  readonly around: Surroundings;
  readonly people: readonly DemoPerson[];
  readonly rows: readonly TenderRow[];
  readonly tender: string;
}

/** Seeds that a link carries beside the login seed, by the names of `DemoPerson`. */
const MORE_SEEDS = ["xpk_seed", "spk_seed", "sign_seed", "box_seed", "officer_seed"] as const;

export function demoLink(person: DemoPerson, tender: string): string {
  const fragment = new URLSearchParams({ seed: person.seed });
  for (const name of MORE_SEEDS) {
    const seed = person[name];
    if (seed !== undefined) fragment.set(name, seed);
  }
  return `${linkFor(person.role, tender)}#${fragment}`;
}

const ORDER = ["host", "bidder", "trustee", "supervisor", "purchaser", "witness"];

export function DemoPage({ around, people, rows, tender }: DemoPageProps) {
  const row = rows.find((one) => one.id === tender) ?? rows[0];
  const id = row?.id ?? tender;
  return (
    <Plain around={around} title={t("demo.title")} isNarrow={false}>
      <Case title={t("demo.title")} level={1}>
        <p class="lead">{t("demo.lead")}</p>
        {row && (
          <p>
            <b>{row.title}</b> {row.number}
          </p>
        )}
        <Note tone="info">{t("demo.note")}</Note>
      </Case>
      {ORDER.filter((role) => people.some((one) => one.role === role)).map((role) => (
        <Case key={role} title={roleWord(role)}>
          <div class="people">
            {people
              .filter((one) => one.role === role)
              .map((person) => (
                <a
                  key={person.person}
                  href={demoLink(person, id)}
                  target="_blank"
                  rel="noopener noreferrer"
                >
                  <b>{person.org_name || person.name}</b>
                  <br />
                  {person.name !== person.org_name && <span class="small soft">{person.name}</span>}
                  {person.note && <p class="small">{person.note}</p>}
                </a>
              ))}
          </div>
        </Case>
      ))}
      <Case title={t("demo.public")}>
        <p>
          <a href={`/hall/${id}`} target="_blank" rel="noopener noreferrer">
            {t("demo.public_link")}
          </a>
        </p>
      </Case>
      <BackToBoard />
    </Plain>
  );
}
