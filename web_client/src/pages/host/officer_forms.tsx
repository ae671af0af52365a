/**
 * What the host proposes or mends (主持人的提议与修复): another deadline, lost trustees, stored bytes.
 *
 * Invariant: each form says what will follow and for whose signature it then waits; nothing happens
 * at its press but that the proposal is signed and told to the other officer.
 */
import { useState } from "preact/hooks";
import { t } from "../../i18n.ts";
import { dayTime, fieldTime, fromFieldTime } from "../../time.ts";
import { roleWord } from "../../ui/top.tsx";
import { Alarm, Button, FilePick, Progress } from "../../ui/words.tsx";
import { bidName, bidOf, standing, toRepair } from "./officer_view.ts";
import { OfficerKey, ReasonField, type SigningProps } from "./signing.tsx";

const DAY_MS = 86_400_000;

export function OfficerForms(props: SigningProps) {
  const { view, officer, tender } = props;
  const stands = (kind: string) => standing(view, tender).some((one) => one.kind === kind);
  const isBefore = view.stage === "scheduled" || view.stage === "sign_in";
  const isHost = officer.role === "host";
  return (
    <>
      <RepairPane {...props} />
      {isHost && isBefore && tender.deadlineMs > 0 && !stands("deadline") && (
        <DeadlineForm {...props} />
      )}
      {isHost && view.stage === "release" && view.window?.checkpoint && !stands("loss") && (
        <LossForm {...props} />
      )}
    </>
  );
}

/** A form behind a button: these are rare, and must not be in the way. */
function Proposing({
  title,
  text,
  officer,
  officerActs,
  id,
  onPropose,
  children,
}: SigningProps & {
  readonly title: string;
  readonly text: string;
  readonly id: string;
  readonly onPropose: (reason: string) => boolean;
  readonly children?: preact.ComponentChildren;
}) {
  const [isOpen, setOpen] = useState(false);
  const [reason, setReason] = useState("");
  const [isTried, setTried] = useState(false);
  const press = () => {
    setTried(true);
    if (reason.trim() !== "" && onPropose(reason.trim())) setOpen(false);
  };
  if (!isOpen) {
    return (
      <p>
        <Button glyph="flag" isExpanded={false} onPress={() => setOpen(true)}>
          {title}
        </Button>
      </p>
    );
  }
  return (
    <section class="pane" aria-labelledby={`${id}-title`}>
      <h2 id={`${id}-title`}>{title}</h2>
      <p>{text}</p>
      {!officer.hasKey && <OfficerKey acts={officerActs} />}
      {children}
      <ReasonField
        id={`${id}-reason`}
        label={t("grounds.reason")}
        reason={reason}
        onReason={setReason}
        isTried={isTried}
      />
      <div class="acts">
        <Button glyph="key" isOff={!officer.hasKey || officer.busy !== ""} onPress={press}>
          {t("act.propose", { role: roleWord("supervisor") })}
        </Button>
        <Button isExpanded onPress={() => setOpen(false)}>
          {t("act.close")}
        </Button>
      </div>
    </section>
  );
}

function DeadlineForm(props: SigningProps) {
  const { tender, officerActs } = props;
  const [field, setField] = useState(() => fieldTime(tender.deadlineMs + DAY_MS));
  const ms = fromFieldTime(field);
  const isLater = ms !== null && ms > tender.deadlineMs;
  const propose = (reason: string) => {
    if (!isLater) return false;
    officerActs.proposeDeadline(ms, reason);
    return true;
  };
  return (
    <Proposing
      {...props}
      id="deadline"
      title={t("deadline.title")}
      text={t("deadline.text", { time: dayTime(tender.deadlineMs) })}
      onPropose={propose}
    >
      <div class="field">
        <label for="deadline-new">{t("deadline.new")}</label>
        <input
          id="deadline-new"
          type="datetime-local"
          min={fieldTime(tender.deadlineMs)}
          value={field}
          aria-invalid={isLater ? undefined : "true"}
          onInput={(event) => setField(event.currentTarget.value)}
        />
        {!isLater && <p class="field-error">{t("deadline.not_later")}</p>}
      </div>
    </Proposing>
  );
}

function LossForm(props: SigningProps) {
  const { view, officerActs } = props;
  const form = view.manifest?.envelopes.find((one) => one.kind === "form");
  return (
    <Proposing
      {...props}
      id="loss"
      title={t("loss.title")}
      text={t("loss.text", { needed: form?.t ?? 0, released: view.releases.length })}
      onPropose={(reason) => {
        officerActs.proposeLoss(reason);
        return true;
      }}
    />
  );
}

function RepairPane({ view, tender, officer, officerActs }: SigningProps) {
  const damaged = officer.role === null ? [] : toRepair(view, tender);
  if (damaged.length === 0) return null;
  return (
    <section class="pane">
      <Alarm title={t("repair.title", { n: damaged.length })}>
        <p>{t("repair.text")}</p>
      </Alarm>
      <ul class="tasks">
        {damaged.map((bidId) => {
          const bid = bidOf(view, bidId);
          const isBusy = officer.busy === `repair ${bidId}`;
          return (
            <li key={bidId}>
              <div>
                <b>{bidName(view, bid?.no ?? 0)}</b>
                <p class="code small">{bidId.slice(0, 16)}</p>
              </div>
              {isBusy && <Progress value={null} max={1} label={t("repair.busy")} />}
              {officer.role === "host" && !isBusy && (
                <FilePick
                  id={`repair-${bidId.slice(0, 8)}`}
                  onPick={(file) => officerActs.repair(bidId, file)}
                >
                  {t("repair.file")}
                </FilePick>
              )}
            </li>
          );
        })}
      </ul>
    </section>
  );
}
