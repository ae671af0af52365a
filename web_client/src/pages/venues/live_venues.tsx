/** Venue room and wall at work (会场与监督墙): the journal, the media room, and what we send. */
import { useEffect, useMemo, useState } from "preact/hooks";
import { t } from "../../i18n.ts";
import { DeviceCheck } from "../../live/device_check.tsx";
import { LiveRoom } from "../../live/room.ts";
import { OwnPicture, Picture, ProgramPicture, Sound } from "../../live/tile.tsx";
import { LABELS, type Label, type Track } from "../../live/told.ts";
import { faultText } from "../../live/words.tsx";
import { meetingMoments } from "../../meeting/moments.ts";
import { listened, roomModel } from "../../meeting/room_model.ts";
import { me } from "../../net/session.ts";
import { type LiveProps, NotYours, useAround } from "../live_props.tsx";
import { MeetingDesk } from "./meeting_desk.ts";
import type { Pin } from "./tiles.tsx";
import { VenuePage } from "./venue_page.tsx";
import type { MeetingProps, Sending } from "./venue_view.ts";
import { type Listening, type OwnCall, WallPage } from "./wall_page.tsx";

type PlaceProps = LiveProps & { readonly id: string };

function useMeeting({ id, ...props }: PlaceProps) {
  const { store } = props;
  const room = useMemo(() => new LiveRoom(`evaluation:${id}`), [id]);
  const desk = useMemo(() => new MeetingDesk(store, id, room), [store, id, room]);
  const isSupervisor = me.value.role === "supervisor";
  useEffect(() => {
    store.follow(`evaluation:${id}`, isSupervisor ? ["staff", "hall"] : ["hall"]);
    room.open();
    return () => room.close();
  }, [store, id, room, isSupervisor]);
  const around = useAround(props, `evaluation:${id}`);
  const view = store.meeting(id).value;
  const told = room.told.value;
  const own = room.member.value;
  const model = roomModel(view, told, own);
  const sources = room.publishing.sources.value;
  const isFallback = room.way.value.shown === "fragments";
  const isByProgram = isFallback && room.fragments === null;
  const show = (track: Track, label: string) =>
    track.member === own ? (
      <OwnPicture
        media={sources[track.label]?.media ?? null}
        label={label}
        isMirrored={track.label === "camera"}
      />
    ) : isByProgram ? (
      <p class="tile-instead">{t("venue.in_program")}</p>
    ) : (
      <Picture key={track.track} room={room} track={track.track} label={label} />
    );
  const shared: MeetingProps = {
    around,
    view,
    model,
    mediaLink: room.link.value,
    fallback: isFallback
      ? {
          latencyMs: room.fragments?.latencyMs.value ?? null,
          udpPort: room.door.value?.udp_port ?? 0,
          isHidden: room.door.value?.may.hidden === true,
        }
      : null,
    program: isByProgram ? <ProgramPicture room={room} label={t("venue.program")} /> : null,
    recording: told.recording,
    lines: meetingMoments(view.events, () => ""),
    show,
    isSoundOn: room.sound.value,
    trouble: desk.trouble.value,
    busy: desk.busy.value,
  };
  const fault = desk.fault.value;
  return { room, desk, view, told, own, model, shared, fault: fault ? faultText(fault) : "" };
}

function LiveVenue(props: PlaceProps) {
  const { room, desk, view, told, own, shared, fault } = useMeeting(props);
  const [pin, setPin] = useState<Pin | null>(null);
  const [isChecking, setChecking] = useState(false);
  const may = room.door.value?.may;
  const sources = room.publishing.sources.value;
  const sending: readonly Sending[] = LABELS.flatMap((label: Label) => {
    const source = sources[label];
    if (!source || label === "screen" || label === "screen_sound") return [];
    const isOffByHost =
      told.held.includes(own) || told.muted.some(([who, what]) => who === own && what === label);
    return [{ label, isOn: !source.muted, isOffByHost }];
  });
  return (
    <>
      <VenuePage
        {...shared}
        isModerator={view.moderator?.person === own && may?.mute === true}
        mayPublish={(may?.publish.length ?? 0) > 0 && view.stage !== "closed"}
        sending={sending}
        isSharing={sources.screen !== undefined}
        deviceTrouble={fault}
        pin={pin}
        onPin={setPin}
        acts={{
          onJoin: () => {
            // The press is what browsers want before they sound.
            room.sound.value = true;
            setChecking(true);
          },
          onSound: desk.onSound,
          dismiss: desk.dismiss,
          onBack: desk.onBack,
          onToggle: desk.onToggle,
          onScreen: desk.onScreen,
          onLeave: desk.onLeave,
          mute: desk.mute,
          hold: desk.hold,
          begin: desk.begin,
          close: desk.close,
        }}
        check={
          isChecking && (
            <DeviceCheck
              room={room}
              audience="meeting"
              onJoined={() => setChecking(false)}
              onLeave={() => setChecking(false)}
            />
          )
        }
      />
      <Sound room={room} />
    </>
  );
}

function LiveWall(props: PlaceProps) {
  const { room, desk, view, told, own, model, shared, fault } = useMeeting(props);
  const [listening, setListening] = useState<Listening>({ kind: "all", id: "" });
  const calls = Object.values(view.floor.calls).filter((call) => call.person === own);
  const newest = calls.at(-1);
  const voice = room.publishing.sources.value.microphone;
  const sent = voice?.track == null ? undefined : told.tracks[voice.track];
  const ownCall: OwnCall | null = newest
    ? {
        to: newest.to,
        beganMs: newest.beganMs,
        isHeard: sent?.flowing === true && !sent.paused,
        isSent: voice !== undefined,
      }
    : null;
  const only = listened(model, listening);
  return (
    <>
      <WallPage
        {...shared}
        listening={listening}
        onListen={(next) => {
          room.sound.value = true;
          setListening(next);
        }}
        ownCall={ownCall}
        deviceTrouble={fault}
        acts={{
          onSound: desk.onSound,
          dismiss: desk.dismiss,
          onBack: desk.onBack,
          call: (to) => void desk.call(to),
          endCall: () => void desk.endCalls(calls),
        }}
      />
      {only === null ? <Sound room={room} /> : <Sound room={room} only={only} />}
    </>
  );
}

/** `/evaluation/{id}`: the wall for supervisors, the venue room for who takes part. */
export function LiveMeeting(props: PlaceProps) {
  const around = useAround(props);
  const role = me.value.role;
  if (!me.value.person) return <NotYours around={around} id={props.id} />;
  return role === "supervisor" ? <LiveWall {...props} /> : <LiveVenue {...props} />;
}
