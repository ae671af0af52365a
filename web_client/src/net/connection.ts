/**
 * One connection to the server for a whole page: WebSocket first, polling where that is blocked.
 *
 * Invariant: whatever the way, events reach the sink once and in order (`Channels`), and a request
 * is answered once (`Commands`). Time, chance and the network come in through `Environment`.
 */
import { retryDelay } from "./backoff.ts";
import { Channels } from "./channels.ts";
import type { ServerClock } from "./clock.ts";
import { Commands, type Pending, Refused } from "./commands.ts";
import { Fallback, type PolledEvents, ROOM_UNKNOWN } from "./fallback.ts";
import {
  cmdFrame,
  type Detail,
  type EventFrame,
  helloFrame,
  type Me,
  type Position,
  pingFrame,
  readFrame,
  type ServerFrame,
  subFrame,
  unsubFrame,
} from "./frames.ts";

export type LinkState = "connecting" | "live" | "polling" | "lost";

export interface Socket {
  send(data: Uint8Array): void;
  close(): void;
}

export interface SocketEvents {
  opened(): void;
  message(data: Uint8Array): void;
  closed(code: number): void;
}

export interface Environment {
  /**
   * Opens a socket; throws, or calls `closed`, when it cannot. Who has no ticket is a viewer, and may
   * be served elsewhere; `failures` as in `Ways.next`.
   */
  openSocket(events: SocketEvents, isViewer: boolean, failures: number): Socket;
  /** A fresh one-time ticket, or null for an anonymous viewer. */
  ticket(): Promise<string | null>;
  /** The same request by POST; rejects with `Refused`, or anything else when nothing came back. */
  post(id: string, room: string, op: string, args: object): Promise<unknown>;
  events(position: Position, waitMs: number): Promise<PolledEvents>;
  after(ms: number, what: () => void): () => void;
  monotonic(): number;
  random(): number;
  newId(): string;
}

export interface Sink {
  /** Events of one frame, in order, each for the first time. */
  events(events: readonly EventFrame[]): void;
  /** Forget what the room's events built: they come again from the first. */
  restarted(room: string): void;
  presence(room: string, counts: Detail): void;
  /** There is no such room, or, after that was said, there is one now. */
  absent(room: string, isAbsent: boolean): void;
  link(state: LinkState): void;
  me(me: Me): void;
}

const WELCOME_MS_MAX = 8_000;
const SILENCE_EXTRA_MS = 5_000;
const POST_TOO_MS = 4_000;
const CLOCK_BURST = 5;
const CLOCK_BURST_MS = 200;
const FAILURES_BEFORE_POLLING = 2;
/** Also an edge may say it that has not heard of a tender published just now: asked so often. */
const ASKED_BEFORE_ABSENT = 3;
/** An edge takes no requests: they go to the site by POST. */
const VIEWERS_ONLY = "edge.viewers_only";

export class Connection {
  readonly channels = new Channels();
  private readonly commands: Commands;
  private readonly fallback: Fallback;
  private readonly environment: Environment;
  private readonly sink: Sink;
  private readonly clock: ServerClock;
  private socket: Socket | null = null;
  /** Hello was said on this socket: what it did not name has to be asked for. */
  private greeted = false;
  private welcomed = false;
  private failures = 0;
  private attempt = 0;
  private reconnectAfterMs: number | null = null;
  private pollingUp = false;
  private closed = false;
  private pingMs = 20_000;
  private cancelRetry: (() => void) | null = null;
  private cancelSilence: (() => void) | null = null;
  private readonly resuming = new Set<string>();
  /** Channels of rooms that are not known where we are, and how often we asked. */
  private readonly unknown = new Map<string, number>();
  private readonly absent = new Set<string>();
  private state: LinkState = "connecting";

  constructor(environment: Environment, sink: Sink, clock: ServerClock) {
    this.environment = environment;
    this.sink = sink;
    this.clock = clock;
    this.commands = new Commands(environment.newId);
    this.fallback = new Fallback(
      {
        events: (position, waitMs) => environment.events(position, waitMs),
        wait: (ms) => new Promise((resolve) => environment.after(ms, () => resolve())),
        now: () => environment.monotonic(),
      },
      this.channels,
      {
        events: (events) => this.take(events),
        epochChanged: (room) => this.restart(room),
        unknown: (room, audience) => this.countUnknown(room, audience),
        sample: (t0, t1, serverMs) => clock.sample(t0, t1, serverMs),
        isUp: (up) => this.polled(up),
      },
    );
  }

  start(): void {
    void this.connect();
  }

  /** No more events, no more tries. Requests without an answer stay without one. */
  close(): void {
    this.closed = true;
    this.cancelRetry?.();
    this.cancelSilence?.();
    this.fallback.stop();
    this.socket?.close();
    this.socket = null;
  }

