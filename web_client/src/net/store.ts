/**
 * The live state of a page: one connection, one clock, one folded view per room.
 *
 * Invariant: a view changes only by folding events, a frame at a time, so that a page never shows
 * half of what happened at one instant. Pages read signals and send commands; they hold no state of
 * the procedure themselves.
 */
import { batch, computed, type Signal, signal } from "@preact/signals";
import { foldMeeting } from "../meeting/fold.ts";
import { emptyMeeting, type MeetingView } from "../meeting/view.ts";
import type { EvaluationCommands, OpeningCommands, TenderCommands } from "../messages.ts";
import { foldOpening } from "../opening/fold.ts";
import { emptyOpening, type OpeningView } from "../opening/view.ts";
import { emptyTender, foldTender, type TenderView } from "../tender/view.ts";
import { ServerClock } from "./clock.ts";
import { randomCommandId } from "./commands.ts";
import { Connection, type Environment, type LinkState, type SocketEvents } from "./connection.ts";
import type { EventFrame, Me } from "./frames.ts";
import { SUBPROTOCOL } from "./frames.ts";
import { getJson, pollEvents, postCommand } from "./http.ts";
import { me, ticket } from "./session.ts";
import { Ways } from "./ways.ts";

export interface Bootstrap {
  readonly ws_port: number | null;
  readonly ws_path: string;
  /** Where viewers are served, beside the site's own process: ws:// addresses, or paths here. */
  readonly edges?: readonly string[];
  readonly origin: string;
  readonly demo: boolean;
  readonly version: string;
  /** What the site is called, and whom to call; absent until the server is told. */
  readonly site_name?: string;
  readonly help_phone?: string;
}

type Counts = Readonly<Record<string, unknown>>;

export const clock = new ServerClock();
export const link = signal<LinkState>("connecting");
/** The server's time, renewed four times a second: what every countdown on the page reads. */
export const nowMs = signal<number>(clock.now());

const TICK_MS = 250;

export class Store {
  readonly openings = new Map<string, Signal<OpeningView>>();
  readonly tenders = new Map<string, Signal<TenderView>>();
  readonly meetings = new Map<string, Signal<MeetingView>>();
  readonly counts = signal<Readonly<Record<string, Counts>>>({});
  private readonly followed = new Set<string>();
  private readonly absent = signal<ReadonlySet<string>>(new Set());
  /** Nothing that the page follows exists: a wrong address. A tender may lack its opening yet. */
  readonly isNowhere = computed(
    () =>
      this.absent.value.size > 0 && [...this.followed].every((room) => this.absent.value.has(room)),
  );
  private readonly connection: Connection;

  constructor(environment: Environment) {
    this.connection = new Connection(
      environment,
      {
        events: (events) => this.fold(events),
        restarted: (room) => this.restart(room),
        presence: (room, counts) => {
          this.counts.value = { ...this.counts.value, [room]: counts };
        },
        absent: (room, isAbsent) => {
          const absent = new Set(this.absent.value);
          if (isAbsent) absent.add(room);
          else absent.delete(room);
          this.absent.value = absent;
        },
        link: (state) => {
          link.value = state;
        },
        me: (who: Me) => {
          if (who.person) me.value = { ...me.value, ...who };
        },
      },
      clock,
    );
  }

