/**
 * The host's studio (导播台): what the host sends, who is there, the floor.
 *
 * Invariant: pure. What is off is said by word and struck-through sign; a picture that stopped is
 * said at once and first; every act on the floor that is journaled asks for its reason.
 */
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { t } from "../i18n.ts";
import { shortTime } from "../time.ts";
import { roleWord } from "../ui/top.tsx";
import { Button, Note, Status } from "../ui/words.tsx";
import type { StageActs } from "./stage_acts.ts";
import type { PersonRow, StudioView } from "./studio_view.ts";
import type { Label } from "./told.ts";
import { labelText, QualityWord, SendMark, SendSwitch } from "./words.tsx";

export interface StudioActs extends StageActs {
  /** Opens the check; sending begins at its end. */
  begin(): void;
  setMuted(label: Label, muted: boolean): void;
  shareScreen(): void;
  stopScreen(): void;
  stop(): void;
}

const REASON_MAX = 200;

export function StudioPane({
  view,
  acts,
  own,
}: {
  readonly view: StudioView;
  readonly acts: StudioActs;
  /** One's own picture while it is sent. */
  readonly own?: ComponentChildren;
}) {
  return (
    <section class="pane studio" aria-labelledby="studio-title">
      <h2 id="studio-title">
        {t("studio.title")}
        <span class="counts">
          {(view.recording === "on" || view.recording === "no_pictures") && (
            <span class="tag">{t(`live.recording.${view.recording}`)}</span>
          )}
        </span>
      </h2>
      {view.recording === "refused" && <Note tone="wait">{t("live.recording.refused")}</Note>}
      <StoppedLines view={view} />
      {view.mayPublish && <Own view={view} acts={acts} own={own} />}
      <People view={view} acts={acts} />
    </section>
  );
}

function StoppedLines({ view }: { readonly view: StudioView }) {
  return (
    <div role="alert">
      {view.stopped.map((one) => (
        <p key={`${one.member} ${one.label}`} class="stopped-line">
          <Status tone="stop" glyph="warn">
            {t("studio.stopped", {
              name: one.name,
              what: labelText(one.label),
              time: shortTime(one.atMs),
            })}
          </Status>
        </p>
      ))}
    </div>
  );
}

function Own({
  view,
  acts,
  own,
}: {
  readonly view: StudioView;
  readonly acts: StudioActs;
  readonly own: ComponentChildren;
}) {
  const { microphone, camera, screen } = view.own;
  const isSending = microphone !== undefined || camera !== undefined || screen !== undefined;
  return (
    <div class="studio-own">
      {!isSending && <p>{t("studio.off")}</p>}
      {isSending && <OwnState view={view} />}
      {own}
      <div class="send-switches">
        {(["microphone", "camera"] as const).map((label) => {
          const source = view.own[label];
          return source === undefined ? null : (
            <SendSwitch
              key={label}
              label={label}
              isOn={!source.isMuted}
              onPress={() => acts.setMuted(label, !source.isMuted)}
            />
          );
        })}
        {screen !== undefined && <SendSwitch label="screen" isOn onPress={acts.stopScreen} />}
      </div>
      <div class="acts">
        {microphone === undefined && camera === undefined && (
          <Button glyph="camera" onPress={acts.begin}>
            {t("studio.begin")}
          </Button>
        )}
        {screen === undefined && (
          <Button glyph="screen" onPress={acts.shareScreen}>
            {t("studio.share")}
          </Button>
        )}
        {isSending && <Button onPress={acts.stop}>{t("studio.stop")}</Button>}
      </div>
    </div>
  );
}

function OwnState({ view }: { readonly view: StudioView }) {
  if (view.phase === "up") {
    return (
      <p class="live-line" role="status">
        <Status tone="go" glyph="now">
          {t("studio.on_air")}
        </Status>
        <QualityWord quality={view.quality} />
      </p>
    );
  }
  return (
    <p role="status">
      <Status tone={view.isLost ? "stop" : "wait"} glyph={view.isLost ? "warn" : "clock"}>
        {t(view.isLost ? "studio.lost" : "studio.joining")}
      </Status>
    </p>
  );
}

