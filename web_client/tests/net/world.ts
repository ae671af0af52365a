/**
 * A small world for the connection (测试环境): time turned by hand, a server made of arrays.
 *
 * Not a mock of the connection: a stand-in for browser and network, with frames really encoded.
 */
import { decode, encode } from "@msgpack/msgpack";
import { ServerClock } from "../../src/net/clock.ts";
import type { Refused } from "../../src/net/commands.ts";
import { Connection, type LinkState, type SocketEvents } from "../../src/net/connection.ts";
import type { PolledEvents } from "../../src/net/fallback.ts";
import type { EventFrame, Position } from "../../src/net/frames.ts";

export const ROOM = "opening:x";

export class FakeSocket {
  readonly sent: unknown[][] = [];
  isClosed = false;
  readonly events: SocketEvents;

  constructor(events: SocketEvents) {
    this.events = events;
  }

  send(data: Uint8Array): void {
    this.sent.push(decode(data) as unknown[]);
  }

  close(): void {
    this.isClosed = true;
  }

  say(...frame: unknown[]): void {
    this.events.message(encode(frame));
  }

  of(name: string): unknown[][] {
    return this.sent.filter((frame) => frame[0] === name);
  }

  welcome(): void {
    this.events.opened();
    this.say("welcome", "session", 5_000_000, 20, {}, { person: "p", role: "bidder" });
  }
}

interface Timer {
  atMs: number;
  what: () => void;
  isOff: boolean;
}

export class World {
  nowMs = 0;
  readonly sockets: FakeSocket[] = [];
  readonly seen: EventFrame[] = [];
  readonly links: LinkState[] = [];
  readonly absent: [string, boolean][] = [];
  restarts = 0;
  isBlocked = false;
  isViewer = false;
  readonly tries: [boolean, number][] = [];
  posts: { id: string; op: string }[] = [];
  post: (id: string) => Promise<unknown> = () => Promise.reject(new Error("no network"));
  poll: (position: Position) => Promise<PolledEvents> = () =>
    Promise.reject(new Error("no network"));
  private timers: Timer[] = [];
  private ids = 0;
  readonly connection: Connection;

  constructor() {
    const clock = new ServerClock({ monotonic: () => this.nowMs, wall: () => this.nowMs });
    this.connection = new Connection(
      {
        openSocket: (events, isViewer, failures) => {
          this.tries.push([isViewer, failures]);
          const socket = new FakeSocket(events);
          this.sockets.push(socket);
          if (this.isBlocked) queueMicrotask(() => events.closed(1006));
          return socket;
        },
        ticket: () => Promise.resolve(this.isViewer ? null : `ticket-${this.sockets.length + 1}`),
        post: (id, _room, op) => {
          this.posts.push({ id, op });
          return this.post(id);
        },
        events: (position) => this.poll(position),
        after: (ms, what) => {
          const timer = { atMs: this.nowMs + ms, what, isOff: false };
          this.timers.push(timer);
          return () => {
            timer.isOff = true;
          };
        },
        monotonic: () => this.nowMs,
        random: () => 0.5,
        newId: () => `command-${++this.ids}`,
      },
      {
        events: (events) => this.seen.push(...events),
        restarted: () => {
          this.restarts += 1;
          this.seen.length = 0;
        },
        presence: () => {},
        absent: (room, isAbsent) => this.absent.push([room, isAbsent]),
        link: (state) => this.links.push(state),
        me: () => {},
      },
      clock,
    );
    this.connection.follow(ROOM, "hall");
  }

  get socket(): FakeSocket {
    return this.sockets.at(-1) as FakeSocket;
  }

  get seqs(): number[] {
    return this.seen.map((event) => event.seq);
  }

  /** Lets promises settle. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  }

  /** Turns time, in the order of the timers. */
  async pass(ms: number): Promise<void> {
    const end = this.nowMs + ms;
    for (;;) {
      await this.settle();
      const due = this.timers
        .filter((timer) => !timer.isOff && timer.atMs <= end)
        .sort((a, b) => a.atMs - b.atMs)[0];
      if (!due) break;
      due.isOff = true;
      this.nowMs = Math.max(this.nowMs, due.atMs);
      due.what();
    }
    this.nowMs = end;
    await this.settle();
  }

  /** Connected, with events 1..n of epoch 1 applied. */
  async live(n: number): Promise<void> {
    this.connection.start();
    await this.settle();
    this.socket.welcome();
    this.socket.say(
      "batch",
      range(1, n).map((seq) => ev(seq)),
    );
    await this.settle();
  }
}

export const range = (from: number, to: number): number[] =>
  Array.from({ length: Math.max(0, to - from + 1) }, (_, at) => from + at);

export const ev = (seq: number, epoch = 1, audience = "hall"): unknown[] => [
  "ev",
  ROOM,
  audience,
  epoch,
  seq,
  1000 + seq,
  "row_read",
  { no: seq },
  new Uint8Array(32),
];

export const polled = (from: number, to: number, epoch = 1): PolledEvents => ({
  epoch,
  serverMs: 5_000_000,
  events: range(from, to).map((seq) => ({
    room: ROOM,
    audience: "hall",
    epoch,
    seq,
    serverMs: 1000 + seq,
    type: "row_read",
    body: { no: seq },
    hash: new Uint8Array(32),
  })),
});

export const codeOf = (error: unknown): string => (error as Refused).code;
