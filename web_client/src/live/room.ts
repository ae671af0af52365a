/**
 * A media room as a page lives in it (会场连接): door, told stream, what is sent, what is watched.
 *
 * Invariant: nothing here throws at a page, and nothing of a page waits for it: what fails is a
 * value (`link`, `way`, faults) and is tried again. One `LiveRoom` per page and room.
 */
import { computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { retryDelay } from "../net/backoff.ts";
import { Refused } from "../net/commands.ts";
import { whoAmI } from "../net/session.ts";
import { FragmentPlayer, mediaSource } from "./fragments.ts";
import { Publishing } from "./publishing.ts";
import { type Door, type May, type Routes, routesOf } from "./routes.ts";
import { foldTold, NOBODY, type Told } from "./told.ts";
import { ToldStream } from "./told_stream.ts";
import { TrackFragments } from "./track_fragments.ts";
import { Watching } from "./watching.ts";
import { chooseWay, NO_WAY, type Way } from "./way.ts";

/** "absent": no video here; "refused": not for us (now); "elsewhere": on another page of ours. */
export type Link = "joining" | "live" | "lost" | "absent" | "refused" | "elsewhere";

const TICK_MS = 300;
/** Fragments begin with the first who sends; who waits for them asks so often. */
const KNOCK_MS = 8_000;
const ABSENT_AGAIN_MS = 60_000;
const REFUSED_AGAIN_MS = 10_000;

export class LiveRoom {
  readonly link: Signal<Link> = signal<Link>("joining");
  /** Code of the last refusal at the door; "". */
  readonly code = signal("");
  readonly door: Signal<Door | null> = signal<Door | null>(null);
  readonly told: Signal<Told> = signal<Told>(NOBODY);
  readonly way: Signal<Way> = signal<Way>(NO_WAY);
  /** The fragments' player while it is the way; null otherwise. */
  readonly player: Signal<FragmentPlayer | null> = signal<FragmentPlayer | null>(null);
  /** What somebody on this page has switched on; browsers allow sound only after a press. */
  readonly sound = signal(false);
  readonly member: Signal<string> = signal("");
  readonly publishing: Publishing;
  readonly watching: Watching;
  /** A meeting's tracks where no UDP passes; null: the room's program instead (`player`). */
  readonly fragments: TrackFragments | null;
  /** Tracks come by fragments, one by one. */
  readonly isByTracks: ReadonlySignal<boolean>;
  readonly routes: Routes;
  readonly room: string;
  private readonly stream: ToldStream;
  private element: HTMLMediaElement | null = null;
  private failures = 0;
  /** Our login may have ended with the server's last life: it is asked for before the door. */
  private isDoubted = false;
  private knockedMs = 0;
  private again: ReturnType<typeof setTimeout> | null = null;
  private timer: ReturnType<typeof setInterval> | null = null;
  private ends: (() => void)[] = [];

  constructor(room: string) {
    this.room = room;
    this.routes = routesOf(room, tabOf(room));
    const servers = () => iceServers(this.door.peek());
    this.publishing = new Publishing(this.routes, servers);
    this.watching = new Watching(this.routes, this.told, () => this.member.value, servers);
    // An opening has one picture for all; so has a player that can play but one.
    this.fragments =
      room.startsWith("evaluation:") && mediaSource() !== null
        ? new TrackFragments(this.routes, this.told)
        : null;
    this.isByTracks = computed(
      () => this.fragments !== null && this.way.value.shown === "fragments",
    );
    this.stream = new ToldStream(
      {
        open: (ended) => this.routes.told(ended),
        after: (ms, what) => {
          const timer = setTimeout(what, ms);
          return () => clearTimeout(timer);
        },
        now: () => performance.now(),
        random: () => Math.random(), // spreads, guards nothing
      },
      {
        line: (line) => this.heard(line),
        state: (state, code) => this.streamed(state, code),
      },
    );
  }

  open(): void {
    if (this.timer !== null) return;
    this.timer = setInterval(() => this.choose(), TICK_MS);
    const wake = () => this.wake();
    const seen = () => {
      if (document.visibilityState === "visible") this.wake();
    };
    const left = () => this.publishing.keeper.unwant();
    addEventListener("online", wake);
    addEventListener("pageshow", wake);
    addEventListener("pagehide", left);
    document.addEventListener("visibilitychange", seen);
    const { connection } = navigator as Navigator & { connection?: EventTarget };
    connection?.addEventListener("change", wake);
    this.ends = [
      () => removeEventListener("online", wake),
      () => removeEventListener("pageshow", wake),
      () => removeEventListener("pagehide", left),
      () => document.removeEventListener("visibilitychange", seen),
      () => connection?.removeEventListener("change", wake),
    ];
    void this.knock();
  }

  close(): void {
    if (this.timer === null) return;
    clearInterval(this.timer);
    this.timer = null;
    if (this.again !== null) clearTimeout(this.again);
    for (const end of this.ends) end();
    this.ends = [];
    this.publishing.stop();
    this.watching.close();
    this.stream.stop();
    this.player.value?.stop();
    this.player.value = null;
    if (this.member.value !== "") void this.routes.leave().catch(() => {});
  }

  /** Asks the door again: what we may do has changed. */
  async knock(): Promise<void> {
    if (this.again !== null) clearTimeout(this.again);
    this.again = null;
    try {
      if (this.isDoubted) await whoAmI();
      this.isDoubted = false;
      const door = await this.routes.door();
      if (this.timer === null) return;
      this.failures = 0;
      this.code.value = "";
      this.knockedMs = performance.now();
      this.door.value = door;
      this.member.value = door.member;
      // Who only watches fragments is nobody in the room, and is told nothing of it.
      if (door.member === "") this.link.value = "live";
      else {
        if (this.link.value !== "live") this.link.value = "joining";
        this.stream.start();
        this.stream.wake();
      }
      if (door.way === "webrtc" && door.may.watch) this.watching.open();
      else this.watching.close();
      this.allow(door.may);
      this.choose();
    } catch (error) {
      this.refused(error);
    }
  }

  /** What we may do, by the door or by a line. */
  private allow(may: May): void {
    const door = this.door.value;
    if (door !== null) this.door.value = { ...door, may };
    if (may.publish.length === 0) this.publishing.stop();
  }

  /** This page instead of the other one. */
  comeBack(): void {
    if (this.link.value !== "elsewhere") return;
    this.link.value = "joining";
    void this.knock();
  }

  private refused(error: unknown): void {
    if (this.timer === null) return;
    this.failures += 1;
    let wait = retryDelay(this.failures, Math.random());
    if (error instanceof Refused && error.code === "auth.required") {
      this.code.value = error.code;
      this.link.value = "refused";
      this.isDoubted = true;
    } else if (error instanceof Refused && !error.retryable) {
      this.code.value = error.code;
      const isAbsent = error.code !== "media.not_allowed";
      this.link.value = isAbsent ? "absent" : "refused";
      wait = (isAbsent ? ABSENT_AGAIN_MS : REFUSED_AGAIN_MS) * (0.5 + Math.random() / 2);
    } else {
      this.link.value = "lost";
      this.isDoubted = true;
    }
    this.again = setTimeout(() => void this.knock(), wait);
  }

  /** The picture of the whole room plays on this element wherever fragments are the way. */
  playOn(element: HTMLMediaElement): () => void {
    this.element = element;
    this.choose();
    return () => {
      if (this.element !== element) return;
      this.player.value?.stop();
      this.player.value = null;
      this.element = null;
    };
  }

  /** Plays a track by the way that is open now; what is returned takes it off the element. */
  show(track: number, element: HTMLMediaElement): () => void {
    const by = this.isByTracks.value ? this.fragments : null;
    return (by ?? this.watching).show(track, element);
  }

  /** Network or device is back: everything is doubted, and asked again where it does not answer. */
  wake(): void {
    this.stream.wake();
    this.publishing.wake();
    this.watching.keeper.wake();
    this.player.value?.wake();
    this.fragments?.wake();
    if (this.again !== null) void this.knock();
  }

  private streamed(state: "up" | "down" | "refused", code: string): void {
    if (state === "up") this.link.value = "live";
    else if (state === "down") this.link.value = "lost";
    else if (code === "auth.required" || code === "media.not_allowed") {
      this.isDoubted = true;
      void this.knock();
    }
  }

  private heard(line: unknown): void {
    const { kind, may } = line as { kind?: unknown; may?: May };
    if (kind === "replaced" || kind === "over") {
      this.end(kind === "over" ? "absent" : "elsewhere");
      return;
    }
    if ((kind === "state" || kind === "may") && may !== undefined) this.allow(may);
    const before = this.told.value;
    const next = foldTold(before, line);
    this.told.value = next;
    if (before.boot !== "" && before.boot !== next.boot) this.begunAnew();
    this.watching.renew();
  }

  /** Nothing more for this page: the room is over, or another page of ours has taken our place. */
  private end(link: Link): void {
    this.stream.stop();
    this.publishing.stop();
    this.watching.close();
    this.player.value?.stop();
    this.player.value = null;
    this.told.value = NOBODY;
    this.link.value = link;
  }

  /** The media process is another: all that was connected is gone. */
  private begunAnew(): void {
    this.publishing.keeper.restarted();
    this.watching.restarted();
    this.player.value?.wake();
    this.fragments?.wake();
  }

  private choose(): void {
    const door = this.door.value;
    const { link } = this;
    if (door === null || link.value === "elsewhere" || link.value === "absent") return;
    const nowMs = performance.now();
    if (door.fragments === null && nowMs - this.knockedMs > KNOCK_MS && this.again === null) {
      this.knockedMs = nowMs;
      void this.knock();
    }
    const seen = {
      first: door.way,
      phase: this.watching.keeper.phase.value,
      hasFragments: door.fragments !== null,
    };
    const way = chooseWay(this.way.value, seen, nowMs);
    const before = this.way.value;
    if (
      way.shown !== before.shown ||
      way.runsFragments !== before.runsFragments ||
      way.downSinceMs !== before.downSinceMs ||
      way.upSinceMs !== before.upSinceMs
    ) {
      this.way.value = way;
    }
    if (way.runsFragments && this.player.value === null && this.element !== null) {
      const player = new FragmentPlayer(
        this.element,
        async () => (await this.routes.door()).fragments,
        () =>
          door.member === ""
            ? null
            : Object.values(this.told.value.tracks).some((one) => one.flowing && !one.paused),
      );
      this.player.value = player;
      player.start();
    } else if (!way.runsFragments && this.player.value !== null) {
      this.player.value.stop();
      this.player.value = null;
    }
  }
}

const TAB_KEY = "kaibiao.tab";

/** The same over a reload, so that it takes its own place and nobody else's. */
function tabOf(room: string): string {
  const key = `${TAB_KEY}.${room}`;
  const known = sessionStorage.getItem(key);
  if (known !== null) return known;
  const fresh = Array.from(crypto.getRandomValues(new Uint8Array(9)), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join("");
  sessionStorage.setItem(key, fresh);
  return fresh;
}

function iceServers(door: Door | null): RTCIceServer[] {
  return (door?.ice_servers ?? []).map(({ urls, username, credential }) => ({
    urls: [...urls],
    ...(username === undefined ? {} : { username }),
    ...(credential === undefined ? {} : { credential }),
  }));
}
