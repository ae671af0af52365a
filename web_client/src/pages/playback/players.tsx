/**
 * The players (并排播放): one large, the others small beside it, all of one moment.
 *
 * Invariant: a player stays the same element when another becomes the large one, so that nothing is
 * loaded again. Where a file has nothing at this moment, the tile says so.
 */
import { useEffect, useRef, useState } from "preact/hooks";
import { t } from "../../i18n.ts";
import { Glyph } from "../../ui/glyph.tsx";
import { roleWord } from "../../ui/top.tsx";
import type { Playing } from "./playing.ts";
import type { RecordedFile } from "./recording.ts";
import { type Lane, positionIn } from "./timeline.ts";

export function fileTitle(file: RecordedFile): string {
  const { name, orgName, role, venue, seat } = file.who;
  const where = [venue, seat].filter(Boolean).join(" ");
  const who = name || orgName || file.member || file.name;
  const words = [role && roleWord(role), where, who].filter(Boolean).join(" ");
  if (file.kind === "screen") return t("playback.screen_of", { name: words });
  return file.kind === "call" ? t("playback.call_of", { name: words }) : words;
}

export function Players({
  files,
  playing,
  large,
  onLarge,
}: {
  readonly files: readonly RecordedFile[];
  readonly playing: Playing;
  readonly large: number;
  readonly onLarge: (at: number) => void;
}) {
  return (
    <ul class="players" aria-label={t("playback.players")}>
      {files.map((file, at) => (
        <Player
          key={file.name}
          file={file}
          at={at}
          playing={playing}
          isLarge={at === large}
          onLarge={() => onLarge(at)}
        />
      ))}
    </ul>
  );
}

function Player({
  file,
  at,
  playing,
  isLarge,
  onLarge,
}: {
  readonly file: RecordedFile;
  readonly at: number;
  readonly playing: Playing;
  readonly isLarge: boolean;
  readonly onLarge: () => void;
}) {
  const video = useRef<HTMLVideoElement>(null);
  const [isMuted, setMuted] = useState(false);
  const [isBroken, setBroken] = useState(false);
  useEffect(() => {
    playing.attach(at, video.current);
    return () => playing.attach(at, null);
  }, [playing, at]);
  const title = fileTitle(file);
  const isHere = positionIn(playing.axis.lanes[at] as Lane, playing.atMs.value) !== null;
  const said = isBroken ? t("playback.broken") : isHere ? null : t("playback.not_here");
  return (
    <li class={isLarge ? "player large" : "player"}>
      <div class="player-picture">
        <video
          ref={video}
          src={file.url}
          preload="auto"
          playsInline
          muted={isMuted}
          aria-label={title}
          onError={() => setBroken(true)}
          onLoadedMetadata={() => setBroken(false)}
        />
        {!file.hasPicture && said === null && (
          <p class="player-said">
            <Glyph name="sound" />
            {t("playback.sound_only")}
          </p>
        )}
        {said !== null && <p class="player-said">{said}</p>}
      </div>
      <div class="player-bar">
        <b>{title}</b>
        <span class="player-acts">
          <button
            type="button"
            class="icon-btn"
            aria-pressed={isMuted}
            aria-label={t("playback.silence", { name: title })}
            onClick={() => setMuted(!isMuted)}
          >
            <Glyph name={isMuted ? "soundOff" : "sound"} />
          </button>
          <button
            type="button"
            class="icon-btn"
            aria-pressed={isLarge}
            aria-label={t("playback.enlarge", { name: title })}
            onClick={onLarge}
          >
            <Glyph name="plus" />
          </button>
        </span>
      </div>
    </li>
  );
}
