/**
 * Consent and the check of device and network (同意与设备检测): a dialog before anything is sent.
 *
 * Invariant: pure. No device is asked for before the press that says yes to being seen, heard and
 * recorded; nothing is sent before the second press; each piece says in words what is wrong with it
 * and what to do.
 */
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { t } from "../i18n.ts";
import { Act, Button, Status } from "../ui/words.tsx";
import type { Device, FaultKind } from "./devices.ts";
import type { Quality } from "./quality.ts";
import { OwnPicture } from "./tile.tsx";
import { faultText, qualityText } from "./words.tsx";

/** One device: not asked for, being asked for, there, or not to be had. */
export type Piece =
  | { readonly kind: "left_out" | "asking" }
  | { readonly kind: "on"; readonly media: MediaStreamTrack }
  | { readonly kind: "fault"; readonly fault: FaultKind };

export type Network =
  | { readonly kind: "trying" }
  | { readonly kind: "up"; readonly isRelayed: boolean; readonly rttMs: number; quality: Quality }
  | { readonly kind: "blocked" };

export interface CheckView {
  readonly step: "consent" | "check";
  /** Who sees it: the public too, or the meeting alone. */
  readonly audience: "public" | "meeting";
  readonly isRecorded: boolean;
  readonly camera: Piece;
  readonly microphone: Piece;
  /** 0 to 1; `wasHeard`: it has been above silence since the check began. */
  readonly level: number;
  readonly wasHeard: boolean;
  readonly cameras: readonly Device[];
  readonly microphones: readonly Device[];
  readonly network: Network;
}

export interface CheckActs {
  agree(withCamera: boolean): void;
  leave(): void;
  chooseCamera(id: string): void;
  chooseMicrophone(id: string): void;
  playTest(): void;
  join(): void;
}

export function CheckDialog({
  view,
  acts,
}: {
  readonly view: CheckView;
  readonly acts: CheckActs;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
    return () => dialog.current?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      class="check"
      aria-labelledby="check-title"
      onCancel={(event) => {
        event.preventDefault();
        acts.leave();
      }}
    >
      {view.step === "consent" ? (
        <Consent view={view} acts={acts} />
      ) : (
        <Check view={view} acts={acts} />
      )}
    </dialog>
  );
}

interface Props {
  readonly view: CheckView;
  readonly acts: CheckActs;
}

function Consent({ view, acts }: Props) {
  return (
    <>
      <h2 id="check-title">{t("device.consent_title")}</h2>
      <ul class="plain-list">
        <li>{t(view.audience === "public" ? "device.seen_public" : "device.seen_meeting")}</li>
        <li>{t(view.isRecorded ? "device.recorded" : "device.not_recorded")}</li>
        <li>{t("device.stop_any_time")}</li>
      </ul>
      <Act glyph="camera" isWide onPress={() => acts.agree(true)}>
        {t("device.agree")}
      </Act>
      <div class="acts">
        <Button glyph="mic" onPress={() => acts.agree(false)}>
          {t("device.agree_sound")}
        </Button>
        <Button onPress={acts.leave}>{t("device.disagree")}</Button>
      </div>
      <p class="hint">{t("device.browser_asks")}</p>
    </>
  );
}

function Check({ view, acts }: Props) {
  const { camera, microphone, network } = view;
  return (
    <>
      <h2 id="check-title">{t("device.title")}</h2>
      <div class="check-grid">
        {camera.kind !== "left_out" && (
          <Part name={t("live.label.camera")}>
            <div class="live-frame">
              <OwnPicture
                media={camera.kind === "on" ? camera.media : null}
                label={t("device.own_picture")}
              />
            </div>
            <State piece={camera} ok={t("device.camera_ok")} />
            <Choice
              id="check-camera"
              label={t("device.which_camera")}
              devices={view.cameras}
              chosen={camera.kind === "on" ? deviceOf(camera.media) : ""}
              onChoose={acts.chooseCamera}
            />
          </Part>
        )}
        <div>
          <Part name={t("live.label.microphone")}>
            <Meter level={view.level} />
            <State
              piece={microphone}
              ok={t(view.wasHeard ? "device.heard" : "device.say_something")}
              isSure={view.wasHeard}
            />
            <Choice
              id="check-microphone"
              label={t("device.which_microphone")}
              devices={view.microphones}
              chosen={microphone.kind === "on" ? deviceOf(microphone.media) : ""}
              onChoose={acts.chooseMicrophone}
            />
          </Part>
          <Part name={t("device.speaker")}>
            <Button glyph="sound" onPress={acts.playTest}>
              {t("device.play")}
            </Button>
            <p class="hint">{t("device.play_hint")}</p>
          </Part>
          <Part name={t("device.network")}>
            <NetworkState network={network} />
          </Part>
        </div>
      </div>
      <Act glyph="mic" isWide id="check-join" blocked={blockedBy(view)} onPress={acts.join}>
        {t("device.join")}
      </Act>
      <div class="acts">
        <Button onPress={acts.leave}>{t("device.leave")}</Button>
      </div>
    </>
  );
}

