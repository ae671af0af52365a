/**
 * The bidder before the deadline (开标前): one thing is asked at a time.
 *
 * Invariant: when all is done the act disappears and the page says that nothing is needed.
 */
import { useState } from "preact/hooks";
import { t } from "../../i18n.ts";
import type { OpeningView } from "../../opening/view.ts";
import { clockTime } from "../../time.ts";
import { TroubleBox } from "../../ui/refusal.tsx";
import { Act, Case, Progress, Status } from "../../ui/words.tsx";
import type { Surroundings } from "../frame.tsx";
import { CardSheet, Delivered, Withdraw } from "./delivered.tsx";
import { type DeskActs, type DeskView, presentBid } from "./desk_view.ts";
import { JobCase } from "./job_case.tsx";
import { MakeKey, OpenKey, RehearseAct, SaveKey } from "./key_case.tsx";
import { SealForm } from "./seal_form.tsx";

export interface BeforeProps {
  readonly view: OpeningView;
  readonly desk: DeskView;
  readonly acts: DeskActs;
  readonly around: Surroundings;
}

export function Before({ view, desk, acts, around }: BeforeProps) {
  const [mode, setMode] = useState<"present" | "replace" | "withdraw">("present");
  const { manifest } = view;
  if (!desk.isLoaded || !manifest) return <Loading />;
  const bidderName = around.me.org_name ?? around.me.name ?? "";
  const trouble = desk.trouble && <TroubleBox trouble={desk.trouble} />;
  if (desk.registered === null) {
    return (
      <>
        {trouble}
        <MakeKey desk={desk} acts={acts} />
      </>
    );
  }
  if (desk.job && desk.job.step !== "done") {
    return (
      <>
        {trouble}
        <JobCase job={desk.job} acts={acts} />
      </>
    );
  }
  const bids = manifest.lots.map((lot) => presentBid(desk, lot.lot)).filter((bid) => bid !== null);
  const [only] = bids;
  if (mode === "withdraw" && only) {
    return <Withdraw lot={only.lot} acts={acts} onBack={() => setMode("present")} />;
  }
  const isPast = around.nowMs >= view.deadlineMs;
  const wantsToSeal = !isPast && (bids.length === 0 || mode === "replace");
  if (wantsToSeal) {
    return (
      <>
        {trouble}
        {desk.key.kind === "open" ? (
          <SealForm
            manifest={manifest}
            view={view}
            bidderName={bidderName}
            isReplacing={bids.length > 0}
            stored={desk.stored}
            acts={{
              ...acts,
              seal: (input) => {
                setMode("present");
                acts.seal(input);
              },
            }}
            onCancel={bids.length > 0 ? () => setMode("present") : null}
          />
        ) : (
          <OpenKey desk={desk} acts={acts} />
        )}
        {desk.key.kind === "open" && <SaveKey acts={acts} />}
      </>
    );
  }
  return (
    <>
      {trouble}
      {bids.length > 0 && <ToDo {...{ view, desk, acts, around }} />}
      {bids.length === 0 && <NoBid />}
      {bids.map((bid) => (
        <Delivered
          key={bid.sha256}
          desk={desk}
          acts={acts}
          manifest={manifest}
          bid={bid}
          bidderName={bidderName}
          deadlineMs={view.deadlineMs}
          nowMs={around.nowMs}
          onReplace={() => setMode("replace")}
          onWithdraw={() => setMode("withdraw")}
        />
      ))}
      {desk.cards.length > 0 && (
        <CardSheet
          cards={desk.cards}
          manifest={manifest}
          bidderName={bidderName}
          address={new URL(`/unlock/${view.id}`, location.href).href}
        />
      )}
    </>
  );
}

export function Loading() {
  return (
    <Case title={t("page.loading")}>
      <Progress value={null} max={1} label={t("page.loading")} />
    </Case>
  );
}

function NoBid() {
  return (
    <Case title={t("before.no_bid_title")}>
      <p class="lead">{t("before.no_bid")}</p>
    </Case>
  );
}

/** Sign-in, device, key: what is done and the one thing that is not. */
function ToDo({ view, desk, acts, around }: BeforeProps) {
  const isSignInOpen = view.stage === "sign_in";
  const isSignedIn = view.ownSignInMs !== null;
  const isRehearsed = desk.rehearsal === "passed";
  const hasKey = desk.key.kind === "open";
  const needsSignIn = isSignInOpen && !isSignedIn;
  const title = needsSignIn
    ? t("before.todo_sign_in")
    : !isRehearsed
      ? t("before.todo_rehearse")
      : t("before.nothing");
  return (
    <>
      <Case title={title}>
        <ul class="tasks">
          <li>
            <div>
              <b>{t("before.sign_in")}</b>
              <p>
                {view.ownSignInMs !== null
                  ? t("before.signed_in_at", { time: clockTime(view.ownSignInMs) })
                  : t(isSignInOpen ? "before.sign_in_open" : "before.sign_in_later")}
              </p>
            </div>
            {taskStatus(isSignedIn)}
          </li>
          <li>
            <div>
              <b>{t("before.device")}</b>
              <p>
                {t("before.device_text", {
                  clock: Math.round(Math.abs(around.deviceAheadMs)),
                  rtt: Math.round(around.rttMs ?? 0),
                })}
              </p>
            </div>
            {taskStatus(around.errorMs !== null)}
          </li>
          <li>
            <div>
              <b>{t("before.rehearse")}</b>
              <p>
                {t(
                  desk.rehearsal === "failed"
                    ? "rehearse.failed"
                    : isRehearsed
                      ? "rehearse.passed"
                      : "rehearse.what",
                )}
              </p>
            </div>
            {desk.rehearsal === "failed" ? (
              <Status tone="stop" glyph="fail">
                {t("before.not_passed")}
              </Status>
            ) : (
              taskStatus(isRehearsed)
            )}
          </li>
        </ul>
        {needsSignIn ? (
          <div class="thumb">
            <Act glyph="tick" isWide onPress={acts.signIn}>
              {t("before.sign_in_act")}
            </Act>
          </div>
        ) : (
          !isRehearsed && hasKey && <RehearseAct desk={desk} acts={acts} />
        )}
        <p class="small soft">{t(isRehearsed ? "before.come_back" : "rehearse.in_time")}</p>
      </Case>
      {!needsSignIn && !isRehearsed && !hasKey && <OpenKey desk={desk} acts={acts} />}
    </>
  );
}

function taskStatus(isDone: boolean) {
  return isDone ? (
    <Status tone="go" glyph="tick">
      {t("before.done")}
    </Status>
  ) : (
    <Status tone="wait" glyph="ring">
      {t("before.not_done")}
    </Status>
  );
}
