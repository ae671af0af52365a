/**
 * The second signature (会签): what is asked in plain words, what follows, then one act.
 *
 * Invariant: nothing can be signed here that this device has not found to be exactly what is shown;
 * saying no is as near as signing, and asks for a reason.
 */
import { useState } from "preact/hooks";
import { t } from "../../i18n.ts";
import type { Declined, Proposal } from "../../opening/acts.ts";
import type { OpeningView } from "../../opening/view.ts";
import type { TenderView } from "../../tender/view.ts";
import { clockTime } from "../../time.ts";
import { refusalText } from "../../ui/refusal.tsx";
import { roleWord } from "../../ui/top.tsx";
import { Act, Alarm, Button, FilePick, Note, Status } from "../../ui/words.tsx";
import {
  askedText,
  followsText,
  type OfficerActs,
  type OfficerView,
  standing,
} from "./officer_view.ts";

export const REASON_MAX = 500;

export interface SigningProps {
  readonly view: OpeningView;
  readonly tender: TenderView;
  readonly officer: OfficerView;
  readonly officerActs: OfficerActs;
}

/** Every proposal that stands; for the other officer with its signature, for the first to wait. */
export function SigningPane({ view, tender, officer, officerActs }: SigningProps) {
  if (officer.role === null) return null;
  const all = standing(view, tender);
  const toSign = all.filter((one) => one.by !== officer.role);
  const own = all.filter((one) => one.by === officer.role);
  const declined = lastDeclined(view, tender);
  if (all.length === 0 && declined === null && officer.role === "host") return null;
  return (
    <section class="pane" aria-labelledby="signing-title">
      <h2 id="signing-title">{t("act.title", { n: toSign.length })}</h2>
      {toSign.length === 0 && own.length === 0 && <p class="soft">{t("act.none")}</p>}
      {toSign.length > 0 && !officer.hasKey && <OfficerKey acts={officerActs} />}
      {toSign.map((proposal, at) => (
        <ToSign
          key={proposal.act}
          view={view}
          proposal={proposal}
          officer={officer}
          acts={officerActs}
          isFirst={at === 0}
        />
      ))}
      {toSign.length > 1 && (
        <p>
          <Button
            glyph="key"
            isOff={
              !officer.hasKey ||
              officer.busy !== "" ||
              toSign.some((one) => officer.checked[one.act] !== "")
            }
            onPress={() => officerActs.countersignAll(toSign)}
          >
            {t("act.sign_all", { n: toSign.length })}
          </Button>
        </p>
      )}
      {own.map((proposal) => (
        <Own
          key={proposal.act}
          view={view}
          proposal={proposal}
          officer={officer}
          acts={officerActs}
        />
      ))}
      {declined && (
        <Note tone="wait">
          {t("act.declined", {
            role: roleWord(declined.by),
            name: declined.name,
            time: clockTime(declined.atMs),
            reason: declined.reason,
          })}
        </Note>
      )}
    </section>
  );
}

/** The newest no, until something else is proposed. */
function lastDeclined(view: OpeningView, tender: TenderView): Declined | null {
  const isBefore = view.stage === "scheduled" || view.stage === "sign_in";
  const found = isBefore ? tender.deadlineDeclined : view.acts.declined;
  const proposed = [...Object.values(view.acts.grounds), view.acts.loss, tender.deadlineProposal];
  const isNewest = proposed.every((one) => one === null || one.atMs < (found?.atMs ?? 0));
  return found !== null && isNewest && view.stage !== "closed" ? found : null;
}

interface OneProps {
  readonly view: OpeningView;
  readonly proposal: Proposal;
  readonly officer: OfficerView;
  readonly acts: OfficerActs;
}

function Asked({ view, proposal }: { readonly view: OpeningView; readonly proposal: Proposal }) {
  return (
    <>
      <h3 class="minor">{askedText(view, proposal)}</h3>
      <p>{t("act.reason", { reason: proposal.reason })}</p>
      <p class="small soft">
        {t("act.by", {
          role: roleWord(proposal.by),
          name: proposal.name,
          time: clockTime(proposal.atMs),
        })}
      </p>
    </>
  );
}

