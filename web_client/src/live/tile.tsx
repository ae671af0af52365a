/**
 * A picture and the sound of a room as elements of a page (画面与声音).
 *
 * Invariant: nothing sounds before sound was switched on, whatever comes: pictures are muted, sounds
 * have elements of their own, and a picture plays without anybody's press.
 */
import { useEffect, useRef } from "preact/hooks";
import type { LiveRoom } from "./room.ts";
import { isSound } from "./told.ts";

/** The live picture of one track, as large as the element is. */
export function Picture({
  room,
  track,
  label,
  isMirrored = false,
}: {
  readonly room: LiveRoom;
  readonly track: number;
  /** What a screen reader calls it: who is seen. */
  readonly label: string;
  readonly isMirrored?: boolean;
}) {
  const element = useRef<HTMLVideoElement>(null);
  const isByTracks = room.isByTracks.value;
  useEffect(
    () => (element.current ? room.show(track, element.current) : undefined),
    [room, track, isByTracks],
  );
  return (
    <video
      ref={element}
      class={isMirrored ? "live-picture mirrored" : "live-picture"}
      aria-label={label}
      muted
      autoplay
      playsInline
    />
  );
}

/** What this page itself sends, or is about to: never sent twice, never heard. */
export function OwnPicture({
  media,
  label,
  isMirrored = true,
}: {
  readonly media: MediaStreamTrack | null;
  readonly label: string;
  readonly isMirrored?: boolean;
}) {
  const element = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    if (!element.current) return;
    element.current.srcObject = media === null ? null : new MediaStream([media]);
    void element.current.play().catch(() => {});
  }, [media]);
  return (
    <video
      ref={element}
      class={isMirrored ? "live-picture mirrored" : "live-picture"}
      aria-label={label}
      muted
      autoplay
      playsInline
    />
  );
}

/** The room's one picture with its sound, where a page can play but one. */
export function ProgramPicture({
  room,
  label,
}: {
  readonly room: LiveRoom;
  readonly label: string;
}) {
  const element = useRef<HTMLVideoElement>(null);
  useEffect(() => (element.current ? room.playOn(element.current) : undefined), [room]);
  return (
    <video
      ref={element}
      class="live-picture"
      aria-label={label}
      muted={!room.sound.value}
      autoplay
      playsInline
    />
  );
}

/** Everybody's sound but our own, track by track, where that is the way and sound is on. */
export function Sound({
  room,
  only,
}: {
  readonly room: LiveRoom;
  /** Tracks to hear; absent: all that may be heard. */
  readonly only?: ReadonlySet<number>;
}) {
  const own = room.member.value;
  const isByTrack = room.way.value.shown === "webrtc" || room.isByTracks.value;
  const isHeard = room.sound.value && isByTrack;
  const tracks = Object.values(room.told.value.tracks).filter(
    (one) => isSound(one.label) && one.member !== own && (only?.has(one.track) ?? true),
  );
  return (
    <>{isHeard && tracks.map((one) => <Heard key={one.track} room={room} track={one.track} />)}</>
  );
}

function Heard({ room, track }: { readonly room: LiveRoom; readonly track: number }) {
  const element = useRef<HTMLAudioElement>(null);
  const isByTracks = room.isByTracks.value;
  useEffect(
    () => (element.current ? room.show(track, element.current) : undefined),
    [room, track, isByTracks],
  );
  // biome-ignore lint/a11y/useMediaCaption: live speech has no captions
  return <audio ref={element} autoplay />;
}
