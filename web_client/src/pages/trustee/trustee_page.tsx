/**
 * The trustee's page (交出份额), for a phone first: what the device has checked, then one act.
 *
 * Invariant: the last four characters are typed from the hall's screen, a second channel, so that
 * nobody releases by reflex; refusing is as easy as releasing; the act waits below what must be
 * read first and never sticks to the thumb.
 */
import { useState } from "preact/hooks";
import { type TextKey, t } from "../../i18n.ts";
import { boardOf } from "../../opening/board.ts";
import type { OpeningView } from "../../opening/view.ts";
import { clockTime, dayTime } from "../../time.ts";
import { Board } from "../../ui/board.tsx";
import { Announcer } from "../../ui/broadcast.tsx";
import { refusalText, TroubleBox } from "../../ui/refusal.tsx";
import { Top } from "../../ui/top.tsx";
import {
  Act,
  Alarm,
  Button,
  Case,
  Done,
  Facts,
  FilePick,
  Fold,
  Note,
  Progress,
  Status,
} from "../../ui/words.tsx";
import { type Surroundings, trustOf, useTitle } from "../frame.tsx";
import { BidderList, HallCases } from "../hall_page.tsx";
import type { TrusteeActs, TrusteeCheck, TrusteeView } from "./trustee_view.ts";

export interface TrusteePageProps {
  readonly view: OpeningView;
  readonly trustee: TrusteeView;
  readonly acts: TrusteeActs;
  readonly around: Surroundings;
}

export function TrusteePage(props: TrusteePageProps) {
  const { view, around } = props;
  const model = boardOf(view, around.nowMs, around.link, false);
  const isTurn = view.stage === "release" || view.stage === "replies";
  const board = isTurn ? { ...model, title: t("trustee.board") } : model;
  useTitle(t("page.title", { title: board.title }));
  const { me, site, helpPhone, isDemo, onLeave } = around;
  const tender = view.manifest && { title: view.manifest.title, number: view.manifest.number };
  const trust = trustOf(view, around);
  const isReleased = props.trustee.step.kind === "released";
  const shown =
    trust.fingerprint && !isReleased ? hiddenTail(trust.fingerprint) : trust.fingerprint;
  return (
    <>
      <Top me={me} site={site} helpPhone={helpPhone} isDemo={isDemo} onLeave={onLeave} />
      <Board model={board} tender={tender} trust={{ ...trust, fingerprint: shown }} />
      <main id="main" class="page narrow">
        <Face {...props} />
      </main>
      <Announcer lines={view.announcements} board={board} isLost={around.link === "lost"} />
    </>
  );
}

function Face(props: TrusteePageProps) {
  const { view, trustee, acts, around } = props;
  const { step } = trustee;
  switch (step.kind) {
    case "no_key":
      return <LoadKey acts={acts} />;
    case "waiting":
      return (
        <>
          <Case title={t("trustee.waiting_title")}>
            <p class="lead">{t("trustee.waiting")}</p>
            {trustee.seenFingerprint && (
              <p>
                {t("trustee.seen", { time: clockTime(trustee.seenFingerprint.atMs) })}
                <br />
                <span class="fingerprint">{hiddenTail(trustee.seenFingerprint.text)}</span>
              </p>
            )}
          </Case>
          <HallCases view={view} around={around} ownNumbers={new Set()} hidesFingerprint />
        </>
      );
    case "checking":
      return (
        <Case title={t("trustee.checking_title")}>
          {step.total > 0 && <p>{t("trustee.checking", { n: step.total })}</p>}
          <Progress value={null} max={1} label={t("trustee.checking_title")} />
        </Case>
      );
    case "ask_clock":
      return (
        <Case title={t("clock.ask_title")}>
          <p class="lead">
            {t("clock.ask", { device: dayTime(step.deviceMs), deadline: dayTime(step.deadlineMs) })}
          </p>
          <p>{t("clock.ask_why")}</p>
          <Act glyph="clock" onPress={() => acts.check(true)}>
            {t("clock.ask_act", { time: clockTime(step.deadlineMs) })}
          </Act>
        </Case>
      );
    case "held":
      return (
        <Case>
          <Note tone="wait">
            <p>
              <b>{t("trustee.held_title")}</b>
            </p>
            <p>{t("trustee.held")}</p>
          </Note>
          <Button onPress={acts.back}>{t("trustee.back")}</Button>
        </Case>
      );
    case "released":
      return (
        <>
          <Case>
            <Done title={t("trustee.released_title")}>
              <p>{t("trustee.released", { time: clockTime(step.atMs) })}</p>
            </Done>
            <p>{t("waiting.nothing")}</p>
          </Case>
          <HallCases view={view} around={around} ownNumbers={new Set()} />
        </>
      );
    case "checked":
    case "releasing":
      return <Checked {...props} />;
  }
}

function LoadKey({ acts }: { readonly acts: TrusteeActs }) {
  return (
    <Case title={t("trustee.key_title")}>
      <p class="lead">{t("trustee.key")}</p>
      <div class="field">
        <FilePick id="trustee-key" glyph="key" onPick={acts.loadKey}>
          {t("trustee.key_file")}
        </FilePick>
      </div>
    </Case>
  );
}

/** The three questions of a person, each answered by several checks of the device. */
const QUESTIONS: readonly {
  readonly key: "log" | "time" | "set";
  readonly of: readonly string[];
}[] = [
  { key: "log", of: ["trustee", "log", "closing_seen", "closing", "submits"] },
  { key: "time", of: ["clock", "windows", "window_end"] },
  { key: "set", of: ["headers", "halves", "first_release"] },
];

