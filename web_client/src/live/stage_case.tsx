/**
 * A bidder on stage (上台): asked, checking, speaking, and told when it is over.
 *
 * Invariant: pure. One clear next act at a time; what is sent of oneself is seen in word and shape.
 */
import { useEffect, useRef } from "preact/hooks";
import { t } from "../i18n.ts";
import { Act, Button, Done, Note } from "../ui/words.tsx";
import { OwnPicture } from "./tile.tsx";
import type { Label } from "./told.ts";
import { SendSwitch } from "./words.tsx";

export interface OwnSource {
  readonly label: Label;
  readonly media: MediaStreamTrack;
  readonly isMuted: boolean;
}

export interface StageView {
  readonly step: "asked" | "joining" | "on" | "lost" | "over";
  /** Why the host asks; "" when it is not known. */
  readonly reason: string;
  readonly sources: readonly OwnSource[];
  /** What the host has switched off. */
  readonly silenced: readonly Label[];
  readonly isHeld: boolean;
  /** Something else on the page is asked first: this is no solid act then. */
  readonly isSecond: boolean;
}

export interface StageCaseActs {
  accept(): void;
  setMuted(label: Label, muted: boolean): void;
  /** Stops sending, of one's own will. */
  stop(): void;
  dismiss(): void;
}

export function StageCase({
  view,
  acts,
}: {
  readonly view: StageView;
  readonly acts: StageCaseActs;
}) {
  const box = useRef<HTMLDivElement>(null);
  // Being asked is news: it is brought into sight, unless something else is asked first.
  useEffect(() => {
    const isTyping = document.activeElement?.matches("input, textarea") === true;
    if (view.step === "asked" && !view.isSecond && !isTyping) {
      box.current?.scrollIntoView({ block: "center" });
    }
  }, [view.step, view.isSecond]);
  if (view.step === "over") {
    return (
      <div class="stage">
        <Done title={t("speak.over_title")}>
          <p>{t("speak.over")}</p>
          <Button onPress={acts.dismiss}>{t("page.understood")}</Button>
        </Done>
      </div>
    );
  }
  if (view.step === "asked") {
    return (
      <div ref={box} class="stage asked-to" role="alert">
        <h3>{t("speak.asked_title")}</h3>
        {view.reason !== "" && <p>{t("speak.reason", { reason: view.reason })}</p>}
        {view.isSecond ? (
          <Button glyph="camera" onPress={acts.accept}>
            {t("speak.accept")}
          </Button>
        ) : (
          <Act glyph="camera" isWide id="stage-accept" onPress={acts.accept}>
            {t("speak.accept")}
          </Act>
        )}
        <p class="hint">{t("speak.accept_hint")}</p>
      </div>
    );
  }
  const camera = view.sources.find((one) => one.label === "camera");
  return (
    <div class="stage">
      <h3>{t(`speak.${view.step}_title`)}</h3>
      {camera && (
        <div class="live-frame own">
          <OwnPicture media={camera.media} label={t("device.own_picture")} />
          {camera.isMuted && <p class="live-over">{t("speak.camera_off")}</p>}
        </div>
      )}
      <div class="send-switches">
        {view.sources.map((one) => (
          <SendSwitch
            key={one.label}
            label={one.label}
            isOn={!one.isMuted && !view.silenced.includes(one.label)}
            onPress={() => acts.setMuted(one.label, !one.isMuted)}
          />
        ))}
      </div>
      {view.silenced.length > 0 && <Note tone="wait">{t("speak.silenced")}</Note>}
      {view.isHeld && <Note tone="wait">{t("speak.held")}</Note>}
      <Button onPress={acts.stop}>{t("speak.stop")}</Button>
    </div>
  );
}
