/**
 * The check at work (设备检测): asks devices after consent, opens the real connection, hands over.
 *
 * Invariant: what was taken for the check is sent only by `join`; whoever leaves leaves no camera on
 * and no connection open.
 */
import { useEffect, useRef, useState } from "preact/hooks";
import {
  type CheckActs,
  CheckDialog,
  type CheckView,
  type Network,
  type Piece,
} from "./check_view.tsx";
import {
  type Device,
  DeviceFault,
  followLevel,
  listDevices,
  takeCamera,
  takeMicrophone,
  testSound,
} from "./devices.ts";
import { expectedOf } from "./quality.ts";
import type { LiveRoom } from "./room.ts";

const HEARD_LEVEL = 0.25;

export interface DeviceCheckProps {
  readonly room: LiveRoom;
  readonly audience: CheckView["audience"];
  /** The check is over and sending has begun. */
  readonly onJoined: () => void;
  readonly onLeave: () => void;
}

export function DeviceCheck({ room, audience, onJoined, onLeave }: DeviceCheckProps) {
  const [step, setStep] = useState<CheckView["step"]>("consent");
  const [camera, setCamera] = useState<Piece>({ kind: "asking" });
  const [microphone, setMicrophone] = useState<Piece>({ kind: "asking" });
  const [level, setLevel] = useState(0);
  const [wasHeard, setHeard] = useState(false);
  const [lists, setLists] = useState<readonly [readonly Device[], readonly Device[]]>([[], []]);
  const held = useRef(new Set<MediaStreamTrack>());
  const isOver = useRef(false);

  useEffect(
    () => () => {
      // Closed in any way but by `join`: nothing stays on.
      isOver.current = true;
      for (const media of held.current) media.stop();
      if (!room.publishing.isOn.peek()) room.publishing.stop();
    },
    [room],
  );

  const media = microphone.kind === "on" ? microphone.media : null;
  useEffect(() => {
    if (media === null) return;
    return followLevel(media, (now) => {
      setLevel(now);
      if (now > HEARD_LEVEL) setHeard(true);
    });
  }, [media]);

  const take = async (
    asked: Promise<MediaStreamTrack>,
    before: Piece,
    set: (piece: Piece) => void,
  ) => {
    set({ kind: "asking" });
    try {
      const taken = await asked;
      if (isOver.current) {
        taken.stop();
        return;
      }
      held.current.add(taken);
      set({ kind: "on", media: taken });
    } catch (error) {
      set({ kind: "fault", fault: error instanceof DeviceFault ? error.kind : "other" });
    }
    if (before.kind === "on") {
      held.current.delete(before.media);
      before.media.stop();
    }
  };

  const acts: CheckActs = {
    agree: (withCamera) => {
      setStep("check");
      room.publishing.prepare();
      const all = [take(takeMicrophone(), microphone, setMicrophone)];
      if (withCamera) all.push(take(takeCamera(), camera, setCamera));
      else setCamera({ kind: "left_out" });
      void Promise.all(all).then(async () =>
        setLists([await listDevices("videoinput"), await listDevices("audioinput")]),
      );
    },
    leave: onLeave,
    chooseCamera: (id) => void take(takeCamera(id), camera, setCamera),
    chooseMicrophone: (id) => void take(takeMicrophone(id), microphone, setMicrophone),
    playTest: testSound,
    join: () => {
      held.current.clear();
      room.sound.value = true;
      if (microphone.kind === "on") room.publishing.add(microphone.media, "microphone");
      if (camera.kind === "on") room.publishing.add(camera.media, "camera");
      onJoined();
    },
  };
  const view: CheckView = {
    step,
    audience,
    isRecorded: room.door.value?.recorded !== false,
    camera,
    microphone,
    level,
    wasHeard,
    cameras: lists[0],
    microphones: lists[1],
    network: networkOf(room),
  };
  return <CheckDialog view={view} acts={acts} />;
}

/** What the prepared connection has found out. */
function networkOf(room: LiveRoom): Network {
  const { phase, look, failures } = room.publishing.keeper;
  if (phase.value === "up") {
    const rttMs = look.value?.rttMs ?? null;
    if (rttMs === null) return { kind: "trying" };
    return {
      kind: "up",
      isRelayed: look.value?.isRelayed === true,
      rttMs,
      quality: expectedOf(rttMs),
    };
  }
  return { kind: failures.value > 0 ? "blocked" : "trying" };
}
