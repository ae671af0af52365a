/**
 * What the hall's picture panel shows of a room (画面状态).
 *
 * Invariant: pure; "playing" is said only of a picture, or of sound, that is really coming.
 */
import { t } from "../i18n.ts";
import type { BroadcastView } from "./broadcast_panel.tsx";
import type { Playing } from "./fragments.ts";
import type { Lasting } from "./lasting.ts";
import { hasSound, type Program, programOf } from "./program.ts";
import type { Quality } from "./quality.ts";
import type { Link } from "./room.ts";
import type { Told } from "./told.ts";
import { whoText } from "./words.tsx";

export interface Seen {
  readonly link: Link;
  readonly told: Told;
  readonly own: string;
  readonly first: "webrtc" | "fragments";
  readonly shown: "webrtc" | "fragments";
  readonly phase: Lasting["phase"];
  readonly hasArrived: boolean;
  readonly quality: Quality;
  readonly player: Playing;
  readonly latencyMs: number | null;
  readonly isSoundOn: boolean;
  readonly isAudioOnly: boolean;
  /** Who is shown by what the hall itself knows, for those who are told nothing of the room. */
  readonly known: string;
}

/** Behind by more, and the word for it is not "good" any more. */
const LATE_FAIR_MS = 5_000;

function stateOf(seen: Seen, program: Program): BroadcastView["state"] {
  if (seen.link === "elsewhere") return "elsewhere";
  // Who is told nothing of the room cannot know whether anybody sends.
  const isTold = seen.own !== "";
  const isAnything = program.main !== null || hasSound(seen.told, seen.own);
  if (seen.shown === "fragments") {
    if (seen.player === "playing") return "playing";
    if (seen.player === "waiting") return isAnything || !isTold ? "late" : "nobody";
    if (seen.player === "again") return isAnything ? "lost" : "nobody";
    if (seen.link === "lost") return "lost";
    return isAnything ? "joining" : "nobody";
  }
  // Our own picture comes without a connection to watch by.
  if (isTold && program.main?.member === seen.own) {
    if (seen.link === "lost") return "lost";
    return seen.hasArrived ? "playing" : "joining";
  }
  if (seen.phase === "up") {
    if (!isAnything) return "nobody";
    return program.main === null || seen.hasArrived ? "playing" : "joining";
  }
  if (seen.link === "lost" || seen.phase === "waiting") return "lost";
  if (seen.link === "live" && !isAnything) return "nobody";
  return "joining";
}

function fragmentQuality(seen: Seen): Quality {
  if (seen.player !== "playing") return "none";
  return seen.latencyMs !== null && seen.latencyMs > LATE_FAIR_MS ? "fair" : "good";
}

function whoOf({ told, own }: Seen, member: string): string {
  const who = whoText(told, member);
  return member === own ? t("live.you", { who }) : who;
}

export function broadcastViewOf(seen: Seen): BroadcastView {
  const { told, own, shown } = seen;
  // The room's program, in which we ourselves may be: what all others see.
  const program = programOf(told, "");
  const state = stateOf(seen, program);
  const { main } = program;
  const isPlaying = state === "playing";
  return {
    state,
    who: main !== null ? whoOf(seen, main.member) : isPlaying && own === "" ? seen.known : "",
    isScreen: main?.label === "screen",
    way: shown,
    isFallback: shown === "fragments" && seen.first === "webrtc",
    latencyMs: seen.latencyMs,
    quality: shown === "fragments" ? fragmentQuality(seen) : seen.quality,
    hasSound: own === "" || hasSound(told, own),
    isSoundOn: seen.isSoundOn,
    isAudioOnly: seen.isAudioOnly,
    recording: told.recording,
  };
}