function People({ view, acts }: { readonly view: StudioView; readonly acts: StudioActs }) {
  return (
    <>
      <h3>{t("studio.people", { n: view.people.length })}</h3>
      {view.people.length === 0 && <p class="small soft">{t("studio.nobody")}</p>}
      <ul class="people">
        {view.people.map((row) => (
          <Person key={row.member} row={row} acts={acts} />
        ))}
      </ul>
      {view.watching !== null && (
        <p class="small soft">{t("studio.watching", { n: view.watching })}</p>
      )}
    </>
  );
}

function Person({ row, acts }: { readonly row: PersonRow; readonly acts: StudioActs }) {
  const [isOpen, setOpen] = useState(false);
  const mutable = row.sent.filter((one) => one.label === "microphone" || one.label === "camera");
  return (
    <li>
      <p class="person-line">
        <b>{row.name}</b>
        <span class="small soft">
          {row.role === "" ? "" : roleWord(row.role)} {row.org === row.name ? "" : row.org}
        </span>
        {row.isOnStage && <span class="tag solid">{t("studio.on_stage")}</span>}
        {row.isHeld && <span class="tag">{t("studio.held")}</span>}
        {!row.isConnected && !row.member.startsWith("camera:") && (
          <Status tone="stop" glyph="warn">
            {t("studio.away")}
          </Status>
        )}
      </p>
      {row.sent.length > 0 && (
        <p class="send-marks">
          {row.sent.map((one) => (
            <SendMark key={one.label} label={one.label} state={one.state} />
          ))}
        </p>
      )}
      <div class="acts">
        {row.isOnStage ? (
          <Button isExpanded={isOpen} onPress={() => setOpen(!isOpen)}>
            {t("studio.take_off")}
          </Button>
        ) : (
          row.isStageable &&
          row.isConnected && (
            <Button isExpanded={isOpen} onPress={() => setOpen(!isOpen)}>
              {t("studio.put_on")}
            </Button>
          )
        )}
        {mutable.map((one) => (
          <Button
            key={one.label}
            onPress={() => void acts.mute(row.member, one.label, !one.isSilenced)}
          >
            {t(one.isSilenced ? "studio.unmute" : "studio.mute", { what: labelText(one.label) })}
          </Button>
        ))}
        {(row.isOnStage || row.sent.length > 0) && (
          <Button isPressed={row.isHeld} onPress={() => void acts.hold(row.member, !row.isHeld)}>
            {t("studio.hold")}
          </Button>
        )}
      </div>
      {isOpen && <StageForm row={row} acts={acts} onDone={() => setOpen(false)} />}
    </li>
  );
}

/** A reason that is read out to all and stays in the record. */
function StageForm({
  row,
  acts,
  onDone,
}: {
  readonly row: PersonRow;
  readonly acts: StudioActs;
  readonly onDone: () => void;
}) {
  const [reason, setReason] = useState("");
  const [isTried, setTried] = useState(false);
  const isMissing = isTried && reason.trim() === "";
  const id = `stage-reason-${row.member}`;
  const press = () => {
    setTried(true);
    if (reason.trim() === "") return;
    const act = row.isOnStage ? acts.takeOffStage : acts.putOnStage;
    void act(row.member, reason.trim());
    onDone();
  };
  return (
    <form
      class="field"
      onSubmit={(event) => {
        event.preventDefault();
        press();
      }}
    >
      <label for={id}>{t("studio.reason")}</label>
      <input
        id={id}
        type="text"
        maxLength={REASON_MAX}
        autocomplete="off"
        value={reason}
        aria-invalid={isMissing ? "true" : undefined}
        onInput={(event) => setReason(event.currentTarget.value)}
      />
      {isMissing && <p class="field-error">{t("host.reason_missing")}</p>}
      <p>
        <button type="submit" class="btn">
          {t(row.isOnStage ? "studio.take_off_act" : "studio.put_on_act", { name: row.name })}
        </button>
      </p>
    </form>
  );
}
