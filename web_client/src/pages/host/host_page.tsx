/**
 * The host's console (主持台); supervisor, purchaser and witness see it too, without its acts.
 *
 * Left the rooms with what they wait for, in the middle the room, right what waits for the host and
 * then what the audience hears.
 */
import { useState } from "preact/hooks";
import { t } from "../../i18n.ts";
import type { TenderRow } from "../../net/lookups.ts";
import { boardOf } from "../../opening/board.ts";
import { stepsOf } from "../../opening/steps.ts";
import type { OpeningView } from "../../opening/view.ts";
import type { TenderView } from "../../tender/view.ts";
import { countdown } from "../../time.ts";
import { Announcer, Broadcast } from "../../ui/broadcast.tsx";
import { Glyph } from "../../ui/glyph.tsx";
import { TroubleBox, tryWord } from "../../ui/refusal.tsx";
import { Here, Strip } from "../../ui/steps.tsx";
import { Top } from "../../ui/top.tsx";
import { Button, Status } from "../../ui/words.tsx";
import { stageWord, whenOf } from "../board_page.tsx";
import { type Surroundings, trustOf, useTitle } from "../frame.tsx";
import { presentText } from "../hall_page.tsx";
import { ControlForm, DeskBoard, type OpenForm } from "./controls.tsx";
import { GroundsPane } from "./grounds_pane.tsx";
import { type HostActs, type HostView, type QueueItem, queueOf } from "./host_view.ts";
import { OfficerForms } from "./officer_forms.tsx";
import { type OfficerActs, type OfficerView, toRepair, waitingFor } from "./officer_view.ts";
import { SigningPane } from "./signing.tsx";
import { StagePane } from "./stage_pane.tsx";

export interface HostPageProps {
  readonly view: OpeningView;
  readonly host: HostView;
  readonly acts: HostActs;
  readonly tender: TenderView;
  readonly officer: OfficerView;
  readonly officerActs: OfficerActs;
  readonly around: Surroundings;
}

export function HostPage(props: HostPageProps) {
  const { view, host, acts, around, tender, officer } = props;
  const [form, setForm] = useState<OpenForm>("none");
  const model = boardOf(view, around.nowMs, around.link, true);
  const steps = stepsOf(view, around.nowMs);
  useTitle(t("page.title", { title: `${model.title} ${view.manifest?.number ?? ""}` }));
  const { me, site, helpPhone, isDemo, onLeave, nowMs } = around;
  const shared = { view, host, acts, nowMs };
  const toSign = waitingFor(officer.role, view, tender).length;
  const isBefore = view.stage === "scheduled" || view.stage === "sign_in";
  return (
    <>
      <Top me={me} site={site} helpPhone={helpPhone} isDemo={isDemo} onLeave={onLeave} isWide />
      <main id="main" class="desk">
        <div class="rooms-column">
          <Rooms view={view} host={host} nowMs={nowMs} />
        </div>
        <div>
          <DeskBoard
            view={view}
            host={host}
            acts={acts}
            model={model}
            trust={trustOf(view, around)}
            form={form}
            onForm={setForm}
          />
          <Here steps={steps} />
          <Strip steps={steps} />
          {!host.mayAct && (
            <p class="hint">
              {t(officer.role === "supervisor" ? "host.supervising" : "host.watching")}
            </p>
          )}
          {host.trouble && (
            <div>
              <TroubleBox trouble={host.trouble} />
              <Button onPress={acts.dismiss}>{t("page.understood")}</Button>
            </div>
          )}
          {host.said !== null && (
            <p class="status go" role="status">
              <Glyph name="tick" />
              {host.said}
            </p>
          )}
          {officer.trouble && (
            <div>
              <TroubleBox trouble={officer.trouble} />
              <Button onPress={props.officerActs.dismiss}>{t("page.understood")}</Button>
            </div>
          )}
          <ControlForm {...shared} form={form} onForm={setForm} />
          <SigningPane {...props} />
          <OfficerForms {...props} />
          {officer.role === "supervisor" && <GroundsPane {...props} />}
          {!(isBefore && toSign > 0) && <StagePane {...shared} />}
          {officer.role !== "supervisor" && <GroundsPane {...props} />}
          <Incidents view={view} />
        </div>
        <aside>
          <Queue
            view={view}
            toSign={toSign}
            damaged={toRepair(view, tender).length}
            mayAct={host.mayAct}
          />
          {around.live}
          <section class="pane">
            <h2>
              {t("host.audience")}
              {typeof around.counts?.["viewers"] === "number" && (
                <span class="counts">{presentText(around.counts["viewers"])}</span>
              )}
            </h2>
            <Broadcast lines={view.announcements} />
          </section>
        </aside>
      </main>
      <Announcer lines={view.announcements} board={model} isLost={around.link === "lost"} />
    </>
  );
}

