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
import { programOf } from "./program.ts";
import type { LiveRoom } from "./room.ts";
import { Picture, Sound } from "./tile.tsx";

export function RoomPicture({
  room,
  known = "",
  children,
}: {
  readonly room: LiveRoom;
  /** Who is shown, as far as the page knows without the room. */
  readonly known?: string;
  readonly children?: ComponentChildren;
}) {
  const [isAudioOnly, setAudioOnly] = useState(false);
  const element = useRef<HTMLVideoElement>(null);
  useEffect(() => (element.current ? room.playOn(element.current) : undefined), [room]);
  const { shown } = room.way.value;
  const own = room.member.value;
  const player = room.player.value;
  const { keeper, arrived } = room.watching;
  const program = programOf(room.told.value, own);
  const main = shown === "webrtc" && !isAudioOnly ? program.main : null;
  const beside = shown === "webrtc" && !isAudioOnly ? program.beside : null;
  const view = broadcastViewOf({
    link: room.link.value,
    told: room.told.value,
    own,
    first: room.door.value?.way ?? "webrtc",
    shown,
    phase: keeper.phase.value,
    hasArrived: program.main !== null && arrived.value.has(program.main.track),
    quality: keeper.quality.value,
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
  return (
    <BroadcastPanel
      view={view}
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
          {main !== null && (
            <Picture key={main.track} room={room} track={main.track} label={view.who} />
          )}
          {beside !== null && (
            <div class="live-beside">
              <Picture
                key={beside.track}
                room={room}
                track={beside.track}
                label={t("live.beside")}
              />
            </div>
          )}
          <Sound room={room} />
        </>
      }
    >
      {children}
    </BroadcastPanel>
  );
}