  follow(room: string, audience: string): void {
    this.channels.follow(room, audience);
    const position = this.channels.position(room, audience);
    if (this.greeted && position) this.socket?.send(subFrame([position]));
  }

  leave(room: string, audience: string): void {
    this.channels.leave(room, audience);
    if (this.greeted) this.socket?.send(unsubFrame([{ room, audience }]));
  }

  /** Asks; settles when the server has answered, however long the line was cut. */
  command(room: string, op: string, args: object = {}): Promise<unknown> {
    const { pending, promise } = this.commands.open(room, op, args);
    this.transmit(pending);
    return promise;
  }

  /** Try now instead of at the end of the waiting time: the network or the page is back. */
  wake(): void {
    if (this.closed) return;
    if (this.clock.slept()) this.burst();
    if (this.socket === null) {
      this.cancelRetry?.();
      void this.connect();
    }
  }

  // -- the socket's life

  private async connect(): Promise<void> {
    const attempt = ++this.attempt;
    this.cancelRetry = null;
    let ticket: string | null;
    try {
      ticket = await this.environment.ticket();
    } catch {
      if (attempt === this.attempt) this.failed();
      return;
    }
    if (this.closed || attempt !== this.attempt) return;
    const cancelWelcome = this.environment.after(WELCOME_MS_MAX, () => {
      if (attempt === this.attempt && !this.welcomed) this.drop();
    });
    let over = false;
    try {
      const events: SocketEvents = {
        opened: () => {
          if (attempt !== this.attempt) return;
          this.socket?.send(helloFrame(ticket, this.channels.positions()));
          this.greeted = true;
        },
        message: (data) => {
          if (attempt === this.attempt) this.receive(data);
        },
        closed: () => {
          cancelWelcome();
          if (!over && attempt === this.attempt) this.failed();
          over = true;
        },
      };
      this.socket = this.environment.openSocket(events, ticket === null, this.failures);
    } catch {
      cancelWelcome();
      this.failed();
    }
  }

  /** Gives up on the present socket, which may be half dead and never say so. */
  private drop(): void {
    const socket = this.socket;
    this.attempt += 1;
    socket?.close();
    this.failed();
  }

  private failed(): void {
    this.socket = null;
    this.greeted = false;
    this.welcomed = false;
    this.resuming.clear();
    this.cancelSilence?.();
    if (this.closed) return;
    this.failures += 1;
    if (this.failures >= FAILURES_BEFORE_POLLING) this.fallback.start();
    this.show();
    if (this.fallback.isRunning) for (const pending of this.commands.all) this.post(pending);
    const asked = this.reconnectAfterMs;
    this.reconnectAfterMs = null;
    const delay = retryDelay(this.failures, this.environment.random());
    this.cancelRetry = this.environment.after(Math.max(asked ?? 0, delay), () => {
      void this.connect();
    });
  }

  private polled(up: boolean): void {
    this.pollingUp = up;
    this.show();
  }

  private show(): void {
    const state = this.welcomed
      ? "live"
      : this.fallback.isRunning && this.pollingUp
        ? "polling"
        : this.failures > 0
          ? "lost"
          : "connecting";
    if (state === this.state) return;
    this.state = state;
    this.sink.link(state);
  }

  // -- frames

  private receive(data: Uint8Array): void {
    const frame = readFrame(data);
    if (frame === null) {
      this.drop();
      return;
    }
    this.listenForSilence();
    switch (frame.kind) {
      case "welcome":
        this.welcome(frame);
        break;
      case "events":
        this.take(frame.events);
        break;
      case "ok":
        this.commands.answer(frame.commandId, frame.result);
        break;
      case "err":
        this.refused(frame);
        break;
      case "pong":
        this.clock.sample(frame.t0, this.environment.monotonic(), frame.serverMs);
        break;
      case "presence":
        this.sink.presence(frame.room, frame.counts);
        break;
      case "bye":
        this.reconnectAfterMs = frame.reconnectAfterMs;
        break;
      case "unknown":
        break;
    }
  }

  private welcome(frame: Extract<ServerFrame, { kind: "welcome" }>): void {
    this.welcomed = true;
    this.failures = 0;
    this.pollingUp = false;
    this.fallback.stop();
    this.pingMs = Math.max(1, frame.pingS) * 1000;
    this.clock.hint(frame.serverMs);
    this.sink.me(frame.me);
    this.show();
    this.listenForSilence();
    this.burst();
    this.keepPinging(this.attempt);
    for (const pending of this.commands.all) this.transmit(pending);
  }

  private burst(): void {
    for (let k = 0; k < CLOCK_BURST; k++) {
      this.environment.after(k * CLOCK_BURST_MS, () => this.ping());
    }
  }

  private ping(): void {
    if (this.welcomed) this.socket?.send(pingFrame(this.environment.monotonic()));
  }

