/**
 * What the host does at each stage (各环节): one act, and what it will do, before its button.
 *
 * Invariant: read-out cannot be edited (there is no field); the opening names the number it opens;
 * the host sees prices at the instant everybody does.
 */
import { useMemo } from "preact/hooks";
import { locale, t } from "../../i18n.ts";
import { trusteesOf } from "../../opening/board.ts";
import { isStaffUnlocked, openable, openTries } from "../../opening/own.ts";
import type { OpeningView } from "../../opening/view.ts";
import { clockTime, dayTime } from "../../time.ts";
import { tryWord } from "../../ui/refusal.tsx";
import { type Flap, Flaps } from "../../ui/tally.tsx";
import { Act, Button, Facts, Progress } from "../../ui/words.tsx";
import { BidderList, RackOf, Shares } from "../hall_page.tsx";
import type { ControlsProps } from "./controls.tsx";
import { ReadOutPane } from "./read_out_pane.tsx";

const MINUTE_MS = 60_000;

export function StagePane(props: ControlsProps) {
  switch (props.view.stage) {
    case "scheduled":
    case "sign_in":
      return <BeforePane {...props} />;
    case "announced":
      return <StartPane {...props} />;
    case "decryption":
      return <FlapsPane {...props} />;
    case "release":
    case "replies":
    case "opening":
      return <ReleasePane {...props} />;
    case "read_out":
    case "closed":
      return <ReadOutPane {...props} />;
    case "failed":
      return (
        <section class="pane">
          <h2>{t("hall.failed_title")}</h2>
          <p>
            {t("hall.failed_too_few", {
              n: props.view.bids.length,
              min: props.view.manifest?.min_bidders ?? 3,
            })}
          </p>
          <p>{t("hall.failed_sealed")}</p>
        </section>
      );
  }
}

function BeforePane({ view }: ControlsProps) {
  return (
    <section class="pane">
      <h2>{t("host.before_title")}</h2>
      <p class="lead">{t("host.before")}</p>
      {view.manifest && (
        <Facts
          rows={[
            [t("fact.project"), view.manifest.title],
            [t("fact.deadline"), dayTime(view.deadlineMs)],
            [t("fact.count"), t("listing.count_later")],
          ]}
        />
      )}
    </section>
  );
}

function StartPane({ view, host, acts }: ControlsProps) {
  const session = view.manifest?.sessions[0];
  const minutes = Math.round((session?.window_ms ?? 0) / MINUTE_MS);
  return (
    <section class="pane">
      <h2>{t("host.start_title")}</h2>
      <p class="lead">{t("host.start", { n: openable(view).length, minutes })}</p>
      {view.signedInOrgs.size > 0 && (
        <p>{t("host.signed_in", { n: view.signedInOrgs.size, total: view.bids.length })}</p>
      )}
      {host.mayAct && session && (
        <Act
          glyph="play"
          isWide
          id="start"
          isBusy={host.busy === "start"}
          blocked={view.closing ? null : t("host.start_blocked")}
          onPress={() => acts.start(session.session, "")}
        >
          {t("host.start_act", { minutes, n: openable(view).length })}
        </Act>
      )}
      <BidderList view={view} isOpen />
    </section>
  );
}

/** Everybody with name and time; order by number, never by arrival. */
export function flapsOf(view: OpeningView): readonly Flap[] {
  return view.bids.map((bid): Flap => {
    const base = { no: bid.no, name: bid.name || t("hall.masked") };
    if (isStaffUnlocked(view, bid)) {
      const at = view.staffUnlocks[bid.no]?.receivedMs;
      return {
        ...base,
        glyph: "half",
        tone: "go",
        word: at === undefined ? t("tally.half") : clockTime(at),
      };
    }
    if (openTries(view, bid) > 0) {
      return { ...base, glyph: "fail", tone: "stop", word: t("host.key_wrong") };
    }
    return { ...base, glyph: "sealed", tone: "soft", word: t("tally.sealed") };
  });
}

