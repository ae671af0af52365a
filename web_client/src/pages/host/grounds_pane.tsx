/**
 * Why a bid did not open (责任认定): the system's suggestion, its evidence, and two officers' word.
 *
 * Invariant: a state is shown and never chosen; only grounds that its bytes leave open are offered,
 * and each bid says how it was decided, by whom both, and when.
 */
import { useState } from "preact/hooks";
import { t } from "../../i18n.ts";
import { openGrounds, type Suggestion, standingGround } from "../../opening/acts.ts";
import type { OpeningView } from "../../opening/view.ts";
import { clockTime } from "../../time.ts";
import { stateText } from "../../ui/readout.tsx";
import { tryWord } from "../../ui/refusal.tsx";
import { roleWord } from "../../ui/top.tsx";
import { Button, Facts, Status } from "../../ui/words.tsx";
import {
  bidName,
  groundWord,
  LAWFUL,
  type OfficerActs,
  type OfficerView,
  undecided,
  whyText,
} from "./officer_view.ts";
import { OfficerKey, ReasonField, type SigningProps } from "./signing.tsx";

export function GroundsPane({ view, officer, officerActs }: SigningProps) {
  const all = Object.values(view.acts.suggestions).sort((a, b) => a.no - b.no);
  if (all.length === 0) return null;
  const left = undecided(view.acts);
  const fresh = openGrounds(view.acts).filter(
    (one) => standingGround(view.acts, one.bidId) === null,
  );
  return (
    <section class="pane" aria-labelledby="grounds-title">
      <h2 id="grounds-title">
        {t("grounds.title", { n: all.length })}
        <span class="counts">
          {left > 0 ? t("grounds.left", { n: left }) : t("grounds.all_decided")}
        </span>
      </h2>
      <p>{t("grounds.lead")}</p>
      {officer.role !== null && left > 0 && !officer.hasKey && <OfficerKey acts={officerActs} />}
      {officer.role !== null && fresh.length > 1 && (
        <p>
          <Button
            glyph="key"
            isOff={!officer.hasKey || officer.busy !== ""}
            onPress={() => officerActs.proposeAll(fresh)}
          >
            {t("grounds.all", {
              n: fresh.length,
              role: roleWord(officer.role === "host" ? "supervisor" : "host"),
            })}
          </Button>
        </p>
      )}
      {all.map((suggestion) => (
        <OneGround
          key={suggestion.bidId}
          view={view}
          suggestion={suggestion}
          officer={officer}
          acts={officerActs}
        />
      ))}
    </section>
  );
}

interface OneProps {
  readonly view: OpeningView;
  readonly suggestion: Suggestion;
  readonly officer: OfficerView;
  readonly acts: OfficerActs;
}

function OneGround({ view, suggestion, officer, acts }: OneProps) {
  const decision = view.acts.decisions[suggestion.bidId];
  const proposal = standingGround(view.acts, suggestion.bidId);
  const { window } = view;
  return (
    <div class="asked" id={`ground-${suggestion.no}`}>
      <h3 class="minor">{bidName(view, suggestion.no)}</h3>
      <Facts
        rows={[
          [t("grounds.state"), stateText(suggestion.state)],
          [
            t("grounds.suggested"),
            <span key="s">
              <b>{groundWord(suggestion.ground)}</b> {whyText(suggestion)}
            </span>,
          ],
          window !== null && [
            t("grounds.window"),
            t("grounds.window_from", {
              start: clockTime(window.startMs),
              end: clockTime(window.endedAtMs),
            }),
          ],
          suggestion.tries > 0 && [
            t("grounds.tries"),
            t("grounds.tries_n", {
              n: suggestion.tries,
              time: clockTime(suggestion.lastMs),
              why: tryWord(suggestion.lastCode),
            }),
          ],
          decision !== undefined && [
            t("grounds.decided"),
            <span key="d">
              <b>{groundWord(decision.ground)}</b> {decision.reason}
            </span>,
          ],
        ]}
      />
      {decision !== undefined ? (
        <Status tone="go" glyph="tick">
          {t("grounds.decided_at", { time: clockTime(decision.atMs) })}
        </Status>
      ) : (
        proposal !== null && (
          <Status tone="wait" glyph="clock">
            {t("grounds.proposed", {
              role: roleWord(proposal.by),
              ground: groundWord(proposal.ground),
            })}
          </Status>
        )
      )}
      {officer.role !== null && decision === undefined && (
        <Propose
          suggestion={suggestion}
          officer={officer}
          acts={acts}
          isCounter={proposal !== null}
        />
      )}
      <p>
        <Button glyph="down" isOff={officer.busy !== ""} onPress={() => acts.evidence(suggestion)}>
          {t("grounds.evidence")}
        </Button>
      </p>
    </div>
  );
}

/** The officer's own word: the suggestion as it stands, or another ground with a reason. */
function Propose({
  suggestion,
  officer,
  acts,
  isCounter,
}: Omit<OneProps, "view"> & { readonly isCounter: boolean }) {
  const [isOpen, setOpen] = useState(false);
  const [ground, setGround] = useState(suggestion.ground);
  const [written, setWritten] = useState<string | null>(null);
  const [isTried, setTried] = useState(false);
  const lawful = LAWFUL[suggestion.state] ?? [];
  const isOther = ground !== suggestion.ground;
  const reason = written ?? (isOther ? "" : whyText(suggestion));
  const other = officer.role === "host" ? "supervisor" : "host";
  if (isCounter && !isOpen) {
    return (
      <p>
        <Button isExpanded={false} onPress={() => setOpen(true)}>
          {t("grounds.counter")}
        </Button>
      </p>
    );
  }
  const press = () => {
    setTried(true);
    if (reason.trim() === "") return;
    setOpen(false);
    acts.proposeGround(suggestion, ground, reason.trim());
  };
  return (
    <>
      {lawful.length > 1 && (
        <fieldset class="field">
          <legend>{t("grounds.choice")}</legend>
          <div class="picks">
            {lawful.map((choice) => (
              <label class="pick" key={choice}>
                <input
                  type="radio"
                  name={`ground-${suggestion.no}`}
                  checked={ground === choice}
                  onChange={() => {
                    setGround(choice);
                    setWritten(null);
                  }}
                />
                {groundWord(choice)}
              </label>
            ))}
          </div>
        </fieldset>
      )}
      <ReasonField
        id={`ground-reason-${suggestion.no}`}
        label={t(isOther ? "grounds.reason_other" : "grounds.reason")}
        reason={reason}
        onReason={setWritten}
        isTried={isTried}
      />
      <p>
        <Button glyph="key" isOff={!officer.hasKey || officer.busy !== ""} onPress={press}>
          {t("act.propose", { role: roleWord(other) })}
        </Button>
      </p>
    </>
  );
}
