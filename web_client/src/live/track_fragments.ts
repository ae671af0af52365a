/**
 * A meeting by fragments (逐轨片段播放): a player for each picture and each sound, where no UDP
 * passes.
 *
 * Invariant: what is seen small is fetched small, what is not seen is not fetched at all; a sound
 * is never interrupted because a picture changes.
 */
import { type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { FragmentPlayer } from "./fragments.ts";
import { Pace } from "./pace.ts";
import type { Door, Routes } from "./routes.ts";
import { watchSize } from "./sight.ts";
import { isSound, type Told } from "./told.ts";
import { type Size, sizeOf } from "./wanted.ts";

/** Players that begin together ask the door once. */
const DOOR_MS = 2_000;
const LOOK_MS = 1_000;
/** After the server had to leave something out for us, small pictures for so long. */
const NARROW_MS = 60_000;

interface Shown {
  readonly track: number;
  readonly player: FragmentPlayer;
  heightPx: number;
  size: Size | null;
}

export class TrackFragments {
  /** How late the latest of what plays is; null: nothing plays yet. */
  readonly latencyMs: Signal<number | null> = signal<number | null>(null);
  private readonly routes: Routes;
  private readonly told: ReadonlySignal<Told>;
  private readonly pace = new Pace();
  private readonly all = new Set<Shown>();
  private asked: { readonly atMs: number; readonly door: Promise<Door> } | null = null;
  private narrowMs = -NARROW_MS;
  private skipped = 0;
  private timer: ReturnType<typeof setInterval> | null = null;

  constructor(routes: Routes, told: ReadonlySignal<Told>) {
    this.routes = routes;
    this.told = told;
  }

  /** Plays a track on an element that is on the page; what is returned takes it off. */
  show(track: number, element: HTMLMediaElement): () => void {
    const one: Shown = {
      track,
      heightPx: 0,
      size: null,
      player: new FragmentPlayer(
        element,
        () => this.addresses(track, one.size),
        () => {
          const there = this.told.value.tracks[track];
          return there?.flowing === true && !there.paused;
        },
        this.pace,
      ),
    };
    this.all.add(one);
    this.timer ??= setInterval(() => this.look(), LOOK_MS);
    const blind = watchSize(element, (heightPx) => {
      one.heightPx = heightPx;
      this.fit(one);
    });
    return () => {
      blind();
      one.player.stop();
      this.all.delete(one);
      this.look();
    };
  }

  /** Network or device is back, or the media process began anew. */
  wake(): void {
    this.asked = null;
    for (const { player } of this.all) player.wake();
  }

  private fit(one: Shown): void {
    const track = this.told.value.tracks[one.track];
    const isNarrow = performance.now() - this.narrowMs < NARROW_MS;
    const size =
      track !== undefined && isSound(track.label)
        ? "sound"
        : sizeOf(one.heightPx, track?.layers ?? 1, isNarrow);
    if (size === one.size) return;
    one.size = size;
    one.player.stop();
    if (size !== null) one.player.start();
  }

  private look(): void {
    const late = [...this.all].map(({ player }) => player.latencyMs.value);
    const known = late.filter((ms) => ms !== null);
    this.latencyMs.value = known.length === 0 ? null : Math.max(...known);
    const skipped = [...this.all].reduce((sum, { player }) => sum + player.skipped, 0);
    if (skipped > this.skipped) this.narrowMs = performance.now();
    this.skipped = skipped;
    for (const one of this.all) this.fit(one);
    if (this.all.size === 0 && this.timer !== null) {
      clearInterval(this.timer);
      this.timer = null;
    }
  }

  private async addresses(track: number, size: Size | null): Promise<Door["fragments"]> {
    const nowMs = performance.now();
    if (this.asked === null || nowMs - this.asked.atMs > DOOR_MS) {
      this.asked = { atMs: nowMs, door: this.routes.door() };
    }
    const { fragments } = await this.asked.door;
    if (fragments === null || size === null) return null;
    const of = `${track}.${size}`;
    return {
      live: `${fragments.live}&of=${of}`,
      hls: fragments.hls.replace(/index\.m3u8$/, `${of}/index.m3u8`),
    };
  }
}
