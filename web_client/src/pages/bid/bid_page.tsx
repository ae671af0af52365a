/**
 * The bidder's page (投标人页面): workbench before the deadline, hall after it; one path, one page.
 *
 * Invariant: pure. Which of its faces is shown follows from the opening's stage and the bidder's
 * own affairs alone.
 */
import { t } from "../../i18n.ts";
import { boardOf } from "../../opening/board.ts";
import { isOwnUnlocked, ownBids, ownListed } from "../../opening/own.ts";
import type { OpeningView } from "../../opening/view.ts";
import { Case } from "../../ui/words.tsx";
import { Hall, type Surroundings } from "../frame.tsx";
import { HallCases } from "../hall_page.tsx";
import { AfterWindow } from "./after_window.tsx";
import { Before, Loading } from "./before.tsx";
import { type DeskActs, type DeskView, ownBidIds } from "./desk_view.ts";
import { OpenKey } from "./key_case.tsx";
import { OwnReadOut } from "./own_read_out.tsx";
import { Unlocking } from "./unlocking.tsx";

export interface BidPageProps {
  readonly view: OpeningView;
  readonly desk: DeskView;
  readonly acts: DeskActs;
  readonly around: Surroundings;
}

export function BidPage({ view, desk, acts, around }: BidPageProps) {
  const bids = ownBids(view, around.me.org, ownBidIds(desk));
  const isDone = bids.length > 0 && bids.every((bid) => isOwnUnlocked(view, bid));
  const isAsked = view.stage === "decryption" && bids.length > 0 && !isDone;
  const model = boardOf(view, around.nowMs, around.link, isAsked);
  const board =
    view.stage === "decryption" && isDone
      ? { ...model, until: `${model.until} ${t("board.you_are_done")}` }
      : model;
  const props = { view, desk, acts, around, bids };
  return (
    <Hall
      view={view}
      around={around}
      isAsked={isAsked}
      board={board}
      turn={`${view.stage === "decryption"} ${isDone}`}
    >
      <Face {...props} />
    </Hall>
  );
}

function Face(props: BidPageProps & { readonly bids: ReturnType<typeof ownBids> }) {
  const { view, desk, acts, around, bids } = props;
  const own = new Set(bids.map((bid) => bid.no));
  switch (view.stage) {
    case "scheduled":
    case "sign_in":
      if (view.manifest === null) return <Loading />;
      return <Before view={view} desk={desk} acts={acts} around={around} />;
    case "announced":
      return (
        <>
          {bids.length > 0 ? (
            <Case title={t("announced.title", { no: bids[0]?.no ?? 0 })}>
              <p class="lead">{t("announced.text")}</p>
            </Case>
          ) : (
            <NoBid {...props} />
          )}
          {bids.length > 0 && desk.key.kind !== "open" && desk.key.kind !== "loading" && (
            <OpenKey desk={desk} acts={acts} />
          )}
          <HallCases view={view} around={around} ownNumbers={own} />
        </>
      );
    case "decryption":
      if (bids.length === 0) return <NotInList {...props} />;
      return <Unlocking {...props} />;
    case "release":
    case "replies":
    case "opening":
      return <AfterWindow {...props} />;
    case "read_out":
    case "closed":
      return <OwnReadOut view={view} desk={desk} around={around} bids={bids} />;
    case "failed":
      return <HallCases view={view} around={around} ownNumbers={own} />;
  }
}

/** Nothing of ours is opened: not in the list, or only in lots that failed. */
function NoBid({ view, desk, around }: BidPageProps) {
  const [listed] = ownListed(view, around.me.org, ownBidIds(desk));
  return listed === undefined ? (
    <Case title={t("announced.none_title")}>
      <p class="lead">{t("announced.none")}</p>
    </Case>
  ) : (
    <Case title={t("announced.lot_failed_title", { lot: listed.lot })}>
      <p class="lead">{t("announced.lot_failed")}</p>
    </Case>
  );
}

function NotInList(props: BidPageProps) {
  const { view, around } = props;
  return (
    <>
      <NoBid {...props} />
      <HallCases view={view} around={around} ownNumbers={new Set()} />
    </>
  );
}
