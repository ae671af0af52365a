/**
 * The players of a recording (播放): all files of an axis, one the clock, the others in step.
 *
 * Invariant: `atMs` is the only place that matters: seeking sets it, the clock moves it, and every
 * player is brought to it. A player whose file has nothing there stands still. Where nobody was
 * recorded, playing goes on where somebody is again.
 */
import { type Signal, signal } from "@preact/signals";
import { correct } from "./step.ts";
import { type Axis, type Lane, nextRecorded, positionIn } from "./timeline.ts";

/** What is needed of a media element. */
export interface Media {
  currentTime: number;
  playbackRate: number;
  readonly paused: boolean;
  readonly seeking: boolean;
  readonly readyState: number;
  play(): Promise<void>;
  pause(): void;
}

const HAVE_CURRENT = 2;
/** After a jump the players wait for each other, but not for ever. */
const SETTLE_MS_MAX = 3000;
/** A player that stands still is set only when it is off by more than this. */
const STILL_S = 0.02;

export class Playing {
  readonly atMs: Signal<number> = signal(0);
  readonly isPlaying: Signal<boolean> = signal(false);
  readonly rate: Signal<number> = signal(1);
  readonly axis: Axis;
  private readonly nowMs: () => number;
  private readonly media = new Map<number, Media>();
  private preferred = 0;
  private settlingSinceMs: number | null = null;

  constructor(axis: Axis, nowMs: () => number) {
    this.axis = axis;
    this.nowMs = nowMs;
  }

  /** The player of a lane has come, or gone. */
  attach(lane: number, media: Media | null): void {
    if (media === null) this.media.delete(lane);
    else this.media.set(lane, media);
    this.place();
  }

  /** Whose time counts, where it is recorded: the one that is watched. */
  prefer(lane: number): void {
    this.preferred = lane;
  }

  seek(toMs: number): void {
    this.atMs.value = Math.max(0, Math.min(this.axis.lengthMs, Math.round(toMs)));
    this.settle();
  }

  play(): void {
    if (this.atMs.value >= this.axis.lengthMs) this.atMs.value = 0;
    this.isPlaying.value = true;
    this.settle();
  }

  pause(): void {
    this.isPlaying.value = false;
    this.settlingSinceMs = null;
    this.place();
  }

  toggle(): void {
    if (this.isPlaying.value) this.pause();
    else this.play();
  }

  setRate(rate: number): void {
    this.rate.value = rate;
    for (const media of this.media.values()) media.playbackRate = rate;
  }

  /** A few times a second: moves the time on and the players after it. */
  tick(): void {
    if (!this.isPlaying.value) return;
    if (this.settlingSinceMs !== null) {
      const isPatient = this.nowMs() - this.settlingSinceMs < SETTLE_MS_MAX;
      if (isPatient && this.here().some(([, media]) => !isReady(media))) return;
      this.settlingSinceMs = null;
      for (const [, media] of this.here()) this.start(media);
      return;
    }
    this.moveOn();
    this.follow();
  }

  private lane(at: number): Lane {
    return this.axis.lanes[at] as Lane;
  }

  /** Players whose files have something at the present place, the clock first. */
  private here(): readonly (readonly [number, Media])[] {
    return [...this.media]
      .filter(([at]) => positionIn(this.lane(at), this.atMs.value) !== null)
      .sort(([a], [b]) => Number(b === this.preferred) - Number(a === this.preferred) || a - b);
  }

  private moveOn(): void {
    const [clock] = this.here();
    if (clock) {
      const [at, media] = clock;
      const { fromMs, lengthMs } = this.lane(at);
      if (media.seeking || media.readyState < HAVE_CURRENT) return;
      const ended = media.paused && media.currentTime * 1000 >= lengthMs - 200;
      this.atMs.value = Math.round(fromMs + (ended ? lengthMs + 1 : media.currentTime * 1000));
      if (!ended || this.here().length > 0) return;
    }
    const next = nextRecorded(this.axis, this.atMs.value);
    if (next === null) {
      this.atMs.value = this.axis.lengthMs;
      this.pause();
    } else if (next !== this.atMs.value) {
      this.seek(next);
    }
  }

  private follow(): void {
    const [clock] = this.here();
    for (const [at, media] of this.media) {
      const position = positionIn(this.lane(at), this.atMs.value);
      if (position === null) {
        if (!media.paused) media.pause();
      } else if (media.paused) {
        media.currentTime = position / 1000;
        this.start(media);
      } else if (at !== clock?.[0] && !media.seeking) {
        const step = correct(media.currentTime, position / 1000, this.rate.value);
        if (step.kind === "set") media.currentTime = step.toS;
        else media.playbackRate = step.rate;
      }
    }
    if (clock) clock[1].playbackRate = this.rate.value;
  }

  private start(media: Media): void {
    media.playbackRate = this.rate.value;
    media.play().catch(() => {
      // The browser wants a press first, or the file is gone: the page shows that it stands.
      if (this.here()[0]?.[1] === media) this.pause();
    });
  }

  /** Everybody to the place, standing; those who play go on together when all are there. */
  private settle(): void {
    this.place();
    if (this.isPlaying.value) this.settlingSinceMs = this.nowMs();
  }

  private place(): void {
    for (const [at, media] of this.media) {
      if (!media.paused) media.pause();
      const position = positionIn(this.lane(at), this.atMs.value);
      if (position === null) continue;
      if (Math.abs(media.currentTime - position / 1000) > STILL_S) {
        media.currentTime = position / 1000;
      }
    }
    if (this.isPlaying.value && this.settlingSinceMs === null) {
      this.settlingSinceMs = this.nowMs();
    }
  }
}

function isReady(media: Media): boolean {
  return !media.seeking && media.readyState >= HAVE_CURRENT;
}