/** Why nothing can be sent yet; null when it can. */
export function blockedBy(view: CheckView): string | null {
  const isAsking = view.microphone.kind === "asking" || view.camera.kind === "asking";
  if (isAsking) return t("device.blocked_asking");
  if (view.microphone.kind !== "on" && view.camera.kind !== "on")
    return t("device.blocked_nothing");
  if (view.network.kind === "trying") return t("device.blocked_trying");
  return view.network.kind === "blocked" ? t("device.blocked_network") : null;
}

function Part({
  name,
  children,
}: {
  readonly name: string;
  readonly children?: ComponentChildren;
}) {
  return (
    <section class="check-part">
      <h3>{name}</h3>
      {children}
    </section>
  );
}

function State({
  piece,
  ok,
  isSure = true,
}: {
  readonly piece: Piece;
  readonly ok: string;
  readonly isSure?: boolean;
}) {
  switch (piece.kind) {
    case "left_out":
      return null;
    case "asking":
      return (
        <Status tone="wait" glyph="clock">
          {t("device.asking")}
        </Status>
      );
    case "on":
      return (
        <Status tone={isSure ? "go" : "wait"} glyph={isSure ? "tick" : "ring"}>
          {ok}
        </Status>
      );
    case "fault":
      return (
        <Status tone="stop" glyph="warn">
          {faultText(piece.fault)}
        </Status>
      );
  }
}

function NetworkState({ network }: { readonly network: Network }) {
  if (network.kind === "trying") {
    return (
      <Status tone="wait" glyph="clock">
        {t("device.trying")}
      </Status>
    );
  }
  if (network.kind === "blocked") {
    return (
      <>
        <Status tone="stop" glyph="warn">
          {t("device.blocked")}
        </Status>
        <p class="hint">{t("device.blocked_todo")}</p>
      </>
    );
  }
  return (
    <>
      <Status tone={network.quality === "poor" ? "wait" : "go"} glyph="tick">
        {t(network.isRelayed ? "device.relayed" : "device.direct")}
      </Status>
      <p class="hint">
        {t("device.expect", { quality: qualityText(network.quality), ms: network.rttMs })}
      </p>
    </>
  );
}

const STEPS = 12;

/** Blocks, not a colour: how many of them are filled is how loud it is. */
export function Meter({ level }: { readonly level: number }) {
  const filled = Math.round(level * STEPS);
  return (
    <div>
      <meter class="vh" aria-label={t("device.level")} min={0} max={STEPS} value={filled} />
      <div class="meter" aria-hidden="true">
        {Array.from({ length: STEPS }, (_, at) => (
          <span key={at} class={at < filled ? "full" : undefined} />
        ))}
      </div>
    </div>
  );
}

function Choice({
  id,
  label,
  devices,
  chosen,
  onChoose,
}: {
  readonly id: string;
  readonly label: string;
  readonly devices: readonly Device[];
  readonly chosen: string;
  readonly onChoose: (id: string) => void;
}) {
  if (devices.length < 2) return null;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select id={id} value={chosen} onChange={(event) => onChoose(event.currentTarget.value)}>
        {devices.map((device) => (
          <option key={device.id} value={device.id}>
            {device.name}
          </option>
        ))}
      </select>
    </div>
  );
}

function deviceOf(media: MediaStreamTrack): string {
  return media.getSettings().deviceId ?? "";
}
