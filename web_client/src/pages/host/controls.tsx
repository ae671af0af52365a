/**
 * The host's acts against the clock (主持人操作): start, pause, extend, restart.
 *
 * Invariant: each has its form in place with length, new absolute end and reason; the button says
 * whom it tells, and the reason is said to be read out to all.
 */
import { useState } from "preact/hooks";
import { t } from "../../i18n.ts";
import type { BoardModel } from "../../opening/board.ts";
import { openable } from "../../opening/own.ts";
import type { OpeningView } from "../../opening/view.ts";
import { clockTime } from "../../time.ts";
import { Clock, Fuse, type Trust, TrustLine } from "../../ui/board.tsx";
import { Act, Button } from "../../ui/words.tsx";
import type { HostActs, HostView } from "./host_view.ts";

export type OpenForm = "none" | "pause" | "extend" | "restart";

const MINUTE_MS = 60_000;
const EXTENSIONS_MIN = [5, 10, 20] as const;
const REASON_MAX = 500;

export interface ControlsProps {
  readonly view: OpeningView;
  readonly host: HostView;
  readonly acts: HostActs;
  readonly nowMs: number;
}

export function DeskBoard({
  view,
  host,
  acts,
  model,
  trust,
  form,
  onForm,
}: Omit<ControlsProps, "nowMs"> & {
  readonly model: BoardModel;
  readonly trust: Trust;
  readonly form: OpenForm;
  readonly onForm: (form: OpenForm) => void;
}) {
  const { window } = view;
  const isRunning = view.stage === "decryption" && window !== null && !window.ended;
  const isPaused = window?.remainingMs != null;
  const mayRestart = view.stage === "release" && view.releases.length === 0;
  const toggle = (name: OpenForm) => onForm(form === name ? "none" : name);
  return (
    <section class="desk-board" data-lamp={model.lamp} aria-label={t("board.name")}>
      <Clock model={model} />
      <div>
        <p class="tender">
          <b>{view.manifest?.title}</b> {view.manifest?.number}
        </p>
        <h1>{model.title}</h1>
        <p class="until">
          {isRunning && !isPaused
            ? t("host.until", { time: clockTime(window.endMs), n: openable(view).length })
            : model.until}
          {model.boxed !== null && <span class="boxed">{model.boxed}</span>}
        </p>
        {host.mayAct && (isRunning || mayRestart) && (
          <div class="acts">
            {isRunning &&
              (isPaused ? (
                <Button glyph="play" onPress={acts.resume} isOff={host.busy !== ""}>
                  {t("host.resume")}
                </Button>
              ) : (
                <Button glyph="pause" isExpanded={form === "pause"} onPress={() => toggle("pause")}>
                  {t("host.pause")}
                </Button>
              ))}
            {isRunning && (
              <Button glyph="plus" isExpanded={form === "extend"} onPress={() => toggle("extend")}>
                {t("host.extend")}
              </Button>
            )}
            {mayRestart && (
              <Button
                glyph="again"
                isExpanded={form === "restart"}
                onPress={() => toggle("restart")}
              >
                {t("host.restart")}
              </Button>
            )}
          </div>
        )}
      </div>
      <Fuse share={model.fuse} />
      <TrustLine {...trust} />
    </section>
  );
}

function ReasonField({
  reason,
  onReason,
  isTried,
}: {
  readonly reason: string;
  readonly onReason: (reason: string) => void;
  readonly isTried: boolean;
}) {
  const isMissing = isTried && reason.trim() === "";
  return (
    <div class="field">
      <label for="reason">{t("host.reason")}</label>
      <input
        id="reason"
        type="text"
        maxLength={REASON_MAX}
        value={reason}
        aria-invalid={isMissing ? "true" : undefined}
        onInput={(event) => onReason(event.currentTarget.value)}
      />
      {isMissing && <p class="field-error">{t("host.reason_missing")}</p>}
    </div>
  );
}

/** Whether what the form asks for can be done now: the time may have ended over an open form. */
export function fitsNow(form: OpenForm, { stage, window, releases }: OpeningView): boolean {
  if (form === "none" || window === null) return false;
  if (form === "restart") return stage === "release" && releases.length === 0;
  return stage === "decryption" && !window.ended;
}

/** The form of the control that is open. */
export function ControlForm({
  view,
  host,
  acts,
  nowMs,
  form,
  onForm,
}: ControlsProps & { readonly form: OpenForm; readonly onForm: (form: OpenForm) => void }) {
  const [reason, setReason] = useState("");
  const [minutes, setMinutes] = useState<number>(10);
  const [isTried, setTried] = useState(false);
  const { window } = view;
  if (window === null || !fitsNow(form, view)) return null;
  const firms = openable(view).length;
  const done = (act: () => void) => {
    setTried(true);
    if (reason.trim() === "") return;
    act();
    setReason("");
    setTried(false);
    onForm("none");
  };
  const field = <ReasonField reason={reason} onReason={setReason} isTried={isTried} />;
  if (form === "pause") {
    return (
      <section class="pane">
        <h2>{t("host.pause_title")}</h2>
        {field}
        <div class="acts">
          <Act
            glyph="pause"
            isBusy={host.busy === "pause"}
            onPress={() => done(() => acts.pause(reason.trim()))}
          >
            {t("host.pause_act", { n: firms })}
          </Act>
          <span class="hint">{t("host.pause_hint")}</span>
        </div>
      </section>
    );
  }
  if (form === "restart") {
    const session = view.manifest?.sessions.find((one) => one.session === window.session);
    return (
      <section class="pane">
        <h2>{t("host.restart_title")}</h2>
        <p>
          {t("host.restart_text", {
            n: view.locked.size,
            minutes: Math.round((session?.window_ms ?? 0) / MINUTE_MS),
          })}
        </p>
        {field}
        <div class="acts">
          <Act
            glyph="again"
            isBusy={host.busy === "start"}
            onPress={() => done(() => acts.start(window.session, reason.trim()))}
          >
            {t("host.restart_act", { n: firms })}
          </Act>
          <span class="hint">{t("host.final_hint")}</span>
        </div>
      </section>
    );
  }
  const extraMs = minutes * MINUTE_MS;
  const newEnd =
    window.remainingMs === null ? window.endMs + extraMs : nowMs + window.remainingMs + extraMs;
  return (
    <section class="pane">
      <h2>{t("host.extend_title")}</h2>
      <div class="two-up">
        <fieldset class="field">
          <legend>{t("host.extend_by")}</legend>
          <div class="picks">
            {EXTENSIONS_MIN.map((choice) => (
              <label class="pick" key={choice}>
                <input
                  type="radio"
                  name="extend"
                  checked={minutes === choice}
                  onChange={() => setMinutes(choice)}
                />
                {t("host.minutes", { n: choice })}
              </label>
            ))}
          </div>
          <p>
            {t("host.new_end")} <b class="big">{clockTime(newEnd)}</b>
          </p>
        </fieldset>
        {field}
      </div>
      <div class="acts">
        <Act
          glyph="plus"
          isBusy={host.busy === "extend"}
          onPress={() => done(() => acts.extend(extraMs, reason.trim()))}
        >
          {t("host.extend_act", { minutes, n: firms })}
        </Act>
        <span class="hint">{t("host.final_hint")}</span>
      </div>
    </section>
  );
}