  start(): void {
    this.connection.start();
    setInterval(() => {
      nowMs.value = clock.now();
    }, TICK_MS);
    const wake = () => {
      nowMs.value = clock.now();
      this.connection.wake();
    };
    addEventListener("online", wake);
    addEventListener("pageshow", wake);
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") wake();
    });
  }

  /** Follows a room's channels; the most urgent one last (the fallback waits longest there). */
  follow(room: string, audiences: readonly string[]): void {
    const [kind, id] = room.split(":") as [string, string];
    this.followed.add(room);
    if (kind === "opening") this.opening(id);
    else if (kind === "evaluation") this.meeting(id);
    else this.tender(id);
    for (const audience of audiences) this.connection.follow(room, audience);
  }

  opening(id: string): Signal<OpeningView> {
    return remembered(this.openings, id, emptyOpening);
  }

  tender(id: string): Signal<TenderView> {
    return remembered(this.tenders, id, emptyTender);
  }

  meeting(id: string): Signal<MeetingView> {
    return remembered(this.meetings, id, emptyMeeting);
  }

  ask<K extends keyof OpeningCommands>(
    id: string,
    op: K,
    args: OpeningCommands[K],
  ): Promise<Counts> {
    return this.connection.command(`opening:${id}`, op, args) as Promise<Counts>;
  }

  askTender<K extends keyof TenderCommands>(
    id: string,
    op: K,
    args: TenderCommands[K],
  ): Promise<Counts> {
    return this.connection.command(`tender:${id}`, op, args) as Promise<Counts>;
  }

  askMeeting<K extends keyof EvaluationCommands>(
    id: string,
    op: K,
    args: EvaluationCommands[K],
  ): Promise<Counts> {
    return this.connection.command(`evaluation:${id}`, op, args) as Promise<Counts>;
  }

  private fold(events: readonly EventFrame[]): void {
    batch(() => {
      for (const event of events) {
        const [kind, id] = event.room.split(":") as [string, string];
        try {
          if (kind === "opening") {
            const view = this.opening(id);
            view.value = foldOpening(view.value, event);
          } else if (kind === "evaluation") {
            const view = this.meeting(id);
            view.value = foldMeeting(view.value, event);
          } else {
            const view = this.tender(id);
            view.value = foldTender(view.value, event);
          }
        } catch (error) {
          // One event that we cannot read must not take the clock off the wall.
          console.error("event not understood", event.type, error);
        }
      }
    });
  }

  private restart(room: string): void {
    const [kind, id] = room.split(":") as [string, string];
    if (kind === "opening") this.opening(id).value = emptyOpening(id);
    else if (kind === "evaluation") this.meeting(id).value = emptyMeeting(id);
    else this.tender(id).value = emptyTender(id);
  }
}

function remembered<V>(
  map: Map<string, Signal<V>>,
  id: string,
  empty: (id: string) => V,
): Signal<V> {
  const known = map.get(id);
  if (known) return known;
  const fresh = signal(empty(id));
  map.set(id, fresh);
  return fresh;
}

/** The browser as the connection's surroundings. */
function browserEnvironment(bootstrap: Bootstrap): Environment {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const host =
    bootstrap.ws_port === null ? location.host : `${location.hostname}:${bootstrap.ws_port}`;
  const url = `${scheme}://${host}${bootstrap.ws_path}`;
  const edges = (bootstrap.edges ?? []).map((edge) =>
    edge.startsWith("/") ? `${scheme}://${location.host}${edge}` : edge,
  );
  const ways = new Ways(url, edges, Math.floor(Math.random() * 65_536)); // spreads, guards nothing
  return {
    openSocket: (events, isViewer, failures) =>
      openSocket(isViewer ? ways.next(failures) : url, events),
    ticket,
    post: postCommand,
    events: pollEvents,
    after: (ms, what) => {
      const timer = setTimeout(what, ms);
      return () => clearTimeout(timer);
    },
    monotonic: () => performance.now(),
    random: () => Math.random(), // spreads reconnects; nothing secret or fair hangs on it
    newId: randomCommandId,
  };
}

function openSocket(url: string, events: SocketEvents) {
  const socket = new WebSocket(url, SUBPROTOCOL);
  socket.binaryType = "arraybuffer";
  socket.onopen = () => events.opened();
  socket.onmessage = (message) => {
    if (message.data instanceof ArrayBuffer) events.message(new Uint8Array(message.data));
  };
  socket.onclose = (closing) => events.closed(closing.code);
  return {
    send: (data: Uint8Array) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(data as Uint8Array<ArrayBuffer>);
    },
    close: () => socket.close(),
  };
}

export async function openStore(): Promise<{ store: Store; bootstrap: Bootstrap }> {
  const bootstrap = await getJson<Bootstrap>("/bootstrap.json");
  return { store: new Store(browserEnvironment(bootstrap)), bootstrap };
}
