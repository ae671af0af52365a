/** What live pages share (实时页面共用): surroundings from signals, and the public board. */
import { useEffect, useState } from "preact/hooks";
import { t } from "../i18n.ts";
import { type TenderRow, tenders } from "../net/lookups.ts";
import { logout, me } from "../net/session.ts";
import { type Bootstrap, clock, link, nowMs, type Store } from "../net/store.ts";
import { Case } from "../ui/words.tsx";
import { Plain, type Surroundings } from "./frame.tsx";

export interface LiveProps {
  readonly store: Store;
  readonly bootstrap: Bootstrap;
}

export function leave(): void {
  void logout().finally(() => location.assign("/"));
}

export function useAround(
  { store, bootstrap }: LiveProps,
  room: string | null = null,
): Surroundings {
  return {
    me: me.value,
    nowMs: nowMs.value,
    link: link.value,
    rttMs: clock.rttMs,
    errorMs: clock.errorMs,
    deviceAheadMs: clock.deviceAheadMs,
    site: bootstrap.site_name,
    helpPhone: bootstrap.help_phone,
    isDemo: bootstrap.demo,
    counts: room === null ? undefined : store.counts.value[room],
    onLeave: leave,
  };
}

const BOARD_EVERY_MS = 5000;

/** The public board, asked for again and again: it has no channel. */
export function useTenders(): { rows: readonly TenderRow[]; isLoaded: boolean } {
  const [state, setState] = useState<{ rows: readonly TenderRow[]; isLoaded: boolean }>({
    rows: [],
    isLoaded: false,
  });
  useEffect(() => {
    let isOver = false;
    let timer: ReturnType<typeof setTimeout>;
    const ask = async () => {
      try {
        const rows = await tenders();
        if (!isOver) setState({ rows, isLoaded: true });
      } catch {
        // The next turn asks again; what is shown stays.
      }
      if (!isOver) timer = setTimeout(ask, BOARD_EVERY_MS);
    };
    void ask();
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, []);
  return state;
}

/** A page of another role: says so, and leads to what is public. */
export function NotYours({ around, id }: { readonly around: Surroundings; readonly id: string }) {
  const isNobody = !around.me.person;
  return (
    <Plain around={around} title={t("login.title")}>
      <Case title={t(isNobody ? "page.login_first" : "page.wrong_role")} level={1}>
        {isNobody && <p class="lead">{t("page.login_why")}</p>}
        <p>
          <a class="act" href="/login">
            {t("listing.login_link")}
          </a>
        </p>
        <p>
          <a href={`/hall/${id}`}>{t("demo.public_link")}</a>
        </p>
        <p>
          <a href={`/unlock/${id}`}>{t("hall.card_link")}</a>
        </p>
      </Case>
    </Plain>
  );
}
