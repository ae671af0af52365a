/**
 * The hall's picture (现场画面): who is shown, how late, how good, and what to do when there is none.
 *
 * Invariant: pure, and of a fixed height, so that nothing on the page moves when a picture comes,
 * goes or changes its way. Without a picture it says that the hall goes on.
 */
import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";
import { t } from "../i18n.ts";
import { Glyph } from "../ui/glyph.tsx";
import { Button, Status } from "../ui/words.tsx";
import type { Air } from "./program.ts";
import type { Quality } from "./quality.ts";
import type { RecordingState } from "./told.ts";
import { latencyText, QualityWord } from "./words.tsx";

export interface BroadcastView {
  readonly state: "joining" | "playing" | "nobody" | "late" | "lost" | "elsewhere";
  /** Who is shown; "" where nobody is. */
  readonly who: string;
  readonly isScreen: boolean;
  readonly way: "webrtc" | "fragments";
  /** The participant's network lets no UDP pass; the public has fragments by choice. */
  readonly isFallback: boolean;
  readonly latencyMs: number | null;
  readonly quality: Quality;
  readonly hasSound: boolean;
  readonly isSoundOn: boolean;
  readonly isAudioOnly: boolean;
  readonly recording: RecordingState;
}

export interface BroadcastActs {
  setSound(isOn: boolean): void;
  setAudioOnly(isOn: boolean): void;
  /** Shows it here instead of on the other page. */
  comeBack(): void;
}

const AIR_GLYPHS = { on: "now", paused: "pause", off: "cameraOff" } as const;

/** What the room gets now, on the picture itself: word and sign, black on white or white on black. */
function AirSign({ air }: { readonly air: Air }) {
  return (
    <p class="air-signs" role="status">
      <span class={`air-sign ${air.state}`}>
        <Glyph name={AIR_GLYPHS[air.state]} />
        {t(`live.air.${air.state}`)}
      </span>
      {air.state === "on" && !air.hasPicture && (
        <span class="air-sign less">
          <Glyph name="cameraOff" />
          {t("live.air.no_picture")}
        </span>
      )}
      {air.state === "on" && !air.hasSound && (
        <span class="air-sign less">
          <Glyph name="micOff" />
          {t("live.air.silent")}
        </span>
      )}
    </p>
  );
}

function overText({ state, isAudioOnly }: BroadcastView, air: Air | null): string {
  if (isAudioOnly && state === "playing") return t("live.audio_only_now");
  if (state === "nobody" && air !== null) return t(`live.air.${air.state}_why`);
  return t(`live.state.${state}`);
}

export function BroadcastPanel({
  view,
  air,
  acts,
  picture,
  children,
}: {
  readonly view: BroadcastView;
  /** Null where it is nobody's business but the sender's. */
  readonly air: Air | null;
  readonly acts: BroadcastActs;
  /** The elements that play. */
  readonly picture: ComponentChildren;
  readonly children?: ComponentChildren;
}) {
  const frame = useRef<HTMLDivElement>(null);
  const { state, who, isAudioOnly } = view;
  const isPlaying = state === "playing";
  return (
    <section class="section live" aria-labelledby="live-title">
      <h2 id="live-title">{t("live.title")}</h2>
      <figure class="live-figure">
        <div ref={frame} class={isAudioOnly ? "live-frame audio-only" : "live-frame"}>
          {picture}
          {(!isPlaying || isAudioOnly) && <p class="live-over">{overText(view, air)}</p>}
          {air !== null && <AirSign air={air} />}
        </div>
        <figcaption>
          {who === "" ? (
            <span class="soft">{t("live.nobody_shown")}</span>
          ) : (
            <b>{view.isScreen ? t("live.screen_of", { who }) : who}</b>
          )}
          {view.recording === "on" && <span class="tag">{t("live.recording.on")}</span>}
          {view.recording === "no_pictures" && (
            <span class="tag">{t("live.recording.no_pictures")}</span>
          )}
        </figcaption>
      </figure>
      <div class="live-acts">
        <Button
          glyph={view.isSoundOn ? "sound" : "soundOff"}
          isPressed={view.isSoundOn}
          onPress={() => acts.setSound(!view.isSoundOn)}
        >
          {t(view.isSoundOn ? "live.sound_on" : "live.sound_off")}
        </Button>
        <Button isPressed={isAudioOnly} onPress={() => acts.setAudioOnly(!isAudioOnly)}>
          {t("live.audio_only")}
        </Button>
        <Button
          glyph="expand"
          isOff={!isPlaying || isAudioOnly}
          onPress={() => void frame.current?.requestFullscreen?.().catch(() => {})}
        >
          {t("live.full")}
        </Button>
      </div>
      <p class="live-line small" role="status">
        {isPlaying ? (
          <>
            <QualityWord quality={view.quality} />
            {view.quality !== "none" && <span>{latencyText(view.way, view.latencyMs)}</span>}
          </>
        ) : (
          <Status tone="soft" glyph="clock">
            {t("live.goes_on")}
          </Status>
        )}
      </p>
      {state === "elsewhere" && <Button onPress={acts.comeBack}>{t("live.come_back")}</Button>}
      {view.isFallback && <p class="hint">{t("live.fallback")}</p>}
      {!view.isSoundOn && view.hasSound && isPlaying && <p class="hint">{t("live.sound_hint")}</p>}
      {children}
    </section>
  );
}