function ToSign({
  view,
  proposal,
  officer,
  acts,
  isFirst,
}: OneProps & { readonly isFirst: boolean }) {
  const verdict = officer.checked[proposal.act];
  const isBad = verdict !== undefined && verdict !== "";
  const isBusy = officer.busy === `sign ${proposal.act}`;
  const label = t("act.sign");
  const blocked = !officer.hasKey
    ? t("act.blocked_key")
    : verdict === undefined
      ? t("act.checking")
      : null;
  return (
    <div class="asked">
      <Asked view={view} proposal={proposal} />
      <p>{followsText(proposal)}</p>
      {isBad ? (
        <Alarm title={refusalText(verdict).title}>
          <p>{refusalText(verdict).todo}</p>
        </Alarm>
      ) : (
        <>
          {verdict === "" && (
            <Status tone="go" glyph="tick">
              {t("act.checked", { role: roleWord(proposal.by) })}
            </Status>
          )}
          {isFirst ? (
            <p>
              <Act
                glyph="key"
                id={`sign-${proposal.act.slice(0, 8)}`}
                isBusy={isBusy}
                blocked={blocked}
                onPress={() => acts.countersign(proposal)}
              >
                {label}
              </Act>
            </p>
          ) : (
            <p>
              <Button
                glyph="key"
                isOff={blocked !== null || officer.busy !== ""}
                onPress={() => acts.countersign(proposal)}
              >
                {label}
              </Button>
            </p>
          )}
        </>
      )}
      <Decline proposal={proposal} officer={officer} acts={acts} isOwn={false} />
    </div>
  );
}

function Own({ view, proposal, officer, acts }: OneProps) {
  const other = officer.role === "host" ? "supervisor" : "host";
  return (
    <div class="asked">
      <Asked view={view} proposal={proposal} />
      <Status tone="wait" glyph="clock">
        {t("act.waits", { role: roleWord(other) })}
      </Status>
      <Decline proposal={proposal} officer={officer} acts={acts} isOwn />
    </div>
  );
}

function Decline({
  proposal,
  officer,
  acts,
  isOwn,
}: Omit<OneProps, "view"> & { readonly isOwn: boolean }) {
  const [isOpen, setOpen] = useState(false);
  const [reason, setReason] = useState("");
  const [isTried, setTried] = useState(false);
  const id = `decline-${proposal.act.slice(0, 8)}`;
  const name = t(isOwn ? "act.take_back" : "act.decline");
  const press = () => {
    setTried(true);
    if (reason.trim() !== "") acts.decline(proposal, reason.trim());
  };
  return (
    <>
      <p>
        <Button glyph="flag" isExpanded={isOpen} onPress={() => setOpen(!isOpen)}>
          {name}
        </Button>
      </p>
      {isOpen && (
        <>
          <ReasonField
            id={id}
            label={t("act.decline_reason")}
            reason={reason}
            onReason={setReason}
            isTried={isTried}
          />
          <p>
            <Button isOff={officer.busy !== ""} onPress={press}>
              {t("act.decline_act", { what: name })}
            </Button>
          </p>
        </>
      )}
    </>
  );
}

/** A reason that will be signed for or written down; one line. */
export function ReasonField({
  id,
  label,
  reason,
  onReason,
  isTried,
}: {
  readonly id: string;
  readonly label: string;
  readonly reason: string;
  readonly onReason: (reason: string) => void;
  readonly isTried: boolean;
}) {
  const isMissing = isTried && reason.trim() === "";
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        type="text"
        maxLength={REASON_MAX}
        autocomplete="off"
        value={reason}
        aria-invalid={isMissing ? "true" : undefined}
        onInput={(event) => onReason(event.currentTarget.value)}
      />
      {isMissing && <p class="field-error">{t("host.reason_missing")}</p>}
    </div>
  );
}

/** The key of the office, asked for where it is first needed. */
export function OfficerKey({ acts }: { readonly acts: OfficerActs }) {
  return (
    <Note tone="info">
      <p>
        <b>{t("act.key_title")}</b>
      </p>
      <p>{t("act.key")}</p>
      <p>
        <FilePick id="officer-key" glyph="key" onPick={acts.loadKey}>
          {t("act.key_file")}
        </FilePick>
      </p>
    </Note>
  );
}
