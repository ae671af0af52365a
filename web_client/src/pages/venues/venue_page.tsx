/**
 * The venue room (会场): main and satellite venues in one room, as a seat or the moderator sees it.
 *
 * Invariant: what is pinned or shared is large and the rest stays in sight; what this page sends,
 * and what of it is switched off by whom, stands at the bottom at all times.
 */
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { t } from "../../i18n.ts";
import { labelText, SendSwitch } from "../../live/words.tsx";
import type { RoomModel, Tile } from "../../meeting/room_model.ts";
import { clockTime } from "../../time.ts";
import { Glyph } from "../../ui/glyph.tsx";
import { Top } from "../../ui/top.tsx";
import { Act, Fold, Note } from "../../ui/words.tsx";
import { useTitle } from "../frame.tsx";
import { CalledBand, MeetingHead } from "./meeting_head.tsx";
import { type Pin, SeatTile, type ShowPicture, tileName, VenueHead } from "./tiles.tsx";
import type { MeetingProps, Sending, VenueActs } from "./venue_view.ts";

export interface VenueProps extends MeetingProps {
  readonly isModerator: boolean;
  readonly mayPublish: boolean;
  readonly sending: readonly Sending[];
  readonly isSharing: boolean;
  readonly deviceTrouble: string;
  readonly pin: Pin | null;
  readonly onPin: (pin: Pin | null) => void;
  readonly acts: VenueActs;
  /** The check before joining, in the place of the controls. */
  readonly check?: ComponentChildren;
}

export function VenuePage(props: VenueProps) {
  const { around, view, model, acts } = props;
  useTitle(t("page.title", { title: view.title || t("venue.title") }));
  const { me, site, helpPhone, isDemo, onLeave } = around;
  const large = largeOf(model, props.pin);
  return (
    <>
      <Top me={me} site={site} helpPhone={helpPhone} isDemo={isDemo} onLeave={onLeave} isWide />
      <main id="main" class="venues">
        <MeetingHead props={props} acts={acts} />
        <CalledBand heard={model.heard} />
        {props.check}
        {props.isModerator && <Leading props={props} />}
        {large && <Large large={large} props={props} />}
        {model.others.length > 0 && (
          <section class="venue-box" aria-label={t("venue.others")}>
            <div class="venue-head">
              <h2>{t("venue.others")}</h2>
            </div>
            <ul class="seat-tiles">
              {model.others.map((tile) => (
                <RoomTile key={tile.member} tile={tile} props={props} />
              ))}
            </ul>
          </section>
        )}
        {model.venues.map((box) => (
          <section key={box.venue} class="venue-box" aria-label={box.name}>
            <VenueHead box={box}>
              <PinButton
                isPinned={props.pin?.kind === "venue" && props.pin.id === box.venue}
                name={box.name}
                onPin={(isPinned) =>
                  props.onPin(isPinned ? { kind: "venue", id: box.venue } : null)
                }
              />
            </VenueHead>
            <ul class="seat-tiles">
              {box.tiles.map((tile) => (
                <RoomTile key={tile.member} tile={tile} props={props} />
              ))}
            </ul>
          </section>
        ))}
        <Journal props={props} />
      </main>
      {props.mayPublish && <OwnControls props={props} />}
    </>
  );
}

type Enlarged =
  | { readonly kind: "screen"; readonly tile: Tile }
  | { readonly kind: "tiles"; readonly title: string; readonly tiles: readonly Tile[] };

/** What is large: what was pinned; else a screen that is shared. */
export function largeOf(model: RoomModel, pin: Pin | null): Enlarged | null {
  const all = [...model.venues.flatMap((box) => box.tiles), ...model.others];
  if (pin?.kind === "member") {
    const tile = all.find((one) => one.member === pin.id);
    if (tile) return { kind: "tiles", title: tileName(tile), tiles: [tile] };
  }
  if (pin?.kind === "venue") {
    const box = model.venues.find((one) => one.venue === pin.id);
    if (box) return { kind: "tiles", title: box.name, tiles: box.tiles };
  }
  const screen = model.screens.find((one) => pin?.kind === "screen" && one.member === pin.id);
  const shown = screen ?? model.screens[0];
  return shown ? { kind: "screen", tile: shown } : null;
}

