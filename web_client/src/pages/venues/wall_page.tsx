/**
 * The supervisors' wall (监督墙): every venue and seat, seen and heard by somebody whom nobody sees.
 *
 * Invariant: who hears the supervisor is said before the call, on the button, and all the time that
 * it goes on; without a call nothing of this page is sent.
 */
import { useState } from "preact/hooks";
import { t } from "../../i18n.ts";
import { hearing, type RoomModel, type Tile } from "../../meeting/room_model.ts";
import { type MeetingView, reached, type Scope, type ScopeKind } from "../../meeting/view.ts";
import { countdown } from "../../time.ts";
import { Glyph } from "../../ui/glyph.tsx";
import { Top } from "../../ui/top.tsx";
import { Act, Status } from "../../ui/words.tsx";
import { useTitle } from "../frame.tsx";
import { MeetingHead } from "./meeting_head.tsx";
import { PresenceWord, SeatTile, tileName, VenueHead } from "./tiles.tsx";
import { Journal } from "./venue_page.tsx";
import type { MeetingProps, WallActs } from "./venue_view.ts";

/** Whom a supervisor listens to. */
export interface Listening {
  readonly kind: "all" | "venue" | "member" | "nobody";
  readonly id: string;
}

export interface OwnCall {
  readonly to: Scope;
  readonly beganMs: number;
  /** Our voice is on its way; until then nobody hears us. */
  readonly isHeard: boolean;
  /** Something of us is sent, or being brought there: not after the page was opened again. */
  readonly isSent: boolean;
}

export interface WallProps extends MeetingProps {
  readonly listening: Listening;
  readonly onListen: (listening: Listening) => void;
  readonly ownCall: OwnCall | null;
  readonly deviceTrouble: string;
  readonly acts: WallActs;
}

const ONE_COLUMN = "(max-width: 62rem)";

function allTiles(model: RoomModel): readonly Tile[] {
  return [...model.venues.flatMap((box) => box.tiles), ...model.others];
}

/** Whom a call reaches, in words. */
export function scopeName(view: MeetingView, to: Scope): string {
  if (to.kind === "all") return t("wall.scope_all");
  if (to.kind === "venue") return view.venues.find((one) => one.venue === to.id)?.name ?? to.id;
  const seat = reached(view, to)[0];
  return seat ? `${seat.seat.toUpperCase()} ${seat.name}` : to.id;
}

export function WallPage(props: WallProps) {
  const { around, model, acts } = props;
  const [chosen, setChosen] = useState<string | null>(null);
  useTitle(t("page.title", { title: t("wall.title") }));
  const { me, site, helpPhone, isDemo, onLeave } = around;
  const tile = allTiles(model).find((one) => one.member === chosen) ?? null;
  const seatTile = (one: Tile) => (
    <SeatTile
      key={one.member}
      tile={one}
      show={props.show}
      isChosen={one.member === chosen}
      chooseLabel={t("wall.choose")}
      onChoose={() => {
        setChosen(one.member === chosen ? null : one.member);
        // In one column what can be done stands far above the seats.
        if (matchMedia(ONE_COLUMN).matches) document.querySelector(".wall-side")?.scrollIntoView();
      }}
    />
  );
  return (
    <>
      <Top me={me} site={site} helpPhone={helpPhone} isDemo={isDemo} onLeave={onLeave} isWide />
      <main id="main" class="venues wall">
        <MeetingHead props={props} acts={acts} />
        <p class="hidden-sign">
          <Glyph name="lock" />
          {t("wall.hidden")}
        </p>
        <div class="wall-columns">
          <div>
            {model.screens.map((one) => (
              <section key={one.member} class="venue-large">
                <p class="venue-large-title">
                  <Glyph name="screen" />
                  <b>{t("venue.screen_of", { name: tileName(one) })}</b>
                </p>
                <div class="tile-picture screen">
                  {one.screen && props.show(one.screen, tileName(one))}
                </div>
              </section>
            ))}
            {model.others.length > 0 && (
              <section class="venue-box" aria-label={t("venue.others")}>
                <div class="venue-head">
                  <h2>{t("venue.others")}</h2>
                </div>
                <ul class="seat-tiles small">{model.others.map(seatTile)}</ul>
              </section>
            )}
            {model.venues.map((box) => (
              <section key={box.venue} class="venue-box" aria-label={box.name}>
                <VenueHead box={box} />
                <ul class="seat-tiles small">{box.tiles.map(seatTile)}</ul>
              </section>
            ))}
          </div>
          <aside class="wall-side" aria-label={t("wall.side")}>
            <CallPane props={props} tile={tile} />
            <ListenPane props={props} tile={tile} />
            <Attention model={model} />
            <section class="pane">
              <h2>{t("wall.log")}</h2>
              <p class="small soft">{t("wall.log_why")}</p>
              <Journal props={props} />
            </section>
          </aside>
        </div>
      </main>
    </>
  );
}

/** What a call would reach from here: the seat that was chosen, its venue, everybody. */
export function scopesFor(view: MeetingView, chosen: string | null): readonly Scope[] {
  const all: Scope = { kind: "all", id: "" };
  for (const venue of view.venues) {
    const seat = venue.seats.find((one) => one.person === chosen);
    const own: Scope = { kind: "venue", id: venue.venue };
    if (seat) return [{ kind: "seat", id: seat.seat }, own, all];
    if (venue.cameras.some((name) => `camera:${name}` === chosen)) return [own, all];
  }
  return [...view.venues.map((one): Scope => ({ kind: "venue", id: one.venue })), all];
}

