/**
 * Live pages of those who hold keys (投标人、保管人): apart, because they load the sealing code.
 *
 * Invariant: as `live.tsx`: pages meet network and device here and nowhere below.
 */
import { useEffect, useMemo } from "preact/hooks";
import { givenBidderKeys } from "../device/given_keys.ts";
import { LiveSlot } from "../live/slot.tsx";
import { me } from "../net/session.ts";
import { boardOf } from "../opening/board.ts";
import { isOwnUnlocked, ownBids } from "../opening/own.ts";
import { useCues } from "../ui/cues.ts";
import { BidPage } from "./bid/bid_page.tsx";
import { Desk } from "./bid/desk.ts";
import { ownBidIds } from "./bid/desk_view.ts";
import { type LiveProps, NotYours, useAround } from "./live_props.tsx";
import { TrusteeDesk } from "./trustee/trustee_desk.ts";
import { TrusteePage } from "./trustee/trustee_page.tsx";
import { CardDesk } from "./unlock/card_desk.ts";
import { CardPage } from "./unlock/card_page.tsx";

export interface OwnProps extends LiveProps {
  readonly id: string;
}

export function LiveBid({ id, ...props }: OwnProps) {
  const { store } = props;
  const desk = useMemo(() => new Desk(store, id), [store, id]);
  const org = me.value.org;
  useEffect(() => {
    if (org === undefined) return;
    store.follow(`tender:${id}`, ["hall", `party:${org}`]);
    store.follow(`opening:${id}`, [`party:${org}`, "hall"]);
  }, [store, id, org]);
  const view = store.opening(id).value;
  const tender = store.tender(id).value;
  const around = useAround(props, `opening:${id}`);
  const hasManifest = view.manifestRaw !== null;
  // Another device of ours may have registered or submitted: the party's channel says so.
  const moved = `${tender.registered?.bidderPk ?? ""} ${tender.submits.length} ${tender.isClosed}`;
  useEffect(() => {
    if (hasManifest) void desk.load(givenBidderKeys()).then(() => desk.findStored());
  }, [desk, hasManifest, moved]);
  const { window } = view;
  const isRunning = view.stage === "decryption" && window !== null && !window.ended;
  useEffect(() => {
    if (isRunning) void desk.prepare();
  }, [desk, isRunning, window?.w]);
  useEffect(() => {
    if (view.rows.length > 0) void desk.compare();
  }, [desk, view.rows]);
  const state = desk.view.value;
  const bids = ownBids(view, org, ownBidIds(state));
  const isDone = bids.length > 0 && bids.every((bid) => isOwnUnlocked(view, bid));
  const isAsked = isRunning && bids.length > 0 && !isDone;
  const own = isDone ? "done" : state.unlock.kind === "failed" ? "refused" : "none";
  useCues({ view, board: boardOf(view, around.nowMs, around.link, isAsked), isAsked, own });
  if (org === undefined || me.value.role !== "bidder") return <NotYours around={around} id={id} />;
  const live = <LiveSlot id={id} view={view} isLive={view.manifest !== null} isAsked={isAsked} />;
  return <BidPage view={view} desk={state} acts={desk} around={{ ...around, live }} />;
}

export function LiveCard({ id, ...props }: OwnProps) {
  const { store } = props;
  const desk = useMemo(() => new CardDesk(store, id), [store, id]);
  useEffect(() => store.follow(`opening:${id}`, ["hall"]), [store, id]);
  const view = store.opening(id).value;
  const around = useAround(props, `opening:${id}`);
  const card = desk.view.value;
  const isDone = card.given.length > 0 && card.missing.length === 0;
  const isAsked = view.stage === "decryption" && !isDone;
  const own = isDone ? "done" : card.unlock.kind === "failed" ? "refused" : "none";
  useCues({ view, board: boardOf(view, around.nowMs, around.link, isAsked), isAsked, own });
  return <CardPage view={view} card={card} acts={desk} around={around} />;
}

export function LiveTrustee({ id, ...props }: OwnProps) {
  const { store } = props;
  const desk = useMemo(() => new TrusteeDesk(store, id), [store, id]);
  const role = me.value.role;
  const isStaff = role === "trustee" || role === "purchaser" || role === "supervisor";
  useEffect(() => {
    if (isStaff) store.follow(`opening:${id}`, ["hall"]);
  }, [store, id, isStaff]);
  const view = store.opening(id).value;
  const around = useAround(props, `opening:${id}`);
  useEffect(() => desk.follow(), [desk, view]);
  const state = desk.view.value;
  const isAsked = state.step.kind === "checked";
  const board = boardOf(view, around.nowMs, around.link, false);
  const own = state.step.kind === "released" ? "done" : state.trouble ? "refused" : "none";
  useCues({ view, board, isAsked, own });
  if (!isStaff) return <NotYours around={around} id={id} />;
  return <TrusteePage view={view} trustee={state} acts={desk} around={around} />;
}
