/** The playback at work (录像回放): asks for the recording and the journal, and keeps the time. */
import { useEffect, useMemo, useState } from "preact/hooks";
import { meetingMoments } from "../../meeting/moments.ts";
import { getJson, pollEvents, postJson } from "../../net/http.ts";
import { me } from "../../net/session.ts";
import { clock } from "../../net/store.ts";
import type { OpeningEvent } from "../../opening/fold.ts";
import { type Trouble, troubleOf } from "../../ui/refusal.tsx";
import { type LiveProps, NotYours, useAround } from "../live_props.tsx";
import { openingMoments } from "./moments.ts";
import { PlaybackPage } from "./playback_page.tsx";
import { Playing } from "./playing.ts";
import { NO_RECORDING, type RecordingView, readRecording } from "./recording.ts";
import { layOut } from "./timeline.ts";

const TICK_MS = 100;
const MAKING_MS = 1000;
/** A room closes while its recording is looked at: what is said of it must follow. */
const RECORDING_MS = 3000;
const PAGES_MAX = 1000;

/** The whole of a channel's journal. */
async function journal(room: string, audience: string): Promise<readonly OpeningEvent[]> {
  const events: OpeningEvent[] = [];
  let position = { room, audience, epoch: 0, seq: 0 };
  for (let page = 0; page < PAGES_MAX; page++) {
    const got = await pollEvents(position, 0);
    events.push(...got.events);
    const last = got.events.at(-1);
    if (!last) break;
    position = { ...position, epoch: got.epoch, seq: last.seq };
  }
  return events;
}

/** How soon to ask again; null: nothing will change by itself. */
function againMs({ making, state }: RecordingView): number | null {
  if (making) return MAKING_MS;
  return state === "recording" || state === "closing" ? RECORDING_MS : null;
}

/** Asks again while files are being made, and while the recording goes on. */
function useRecording(room: string, turn: number) {
  const [recording, setRecording] = useState<RecordingView>(NO_RECORDING);
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  const [isLoaded, setLoaded] = useState(false);
  useEffect(() => {
    let isOver = false;
    let timer: ReturnType<typeof setTimeout>;
    const ask = async () => {
      try {
        const view = readRecording(room, await getJson(`/media/${room}/recording.json`));
        if (isOver) return;
        setTrouble(null);
        setRecording(view);
        setLoaded(true);
        const again = againMs(view);
        if (again !== null) timer = setTimeout(ask, again);
      } catch (error) {
        if (isOver) return;
        setTrouble(troubleOf(error, clock.now()));
        setLoaded(true);
      }
    };
    void ask();
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [room, turn]);
  return { recording, trouble, setTrouble, isLoaded };
}

function useJournal(room: string): readonly OpeningEvent[] {
  const [events, setEvents] = useState<readonly OpeningEvent[]>([]);
  useEffect(() => {
    let isOver = false;
    Promise.all([journal(room, "hall"), journal(room, "staff").catch(() => [])])
      .then(([hall, staff]) => {
        const all = [...hall, ...staff].sort((a, b) => a.serverMs - b.serverMs);
        if (!isOver) setEvents(all);
      })
      .catch((error: unknown) => console.error("the journal could not be read", error));
    return () => {
      isOver = true;
    };
  }, [room]);
  return events;
}

export function LivePlayback({ id, ...props }: LiveProps & { readonly id: string }) {
  const kind =
    new URLSearchParams(location.search).get("room") === "evaluation" ? "evaluation" : "opening";
  const room = `${kind}:${id}`;
  const around = useAround(props, null);
  const [turn, setTurn] = useState(0);
  const [isAsking, setAsking] = useState(false);
  const { recording, trouble, setTrouble, isLoaded } = useRecording(room, turn);
  const events = useJournal(room);
  // `made` stands for the files: the same ones keep their players.
  const made = recording.files.map((file) => `${file.name} ${file.sha256}`).join("\n");
  const playing = useMemo(
    () =>
      made === ""
        ? null
        : new Playing(layOut(recording.files.map((file) => file.timeline)), () =>
            performance.now(),
          ),
    [made],
  );
  useEffect(() => {
    if (!playing) return;
    const timer = setInterval(() => playing.tick(), TICK_MS);
    return () => {
      clearInterval(timer);
      playing.pause();
    };
  }, [playing]);
  const moments = useMemo(() => {
    const nameOf = (person: string) => {
      const who = recording.files.find((file) => file.member === person)?.who;
      return who?.name || who?.orgName || "";
    };
    return kind === "opening" ? openingMoments(id, events, nameOf) : meetingMoments(events, nameOf);
  }, [kind, id, events, recording]);
  const onMake = () => {
    setAsking(true);
    postJson(`/media/${room}/recording`, { make: "all" })
      .then(() => setTurn((n) => n + 1))
      .catch((error: unknown) => setTrouble(troubleOf(error, clock.now())))
      .finally(() => setAsking(false));
  };
  const role = me.value.role;
  if (role === undefined || role === "bidder" || role === "viewer") {
    return <NotYours around={around} id={id} />;
  }
  if (!isLoaded) return null;
  return (
    <PlaybackPage
      around={around}
      recording={recording}
      playing={playing}
      moments={moments}
      trouble={trouble}
      isAsking={isAsking}
      onMake={onMake}
      roomHref={kind === "opening" ? `/hall/${id}` : `/venues/${id}`}
    />
  );
}