const SCOPE_WHY: Readonly<Record<ScopeKind, "wall.why_seat" | "wall.why_venue" | "wall.why_all">> =
  { seat: "wall.why_seat", venue: "wall.why_venue", all: "wall.why_all" };

function CallPane({ props, tile }: { readonly props: WallProps; readonly tile: Tile | null }) {
  const { view, model, ownCall, acts, busy, around, deviceTrouble } = props;
  const [asked, setAsked] = useState("");
  if (ownCall) {
    return (
      <section class={ownCall.isHeard ? "pane calling" : "pane calling waiting"}>
        <h2 aria-live="polite">
          <Glyph name={ownCall.isHeard ? "mic" : "clock"} />
          <span>
            {ownCall.isHeard
              ? t("wall.heard_by", { to: scopeName(view, ownCall.to) })
              : t(ownCall.isSent ? "wall.connecting" : "wall.left_over")}
          </span>
        </h2>
        <p>{heardBy(model, view, ownCall.to)}</p>
        <p class="num">{countdown(around.nowMs - ownCall.beganMs)}</p>
        {deviceTrouble !== "" && <p class="field-error">{deviceTrouble}</p>}
        <Act id="end-call" isDanger onPress={acts.endCall} isBusy={busy === "end_call"}>
          {t("wall.end")}
        </Act>
      </section>
    );
  }
  const scopes = scopesFor(view, tile?.member ?? null);
  const keyOf = (to: Scope) => `${to.kind} ${to.id}`;
  const to = scopes.find((one) => keyOf(one) === asked) ?? scopes[0];
  return (
    <section class="pane">
      <h2>{tile ? tileName(tile) : t("wall.call_title")}</h2>
      {tile && <PresenceWord presence={tile.presence} />}
      <fieldset class="field">
        <legend>{t("wall.whom")}</legend>
        {scopes.map((one) => (
          <label key={keyOf(one)} class="pick">
            <input
              type="radio"
              name="scope"
              checked={to !== undefined && keyOf(one) === keyOf(to)}
              onChange={() => setAsked(keyOf(one))}
            />
            <span>
              {scopeName(view, one)}
              <span class="hint"> {t(SCOPE_WHY[one.kind])}</span>
            </span>
          </label>
        ))}
      </fieldset>
      {deviceTrouble !== "" && <p class="field-error">{deviceTrouble}</p>}
      {to && (
        <Act
          id="call"
          glyph="phone"
          onPress={() => acts.call(to)}
          isBusy={busy === "call_in"}
          blocked={view.stage === "closed" ? t("venue.closed") : null}
        >
          {t("wall.call", { to: scopeName(view, to) })}
        </Act>
      )}
      <p class="hint">{t("wall.recorded")}</p>
    </section>
  );
}

/** Only who is at his seat: an empty one hears nothing. */
function heardBy(model: RoomModel, view: MeetingView, to: Scope): string {
  const seats = hearing(model, reached(view, to));
  if (seats.length === 0) return t("wall.heard_by_nobody");
  const names = seats.map((seat) => `${seat.seat.toUpperCase()} ${seat.name}`);
  return t("wall.heard_by_names", { names: names.join(t("wall.and")) });
}

/** What is heard here; nobody in the room is told. */
function ListenPane({ props, tile }: { readonly props: WallProps; readonly tile: Tile | null }) {
  const { model, listening, onListen } = props;
  const choices: readonly (readonly [Listening, string])[] = [
    [{ kind: "all", id: "" }, t("wall.listen_all")],
    ...model.venues.map(
      (box) => [{ kind: "venue", id: box.venue }, box.name] as const satisfies [Listening, string],
    ),
    ...(tile ? [[{ kind: "member", id: tile.member }, tileName(tile)] as const] : []),
    ...(listening.kind === "member" && listening.id !== tile?.member
      ? [[listening, nameOf(model, listening.id)] as const]
      : []),
    [{ kind: "nobody", id: "" }, t("wall.listen_nobody")],
  ];
  return (
    <section class="pane">
      <fieldset class="field">
        <legend>{t("wall.listen")}</legend>
        {choices.map(([choice, words]) => (
          <label key={`${choice.kind} ${choice.id}`} class="pick">
            <input
              type="radio"
              name="listen"
              checked={choice.kind === listening.kind && choice.id === listening.id}
              onChange={() => onListen(choice)}
            />
            <span>{words}</span>
          </label>
        ))}
      </fieldset>
      {!props.isSoundOn && <p class="hint">{t("wall.listen_off")}</p>}
    </section>
  );
}

function nameOf(model: RoomModel, member: string): string {
  const tile = allTiles(model).find((one) => one.member === member);
  return tile ? tileName(tile) : member;
}

/** Seats that want looking at; its empty state included. */
function Attention({ model }: { readonly model: RoomModel }) {
  const odd = allTiles(model).filter((one) => one.presence === "lost" || one.isHeld);
  return (
    <section class="pane">
      <h2>{t("wall.attention")}</h2>
      {odd.length === 0 && (
        <Status tone="go" glyph="tick">
          {t("wall.no_attention")}
        </Status>
      )}
      <ul>
        {odd.map((one) => (
          <li key={one.member} class="row">
            <b>{tileName(one)}</b>
            {one.isHeld ? (
              <Status tone="wait" glyph="pause">
                {t("venue.held")}
              </Status>
            ) : (
              <PresenceWord presence={one.presence} />
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