function Rooms({
  view,
  host,
  nowMs,
}: {
  readonly view: OpeningView;
  readonly host: HostView;
  readonly nowMs: number;
}) {
  const rooms = host.rooms
    .map((row) => (row.id === view.id ? asHeard(row, view, nowMs) : row))
    .filter((row) => row.id === view.id || whenOf(row, nowMs) !== "ended");
  return (
    <nav class="pane rooms" aria-label={t("host.rooms", { n: rooms.length })}>
      <h2>{t("host.rooms", { n: rooms.length })}</h2>
      <ul>
        {rooms.map((row) => (
          <li key={row.id}>
            <a href={`/host/${row.id}`} aria-current={row.id === view.id ? "page" : undefined}>
              <b>{row.title}</b>
              <span>
                {row.stage === "decryption" ? t("stage.decryption") : stageWord(row, nowMs)}
              </span>
              {row.stage === "decryption" && row.session_end_ms !== null && (
                <span class="room-clock">{countdown(row.session_end_ms - nowMs)}</span>
              )}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}

/** The row of the room that this page hears: the list may have been fetched before it changed. */
function asHeard(row: TenderRow, { stage, window }: OpeningView, nowMs: number): TenderRow {
  if (window === null || window.ended) return { ...row, stage, session_end_ms: null };
  const endMs = window.remainingMs === null ? window.endMs : nowMs + window.remainingMs;
  return { ...row, stage, session_end_ms: endMs };
}

function Queue({
  view,
  toSign,
  damaged,
  mayAct,
}: {
  readonly view: OpeningView;
  readonly toSign: number;
  readonly damaged: number;
  readonly mayAct: boolean;
}) {
  const items = queueOf(view, toSign, damaged);
  // Who does not host is asked for signatures alone; the rest is only how far the host is.
  const own = items.filter((item) => mayAct || item.kind === "sign" || item.kind === "bundle");
  const hosts = items.filter((item) => !own.includes(item));
  return (
    <section class="pane" aria-labelledby="queue-title">
      <h2 id="queue-title">
        {t("queue.title")}
        <b>{own.length}</b>
      </h2>
      {own.length === 0 ? <p class="small soft">{t("queue.empty")}</p> : <QueueLines items={own} />}
      {hosts.length > 0 && (
        <>
          <h3>{t("queue.of_host")}</h3>
          <QueueLines items={hosts} />
        </>
      )}
    </section>
  );
}

function QueueLines({ items }: { readonly items: readonly QueueItem[] }) {
  return (
    <ul class="queue">
      {items.map((item) => (
        <li key={JSON.stringify(item)}>
          <QueueLine item={item} />
        </li>
      ))}
    </ul>
  );
}

function QueueLine({ item }: { readonly item: QueueItem }) {
  switch (item.kind) {
    case "start":
      return (
        <Status tone="wait" glyph="play">
          {t("queue.start")}
        </Status>
      );
    case "waiting_checkpoint":
      return (
        <Status tone="soft" glyph="clock">
          {t("queue.waiting_checkpoint")}
        </Status>
      );
    case "tries":
      return (
        <>
          <Status tone="stop" glyph="fail">
            {t("queue.tries", { no: item.no, n: item.times })}
          </Status>
          <p>{tryWord(item.code)}</p>
        </>
      );
    case "locked":
      return (
        <>
          <Status tone="stop" glyph="fail">
            {t("queue.locked", { n: item.numbers.length })}
          </Status>
          <p>{t("host.numbers", { numbers: item.numbers.join(t("list.comma")) })}</p>
        </>
      );
    case "trustees":
      return (
        <Status tone="wait" glyph="key">
          {t("queue.trustees", { released: item.released, needed: item.needed })}
        </Status>
      );
    case "sign":
      return (
        <Status tone="wait" glyph="key">
          {t("queue.sign", { n: item.n })}
        </Status>
      );
    case "damaged":
      return (
        <Status tone="stop" glyph="warn">
          {t("queue.damaged", { n: item.n })}
        </Status>
      );
    case "fault":
      return (
        <Status tone="stop" glyph="warn">
          {t("queue.fault", { i: item.i })}
        </Status>
      );
    case "open":
      return (
        <Status tone="wait" glyph="open">
          {t("queue.open")}
        </Status>
      );
    case "bundle":
      return (
        <Status tone="go" glyph="down">
          {t("queue.bundle")}
        </Status>
      );
  }
}

/** Always visible, its empty state included. */
function Incidents({ view }: { readonly view: OpeningView }) {
  const outages = view.announcements.filter((line) => line.kind === "window_outage").length;
  const faults = new Set(view.faults.map((fault) => fault.i)).size;
  const isOpen = outages + faults > 0;
  return (
    <p class={isOpen ? "incident open" : "incident"}>
      <Glyph name={isOpen ? "warn" : "tick"} />
      {isOpen ? t("host.incidents", { outages, faults }) : t("host.no_incidents")}
    </p>
  );
}