function Large({ large, props }: { readonly large: Enlarged; readonly props: VenueProps }) {
  const section = useRef<HTMLElement>(null);
  const pinned = props.pin === null ? "" : `${props.pin.kind} ${props.pin.id}`;
  useEffect(() => {
    // What was pressed may be far below what it made large.
    if (pinned !== "") section.current?.scrollIntoView({ block: "nearest" });
  }, [pinned]);
  const title =
    large.kind === "screen"
      ? t("venue.screen_of", { name: tileName(large.tile) })
      : t("venue.pinned", { name: large.title });
  return (
    <section ref={section} class="venue-large" aria-label={title}>
      <p class="venue-large-title">
        <Glyph name={large.kind === "screen" ? "screen" : "flag"} />
        <b>{title}</b>
        {props.pin !== null && (
          <button type="button" class="linklike" onClick={() => props.onPin(null)}>
            {t("venue.unpin")}
          </button>
        )}
      </p>
      {large.kind === "screen" ? (
        <div class="tile-picture screen">
          {large.tile.screen && props.show(large.tile.screen, title)}
        </div>
      ) : (
        <ul class={`seat-tiles large n${Math.min(4, large.tiles.length)}`}>
          {large.tiles.map((tile) => (
            <SeatTile key={tile.member} tile={tile} show={props.show} />
          ))}
        </ul>
      )}
    </section>
  );
}

function PinButton({
  isPinned,
  name,
  onPin,
}: {
  readonly isPinned: boolean;
  readonly name: string;
  readonly onPin: (isPinned: boolean) => void;
}) {
  return (
    <button
      type="button"
      class="btn small"
      aria-pressed={isPinned}
      onClick={() => onPin(!isPinned)}
    >
      <Glyph name="flag" />
      <span aria-hidden="true">{t(isPinned ? "venue.pinned_short" : "venue.pin")}</span>
      <span class="vh">{t("venue.pin_name", { name })}</span>
    </button>
  );
}

function RoomTile({ tile, props }: { readonly tile: Tile; readonly props: VenueProps }) {
  const isPinned = props.pin?.kind === "member" && props.pin.id === tile.member;
  // A picture is fetched once: what is large is not small as well.
  const show: ShowPicture = isPinned
    ? () => <p class="tile-instead">{t("venue.pinned_short")}</p>
    : props.show;
  return (
    <SeatTile
      tile={tile}
      show={show}
      isChosen={isPinned}
      chooseLabel={t(isPinned ? "venue.pinned_short" : "venue.pin")}
      onChoose={() => props.onPin(isPinned ? null : { kind: "member", id: tile.member })}
    >
      {props.isModerator && !tile.isOwn && <ModeratorActs tile={tile} props={props} />}
    </SeatTile>
  );
}

/** What the moderator can do about somebody; it is journaled and everybody sees it. */
function ModeratorActs({ tile, props }: { readonly tile: Tile; readonly props: VenueProps }) {
  const { acts } = props;
  const name = tileName(tile);
  const isMuted = tile.voice === "off_by_host";
  return (
    <>
      <button
        type="button"
        class="btn small"
        aria-pressed={isMuted}
        onClick={() => acts.mute(tile.member, "microphone", !isMuted)}
      >
        <Glyph name={isMuted ? "mic" : "micOff"} />
        <span aria-hidden="true">{t(isMuted ? "venue.unmute" : "venue.mute")}</span>
        <span class="vh">{t(isMuted ? "venue.unmute_name" : "venue.mute_name", { name })}</span>
      </button>
      <button
        type="button"
        class="btn small"
        aria-pressed={tile.isHeld}
        onClick={() => acts.hold(tile.member, !tile.isHeld)}
      >
        <Glyph name={tile.isHeld ? "play" : "pause"} />
        <span aria-hidden="true">{t(tile.isHeld ? "venue.release" : "venue.hold")}</span>
        <span class="vh">
          {t(tile.isHeld ? "venue.release_name" : "venue.hold_name", { name })}
        </span>
      </button>
    </>
  );
}

