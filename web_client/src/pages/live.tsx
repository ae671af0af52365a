/**
 * Live pages (实时页面): each takes the store's signals and gives its pure page values and acts.
 *
 * Invariant: here, and in `live_own.tsx`, pages meet network and device; everything below is pure.
 */
import { useEffect, useMemo, useState } from "preact/hooks";
import { LiveSlot } from "../live/slot.tsx";
import type { StageActs } from "../live/stage_acts.ts";
import { Refused } from "../net/commands.ts";
import { type DemoCast, demoPeople } from "../net/lookups.ts";
import { login, me } from "../net/session.ts";
import { clock, type Store } from "../net/store.ts";
import { boardOf } from "../opening/board.ts";
import { useCues } from "../ui/cues.ts";
import { type Trouble, troubleOf } from "../ui/refusal.tsx";
import { BoardPage } from "./board_page.tsx";
import { DemoPage } from "./demo_page.tsx";
import { HallPage } from "./hall_page.tsx";
import { HostDesk } from "./host/host_desk.ts";
import { HostPage } from "./host/host_page.tsx";
import { OfficerDesk } from "./host/officer_desk.ts";
import { type LiveProps, leave, NotYours, useAround, useTenders } from "./live_props.tsx";
import { LoginPage } from "./login_page.tsx";

export function LiveBoard(props: LiveProps) {
  return <BoardPage around={useAround(props)} {...useTenders()} />;
}

export function LiveHall({ id, ...props }: LiveProps & { readonly id: string }) {
  const { store } = props;
  useEffect(() => store.follow(`opening:${id}`, ["hall"]), [store, id]);
  const view = store.opening(id).value;
  const around = useAround(props, `opening:${id}`);
  const board = boardOf(view, around.nowMs, around.link, true);
  useCues({ view, board, isAsked: false, own: "none" });
  const live = <LiveSlot id={id} view={view} isLive={view.manifest !== null} isAsked={false} />;
  return <HallPage view={view} around={{ ...around, live }} />;
}

export function LiveHost({ id, ...props }: LiveProps & { readonly id: string }) {
  const { store } = props;
  const role = me.value.role;
  const isStaff = role !== undefined && role !== "bidder" && role !== "viewer";
  const desk = useMemo(() => new HostDesk(store, id, role === "host"), [store, id, role]);
  const officer = useMemo(
    () => new OfficerDesk(store, id, role === "host" || role === "supervisor" ? role : null),
    [store, id, role],
  );
  useEffect(() => {
    if (!isStaff) return;
    store.follow(`tender:${id}`, ["staff", "hall"]);
    store.follow(`opening:${id}`, ["staff", "hall"]);
  }, [store, id, isStaff]);
  const stageActs = useMemo(() => floorOf(store, id), [store, id]);
  const { rows } = useTenders();
  const view = store.opening(id).value;
  const tender = store.tender(id).value;
  useEffect(() => {
    void officer.follow();
  }, [officer, view.acts, view.stage, tender]);
  const around = useAround(props, `opening:${id}`);
  useCues({
    view,
    board: boardOf(view, around.nowMs, around.link, true),
    isAsked: false,
    own: "none",
  });
  if (!isStaff) return <NotYours around={around} id={id} />;
  const live = (
    <LiveSlot
      id={id}
      view={view}
      isLive={view.manifest !== null}
      isAsked={true}
      isPane
      {...(role === "host" ? { acts: stageActs } : {})}
    />
  );
  return (
    <HostPage
      view={view}
      host={{ ...desk.view.value, rooms: rows }}
      acts={desk}
      tender={tender}
      officer={officer.view.value}
      officerActs={officer}
      around={{ ...around, live }}
    />
  );
}

/** The floor's commands; the studio says what came of them. */
function floorOf(store: Store, id: string): StageActs {
  return {
    putOnStage: (person, reason) => store.ask(id, "put_on_stage", { person, reason }),
    takeOffStage: (person, reason) => store.ask(id, "take_off_stage", { person, reason }),
    hold: (person, held) => store.ask(id, "hold", { person, held }),
    mute: (person, label, muted) => store.ask(id, "mute", { person, label, muted }),
  };
}

/** A login key file: `{"seed": hex}`, or the 64 hex digits alone. */
export function readLoginSeed(text: string): string {
  const trimmed = text.trim();
  if (/^[0-9a-f]{64}$/.test(trimmed)) return trimmed;
  try {
    const { seed } = JSON.parse(trimmed) as { seed?: unknown };
    if (typeof seed === "string" && /^[0-9a-f]{64}$/.test(seed)) return seed;
  } catch {
    // not JSON
  }
  throw new Refused("login.file");
}

export function LiveLogin(props: LiveProps) {
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  const [isBusy, setBusy] = useState(false);
  const { rows } = useTenders();
  const onFile = async (file: File) => {
    setBusy(true);
    setTrouble(null);
    try {
      if (file.size > 65_536) throw new Refused("login.file");
      await login(readLoginSeed(await file.text()));
    } catch (error) {
      setTrouble(troubleOf(error, clock.now()));
    }
    setBusy(false);
  };
  return (
    <LoginPage
      around={useAround(props)}
      rows={rows}
      isBusy={isBusy}
      trouble={trouble}
      onFile={onFile}
      onLeave={leave}
    />
  );
}

export function LiveDemo(props: LiveProps) {
  const [found, setFound] = useState<DemoCast>({ people: [] });
  const { rows } = useTenders();
  useEffect(() => {
    demoPeople().then(setFound, () => {});
  }, []);
  return (
    <DemoPage
      around={useAround(props)}
      people={found.people}
      rows={rows}
      tender={found.tender ?? rows[0]?.id ?? ""}
      meeting={found.meeting}
      attendants={found.attendants}
    />
  );
}