function FlapsPane({ view }: ControlsProps) {
  const flaps = useMemo(() => flapsOf(view), [view, locale.value]);
  const board = useMemo(() => <Flaps flaps={flaps} />, [flaps]);
  const of = (tone: Flap["tone"]) => flaps.filter((flap) => flap.tone === tone).length;
  return (
    <section class="pane">
      <h2>
        {t("host.bidders", { n: view.bids.length })}
        <span class="counts">
          <span>
            <b>{of("go")}</b> {t("host.unlocked")}
          </span>
          <span>
            <b>{of("soft")}</b> {t("tally.sealed")}
          </span>
          {of("stop") > 0 && (
            <span class="status stop">
              <b>{of("stop")}</b> {t("host.key_wrong")}
            </span>
          )}
        </span>
      </h2>
      {board}
      <p class="hint">{t("host.flaps_hint")}</p>
    </section>
  );
}

function ReleasePane({ view, host, acts }: ControlsProps) {
  const form = view.manifest?.envelopes.find((one) => one.kind === "form");
  const isReady = view.stage === "opening" && !view.allOpened;
  const n = view.unlocked.size;
  return (
    <>
      <section class="pane">
        <h2>
          {t(
            view.allOpened
              ? "host.opening_now"
              : isReady
                ? "host.ready_title"
                : "host.release_title",
          )}
        </h2>
        {view.allOpened && <Progress value={null} max={1} label={t("host.opening_now")} />}
        <div class="two-up">
          <Shares view={view} />
          <div>
            <Facts
              rows={[
                [t("host.will_open"), t("host.will_open_n", { n, form: form?.name ?? "" })],
                [
                  t("host.will_not_open"),
                  view.locked.size === 0
                    ? t("host.none")
                    : t("host.numbers", { numbers: [...view.locked].join(t("list.comma")) }),
                ],
                [
                  t("trust.fingerprint"),
                  <span class="code" key="f">
                    {view.closing?.fingerprint}
                  </span>,
                ],
              ]}
            />
            <p>{t("host.open_what", { n })}</p>
          </div>
        </div>
        {host.mayAct && !view.allOpened && (
          <Act
            glyph="open"
            isWide
            id="open-all"
            isBusy={host.busy === "open_all"}
            blocked={
              isReady
                ? null
                : t("host.open_blocked", {
                    n: Math.max(0, (form?.t ?? 0) - view.releases.length),
                    total: trusteesOf(view),
                  })
            }
            onPress={acts.openAll}
          >
            {t("host.open_act", { n })}
          </Act>
        )}
        {host.mayAct && view.stage === "replies" && (
          <div class="acts">
            <Button onPress={acts.endReplies} isOff={host.busy !== ""}>
              {t("host.end_replies")}
            </Button>
            <span class="hint">{t("host.end_replies_hint")}</span>
          </div>
        )}
      </section>
      <section class="pane">
        <h2>
          {t("host.bidders", { n: view.bids.length })}
          <span class="counts">
            <span>
              <b>{n}</b> {t("host.unlocked")}
            </span>
            {view.locked.size > 0 && (
              <span class="status stop">
                <b>{view.locked.size}</b> {t("tally.fail")}
              </span>
            )}
          </span>
        </h2>
        <RackOf view={view} ownNumbers={new Set()} />
        <Tries view={view} />
      </section>
    </>
  );
}

/** Why the closed ones stayed closed, from the evidence; the ground itself is decided later. */
function Tries({ view }: { readonly view: OpeningView }) {
  const locked = [...view.locked].sort((a, b) => a - b);
  return (
    <>
      {locked.map((no) => {
        const tries = view.staffAttempts.filter((attempt) => attempt.no === no);
        const last = tries.at(-1);
        return (
          <p key={no} class="small">
            <b>{t("host.no", { no })}</b>{" "}
            {last
              ? t("host.tried", { n: tries.length, why: tryWord(last.code) })
              : t("host.not_tried")}
          </p>
        );
      })}
    </>
  );
}
