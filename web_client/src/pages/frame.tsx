/**
 * The frame of every live page: head, board, steps, broadcast, spoken words (页面框架).
 *
 * Invariant: pure: everything shown comes in as props, so that any moment of any opening can be
 * rendered and looked at.
 */
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { t } from "../i18n.ts";
import type { LinkState } from "../net/connection.ts";
import type { Me } from "../net/frames.ts";
import { type BoardModel, boardOf } from "../opening/board.ts";
import { stepsOf } from "../opening/steps.ts";
import type { OpeningView } from "../opening/view.ts";
import { Board, type Trust } from "../ui/board.tsx";
import { Announcer, Broadcast } from "../ui/broadcast.tsx";
import { Here, Rail } from "../ui/steps.tsx";
import { Top } from "../ui/top.tsx";
import { Note } from "../ui/words.tsx";

/** What every page is given beside its own view. */
export interface Surroundings {
  readonly me: Me;
  readonly nowMs: number;
  readonly link: LinkState;
  readonly rttMs: number | null;
  readonly errorMs: number | null;
  readonly deviceAheadMs: number;
  readonly site?: string | undefined;
  readonly helpPhone?: string | undefined;
  readonly isDemo?: boolean | undefined;
  readonly counts?: Readonly<Record<string, unknown>> | undefined;
  readonly onLeave?: (() => void) | undefined;
  /** Live video, where the page has it; it comes by itself, late or never. */
  readonly live?: ComponentChildren;
}

export function trustOf(view: OpeningView, around: Surroundings): Trust {
  return {
    fingerprint: view.closing?.fingerprint ?? null,
    link: around.link,
    rttMs: around.rttMs,
    errorMs: around.errorMs,
    deviceAheadMs: around.deviceAheadMs,
  };
}

export function useTitle(title: string): void {
  useEffect(() => {
    document.title = title;
  }, [title]);
}

/** A page without a live board. */
export function Plain({
  around,
  title,
  isNarrow = true,
  children,
}: {
  readonly around: Surroundings;
  readonly title: string;
  readonly isNarrow?: boolean;
  readonly children?: ComponentChildren;
}) {
  useTitle(t("page.title", { title }));
  const { me, site, helpPhone, isDemo, onLeave } = around;
  return (
    <>
      <Top me={me} site={site} helpPhone={helpPhone} isDemo={isDemo} onLeave={onLeave} />
      <main id="main" class={isNarrow ? "page narrow" : "page"}>
        {children}
      </main>
    </>
  );
}

export interface HallProps {
  readonly view: OpeningView;
  readonly around: Surroundings;
  /** Does the window still ask something of the one who looks? */
  readonly isAsked: boolean;
  readonly board?: BoardModel;
  readonly title?: string;
  /** When this changes, something is asked or done: the page shows it, clock and all. */
  readonly turn?: string;
  readonly children?: ComponentChildren;
  readonly side?: ComponentChildren;
}

/** Scrolls up when `turn` changes, unless somebody is typing. */
function useTopAt(turn: string | undefined): void {
  const last = useRef(turn);
  useEffect(() => {
    if (last.current === turn) return;
    last.current = turn;
    if (!document.activeElement?.matches("input, textarea")) scrollTo({ top: 0 });
  }, [turn]);
}

/** Three columns: what comes when, the case, the room. */
export function Hall({ view, around, isAsked, board, title, turn, children, side }: HallProps) {
  useTopAt(turn);
  const model = board ?? boardOf(view, around.nowMs, around.link, isAsked);
  const steps = stepsOf(view, around.nowMs);
  const tender = view.manifest && { title: view.manifest.title, number: view.manifest.number };
  useTitle(t("page.title", { title: title ?? model.title }));
  const { me, site, helpPhone, isDemo, onLeave } = around;
  return (
    <>
      <Top me={me} site={site} helpPhone={helpPhone} isDemo={isDemo} onLeave={onLeave} />
      <Board model={model} tender={tender} trust={trustOf(view, around)} />
      <main id="main" class="page">
        <Here steps={steps} />
        <div class="hall">
          <Rail steps={steps} />
          <div class="hall-cases">
            {view.unknownTypes.length > 0 && <Note tone="info">{t("page.update")}</Note>}
            {children}
          </div>
          <aside class="side" aria-label={t("broadcast.title")}>
            {around.live}
            <Broadcast lines={view.announcements} />
            {side}
          </aside>
        </div>
      </main>
      <Announcer lines={view.announcements} board={model} isLost={around.link === "lost"} />
    </>
  );
}
