/**
 * The hall's live part at work (大厅音视频): the picture, and the stage of whoever is put on it.
 *
 * Invariant: where there is no video, or not for us, this is nothing at all.
 */
import { useEffect, useState } from "preact/hooks";
import { t } from "../i18n.ts";
import { me } from "../net/session.ts";
import { DeviceCheck } from "./device_check.tsx";
import type { LiveRoom } from "./room.ts";
import { RoomPicture } from "./room_picture.tsx";
import type { LiveProps } from "./slot.tsx";
import { StageCase, type StageView } from "./stage_case.tsx";
import { LABELS, type Told } from "./told.ts";
import { useRoom } from "./use_room.ts";

export function HallLive({ id, view, isAsked, isPane = false }: LiveProps) {
  const room = useRoom(`opening:${id}`);
  useEffect(() => {
    // Who bids takes part from some stage on, and this page may have been open before. Who has no
    // login stays the public; there may be thousands of them.
    if (me.value.person !== undefined && room.door.value !== null && room.member.value === "")
      void room.knock();
  }, [view.stage, room]);
  const link = room.link.value;
  const isShown = room.door.value !== null && link !== "absent" && link !== "refused";
  if (!isShown || view.stage === "closed") return null;
  const picture = (
    <RoomPicture room={room} known={knownOf(view)}>
      <Stage room={room} view={view} isAsked={isAsked} />
    </RoomPicture>
  );
  return isPane ? <div class="pane">{picture}</div> : picture;
}

/** Who is on stage stands in the journal; else it is the room. */
function knownOf(view: LiveProps["view"]): string {
  const name = Object.values(view.onStage).at(-1);
  return name === undefined ? t("live.room") : t("live.on_stage", { name });
}

/** The reason that was given with the latest call to the stage. */
function reasonOf(view: LiveProps["view"]): string {
  const line = view.announcements.filter((one) => one.kind === "put_on_stage").at(-1);
  return String(line?.args["reason"] ?? "");
}

function silencedOf(told: Told, own: string): StageView["silenced"] {
  return LABELS.filter((label) => told.muted.some(([who, what]) => who === own && what === label));
}

function Stage({
  room,
  view,
  isAsked,
}: Pick<LiveProps, "view" | "isAsked"> & { readonly room: LiveRoom }) {
  const [isChecking, setChecking] = useState(false);
  const [wasOn, setWasOn] = useState(false);
  const own = room.member.value;
  const told = room.told.value;
  const isOnStage = own !== "" && told.onStage.includes(own);
  const { publishing } = room;
  const isOn = publishing.isOn.value;
  useEffect(() => {
    if (isOnStage) setWasOn(true);
    else {
      // Cameras go off with the stage, whatever the network says.
      if (wasOn && told.boot !== "") publishing.stop();
      setChecking(false);
    }
  }, [isOnStage]);
  if (!isOnStage && !wasOn) return null;
  if (isChecking && !isOn) {
    return (
      <DeviceCheck
        room={room}
        audience="public"
        onJoined={() => setChecking(false)}
        onLeave={() => setChecking(false)}
      />
    );
  }
  const { phase, failures } = publishing.keeper;
  const step = !isOnStage
    ? "over"
    : !isOn
      ? "asked"
      : phase.value === "up"
        ? "on"
        : failures.value > 0
          ? "lost"
          : "joining";
  const sources = Object.values(publishing.sources.value);
  return (
    <StageCase
      view={{
        step,
        reason: reasonOf(view),
        sources: sources.map(({ label, media, muted }) => ({ label, media, isMuted: muted })),
        silenced: silencedOf(told, own),
        isHeld: told.held.includes(own),
        isSecond: isAsked,
      }}
      acts={{
        accept: () => setChecking(true),
        setMuted: (label, muted) => publishing.setMuted(label, muted),
        stop: () => publishing.stop(),
        dismiss: () => setWasOn(false),
      }}
    />
  );
}