  private keepPinging(attempt: number): void {
    this.environment.after(this.pingMs, () => {
      if (this.closed || attempt !== this.attempt || !this.welcomed) return;
      if (this.clock.slept()) this.burst();
      this.ping();
      this.keepPinging(attempt);
    });
  }

  /** Each ping is answered; a line that is silent longer than that is dead, whatever TCP thinks. */
  private listenForSilence(): void {
    this.cancelSilence?.();
    this.cancelSilence = this.environment.after(this.pingMs + SILENCE_EXTRA_MS, () => this.drop());
  }

  // -- events

  private take(events: readonly EventFrame[]): void {
    const fresh: EventFrame[] = [];
    for (const event of events) {
      const verdict = this.channels.judge(event);
      if (verdict === "apply") {
        fresh.push(event);
        const key = `${event.room} ${event.audience}`;
        this.resuming.delete(key);
        this.unknown.delete(key);
        if (this.absent.delete(event.room)) this.sink.absent(event.room, false);
      } else if (verdict === "gap") {
        this.resume(event.room, event.audience);
      } else if (verdict === "epoch") {
        if (fresh.length > 0) this.sink.events(fresh.splice(0));
        this.restart(event.room);
      }
    }
    if (fresh.length > 0) this.sink.events(fresh);
  }

  /** Asks once for what is missing; more out-of-order events are only dropped until it is here. */
  private resume(room: string, audience: string): void {
    const key = `${room} ${audience}`;
    const position = this.channels.position(room, audience);
    if (this.resuming.has(key) || !position || !this.welcomed) return;
    this.resuming.add(key);
    this.socket?.send(subFrame([position]));
  }

  /** The room may become known: asked for after a second, then less and less often. */
  private askAgain(room: string, audience: string): void {
    const times = this.countUnknown(room, audience);
    const attempt = this.attempt;
    this.environment.after(retryDelay(times + 1, this.environment.random()), () => {
      const position = this.channels.position(room, audience);
      if (attempt === this.attempt && position) this.socket?.send(subFrame([position]));
    });
  }

  private countUnknown(room: string, audience: string): number {
    const key = `${room} ${audience}`;
    const times = (this.unknown.get(key) ?? 0) + 1;
    this.unknown.set(key, times);
    if (times >= ASKED_BEFORE_ABSENT && !this.absent.has(room)) {
      this.absent.add(room);
      this.sink.absent(room, true);
    }
    return times;
  }

  private restart(room: string): void {
    this.channels.restart(room);
    this.sink.restarted(room);
    if (this.welcomed) this.socket?.send(subFrame(this.channels.positions(room)));
  }

  private refused(frame: Extract<ServerFrame, { kind: "err" }>): void {
    if (frame.code === "channel.epoch_changed") {
      this.epochChanged(frame.detail);
      return;
    }
    if (frame.code === ROOM_UNKNOWN && frame.commandId === "") {
      this.askAgain(String(frame.detail["room"]), String(frame.detail["audience"]));
      return;
    }
    if (frame.code === VIEWERS_ONLY) {
      const pending = this.commands.all.find((one) => one.id === frame.commandId);
      if (pending) this.post(pending);
      return;
    }
    const delay = this.commands.refuse(
      frame.commandId,
      new Refused(frame.code, frame.retryable, frame.detail),
    );
    if (delay !== null) this.again(frame.commandId, delay);
  }

  /** The server tells it for each channel of a room, and sends that channel from its first event. */
  private epochChanged(detail: Detail): void {
    const room = String(detail["room"]);
    const position = this.channels.position(room, String(detail["audience"]));
    if (!position || position.epoch === 0) return;
    this.channels.restart(room);
    this.sink.restarted(room);
  }

  // -- requests

  private transmit(pending: Pending): void {
    if (this.welcomed && this.socket) {
      const { n, id, room, op, args } = pending;
      this.socket.send(cmdFrame(n, id, room, op, args));
      // A line that looks alive may be dead: ask by the other way too, under the same id.
      this.environment.after(POST_TOO_MS, () => this.post(pending));
    } else if (this.fallback.isRunning) {
      this.post(pending);
    }
  }

  private post(pending: Pending): void {
    if (this.closed || !this.commands.isOpen(pending.id)) return;
    this.environment.post(pending.id, pending.room, pending.op, pending.args).then(
      (result) => this.commands.answer(pending.id, result),
      (error) => {
        if (!(error instanceof Refused)) return; // nothing came back: the next connection asks again
        const delay = this.commands.refuse(pending.id, error);
        if (delay !== null) this.again(pending.id, delay);
      },
    );
  }

  private again(id: string, delay: number): void {
    this.environment.after(delay, () => {
      const pending = this.commands.all.find((one) => one.id === id);
      if (pending) this.transmit(pending);
    });
  }
}