/** Beginning and ending: signed into the journal, so below what must be read first. */
function Leading({ props }: { readonly props: VenueProps }) {
  const { view, acts, busy } = props;
  if (view.stage === "closed") return <Note>{t("venue.closed")}</Note>;
  return (
    <div class="acts leading">
      {view.stage === "scheduled" ? (
        <Act id="begin" onPress={acts.begin} isBusy={busy === "begin_meeting"}>
          {t("venue.begin")}
        </Act>
      ) : (
        <Fold title={t("venue.close_title")}>
          <p class="small">{t("venue.close_why")}</p>
          <Act id="close" isDanger onPress={acts.close} isBusy={busy === "close_meeting"}>
            {t("venue.close")}
          </Act>
        </Fold>
      )}
    </div>
  );
}

export function Journal({ props }: { readonly props: MeetingProps }) {
  return (
    <Fold title={t("venue.journal", { n: props.lines.length })}>
      <ol class="log">
        {[...props.lines].reverse().map((line) => (
          <li key={line.id}>
            <time dateTime={new Date(line.atMs).toISOString()}>{clockTime(line.atMs)}</time>
            <span>{line.say()}</span>
          </li>
        ))}
      </ol>
    </Fold>
  );
}

/** What we send: under the thumb, and impossible to mistake. */
function OwnControls({ props }: { readonly props: VenueProps }) {
  const { sending, acts, isSharing, deviceTrouble } = props;
  const isIn = sending.length > 0;
  const microphone = sending.find((one) => one.label === "microphone");
  const state = !isIn
    ? "out"
    : microphone?.isOffByHost
      ? "by_host"
      : microphone?.isOn
        ? "on"
        : "off";
  return (
    <section class={`own-bar ${state}`} aria-label={t("venue.own")}>
      <p class="own-said" role="status">
        <Glyph name={state === "on" ? "mic" : "micOff"} />
        <b>{t(OWN_WORDS[state])}</b>
        {deviceTrouble !== "" && <span>{deviceTrouble}</span>}
      </p>
      <div class="own-acts">
        {isIn ? (
          <>
            {sending.map((one) =>
              one.isOffByHost ? (
                <span key={one.label} class="own-btn off">
                  <Glyph name={one.label === "camera" ? "cameraOff" : "micOff"} />
                  {t("venue.off_by_host", { what: labelText(one.label) })}
                </span>
              ) : (
                <SendSwitch
                  key={one.label}
                  label={one.label}
                  isOn={one.isOn}
                  onPress={() => acts.onToggle(one.label)}
                />
              ),
            )}
            <button
              type="button"
              class="own-btn"
              aria-pressed={isSharing}
              onClick={() => acts.onScreen()}
            >
              <Glyph name={isSharing ? "screenOff" : "screen"} />
              <span>{t(isSharing ? "venue.unshare" : "venue.share")}</span>
            </button>
            <button type="button" class="own-btn" onClick={() => acts.onLeave()}>
              <Glyph name="cross" />
              <span>{t("venue.stop_sending")}</span>
            </button>
          </>
        ) : (
          <Act id="join" glyph="camera" onPress={acts.onJoin}>
            {t("venue.join")}
          </Act>
        )}
      </div>
    </section>
  );
}

const OWN_WORDS = {
  out: "venue.own_out",
  on: "venue.own_on",
  off: "venue.own_off",
  by_host: "venue.own_by_host",
} as const;
