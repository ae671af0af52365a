/**
 * The host's studio at work (导播台): devices, connection and the commands of the floor.
 *
 * Invariant: what the floor is comes from the server; a press changes nothing on the page by itself
 * but what the host's own devices send.
 */
import { useEffect, useState } from "preact/hooks";
import { t } from "../i18n.ts";
import { clock } from "../net/store.ts";
import { type Trouble, TroubleBox, troubleOf } from "../ui/refusal.tsx";
import { Button, Note } from "../ui/words.tsx";
import { DeviceCheck } from "./device_check.tsx";
import { DeviceFault, type FaultKind, takeScreen } from "./devices.ts";
import { type Stopped, stoppedAfter } from "./program.ts";
import type { LiveRoom } from "./room.ts";
import { RoomPicture } from "./room_picture.tsx";
import type { LiveProps } from "./slot.tsx";
import type { StageActs } from "./stage_acts.ts";
import { type StudioActs, StudioPane } from "./studio_pane.tsx";
import { peopleOf, type StudioView } from "./studio_view.ts";
import { OwnPicture } from "./tile.tsx";
import { useRoom } from "./use_room.ts";
import { faultText } from "./words.tsx";

export function StudioLive({ id, view, acts }: LiveProps) {
  const room = useRoom(`opening:${id}`);
  const link = room.link.value;
  if (acts === undefined || room.door.value === null || link === "absent" || link === "refused") {
    return null;
  }
  return (
    <>
      <Studio room={room} view={view} acts={acts} />
      <section class="pane">
        <RoomPicture room={room} isOnAirDesk />
      </section>
    </>
  );
}

/** Which pictures have stopped, as lines that stand for a while. */
function useStopped(room: LiveRoom): readonly Stopped[] {
  const [stopped, setStopped] = useState<readonly Stopped[]>([]);
  useEffect(() => {
    let before = room.told.peek();
    const look = () => {
      const after = room.told.peek();
      const was = before;
      before = after;
      // A new life of the media process stops everybody's; that is said once, by the panel.
      if (was.boot !== after.boot) return;
      setStopped((known) => {
        const next = stoppedAfter(was, after, known, clock.now());
        return next.length === 0 && known.length === 0 ? known : next;
      });
    };
    const stop = room.told.subscribe(look);
    const timer = setInterval(look, 5000);
    return () => {
      stop();
      clearInterval(timer);
    };
  }, [room]);
  const own = room.member.value;
  return stopped.filter((one) => one.member !== own);
}

function Studio({
  room,
  view,
  acts,
}: {
  readonly room: LiveRoom;
  readonly view: LiveProps["view"];
  readonly acts: StageActs;
}) {
  const [isChecking, setChecking] = useState(false);
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  const [fault, setFault] = useState<FaultKind | null>(null);
  const stopped = useStopped(room);
  const { publishing } = room;
  const told = room.told.value;
  const own = room.member.value;
  const sources = publishing.sources.value;
  const people = peopleOf(told, own, view.stage);
  const camera = sources.camera;
  const said = async (asked: Promise<unknown>) => {
    setTrouble(null);
    try {
      await asked;
    } catch (error) {
      setTrouble(troubleOf(error, clock.now()));
    }
  };
  const shareScreen = async () => {
    setFault(null);
    try {
      const { picture, sound } = await takeScreen();
      publishing.add(picture, "screen");
      if (sound !== null) publishing.add(sound, "screen_sound");
    } catch (error) {
      // Closing the browser's own window of choices is no fault.
      const kind = error instanceof DeviceFault ? error.kind : "other";
      if (kind !== "refused") setFault(kind);
    }
  };
  const stopScreen = () => {
    publishing.remove("screen");
    publishing.remove("screen_sound");
  };
  const all: StudioActs = {
    begin: () => setChecking(true),
    setMuted: (label, muted) => publishing.setMuted(label, muted),
    shareScreen: () => void shareScreen(),
    stopScreen,
    stop: () => publishing.stop(),
    putOnStage: (person, reason) => said(acts.putOnStage(person, reason)),
    takeOffStage: (person, reason) => said(acts.takeOffStage(person, reason)),
    hold: (person, held) => said(acts.hold(person, held)),
    mute: (person, label, muted) => said(acts.mute(person, label, muted)),
  };
  const shown: StudioView = {
    phase: publishing.keeper.phase.value,
    isLost: publishing.keeper.failures.value > 0,
    own: Object.fromEntries(
      Object.values(sources).map(({ label, muted }) => [label, { isMuted: muted }]),
    ),
    quality: publishing.keeper.quality.value,
    people,
    watching: told.watching,
    stopped,
    recording: told.recording,
    mayPublish: (room.door.value?.may.publish.length ?? 0) > 0,
  };
  return (
    <>
      {trouble && (
        <div>
          <TroubleBox trouble={trouble} />
          <Button onPress={() => setTrouble(null)}>{t("page.understood")}</Button>
        </div>
      )}
      {fault !== null && <Note tone="wait">{faultText(fault)}</Note>}
      <StudioPane
        view={shown}
        acts={all}
        own={
          camera && (
            <div class="live-frame own">
              <OwnPicture media={camera.media} label={t("device.own_picture")} />
              {camera.muted && <p class="live-over">{t("speak.camera_off")}</p>}
            </div>
          )
        }
      />
      {isChecking && (
        <DeviceCheck
          room={room}
          audience="public"
          onJoined={() => setChecking(false)}
          onLeave={() => setChecking(false)}
        />
      )}
    </>
  );
}
