/**
 * Events without a WebSocket (长轮询): for networks whose proxy strips or blocks it.
 *
 * One long poll at a time, on the channel that matters most; the others are asked briefly in
 * between, because a browser opens few connections to one host and an upload may need them.
 * Invariant: events go through the same positions as those of the socket, so that changing over
 * shows nothing twice and misses nothing.
 */
import type { Channels } from "./channels.ts";
import { Refused } from "./commands.ts";
import type { EventFrame, Position } from "./frames.ts";

export interface PolledEvents {
  readonly epoch: number;
  readonly serverMs: number;
  readonly events: readonly EventFrame[];
}

export interface PollHttp {
  events(position: Position, waitMs: number): Promise<PolledEvents>;
  wait(ms: number): Promise<void>;
  now(): number;
}

export interface PollSink {
  events(events: readonly EventFrame[]): void;
  epochChanged(room: string): void;
  unknown(room: string, audience: string): void;
  sample(t0: number, t1: number, serverMs: number): void;
  isUp(up: boolean): void;
}

export const ROOM_UNKNOWN = "room.unknown";

const LONG_POLL_MS = 8_000;
const UNKNOWN_PAUSE_MS = 2_000;
const RETRY_MS_MAX = 15_000;

export class Fallback {
  private running = 0;
  private woken: (() => void) | null = null;
  private readonly http: PollHttp;
  private readonly channels: Channels;
  private readonly sink: PollSink;

  constructor(http: PollHttp, channels: Channels, sink: PollSink) {
    this.http = http;
    this.channels = channels;
    this.sink = sink;
  }

  get isRunning(): boolean {
    return this.running > 0 && this.active;
  }

  private active = false;

  start(): void {
    if (this.active) return;
    this.active = true;
    this.running += 1;
    void this.loop(this.running);
  }

  stop(): void {
    this.active = false;
    this.woken?.();
  }

  private isCurrent(turn: number): boolean {
    return this.active && turn === this.running;
  }

  private async loop(turn: number): Promise<void> {
    let failures = 0;
    while (this.isCurrent(turn)) {
      try {
        const positions = this.channels.positions();
        for (const [at, position] of positions.entries()) {
          if (!this.isCurrent(turn)) return;
          await this.ask(position, at === positions.length - 1 ? LONG_POLL_MS : 0, turn);
        }
        failures = 0;
        if (positions.length === 0) await this.pause(1000);
      } catch {
        failures += 1;
        if (!this.isCurrent(turn)) return;
        this.sink.isUp(false);
        await this.pause(Math.min(RETRY_MS_MAX, 500 * 2 ** failures));
      }
    }
  }

  private async ask(position: Position, waitMs: number, turn: number): Promise<void> {
    const t0 = this.http.now();
    const answer = await this.http.events(position, waitMs).catch((error: unknown) => {
      if (error instanceof Refused && error.code === ROOM_UNKNOWN) return null;
      throw error;
    });
    if (!this.isCurrent(turn)) return;
    if (answer === null) {
      // The line is well; the room may become known.
      this.sink.isUp(true);
      this.sink.unknown(position.room, position.audience);
      await this.pause(UNKNOWN_PAUSE_MS);
      return;
    }
    if (waitMs === 0) this.sink.sample(t0, this.http.now(), answer.serverMs);
    this.sink.isUp(true);
    if (position.epoch !== 0 && answer.epoch !== position.epoch) {
      this.sink.epochChanged(position.room);
      return;
    }
    this.sink.events(answer.events);
  }

  private async pause(ms: number): Promise<void> {
    const woken = new Promise<void>((resolve) => {
      this.woken = resolve;
    });
    await Promise.race([this.http.wait(ms), woken]);
  }
}