function Checked({ view, trustee, acts }: TrusteePageProps) {
  const [typed, setTyped] = useState("");
  const fingerprint = view.closing?.fingerprint ?? "";
  const lastFour = fingerprint.replace(/\s/g, "").slice(-4);
  const given = typed.trim().toUpperCase();
  const isTyped = given.length === 4;
  const isSame = isTyped && given === lastFour;
  const form = view.manifest?.envelopes.find((one) => one.kind === "form");
  const willBeEnough = form !== undefined && view.releases.length + 1 >= form.t;
  const isBusy = trustee.step.kind === "releasing";
  return (
    <>
      {trustee.trouble && <TroubleBox trouble={trustee.trouble} />}
      <Case>
        <p class="lead">
          {t(willBeEnough ? "trustee.enough" : "trustee.not_enough", { n: view.unlocked.size })}{" "}
          <b>{t("trustee.no_way_back")}</b>
        </p>
        {!trustee.isOk && (
          <Alarm title={t("trustee.bad_title")}>
            <p>{t("trustee.bad")}</p>
          </Alarm>
        )}
        <ol class="numbered">
          <li>
            <div>
              <h2 class="minor">{t("trustee.q_log")}</h2>
              <div class="two-up">
                {trustee.seenFingerprint && (
                  <div>
                    <p class="small soft">
                      {t("trustee.noted", { time: clockTime(trustee.seenFingerprint.atMs) })}
                    </p>
                    <p class="fingerprint">{hiddenTail(trustee.seenFingerprint.text)}</p>
                  </div>
                )}
                <div>
                  <p class="small soft">{t("trustee.published")}</p>
                  <p class="fingerprint">{hiddenTail(fingerprint)}</p>
                </div>
              </div>
              <Answer checks={trustee.checks} question="log" />
              {!trustee.seenFingerprint && <p class="small soft">{t("trustee.not_noted")}</p>}
            </div>
          </li>
          <li>
            <div>
              <h2 class="minor">{t("trustee.q_time")}</h2>
              <Answer checks={trustee.checks} question="time" />
            </div>
          </li>
          <li>
            <div>
              <h2 class="minor">{t("trustee.q_set")}</h2>
              <Facts
                rows={[
                  [t("trustee.give"), t("trustee.give_n", { n: trustee.sharesGiven })],
                  [
                    t("trustee.opens"),
                    t("trustee.opens_n", { n: view.unlocked.size, form: form?.name ?? "" }),
                  ],
                  [
                    t("trustee.stays"),
                    view.locked.size === 0
                      ? t("host.none")
                      : t("trustee.stays_n", { numbers: [...view.locked].join(t("list.comma")) }),
                  ],
                ]}
              />
              <Answer checks={trustee.checks} question="set" />
              <BidderList view={view} />
            </div>
          </li>
        </ol>
        <div class="field">
          <label for="last-four">{t("trustee.type")}</label>
          <p class="hint" id="last-four-hint">
            {t("trustee.type_hint")}
          </p>
          <p class="row">
            <input
              id="last-four"
              class="code short-input"
              type="text"
              maxLength={4}
              autocomplete="off"
              autocapitalize="characters"
              spellcheck={false}
              value={typed}
              aria-describedby="last-four-hint"
              aria-invalid={isTyped && !isSame ? "true" : undefined}
              onInput={(event) => setTyped(event.currentTarget.value)}
            />
            <span aria-live="polite">
              {isSame && (
                <Status tone="go" glyph="tick">
                  {t("trustee.same")}
                </Status>
              )}
              {isTyped && !isSame && (
                <Status tone="stop" glyph="fail">
                  {t("trustee.differs")}
                </Status>
              )}
            </span>
          </p>
        </div>
        {isTyped && !isSame && (
          <Alarm title={refusalText("release.fingerprint_mismatch").title}>
            <p>{refusalText("release.fingerprint_mismatch").todo}</p>
          </Alarm>
        )}
        <Act
          glyph="key"
          isWide
          id="release"
          isBusy={isBusy}
          blocked={
            !trustee.isOk ? t("trustee.blocked_checks") : isSame ? null : t("trustee.blocked_typed")
          }
          onPress={acts.release}
        >
          {t(isBusy ? "trustee.releasing" : "trustee.act")}
        </Act>
        <div class="acts">
          <Button glyph="flag" onPress={acts.hold}>
            {t("trustee.hold")}
          </Button>
          <span class="hint">{t("trustee.hold_hint")}</span>
        </div>
      </Case>
    </>
  );
}

/** The page must not hand the reader what he is to copy from the hall's screen. */
function hiddenTail(fingerprint: string): string {
  return fingerprint.replace(/\S{4}$/, "····");
}

function Answer({
  checks,
  question,
}: {
  readonly checks: readonly TrusteeCheck[];
  readonly question: "log" | "time" | "set";
}) {
  const names = QUESTIONS.find((one) => one.key === question)?.of ?? [];
  const own = checks.filter((check) => names.includes(check.name));
  const bad = own.find((check) => !check.ok);
  return (
    <>
      <Status tone={bad ? "stop" : "go"} glyph={bad ? "fail" : "tick"}>
        {bad ? refusalText(bad.code).title : t(`trustee.ok_${question}`)}
      </Status>
      <Fold title={t("trustee.checks", { n: own.length })}>
        <ul class="tasks">
          {own.map((check) => (
            <li key={check.name}>
              <div>{t(`check.${check.name}` as TextKey)}</div>
              <Status tone={check.ok ? "go" : "stop"} glyph={check.ok ? "tick" : "fail"}>
                {check.ok ? t("check.passed") : check.code}
              </Status>
            </li>
          ))}
        </ul>
      </Fold>
    </>
  );
}
