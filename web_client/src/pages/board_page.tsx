/**
 * The departure board (今日开标): every opening of the site, for anybody, without a login.
 *
 * Invariant: no count of bids before a deadline; running openings on the black board, the rest on
 * paper.
 */
import { useState } from "preact/hooks";
import { t } from "../i18n.ts";
import type { Stage } from "../messages.ts";
import type { TenderRow } from "../net/lookups.ts";
import { clockTime, countdown, day, shortTime, weekday } from "../time.ts";
import { Glyph } from "../ui/glyph.tsx";
import { Top } from "../ui/top.tsx";
import { Button, Case, Status } from "../ui/words.tsx";
import { type Surroundings, useTitle } from "./frame.tsx";

export type When = "running" | "later" | "ended";

const ENDED: ReadonlySet<Stage> = new Set(["closed", "failed"]);

export function whenOf(row: TenderRow, nowMs: number): When {
  if (ENDED.has(row.stage)) return "ended";
  return nowMs >= row.deadline_ms || row.stage === "decryption" ? "running" : "later";
}

/** The page of a tender that suits the role of the one who looks. */
export function linkFor(role: string | undefined, id: string): string {
  if (role === "bidder") return `/bid/${id}`;
  if (role === "trustee") return `/trustee/${id}`;
  if (role && ["host", "supervisor", "purchaser", "witness"].includes(role)) return `/host/${id}`;
  return `/hall/${id}`;
}

export function stageWord(row: TenderRow, nowMs: number): string {
  if (row.stage === "decryption" && row.session_end_ms !== null) {
    return t("listing.decryption", { left: countdown(row.session_end_ms - nowMs) });
  }
  if (whenOf(row, nowMs) === "later") {
    const isToday = day(row.deadline_ms) === day(nowMs);
    return t(isToday ? "listing.starts" : "listing.starts_day", {
      day: day(row.deadline_ms),
      time: shortTime(row.deadline_ms),
    });
  }
  return t(`listing.${row.stage}`);
}

export interface BoardPageProps {
  readonly around: Surroundings;
  readonly rows: readonly TenderRow[];
  readonly isLoaded: boolean;
}

export function BoardPage({ around, rows, isLoaded }: BoardPageProps) {
  const [sought, setSought] = useState("");
  const { nowMs, me, site, helpPhone, isDemo, onLeave } = around;
  useTitle(t("page.title", { title: t("listing.title") }));
  const found = rows.filter(
    (row) => sought === "" || row.title.includes(sought) || row.number.includes(sought),
  );
  const of = (when: When) =>
    found
      .filter((row) => whenOf(row, nowMs) === when)
      .sort((a, b) => a.deadline_ms - b.deadline_ms || a.number.localeCompare(b.number));
  const running = of("running");
  const later = of("later");
  const ended = of("ended");
  return (
    <>
      <Top me={me} site={site} helpPhone={helpPhone} isDemo={isDemo} onLeave={onLeave} />
      <section class="board list" data-lamp="run" aria-label={t("listing.title")}>
        <div class="board-in">
          <div>
            <p class="tender">
              {t("listing.date", {
                day: day(nowMs),
                weekday: t(`weekday.${weekday(nowMs)}` as "weekday.0"),
              })}
            </p>
            <h1>{t("listing.title")}</h1>
            <p class="until">
              {isLoaded
                ? t("listing.lead", { n: rows.length, running: running.length })
                : t("page.loading")}
            </p>
          </div>
          <div class="small-clock" role="timer" aria-live="off" aria-label={t("listing.beijing")}>
            <span class="clock-label">{t("listing.beijing")}</span>
            {clockTime(nowMs)}
          </div>
        </div>
        {running.length > 0 && (
          <div class="board-table">
            <Listing rows={running} nowMs={nowMs} role={me.role} />
          </div>
        )}
      </section>
      <main id="main" class="page">
        <search class="row find">
          <label for="find">
            <b>{t("listing.find")}</b>
          </label>
          <input
            id="find"
            type="search"
            value={sought}
            placeholder={t("listing.find_hint")}
            onInput={(event) => setSought(event.currentTarget.value.trim())}
          />
          {sought !== "" && (
            <Button onPress={() => setSought("")}>{t("listing.find_clear")}</Button>
          )}
          {!me.person && (
            <p class="small">
              {t("listing.login")} <a href="/login">{t("listing.login_link")}</a>
            </p>
          )}
        </search>
        {isLoaded && running.length + later.length === 0 && (
          <Case title={t("listing.none_title")}>
            <p>{t("listing.none")}</p>
          </Case>
        )}
        {later.length > 0 && (
          <Case title={t("listing.later")}>
            <Listing rows={later} nowMs={nowMs} role={me.role} />
          </Case>
        )}
        {ended.length > 0 && (
          <Case title={t("listing.ended")}>
            <Listing rows={ended} nowMs={nowMs} role={me.role} />
          </Case>
        )}
      </main>
    </>
  );
}

function Listing({
  rows,
  nowMs,
  role,
}: {
  readonly rows: readonly TenderRow[];
  readonly nowMs: number;
  readonly role: string | undefined;
}) {
  return (
    <table class="listing">
      <thead>
        <tr>
          <th scope="col">{t("listing.time")}</th>
          <th scope="col">{t("listing.project")}</th>
          <th scope="col">{t("listing.now")}</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => {
          const when = whenOf(row, nowMs);
          const isToday = day(row.deadline_ms) === day(nowMs);
          return (
            <tr key={row.id}>
              <td>
                <span class="listing-time">{shortTime(row.deadline_ms)}</span>
                {!isToday && <span class="small soft"> {day(row.deadline_ms).slice(5)}</span>}
              </td>
              <td>
                <a href={linkFor(role, row.id)}>{row.title}</a>
                <p class="small soft">
                  {row.number} {when === "later" ? t("listing.count_later") : row.agency}
                </p>
              </td>
              <td>
                {when === "running" ? (
                  <Status tone="wait" glyph="now">
                    {stageWord(row, nowMs)}
                  </Status>
                ) : (
                  <Status
                    tone={when === "ended" && row.stage === "closed" ? "go" : "soft"}
                    glyph={when === "ended" ? (row.stage === "closed" ? "tick" : "gone") : "clock"}
                  >
                    {stageWord(row, nowMs)}
                  </Status>
                )}
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

/** The arrow back to all openings, on pages that are not one. */
export function BackToBoard() {
  return (
    <p class="small">
      <a href="/">
        <Glyph name="clock" /> {t("listing.title")}
      </a>
    </p>
  );
}
