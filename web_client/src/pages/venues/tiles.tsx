/**
 * Venues and seats as tiles (会场与席位): picture, name, and the state of its connection.
 *
 * Invariant: every seat has its state in words, whatever is seen of it; who is silenced, held or
 * lost is so at a glance by shape and word, not by colour alone.
 */
import type { ComponentChildren } from "preact";
import { t } from "../../i18n.ts";
import type { Track } from "../../live/told.ts";
import type { Presence, Tile, VenueBox, Voice } from "../../meeting/room_model.ts";
import { Glyph, type GlyphName } from "../../ui/glyph.tsx";
import { Status } from "../../ui/words.tsx";

/** The live picture of a track; the page brings it, so that a tile can be looked at without one. */
export type ShowPicture = (track: Track, label: string) => ComponentChildren;

export type Pin =
  | { readonly kind: "venue"; readonly id: string }
  | { readonly kind: "member"; readonly id: string }
  | { readonly kind: "screen"; readonly id: string };

export function tileName(tile: Tile): string {
  if (tile.isCamera) return tile.name;
  const role = tile.isModerator ? t("role.host") : "";
  return [role, tile.seat.toUpperCase(), tile.name].filter(Boolean).join(" ");
}

const PRESENCE: Readonly<Record<Presence, readonly ["go" | "wait" | "stop" | "soft", GlyphName]>> =
  {
    seen: ["go", "tick"],
    heard: ["go", "sound"],
    here: ["wait", "cameraOff"],
    lost: ["stop", "warn"],
    absent: ["soft", "ring"],
  };

const PRESENCE_WORDS = {
  seen: "venue.presence_seen",
  heard: "venue.presence_heard",
  here: "venue.presence_here",
  lost: "venue.presence_lost",
  absent: "venue.presence_absent",
} as const;

export function PresenceWord({ presence }: { readonly presence: Presence }) {
  const [tone, glyph] = PRESENCE[presence];
  return (
    <Status tone={tone} glyph={glyph}>
      {t(PRESENCE_WORDS[presence])}
    </Status>
  );
}

const VOICE: Readonly<
  Record<
    Voice,
    readonly [
      GlyphName,
      "venue.voice_on" | "venue.voice_off" | "venue.voice_by_host" | "venue.voice_none",
    ]
  >
> = {
  on: ["mic", "venue.voice_on"],
  off: ["micOff", "venue.voice_off"],
  off_by_host: ["micOff", "venue.voice_by_host"],
  none: ["micOff", "venue.voice_none"],
};

function VoiceMark({ tile }: { readonly tile: Tile }) {
  const [glyph, key] = VOICE[tile.voice];
  return (
    <span class={tile.voice === "on" ? "voice" : "voice off"}>
      <Glyph name={glyph} />
      <span class={tile.voice === "on" || tile.voice === "none" ? "vh" : ""}>{t(key)}</span>
    </span>
  );
}

/** What stands in the place of a picture that is not there. */
function Instead({ tile }: { readonly tile: Tile }) {
  const [, glyph] = PRESENCE[tile.presence];
  const words = tile.isHeld
    ? t("venue.held")
    : tile.isCameraOffByHost
      ? t("venue.camera_by_host")
      : t(PRESENCE_WORDS[tile.presence]);
  return (
    <p class="tile-instead">
      <Glyph name={tile.isHeld ? "pause" : glyph} />
      {words}
    </p>
  );
}

export function SeatTile({
  tile,
  show,
  isChosen = false,
  onChoose,
  chooseLabel,
  children,
}: {
  readonly tile: Tile;
  readonly show: ShowPicture;
  readonly isChosen?: boolean;
  readonly onChoose?: () => void;
  readonly chooseLabel?: string;
  readonly children?: ComponentChildren;
}) {
  const name = tileName(tile);
  const camera = tile.camera;
  const isShown = camera?.flowing && !camera.paused && !tile.isHeld;
  const classes = [
    "seat-tile",
    `is-${tile.presence}`,
    tile.isSpeaking && "speaking",
    isChosen && "chosen",
    tile.isOwn && "own",
  ];
  return (
    <li class={classes.filter(Boolean).join(" ")} data-member={tile.member}>
      <div class="tile-picture">
        {isShown ? show(camera, name) : <Instead tile={tile} />}
        {tile.isSpeaking && <span class="tile-speaks">{t("venue.speaking")}</span>}
        {!tile.isCamera && tile.presence !== "absent" && <VoiceMark tile={tile} />}
      </div>
      <div class="tile-bar">
        <span>
          <b>{name}</b>
          {tile.isOwn && <span class="soft"> {t("venue.you")}</span>}
        </span>
        <PresenceWord presence={tile.presence} />
      </div>
      {(onChoose || children) && (
        <div class="tile-acts">
          {onChoose && (
            <button type="button" class="btn small" aria-pressed={isChosen} onClick={onChoose}>
              <Glyph name="flag" />
              <span aria-hidden="true">{chooseLabel}</span>
              <span class="vh">
                {chooseLabel} {name}
              </span>
            </button>
          )}
          {children}
        </div>
      )}
    </li>
  );
}

/** A venue's head: its name, who is there, and how it is connected. */
export function VenueHead({
  box,
  children,
}: {
  readonly box: VenueBox;
  readonly children?: ComponentChildren;
}) {
  return (
    <div class="venue-head">
      <h2>
        {box.name}
        {box.isMain && <span class="tag">{t("venue.main")}</span>}
      </h2>
      <span class="small soft">{t("venue.here", { n: box.here, all: box.seats })}</span>
      <PresenceWord presence={box.presence} />
      {children}
    </div>
  );
}
