/**
 * The head of a meeting's pages (会场页头): what it is, whether it is recorded, who speaks to us.
 *
 * Invariant: whoever is seen or heard here reads that the room is recorded, or that it is not.
 */
import { t } from "../../i18n.ts";
import type { Link } from "../../live/room.ts";
import type { RecordingState } from "../../live/told.ts";
import { latencyText } from "../../live/words.tsx";
import type { Heard } from "../../meeting/room_model.ts";
import type { Scope } from "../../meeting/view.ts";
import { clockTime } from "../../time.ts";
import { Glyph } from "../../ui/glyph.tsx";
import { TroubleBox } from "../../ui/refusal.tsx";
import { Button, Note, Status } from "../../ui/words.tsx";
import type { MeetingProps, RoomActs } from "./venue_view.ts";

const STAGES = {
  scheduled: "venue.stage_scheduled",
  running: "venue.stage_running",
  closed: "venue.stage_closed",
} as const;

export function MeetingHead({
  props,
  acts,
}: {
  readonly props: MeetingProps;
  readonly acts: RoomActs;
}) {
  const { view, around, recording, mediaLink, fallback, program, isSoundOn, trouble } = props;
  return (
    <>
      <div class="meeting-head">
        <h1>{view.title || t("venue.title")}</h1>
        <span class="num meeting-clock">{clockTime(around.nowMs)}</span>
        <span class="tag">{t(STAGES[view.stage])}</span>
        <RecordedSign recording={recording} />
        <MediaLinkWord link={mediaLink} />
        {fallback !== null && (
          <Status tone="wait" glyph="clock">
            {latencyText("fragments", fallback.latencyMs)}
          </Status>
        )}
        {mediaLink === "elsewhere" && <Button onPress={acts.onBack}>{t("live.come_back")}</Button>}
        <button
          type="button"
          class={isSoundOn ? "btn" : "act sound-act"}
          aria-pressed={isSoundOn}
          onClick={() => acts.onSound(!isSoundOn)}
        >
          <Glyph name={isSoundOn ? "sound" : "soundOff"} />
          <span>{t(isSoundOn ? "venue.sound_on" : "venue.sound_off")}</span>
        </button>
      </div>
      {around.link === "lost" && <Note tone="wait">{t("venue.site_lost")}</Note>}
      {fallback !== null && (
        <Note tone="wait">
          {t(fallback.isHidden ? "venue.fallback_wall" : "venue.fallback", {
            port: fallback.udpPort,
          })}
        </Note>
      )}
      {program !== null && (
        <section class="venue-large" aria-label={t("venue.program")}>
          <p class="venue-large-title">
            <Glyph name="screen" />
            <b>{t("venue.program")}</b>
          </p>
          <div class="tile-picture screen">{program}</div>
        </section>
      )}
      {trouble && <TroubleBox trouble={trouble} />}
    </>
  );
}

/** Recorded or not: said to everybody, always. */
export function RecordedSign({ recording }: { readonly recording: RecordingState }) {
  switch (recording) {
    case "on":
      return (
        <span class="tag solid recorded">
          <Glyph name="now" />
          {t("venue.recorded")}
        </span>
      );
    case "no_pictures":
      return (
        <Status tone="wait" glyph="warn">
          {t("venue.recorded_sound")}
        </Status>
      );
    case "refused":
      return (
        <Status tone="stop" glyph="warn">
          {t("venue.recorded_refused")}
        </Status>
      );
    default:
      return (
        <Status tone="soft" glyph="ring">
          {t("venue.recorded_off")}
        </Status>
      );
  }
}

function MediaLinkWord({ link }: { readonly link: Link }) {
  if (link === "live") {
    return (
      <Status tone="go" glyph="link">
        {t("venue.link_live")}
      </Status>
    );
  }
  const words = {
    joining: "venue.link_joining",
    lost: "venue.link_lost",
    absent: "venue.link_absent",
    refused: "venue.link_refused",
    elsewhere: "venue.link_elsewhere",
  } as const;
  return (
    <Status
      tone={link === "joining" ? "soft" : "wait"}
      glyph={link === "joining" ? "clock" : "warn"}
    >
      {t(words[link])}
    </Status>
  );
}

/** A call from a supervisor: who speaks, and who hears it. Cannot be overlooked. */
export function CalledBand({ heard }: { readonly heard: readonly Heard[] }) {
  return (
    <div role="alert">
      {heard.map((one) => (
        <p key={one.member} class="called">
          <Glyph name="phone" />
          <span>
            <b>{one.name ? t("venue.called_by", { name: one.name }) : t("venue.called")}</b>{" "}
            {t(calledWords(one.to))}
          </span>
        </p>
      ))}
    </div>
  );
}

function calledWords(to: Scope | null) {
  switch (to?.kind) {
    case "seat":
      return "venue.called_seat";
    case "venue":
      return "venue.called_venue";
    case "all":
      return "venue.called_all";
    default:
      return "venue.called_some";
  }
}
