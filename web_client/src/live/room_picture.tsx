/**
 * The room's picture as it really plays (画面元素): by WebRTC track or by fragments, in one place.
 *
 * Invariant: the element of the fragments is always there, so that the change of way needs no
 * waiting; only one of the two is seen and heard.
 */

import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { t } from "../i18n.ts";
import { BroadcastPanel } from "./broadcast_panel.tsx";
import { broadcastViewOf } from "./broadcast_view.ts";
import { airOf, programOf } from "./program.ts";
import type { LiveRoom } from "./room.ts";
import { OwnPicture, Picture, Sound } from "./tile.tsx";
import type { Track } from "./told.ts";

export function RoomPicture({
  room,
  known = "",
  isOnAirDesk = false,
  children,
}: {
  readonly room: LiveRoom;
  /** Who is shown, as far as the page knows without the room. */
  readonly known?: string;
  /** Whoever sends for the room is told what becomes of it: on air, paused, silent. */
  readonly isOnAirDesk?: boolean;
  readonly children?: ComponentChildren;
}) {
  const [isAudioOnly, setAudioOnly] = useState(false);
  const element = useRef<HTMLVideoElement>(null);
  useEffect(() => (element.current ? room.playOn(element.current) : undefined), [room]);
  const { shown } = room.way.value;
  const own = room.member.value;
  const player = room.player.value;
  const { keeper, arrived } = room.watching;
  // What the room gets, our own picture too: that one is drawn from here and never fetched.
  const program = programOf(room.told.value, "");
  const sources = room.publishing.sources.value;
  const isOwn = program.main !== null && program.main.member === own;
  const main = shown === "webrtc" && !isAudioOnly ? program.main : null;
  const beside = shown === "webrtc" && !isAudioOnly ? program.beside : null;
  const view = broadcastViewOf({
    link: room.link.value,
    told: room.told.value,
    own,
    first: room.door.value?.way ?? "webrtc",
    shown,
    phase: keeper.phase.value,
    hasArrived:
      program.main !== null &&
      (isOwn ? sources[program.main.label] !== undefined : arrived.value.has(program.main.track)),
    quality: isOwn ? room.publishing.keeper.quality.value : keeper.quality.value,
    player: player?.state.value ?? "off",
    latencyMs: player?.latencyMs.value ?? null,
    isSoundOn: room.sound.value,
    isAudioOnly,
    known,
  });
  const acts = {
    setSound: (isOn: boolean) => {
      room.sound.value = isOn;
      // Said here, inside the press, or some browsers do not let it sound.
      if (element.current) {
        element.current.muted = !isOn;
        void element.current.play().catch(() => {});
      }
    },
    setAudioOnly,
    comeBack: () => room.comeBack(),
  };
  const shownOf = (track: Track, label: string) =>
    track.member === own ? (
      <OwnPicture
        key={track.track}
        media={sources[track.label]?.media ?? null}
        label={label}
        isMirrored={false}
      />
    ) : (
      <Picture key={track.track} room={room} track={track.track} label={label} />
    );
  return (
    <BroadcastPanel
      view={view}
      air={isOnAirDesk ? airOf(room.told.value) : null}
      acts={acts}
      picture={
        <>
          <video
            ref={element}
            class="live-picture"
            data-way="fragments"
            hidden={shown !== "fragments"}
            aria-label={view.who === "" ? t("live.title") : view.who}
            muted={!room.sound.value || shown !== "fragments"}
            autoplay
            playsInline
          />
          {main !== null && shownOf(main, view.who)}
          {beside !== null && <div class="live-beside">{shownOf(beside, t("live.beside"))}</div>}
          <Sound room={room} />
        </>
      }
    >
      {children}
    </BroadcastPanel>
  );
}
