/**
 * The black board (时间牌) and its trust line: the same in light and dark, the same on every page.
 *
 * Invariant: the running figure is never announced by itself; `Announcer` speaks at chosen moments.
 */
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { t } from "../i18n.ts";
import type { LinkState } from "../net/connection.ts";
import type { BoardModel } from "../opening/board.ts";
import { Glyph } from "./glyph.tsx";

export interface Trust {
  readonly fingerprint: string | null;
  readonly link: LinkState;
  readonly rttMs: number | null;
  readonly errorMs: number | null;
  /** How far the device's own clock is ahead; negative: slow. */
  readonly deviceAheadMs: number;
}

export interface BoardProps {
  readonly model: BoardModel;
  readonly tender: { readonly title: string; readonly number: string } | null;
  readonly trust: Trust;
}

export function Board({ model, tender, trust }: BoardProps) {
  const board = useTucked();
  return (
    <section ref={board} class="board" data-lamp={model.lamp} aria-label={t("board.name")}>
      <div class="board-in">
        <div class="board-words">
          <p class="tender">
            {tender && (
              <>
                <b>{tender.title}</b> <span class="nowrap">{tender.number}</span>
              </>
            )}
          </p>
          <h1>{model.title}</h1>
          <p class="until">
            {model.until}
            {model.boxed !== null && (
              <span class="boxed">
                <Glyph name={model.lamp === "pause" ? "pause" : "warn"} />
                <span>{model.boxed}</span>
              </span>
            )}
          </p>
        </div>
        <Clock model={model} />
        <Fuse share={model.fuse} />
        <TrustLine {...trust} />
      </div>
    </section>
  );
}

/** On a phone the board sticks so far above the edge that only figure and fuse stay in sight. */
function useTucked() {
  const board = useRef<HTMLElement>(null);
  useEffect(() => {
    const element = board.current;
    const clock = element?.querySelector<HTMLElement>(".clock");
    if (!element || !clock) return;
    const measure = () => {
      const above = clock.getBoundingClientRect().top - element.getBoundingClientRect().top;
      element.style.setProperty("--board-tuck", `${-Math.max(0, Math.floor(above - 8))}px`);
    };
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    measure();
    return () => observer.disconnect();
  }, []);
  return board;
}

export function Clock({ model }: { readonly model: BoardModel }) {
  return (
    <div
      class={model.figure.length > 2 ? "clock long" : "clock"}
      role="timer"
      aria-live="off"
      aria-label={model.label}
    >
      <span class="clock-label">{model.label}</span>
      {model.figure.map((part, at) =>
        at % 2 === 0 ? <span key={at}>{part}</span> : <small key={at}> {part} </small>,
      )}
    </div>
  );
}

/** The share of the window that is left; never the only sign of it. */
export function Fuse({ share }: { readonly share: number | null }) {
  if (share === null) return null;
  return (
    <div class="fuse" aria-hidden="true">
      <i style={{ "--left": `${(share * 100).toFixed(2)}%` }} />
    </div>
  );
}

export function TrustLine({ fingerprint, link, rttMs, errorMs, deviceAheadMs }: Trust) {
  const off = Math.abs(deviceAheadMs);
  return (
    <p class="trust">
      {fingerprint !== null && (
        <span>
          {t("trust.fingerprint")} <span class="code">{fingerprint}</span>
        </span>
      )}
      {errorMs !== null && (
        <span class={off < 60_000 ? "trust-more" : undefined}>
          {off < 60_000
            ? t("trust.clock", { ms: Math.round(off) })
            : t(deviceAheadMs < 0 ? "trust.clock_slow" : "trust.clock_fast", {
                minutes: Math.round(off / 60_000),
              })}
        </span>
      )}
      <LinkWord link={link} rttMs={rttMs} />
    </p>
  );
}

function LinkWord({ link, rttMs }: { readonly link: LinkState; readonly rttMs: number | null }) {
  let word: ComponentChildren;
  switch (link) {
    case "live":
      word = (
        <>
          <Glyph name="tick" />
          {t("trust.live")}
          {rttMs !== null && (
            <span class="trust-more">{t("trust.rtt", { ms: Math.max(1, Math.round(rttMs)) })}</span>
          )}
        </>
      );
      break;
    case "polling":
      word = (
        <>
          <Glyph name="again" />
          {t("trust.polling")}
        </>
      );
      break;
    case "connecting":
      word = (
        <>
          <Glyph name="ring" />
          {t("trust.connecting")}
        </>
      );
      break;
    case "lost":
      word = (
        <>
          <Glyph name="warn" />
          {t("trust.lost")}
        </>
      );
      break;
  }
  return <span>{word}</span>;
}
